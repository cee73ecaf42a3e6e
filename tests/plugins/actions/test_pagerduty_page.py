"""Paging through PagerDuty: one alert for each key, and the page taken back."""

import json

import pytest
from tests.plugins.actions.examples import SECRETS, catalog, credentials, example
from tests.plugins.servers import Served, response, saying, serving

from handrail.kernel.errors import Unprocessable
from handrail.plugins.actions.contract import Action, OutcomeStatus
from handrail.plugins.actions.registry import actions
from handrail.plugins.outward import Outward

KEY = "run_1:task:abc/1"
TAKEN = json.dumps({"status": "success", "message": "Event processed", "dedup_key": KEY}).encode()


def page(served: Served | None = None) -> Action:
    place = served.place if served else "api.example"
    return actions(Outward([place]), credentials(place))["pagerduty.page"]


def test_a_page_is_a_trigger_under_the_key_of_the_act() -> None:
    with serving(saying(response(202, TAKEN))) as served:
        outcome = page(served).execute(example("pagerduty.page", served.url), catalog(), KEY)
    assert (outcome.status, outcome.output) == (OutcomeStatus.DONE, {"dedup_key": KEY})
    assert served.requests[0].startswith(b"POST /v2/enqueue ")
    assert json.loads(served.requests[0].partition(b"\r\n\r\n")[2]) == {
        "routing_key": SECRETS["routing"], "event_action": "trigger", "dedup_key": KEY,
        "payload": {"summary": "Card payments fail in eu-1", "source": "payments", "severity": "critical",
                    "component": "payments"},
    }  # fmt: skip


def test_the_undo_resolves_the_same_page() -> None:
    with serving(saying(response(202, TAKEN))) as served:
        undo = page(served).undo_parameters(example("pagerduty.page", served.url), {"dedup_key": KEY})
        assert page(served).execute(undo, catalog(), "run_1:undo:abc/1").status == OutcomeStatus.DONE
    sent = json.loads(served.requests[0].partition(b"\r\n\r\n")[2])
    assert sent == {"routing_key": SECRETS["routing"], "event_action": "resolve", "dedup_key": KEY}


def test_a_resolved_page_cannot_be_taken_back() -> None:
    with pytest.raises(Unprocessable) as refused:
        page().undo_parameters({**example("pagerduty.page"), "event": "resolve", "dedup_key": "x"}, {})
    assert refused.value.code == "no_undo"


@pytest.mark.parametrize("changed", [{"event": "resolve"}, {"dedup_key": "mine"}, {"severity": "sev1"}])
def test_an_event_that_makes_no_sense_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(Unprocessable):
        page().preview({**example("pagerduty.page"), **changed}, catalog())


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (response(202, b"<html>"), OutcomeStatus.UNKNOWN),
        (response(202, b'{"status":"success","dedup_key":"other"}'), OutcomeStatus.UNKNOWN),
        (response(400, b'{"status":"invalid event","message":"Event object is invalid"}'), OutcomeStatus.FAILED),
        (response(429), OutcomeStatus.NOT_DONE),
        (response(500), OutcomeStatus.UNKNOWN),
    ],
)
def test_each_answer_has_one_meaning(answer: bytes, status: OutcomeStatus) -> None:
    with serving(saying(answer)) as served:
        assert page(served).execute(example("pagerduty.page", served.url), catalog(), KEY).status == status


def test_without_the_integration_key_nothing_is_sent() -> None:
    with serving(saying(response(202, TAKEN))) as served:
        action = actions(Outward([served.place]), {})["pagerduty.page"]
        outcome = action.execute(example("pagerduty.page", served.url), catalog(), KEY)
        assert served.connections == 0
    assert (outcome.status, f"routing@{served.place}" in outcome.detail) == (OutcomeStatus.FAILED, True)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (b'{"incidents":[{"id":"Q1","status":"triggered"}]}', OutcomeStatus.DONE),
        (b'{"incidents":[]}', OutcomeStatus.NOT_DONE),
        (b'{"incidents":{}}', OutcomeStatus.UNKNOWN),
    ],
)
def test_the_probe_asks_the_rest_api_by_key(found: bytes, status: OutcomeStatus) -> None:
    with serving(saying(response(200, found))) as served:
        assert page(served).probe(example("pagerduty.page", served.url), catalog(), KEY).status == status
    assert b"incident_key=run_1%3Atask%3Aabc%2F1 " in served.requests[0]
    assert f"authorization: Token token={SECRETS['token']}".encode() in served.requests[0]


def test_without_a_rest_key_the_probe_says_that_nobody_can_tell() -> None:
    action = actions(Outward(), {"routing@api.example": "rrrrrrrr"})["pagerduty.page"]
    assert action.probe(example("pagerduty.page"), catalog(), KEY).status == OutcomeStatus.UNKNOWN
