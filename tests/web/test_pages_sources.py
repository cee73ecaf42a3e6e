"""Sources in the browser: a heartbeat is set and shown, and a kept payload is read again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.operations import sources
from handrail.operations.shell import HANDRAIL, Tx
from handrail.store import intake
from handrail.store.database import Database
from handrail.store.intake import Unread
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
