"""Workflows of GitHub Actions: started once, found again by the key in the run's name, never started on a guess."""

import json

import pytest
from tests.plugins.actions.examples import SECRETS, catalog, credentials, example
from tests.plugins.servers import Served, response, saying, serving

from handrail.kernel.errors import Unprocessable
from handrail.plugins.actions.contract import Action, OutcomeStatus
from handrail.plugins.actions.registry import actions
from handrail.plugins.outward import Outward

KEY = "run_1:task:abc/1"
DISPATCH, ROLLBACK = "github.workflow_dispatch", "github.rollback"


def action(name: str, served: Served | None = None) -> Action:
    place = served.place if served else "api.example"
    return actions(Outward([place]), credentials(place))[name]


def runs(*titles: str) -> bytes:
    listed = [
        {"id": 7, "display_title": title, "status": "queued", "html_url": "https://g.example/7"} for title in titles
    ]
    return response(200, json.dumps({"total_count": len(listed), "workflow_runs": listed}).encode())


def test_the_preview_shows_where_the_key_goes() -> None:
    assert action(DISPATCH).preview(example(DISPATCH), catalog()).changes == (
        "POST https://api.example/repos/shop/payments/actions/workflows/drain.yml/dispatches",
        "ref: main",
        "inputs.force: true",
        "inputs.handrail_key: {key}",
        "inputs.pool: eu-1",
    )
    assert action(ROLLBACK).preview(example(ROLLBACK), catalog()).changes == (
        "payments 2.4.1 -> 2.4.0",
        "POST https://api.example/repos/shop/payments/actions/workflows/deploy.yml/dispatches",
        "ref: main",
        "inputs.handrail_key: {key}",
        "inputs.version: 2.4.0",
    )


def test_a_rollback_starts_the_deploy_of_the_earlier_version() -> None:
    with serving(saying(response(204))) as served:
        outcome = action(ROLLBACK, served).execute(example(ROLLBACK, served.url), catalog(), KEY)
    assert outcome.status == OutcomeStatus.DONE
    sent = served.requests[0]
    assert sent.startswith(b"POST /repos/shop/payments/actions/workflows/deploy.yml/dispatches ")
    assert f"authorization: Bearer {SECRETS['token']}".encode() in sent
    assert json.loads(sent.partition(b"\r\n\r\n")[2]) == {
        "ref": "main", "inputs": {"version": "2.4.0", "handrail_key": KEY},
    }  # fmt: skip


def test_the_number_of_the_run_is_kept_where_github_tells_it() -> None:
    with serving(saying(response(200, b'{"workflow_run_id": 42, "html_url": "https://g.example/42"}'))) as served:
        outcome = action(DISPATCH, served).execute(example(DISPATCH, served.url), catalog(), KEY)
    assert (outcome.status, outcome.output["run_id"]) == (OutcomeStatus.DONE, 42)


@pytest.mark.parametrize("name", [DISPATCH, ROLLBACK])
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (response(401, b'{"message":"Bad credentials"}'), OutcomeStatus.FAILED),
        (response(404), OutcomeStatus.FAILED),
        (response(422, b'{"message":"Unexpected inputs provided"}'), OutcomeStatus.FAILED),
        (response(409), OutcomeStatus.UNKNOWN),
        (response(429), OutcomeStatus.NOT_DONE),
        (response(500), OutcomeStatus.UNKNOWN),
        (b"", OutcomeStatus.UNKNOWN),
    ],
)
def test_each_answer_has_one_meaning(name: str, answer: bytes, status: OutcomeStatus) -> None:
    with serving(saying(answer)) as served:
        assert action(name, served).execute(example(name, served.url), catalog(), KEY).status == status


@pytest.mark.parametrize("name", [DISPATCH, ROLLBACK])
@pytest.mark.parametrize(
    ("listed", "status"),
    [
        (runs("Deploy other", f"Deploy {KEY}"), OutcomeStatus.DONE),
        (runs(f"Deploy {KEY}2"), OutcomeStatus.UNKNOWN),
        (runs(), OutcomeStatus.UNKNOWN),
        (response(200, b"[]"), OutcomeStatus.UNKNOWN),
    ],
)
def test_the_probe_finds_the_run_by_its_whole_key_and_never_claims_that_there_is_none(
    name: str, listed: bytes, status: OutcomeStatus
) -> None:
    with serving(saying(listed)) as served:
        assert action(name, served).probe(example(name, served.url), catalog(), KEY).status == status


def test_without_a_marker_nobody_claims_to_know() -> None:
    asked = {**example(DISPATCH), "marker_input": ""}
    assert action(DISPATCH).probe(asked, catalog(), KEY).status == OutcomeStatus.UNKNOWN


def test_the_undo_of_a_rollback_is_the_other_way_round_and_a_dispatch_has_none() -> None:
    undo = action(ROLLBACK).undo_parameters(example(ROLLBACK), {})
    assert action(ROLLBACK).preview(undo, catalog()).changes[0] == "payments 2.4.0 -> 2.4.1"
    with pytest.raises(Unprocessable) as refused:
        action(DISPATCH).undo_parameters(example(DISPATCH), {})
    assert refused.value.code == "no_undo"


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        (DISPATCH, {"repository": "../admin"}),
        (DISPATCH, {"repository": "shop"}),
        (DISPATCH, {"workflow": "a/b"}),
        (DISPATCH, {"inputs": '{"pool": ["a"]}'}),
        (DISPATCH, {"marker_input": "pool"}),
        (ROLLBACK, {"to_version": "2.4.1"}),
        (ROLLBACK, {"marker_input": "version"}),
    ],
)
def test_parameters_that_make_no_sense_are_refused(name: str, changed: dict[str, str]) -> None:
    with pytest.raises(Unprocessable):
        action(name).preview({**example(name), **changed}, catalog())
