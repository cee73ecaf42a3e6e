"""Sources in the browser: a heartbeat is set and shown, and a kept payload is read again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.operations import sources
from handrail.operations.shell import HANDRAIL, Tx
from handrail.store import intake, pulls
from handrail.store.database import Database
from handrail.store.intake import Tally, Unread
from handrail.store.pulls import PullState
from tests.web.houses import House, house


@pytest.fixture
def home(sqlite: Database, tmp_path: Path) -> Iterator[House]:
    with house(sqlite, tmp_path) as made:
        yield made


def source_id(home: House) -> str:
    owner = home.world.owner
    source, _ = home.world.by(owner, lambda tx: sources.add(tx, "prom", "generic", frozenset({"generic"}), owner))
    return str(source.id)


def test_a_heartbeat_is_set_shown_and_ended(home: House) -> None:
    browser, where = home.as_(home.world.owner), source_id(home)
    browser.post(f"/sources/{where}/heartbeat", {"every": "300", "back": "/sources"})
    assert "Heartbeat (5 min" in browser.get("/sources").text
    browser.post(f"/sources/{where}/heartbeat", {"every": "", "back": "/sources"})
    assert "Heartbeat (" not in browser.get("/sources").text
    assert browser.post(f"/sources/{where}/heartbeat", {"every": "soon", "back": "/sources"}).status_code == 422


def test_metrics_are_pulled_changed_and_pulled_no_more(home: House) -> None:
    browser, where = home.as_(home.world.owner), source_id(home)
    form = {"url": "https://prom.example:9090", "queries": "up=up\n\nrps=rate(x{a=\"b\"}[1m])", "every": "30",
            "history": "3600", "user": "", "secret": "tok-shown-once", "back": "/sources"}  # fmt: skip
    browser.post(f"/sources/{where}/pull", form)
    page = browser.get("/sources").text
    assert "Pull metrics (every 30 s" in page and "Not pulled yet." in page and "tok-shown-once" not in page
    assert "rate(x{a=&#34;b&#34;}[1m])" in page and "keep the earlier one" in page
    browser.post(f"/sources/{where}/pull", {**form, "secret": "", "no_secret": "yes"})
    assert "keep the earlier one" not in browser.get("/sources").text
    browser.post(f"/sources/{where}/pull/end", {"back": "/sources"})
    assert "Pull metrics (" not in browser.get("/sources").text


@pytest.mark.parametrize(
    "wrong", [{"every": "often"}, {"history": ""}, {"queries": "up"}, {"queries": ""}, {"url": "prom"}, {"every": "1"}]
)
def test_what_cannot_be_pulled_is_refused_in_words(home: House, wrong: dict[str, str]) -> None:
    browser, where = home.as_(home.world.owner), source_id(home)
    form = {"url": "https://prom.example", "queries": "up=up", "every": "30", "history": "0", "back": "/sources"}
    assert browser.post(f"/sources/{where}/pull", {**form, **wrong}).status_code == 422


def test_how_pulling_goes_stands_on_the_page(home: House) -> None:
    browser, where = home.as_(home.world.owner), source_id(home)
    form = {"url": "https://prom.example", "queries": "up=up", "every": "30", "history": "0", "back": "/sources"}
    browser.post(f"/sources/{where}/pull", form)
    said = PullState("n", None, "2026-01-05T09:00:00.000000Z", 812, "It answered with 502 <b>.", "A note.")
    pulls.report(home.world.shell.database, where, said)
    page = browser.get("/sources").text
    assert "812 series" in page and "It answered with 502 &lt;b&gt;." in page and "A note." in page


def test_what_was_dropped_of_a_log_and_why_stands_beside_its_source(home: House) -> None:
    source_id(home)
    told = Tally(
        refused=950, last_refusal="log_lines_dropped: 950 log lines came faster than <b> they can be looked at."
    )
    home.world.shell.transact(HANDRAIL, lambda tx: intake.add_tallies(tx.connection, {"prom": told}, tx.now))
    page = home.as_(home.world.owner).get("/sources").text
    assert "950 log lines came faster than &lt;b&gt; they can be looked at." in page


def test_a_kept_payload_is_read_again_and_the_record_says_who_had_that_done(home: House) -> None:
    def keep(tx: Tx) -> None:
        intake.quarantine(tx.connection, [Unread("prom", "json_invalid", "It is no JSON.", b"{")], tx.now)

    home.world.shell.transact(HANDRAIL, keep)
    browser = home.as_(home.world.owner)
    page = browser.get("/sources").text
    item = page.split('action="/quarantine/')[1].split("/")[0]
    browser.post(f"/quarantine/{item}/retry", {"back": "/sources"})
    assert item not in browser.get("/sources").text.split("Lately refused")[1]
    assert "quarantine.retried" in browser.get("/record").text


def test_severities_are_set_and_words_that_nothing_knows_are_listed_until_then(home: House) -> None:
    browser, where = home.as_(home.world.owner), source_id(home)
    words = {("prom", "Ouch <b>"): 3}
    home.world.shell.transact(HANDRAIL, lambda tx: intake.add_words(tx.connection, words, tx.now))
    page = browser.get("/sources").text
    assert "1 unknown word" in page and "Ouch &lt;b&gt;</code> (3)" in page
    form = {"words": "Ouch <b>=high\n\nwarning = low", "label": "labels.priority", "back": "/sources"}
    browser.post(f"/sources/{where}/severities", form)
    page = browser.get("/sources").text
    assert "unknown word" not in page and "warning=low" in page and 'value="priority"' in page
    for wrong in ("warning", "warning=urgent", "a=low\nA=high"):
        assert browser.post(f"/sources/{where}/severities", {**form, "words": wrong}).status_code == 422


def test_a_rate_is_set_and_shown(home: House) -> None:
    browser, where = home.as_(home.world.owner), source_id(home)
    browser.post(f"/sources/{where}/rate", {"rate": "50", "back": "/sources"})
    assert "may send 50 a second" in browser.get("/sources").text
    assert browser.post(f"/sources/{where}/rate", {"rate": "0", "back": "/sources"}).status_code == 422
    browser.post(f"/sources/{where}/rate", {"rate": "", "back": "/sources"})
    assert "may send 50" not in browser.get("/sources").text


def test_a_payload_is_tried_and_nothing_is_stored(home: House) -> None:
    browser, where = home.as_(home.world.owner), source_id(home)
    payload = '[{"title": "Disk <i>", "severity": "Ouch"}, {"no": "title"}]'
    page = browser.post(f"/sources/{where}/try", {"payload": payload, "back": "/sources"}).text
    assert "What a payload of prom would become" in page and "Disk &lt;i&gt;" in page
    assert "Ouch (no mapping knows it)" in page and "refused" in page
    assert browser.post(f"/sources/{where}/try", {"payload": "{", "back": "/sources"}).status_code in (400, 422)


def test_rate_verdicts_and_reasons_stand_on_the_row(home: House) -> None:
    browser = home.as_(home.world.owner)
    source_id(home)

    def count(tx: Tx) -> None:
        intake.add_tallies(tx.connection, {"prom": Tally(accepted=7, refused=1, verified=2, by_token=3)}, tx.now)
        intake.add_refusals(tx.connection, [("prom", "bad_input", 1, "It is <no> JSON.")], tx.now)

    home.world.shell.transact(HANDRAIL, count)
    page = browser.get("/sources").text
    assert "2 signed, 3 by token" in page and "It is &lt;no&gt; JSON." in page
    assert 'aria-label="The last hour: 8 in all, 8 in its busiest minute"' in page
