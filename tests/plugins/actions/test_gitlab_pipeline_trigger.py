"""Pipelines of GitLab: created once, found again by the variable that carries the key."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.plugins.actions.examples import SECRETS, catalog, credentials, example
from tests.plugins.servers import Served, response, saying, serving

from handrail.kernel.errors import Unprocessable
from handrail.plugins.actions.contract import Action, OutcomeStatus
from handrail.plugins.actions.registry import actions
from handrail.plugins.outward import Outward

KEY = "run_1:task:abc/1"
NAME = "gitlab.pipeline_trigger"


@dataclass
class Gitlab:
    """A project that remembers its pipelines; `cut` closes the connection after the pipeline was created."""

    cut: bool = False
    pipelines: list[Any] = field(default_factory=list)

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        path = request.split(b" ")[1].decode()
        if request.startswith(b"POST"):
            self.pipelines.append(json.loads(request.partition(b"\r\n\r\n")[2])["variables"])
            if not self.cut:
                connection.sendall(response(201, json.dumps(self._shown(len(self.pipelines) - 1)).encode()))
        elif path.endswith("/variables"):
            connection.sendall(response(200, json.dumps(self.pipelines[int(path.split("/")[-2])]).encode()))
        else:
            newest_first = [self._shown(n) for n in reversed(range(len(self.pipelines)))]
            connection.sendall(response(200, json.dumps(newest_first).encode()))

    def _shown(self, number: int) -> dict[str, Any]:
        return {"id": number, "status": "created", "web_url": f"https://gitlab.example/p/{number}", "user": {"id": 1}}


def trigger(served: Served | None = None) -> Action:
    place = served.place if served else "api.example"
    return actions(Outward([place]), credentials(place))[NAME]


def test_the_preview_shows_each_variable() -> None:
    assert trigger().preview(example(NAME), catalog()).changes == (
        "POST https://api.example/api/v4/projects/shop%2Fpayments/pipeline",
        "ref: main",
        "HANDRAIL_KEY: {key}",
        "JOB: drain",
    )


def test_it_creates_one_pipeline_with_the_key_and_the_token() -> None:
    gitlab = Gitlab()
    with serving(gitlab) as served:
        outcome = trigger(served).execute(example(NAME, served.url), catalog(), KEY)
    assert (outcome.status, outcome.output["id"]) == (OutcomeStatus.DONE, 0)
    assert set(outcome.output) == {"id", "status", "web_url"}
    assert gitlab.pipelines == [[{"key": "HANDRAIL_KEY", "value": KEY}, {"key": "JOB", "value": "drain"}]]
    assert served.requests[0].startswith(b"POST /api/v4/projects/shop%2Fpayments/pipeline ")
    assert f"authorization: Bearer {SECRETS['token']}".encode() in served.requests[0]


def test_a_pipeline_whose_answer_was_lost_is_found_by_its_key() -> None:
    with serving(Gitlab(cut=True)) as served:
        asked = example(NAME, served.url)
        assert trigger(served).execute(asked, catalog(), KEY).status == OutcomeStatus.UNKNOWN
        assert trigger(served).execute(asked, catalog(), "another").status == OutcomeStatus.UNKNOWN
        found = trigger(served).probe(asked, catalog(), KEY)
    assert (found.status, found.output["id"]) == (OutcomeStatus.DONE, 0)


def test_a_pipeline_that_is_not_found_may_still_come() -> None:
    with serving(Gitlab(pipelines=[[{"key": "HANDRAIL_KEY", "value": f"{KEY}2"}]])) as served:
        assert trigger(served).probe(example(NAME, served.url), catalog(), KEY).status == OutcomeStatus.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (response(201, b"<html>"), OutcomeStatus.UNKNOWN),
        (response(400, b'{"message":"Reference not found"}'), OutcomeStatus.FAILED),
        (response(401), OutcomeStatus.FAILED),
        (response(404), OutcomeStatus.FAILED),
        (response(409), OutcomeStatus.UNKNOWN),
        (response(429), OutcomeStatus.NOT_DONE),
        (response(500), OutcomeStatus.UNKNOWN),
    ],
)
def test_each_answer_has_one_meaning(answer: bytes, status: OutcomeStatus) -> None:
    with serving(saying(answer)) as served:
        assert trigger(served).execute(example(NAME, served.url), catalog(), KEY).status == status


def test_the_keys_own_variable_cannot_be_given_and_there_is_no_undo() -> None:
    with pytest.raises(Unprocessable):
        trigger().preview({**example(NAME), "variables": '{"HANDRAIL_KEY": "x"}'}, catalog())
    with pytest.raises(Unprocessable) as refused:
        trigger().undo_parameters(example(NAME), {})
    assert refused.value.code == "no_undo"
