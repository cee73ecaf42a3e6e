"""One HTTP request as approved: exact lines, values that cannot break out, secrets that stay at their place."""

import json

import pytest
from tests.plugins.actions.examples import SECRETS, catalog, credentials, example
from tests.plugins.servers import Served, response, saying, serving

from handrail.kernel.errors import Unprocessable
from handrail.plugins.actions.contract import Action, OutcomeStatus
from handrail.plugins.actions.registry import actions
from handrail.plugins.outward import Outward

KEY = "run_1:task:abc/1"


def request(served: Served | None = None) -> Action:
    place = served.place if served else "api.example"
    return actions(Outward([place]), credentials(place))["http.request"]


def test_the_preview_shows_each_line_that_is_sent_and_secrets_by_name() -> None:
    preview = request().preview(example("http.request"), catalog())
    assert preview.changes == (
        "POST https://api.example/pools/eu%2F1/drain",
        "Idempotency-Key: {key}",
        "x-api-key: {secret:routing}",
        'body: {"note":"{key}","pool":"eu/1"}',
        "done when it answers 200, 201 or 204",
        "asked afterwards, where unsure: GET https://api.example/acts/{key} | x-api-key: {secret:routing}",
        "that means done at 200, never happened at 404",
    )
    assert preview.blast_radius == ("payments", "orders")
    assert preview.undo.startswith("Send DELETE https://api.example/pools/eu%2F1/drain")


def test_it_sends_what_was_shown_with_the_key_and_the_secret() -> None:
    with serving(saying(response(204))) as served:
        outcome = request(served).execute(example("http.request", served.url), catalog(), KEY)
    assert (outcome.status, outcome.output) == (OutcomeStatus.DONE, {"status": 204})
    sent = served.requests[0]
    assert sent.startswith(b"POST /pools/eu%2F1/drain HTTP/1.1")
    assert f"x-api-key: {SECRETS['routing']}".encode() in sent
    assert f"idempotency-key: {KEY}".encode() in sent
    assert json.loads(sent.partition(b"\r\n\r\n")[2]) == {"pool": "eu/1", "note": KEY}


def test_a_value_cannot_leave_its_place_in_path_or_body() -> None:
    hostile = {"values": json.dumps({"pool": '../../admin?x=1#"}, "role": "owner'})}
    with serving(saying(response(200))) as served:
        request(served).execute({**example("http.request", served.url), **hostile}, catalog(), KEY)
    sent = served.requests[0]
    assert sent.startswith(b"POST /pools/..%2F..%2Fadmin%3Fx%3D1%23%22%7D%2C%20%22role%22%3A%20%22owner/drain ")
    assert set(json.loads(sent.partition(b"\r\n\r\n")[2])) == {"pool", "note"}


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"url": "https://{pool}.example/x"}, "/url"),
        ({"url": "https://api.example/{unknown}"}, "/url"),
        ({"url": "https://api.example/{secret:routing}"}, "/url"),
        ({"url": "ftp://api.example/"}, "/url"),
        ({"url": "https://me:pass@api.example/"}, "/url"),
        ({"headers": '{"authorization": "Bearer abc"}'}, "/url"),
        ({"headers": '{"host": "elsewhere"}'}, "/url"),
        ({"headers": '{"x-a": "b\\r\\nx-c: d"}'}, "/url"),
        ({"headers": "x-a: b"}, "/headers"),
        ({"body": '{"password": "hunter22"}'}, "/url"),
        ({"body": '{"a": '}, "/url"),
        ({"values": '{"key": "mine", "pool": "a"}'}, "/values"),
        ({"undo_url": ""}, "/undo_url"),
        ({"method": "GET"}, "/method"),
        ({"expected": "2xx"}, "/expected"),
    ],
)
def test_what_cannot_be_sent_safely_is_refused_with_its_place(changed: dict[str, str], where: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        request().preview({**example("http.request"), **changed}, catalog())
    assert where in {fault.where for fault in refused.value.faults}


def test_a_secret_is_not_sent_to_a_place_that_it_is_not_kept_for() -> None:
    with serving(saying(response(200))) as served:
        action = actions(Outward([served.place]), {"routing@other.example": "r" * 20})["http.request"]
        outcome = action.execute(example("http.request", served.url), catalog(), KEY)
        assert served.connections == 0
    assert outcome.status == OutcomeStatus.FAILED
    assert f"routing@{served.place}" in outcome.detail


@pytest.mark.parametrize(
    ("status", "expected", "outcome"),
    [
        (200, "", OutcomeStatus.DONE),
        (202, "", OutcomeStatus.UNKNOWN),
        (202, "202", OutcomeStatus.DONE),
        (409, "200,409", OutcomeStatus.DONE),
        (200, "204", OutcomeStatus.UNKNOWN),
        (302, "", OutcomeStatus.FAILED),
        (409, "", OutcomeStatus.UNKNOWN),
        (422, "", OutcomeStatus.FAILED),
        (429, "", OutcomeStatus.NOT_DONE),
        (502, "", OutcomeStatus.UNKNOWN),
    ],
)
def test_people_say_which_statuses_mean_done(status: int, expected: str, outcome: OutcomeStatus) -> None:
    with serving(saying(response(status))) as served:
        asked = {**example("http.request", served.url), "expected": expected}
        assert request(served).execute(asked, catalog(), KEY).status == outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, OutcomeStatus.DONE), (404, OutcomeStatus.NOT_DONE), (500, OutcomeStatus.UNKNOWN)],
)
def test_the_probe_asks_by_key(status: int, outcome: OutcomeStatus) -> None:
    with serving(saying(response(status))) as served:
        assert request(served).probe(example("http.request", served.url), catalog(), KEY).status == outcome
    assert served.requests[0].startswith(b"GET /acts/run_1%3Atask%3Aabc%2F1 ")


def test_without_a_probe_nobody_claims_to_know() -> None:
    asked = {**example("http.request"), "probe_url": ""}
    assert request().probe(asked, catalog(), KEY).status == OutcomeStatus.UNKNOWN


def test_the_undo_is_an_act_of_its_own_whose_undo_is_the_first() -> None:
    undo = request().undo_parameters(example("http.request"), {})
    assert request().preview(undo, catalog()).changes[0] == "DELETE https://api.example/pools/eu%2F1/drain"
    assert request().undo_parameters(undo, {})["method"] == "POST"


def test_without_an_undo_taking_back_is_refused() -> None:
    with pytest.raises(Unprocessable) as refused:
        request().undo_parameters({"service": "payments", "method": "POST", "url": "https://api.example"}, {})
    assert refused.value.code == "no_undo"
