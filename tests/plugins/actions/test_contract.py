"""What every action owes: an exact preview without network, four honest outcomes, and no secret anywhere."""

import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from tests.plugins.actions.examples import PARAMETERS, SECRETS, catalog, credentials, example
from tests.plugins.servers import Served, Speak, refused_port, response, serving

from handrail.kernel.errors import Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.plugins.actions.contract import Action, Outcome, OutcomeStatus
from handrail.plugins.actions.registry import actions
from handrail.plugins.outward import Outward

# Actions that do not go through the outgoing client have failures of their own, and tests of their own for them.
OTHER_WAYS = ("aws.",)
NAMES = [name for name in sorted(actions(Outward(), {})) if not name.startswith(OTHER_WAYS)]
KEY = "run_1:task:abc/1"
SHORT = replace(LIMITS, outward_total_seconds=1)
ECHO = json.dumps({"detail": f"got {SECRETS['token']} and {SECRETS['routing']}", "status": SECRETS["routing"]}).encode()


def no_network(*_: Any) -> list[str]:
    raise AssertionError("something looked up a name")


def offline(name: str, secrets: Mapping[str, str] | None = None) -> Action:
    return actions(Outward(resolve=no_network), secrets or credentials())[name]


def online(name: str, served: Served) -> Action:
    return actions(Outward([served.place], SHORT), credentials(served.place))[name]


def executed(name: str, speak: Speak) -> Outcome:
    with serving(speak) as served:
        return online(name, served).execute(example(name, served.url), catalog(served.url), KEY)


def probed(name: str, speak: Speak) -> Outcome:
    with serving(speak) as served:
        return online(name, served).probe(example(name, served.url), catalog(served.url), KEY)


def always(answer: bytes) -> Speak:
    return lambda connection, _: connection.sendall(answer)


def reads_fail_not(answer: bytes) -> Speak:
    """Reads are answered as an empty control would; what acts gets `answer`."""

    def speak(connection: socket.socket, request: bytes) -> None:
        connection.sendall(response(404) if request.startswith(b"GET") else answer)

    return speak


def test_every_action_has_an_example() -> None:
    assert set(PARAMETERS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_is_a_schema_that_the_example_fits(name: str) -> None:
    manifest = offline(name).manifest
    jsonschema.Draft202012Validator.check_schema(dict(manifest.inputs))
    jsonschema.validate(example(name), dict(manifest.inputs))
    assert manifest.inputs["additionalProperties"] is False
    assert manifest.title[0].isupper()


@pytest.mark.parametrize("name", NAMES)
def test_preview_and_simulation_touch_no_network_and_are_the_same_each_time(name: str) -> None:
    action = offline(name)
    preview = action.preview(example(name), catalog())
    assert preview == action.preview(example(name), catalog())
    assert preview.summary and preview.changes and preview.undo and preview.signal
    assert preview.blast_radius[0] == "payments"
    outcome = action.simulate(example(name), catalog(), KEY)
    assert (outcome.status, outcome.output["simulated"]) == (OutcomeStatus.DONE, True)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_unknown_missing_or_no_text_is_refused_before_anything_leaves(name: str) -> None:
    action, good = offline(name), example(name)
    required = action.manifest.inputs["required"]
    for bad in ({**good, "force": "yes"}, {**good, required[-1]: ""}, {**good, required[-1]: {"a": "b"}},
                {**good, "service": "nobody"}):  # fmt: skip
        for step in (
            action.preview,
            lambda asked, known: action.execute(asked, known, KEY),
            lambda asked, known: action.probe(asked, known, KEY),
            lambda asked, known: action.simulate(asked, known, KEY),
        ):
            with pytest.raises(Unprocessable) as refused:
                step(bad, catalog())
            assert refused.value.code in ("action_parameters", "unknown_service")


@pytest.mark.parametrize("name", NAMES)
def test_an_address_off_the_allow_list_is_never_connected_to(name: str) -> None:
    with serving(always(response(200))) as served:
        action = actions(Outward(), credentials(served.place))[name]
        outcome = action.execute(example(name, served.url), catalog(served.url), KEY)
        assert served.connections == 0
    assert outcome.status == OutcomeStatus.FAILED
    assert "address not allowed" in outcome.detail


@pytest.mark.parametrize("name", NAMES)
def test_a_refused_connection_is_not_done_and_a_probe_that_reaches_nobody_is_unknown(name: str) -> None:
    port = refused_port()
    action = actions(Outward([f"127.0.0.1:{port}"]), credentials(f"127.0.0.1:{port}"))[name]
    url = f"http://127.0.0.1:{port}"
    assert action.execute(example(name, url), catalog(url), KEY).status == OutcomeStatus.NOT_DONE
    assert action.probe(example(name, url), catalog(url), KEY).status == OutcomeStatus.UNKNOWN


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_no_refusal_is_taken_for_done(name: str, status: int) -> None:
    outcome = executed(name, always(response(status, ECHO)))
    assert outcome.status != OutcomeStatus.DONE
    if status in (401, 403, 404):
        assert outcome.status == OutcomeStatus.FAILED


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "answer", [response(401), response(429), response(500), response(200, b"<html>"), b"", b"x\r\n"]
)
def test_a_probe_that_learns_nothing_says_so(name: str, answer: bytes) -> None:
    if name in ("http.request", "deploy.rollback") and answer.startswith(b"HTTP/1.1 200"):
        pytest.skip("Here the status alone is the answer.")
    assert probed(name, always(answer)).status == OutcomeStatus.UNKNOWN


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [200, 202, 400, 401, 404, 409, 429, 500])
def test_no_secret_is_in_preview_outcome_or_log(name: str, status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "handrail")
    told = repr(offline(name).preview(example(name), catalog()))
    told += repr(executed(name, always(response(status, ECHO)))) + repr(probed(name, always(response(status, ECHO))))
    told += repr(executed(name, reads_fail_not(response(status, ECHO))))
    told += "".join(record.getMessage() for record in caplog.records)
    assert not [secret for secret in SECRETS.values() if secret in told]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "deploy.rollback"])
def test_a_secret_written_into_a_parameter_is_refused(name: str) -> None:
    action = offline(name)
    last = action.manifest.inputs["required"][-1]
    with pytest.raises(Unprocessable) as refused:
        action.preview({**example(name), last: f"x {SECRETS['token']}"}, catalog())
    assert refused.value.code == "action_parameters"
    assert SECRETS["token"] not in str(refused.value.detail) + repr(refused.value.faults)
