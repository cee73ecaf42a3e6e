"""Silences in the browser: put in place, shown on the alert, ended, and refused with what was typed kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.store import alerts
from handrail.store.database import Database
from tests.web.houses import House, house


@pytest.fixture
def home(sqlite: Database, tmp_path: Path) -> Iterator[House]:
    with house(sqlite, tmp_path) as made:
        yield made


FIELDS = {"matchers": "service=payments\nlabel.cluster^=eu-", "minutes": "120", "reason": "CHG-17", "kind": "silence"}


def test_a_silence_is_put_in_place_listed_and_ended(home: House) -> None:
    browser = home.as_(home.world.member)
    assert browser.post("/silences", {**FIELDS, "back": "/silences"}).status_code == 303
    page = browser.get("/silences").text
    assert "label.cluster^=eu-" in page and "CHG-17" in page and "live" in page
    silence_id = page.split('id="silence-')[1].split('"')[0]
    browser.post(f"/silences/{silence_id}/end", {"back": "/silences"})
    assert "End now" not in browser.get("/silences").text


def test_a_wrong_condition_is_told_and_what_was_typed_stays(home: House) -> None:
    answer = home.as_(home.world.member).post("/silences", {**FIELDS, "matchers": "colour=red", "back": "/silences"})
    assert answer.status_code == 422
    assert "is no condition" in answer.text and "colour=red</textarea>" in answer.text
    assert 'value="CHG-17"' in answer.text


def test_a_shelved_alert_says_until_when_by_whom_and_why(home: House) -> None:
    home.to_proposal()
    with home.world.shell.database.read() as connection:
        alert = alerts.page(connection, alerts.Filter())[0].alert
    browser = home.as_(home.world.member)
    page = f"/alerts/{alert.id}"
    assert "Shelve this alert" in browser.get(page).text
    browser.post(f"{page}/shelve", {"minutes": "30", "reason": "waits for the vendor", "back": page})
    text = browser.get(page).text
    assert "Shelved until" in text and "waits for the vendor" in text and "Shelve this alert" not in text


def test_an_observer_sees_silences_and_no_form(home: House) -> None:
    text = home.as_(home.world.outsider).get("/silences").text
    assert "No silence" in text and 'action="/silences"' not in text
