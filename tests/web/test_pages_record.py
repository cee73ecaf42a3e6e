"""The record as pages show it: every entry told, proved and verified; what was changed is named."""

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa

from handrail.operations import records
from handrail.store import queries, rooms
from handrail.store.database import Database
from handrail.web.presenters.names import Names
from handrail.web.presenters.sentences import SENTENCES, Told, sentence
from tests.web.houses import House, house


@pytest.fixture
def home(sqlite: Database, tmp_path: Path) -> Iterator[House]:
    with house(sqlite, tmp_path) as made:
        made.report_release()
        made.world.whole()
        made.context.checkpointer.run_once(made.world.clock.now())
        yield made


def test_every_type_of_entry_has_a_sentence() -> None:
    assert set(SENTENCES) == set(rooms.entry_types())


def test_every_entry_of_a_whole_incident_is_told_in_words(home: House) -> None:
    with home.context.shell.database.read() as connection:
        told = Told(Names(queries.accounts(connection)))
        size = queries.record_size(connection)
        fallbacks = [
            entry.type
            for entry in queries.entries_at(connection, range(size)).values()
            if sentence(entry, told) == f"{entry.type.replace('_', ' ').replace('.', ' ')}."
        ]
    assert size > 90 and fallbacks == []


def test_a_change_says_how_its_sender_was_known(home: House) -> None:
    text = unescape(home.as_(home.world.owner).get("/record?type=change.reported").text)
    assert "was known by its token." in text


def test_each_entry_shows_its_proof_under_the_signed_root(home: House) -> None:
    browser = home.as_(home.world.owner)
    for index in (0, 1, 40, 63, 64):
        text = browser.get(f"/record/{index}").text
        assert "give the signed root." in text and "does not give" not in text


def test_verifying_says_that_all_entries_are_as_recorded(home: House) -> None:
    browser = home.as_(home.world.member)
    page = browser.post("/record/verify", {"back": "/record"})
    assert page.status_code == 200 and "are as recorded" in page.text and 'class="fails"' not in page.text


def test_an_entry_changed_by_sql_is_named_with_its_index(home: House) -> None:
    with home.context.shell.database.plain() as connection:
        connection.execute(
            sa.text("UPDATE hr_entry SET body = replace(body, 'SEV1', 'SEV3') WHERE type = 'incident.declared'")
        )
        index = connection.execute(sa.text("SELECT idx FROM hr_entry WHERE type = 'incident.declared'")).scalar()
    page = home.as_(home.world.member).post("/record/verify", {"back": "/record"})
    assert f'<a class="entry-link" href="/record/{index}">#{index}</a>' in page.text
    assert "not as recorded" in page.text and '<li class="fails">' in page.text and "notice-refused" in page.text


def test_an_erased_text_is_said_to_be_erased(home: House) -> None:
    world = home.world
    with home.context.shell.database.read() as connection:
        index = connection.execute(sa.text("SELECT idx FROM hr_entry WHERE type = 'gate.voted'")).scalar()
    world.by(world.owner, lambda tx: records.erase(tx, int(index or 0), "Asked for.", world.owner))
    browser = home.as_(world.owner)
    assert "was erased; the digest that commits to it stays" in browser.get(f"/record/{index}").text
    assert "Its text was erased." in unescape(browser.get("/record?type=gate.voted").text)


def test_the_record_is_browsed_by_page_stream_type_and_incident(home: House) -> None:
    browser = home.as_(home.world.owner)
    first = browser.get("/record").text
    assert "Older entries" in first and "Newer entries" not in first
    older = unescape(first.split('rel="next" href="')[1].split('"')[0])
    second = browser.get(older).text
    assert "Newer entries" in second and 'id="row-0"' in second + browser.get("/record?before=50").text
    votes = browser.get("/record?type=gate.voted").text
    assert votes.count("<code>gate.voted</code>") == 4 and "<code>task.done</code>" not in votes
    stream = browser.get(f"/record?stream=incident/{home.world.incident_id}").text
    assert "<code>incident.declared</code>" in stream and "<code>gate.voted</code>" not in stream
    whole = browser.get(f"/record?incident={home.world.incident_id}").text
    assert "<code>gate.voted</code>" in whole and "<code>account.created</code>" not in whole
    for odd in ("before=x", "before=-1", "type=nothing", "incident=nothing"):
        assert browser.get(f"/record?{odd}").status_code == 200
