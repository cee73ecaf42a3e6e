"""The page of a candidate: every alert says why it is there, and its forms correct what belongs together."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from handrail.domain.candidate import Candidate
from handrail.store.database import Database
from tests.web.houses import Browser, House, house
from tests.worlds import look

WHY = "The shop is another matter."


@pytest.fixture
def home(sqlite: Database, tmp_path: Path) -> Iterator[House]:
    with house(sqlite, tmp_path) as made:
        yield made


def text_of(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def picks(text: str) -> dict[str, str]:
    """Alert ids by the title that is chosen with them."""
    found = re.findall(r'name="alerts" value="(\w+)"[^>]*><span class="hidden">Choose ([^<]+)<', text)
    return {title: alert_id for alert_id, title in found}


def state(home: House, candidate_id: str) -> Candidate:
    found: Candidate = look(home.world.shell, lambda tx: tx.get("candidate", candidate_id))
    return found


def send(browser: Browser, candidate_id: str, form: str, **fields: Any) -> Any:
    back = f"/candidates/{candidate_id}"
    return browser.post(f"{back}/{form}", {"reason": WHY, "back": back, **fields})


def test_every_alert_stands_there_with_its_reason_and_score(home: House) -> None:
    candidate = home.world.open_candidate()
    board = text_of(home.as_(home.world.outsider), "/")
    assert f'href="/candidates/{candidate}"' in board
    text = text_of(home.as_(home.world.outsider), f"/candidates/{candidate}")
    assert text.count("payments is called by it") == 3 and text.count('<td class="end num">90</td>') == 3
    assert "Your roles do not let you move alerts" in text and "move-form" not in text


def test_chosen_alerts_are_split_off_and_the_new_page_says_where_they_came_from(home: House) -> None:
    candidate = home.world.open_candidate()
    commander = home.as_(home.world.commander)
    ids = picks(text_of(commander, f"/candidates/{candidate}"))
    done = send(commander, candidate, "move", to="new", alerts=[ids["storefront is failing"]])
    assert done.status_code == 303, done.text
    text = text_of(commander, done.headers["location"])
    assert "A person split it off from" in text and "A person put it here. Before: payments is called by it" in text
    assert "stay apart from" in text and "Merge 1 alert there" in text and "move-form" not in text
    assert f"moved to another candidate; 2 left: {WHY}" in text_of(commander, f"/candidates/{candidate}")


def test_chosen_alerts_go_to_another_candidate_or_out_and_candidates_are_merged(home: House) -> None:
    first = home.world.open_candidate()
    commander = home.as_(home.world.commander)
    ids = picks(text_of(commander, f"/candidates/{first}"))
    second = send(commander, first, "move", to="new", alerts=[ids["storefront is failing"]]).headers["location"]
    second = second.rpartition("/")[2]
    assert f'<option value="{second}">' in text_of(commander, f"/candidates/{first}")
    assert send(commander, first, "move", to=second, alerts=[ids["orders is failing"]]).status_code == 303
    assert (state(home, first).count, state(home, second).count) == (1, 2)
    assert send(commander, second, "move", to="none", alerts=[ids["orders is failing"]]).status_code == 303
    assert state(home, second).count == 1
    assert "1 alert stays out of every candidate for a day" in text_of(commander, f"/candidates/{second}")
    merged = send(commander, second, "merge", into=first)
    assert merged.headers["location"] == f"/candidates/{first}"
    over = text_of(commander, f"/candidates/{second}")
    assert "It is merged; nothing of it changes any more." in over and "No alert is left" in over


def test_a_refusal_keeps_what_was_chosen_and_typed(home: House) -> None:
    candidate = home.world.open_candidate()
    commander = home.as_(home.world.commander)
    ids = picks(text_of(commander, f"/candidates/{candidate}"))
    chosen = ids["storefront is failing"]
    refused = send(commander, candidate, "move", to="new", alerts=[chosen], reason="")
    assert refused.status_code == 422 and "Say why; it stands in the record." in unescape(refused.text)
    assert re.findall(r'name="alerts" value="(\w+)" checked', refused.text) == [chosen]
    assert '<option value="new" selected>' in refused.text
    nowhere = send(commander, candidate, "move", to="", alerts=[chosen])
    assert "Choose where the alerts go." in nowhere.text and f'value="{WHY}"' in unescape(nowhere.text)
    nothing = send(commander, candidate, "move", to="new", alerts=[])
    assert "Choose at least one alert." in nothing.text
    everything = send(commander, candidate, "move", to="new", alerts=list(ids.values()))
    assert "That would leave no alert in the candidate." in everything.text


def test_what_a_correction_says_of_later_alerts_is_forgotten_by_a_button(home: House) -> None:
    candidate = home.world.open_candidate()
    commander = home.as_(home.world.commander)
    ids = picks(text_of(commander, f"/candidates/{candidate}"))
    send(commander, candidate, "move", to="new", alerts=[ids["storefront is failing"]])
    text = text_of(commander, f"/candidates/{candidate}")
    (action,) = re.findall(r'action="(/corrections/\w+/end)"', text)
    assert commander.post(action, {"back": f"/candidates/{candidate}"}).status_code == 303
    assert "What later alerts follow" not in text_of(commander, f"/candidates/{candidate}")


def test_an_alert_and_an_incident_lead_to_the_reasons(home: House) -> None:
    candidate = home.world.open_candidate()
    commander = home.as_(home.world.commander)
    ids = picks(text_of(commander, f"/candidates/{candidate}"))
    link = f'href="/candidates/{candidate}"'
    assert link in text_of(commander, f"/alerts/{ids['orders is failing']}")
    incident = home.world.declare()
    assert link in text_of(commander, f"/incidents/{incident}")
    text = text_of(commander, f"/candidates/{candidate}")
    assert f'href="/incidents/{incident}"' in text and "Merge all of it" not in text
    assert home.as_(home.world.commander).get("/candidates/can_x").status_code == 404
