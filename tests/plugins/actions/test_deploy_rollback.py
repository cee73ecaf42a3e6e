"""Rolling back a release: an exact preview without network, one effect for each key, no guess about outcomes."""

import socket
from dataclasses import replace
from typing import Any

import pytest
from tests.plugins.servers import Served, Speak, refused_port, response, serving

from handrail.domain.catalog import Catalog, Service
from handrail.kernel.errors import Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.plugins.actions.contract import Action, Outcome, OutcomeStatus, Risk
from handrail.plugins.actions.registry import actions
from handrail.plugins.outward import Outward

PARAMETERS = {"service": "payments", "to_version": "2.4.0", "from_version": "2.4.1"}
KEY = "run_1:roll-back:abc/1"
DONE = b'{"status":"done","version":"2.4.0","previous_version":"2.4.1","deploys":3}'


def catalog(url: str = "http://127.0.0.1:1") -> Catalog:
    return Catalog(
        {
            "storefront": Service("storefront", "Storefront", "team-storefront", depends_on=("orders",)),
            "orders": Service("orders", "Orders", "team-orders", depends_on=("payments",)),
            "payments": Service("payments", "Payments", "team-payments", control_url=url),
            "search": Service("search", "Search", "team-search", control_url=url),
        }
    )


def rollback(outward: Outward, credentials: dict[str, str] | None = None) -> Action:
    return actions(outward, credentials or {})["deploy.rollback"]


def no_network(*_: Any) -> list[str]:
    raise AssertionError("a preview looked up a name")


def control(deploy: bytes, version: bytes = response(404)) -> Speak:
    """A deploy control that answers /version and /deploy with these bytes."""

    def speak(connection: socket.socket, request: bytes) -> None:
        connection.sendall(version if b"/version" in request.split(b"\r\n")[0] else deploy)

    return speak


def executed(served: Served) -> Outcome:
    return rollback(Outward([served.place])).execute(PARAMETERS, catalog(served.url), KEY)


def test_the_manifest_says_what_it_is() -> None:
    manifest = rollback(Outward()).manifest
    assert (manifest.name, manifest.title, manifest.risk, manifest.reversible) == (
        "deploy.rollback", "Roll back a release", Risk.MEDIUM, True,
    )  # fmt: skip
    assert manifest.inputs["required"] == ["service", "to_version", "from_version"]


def test_the_preview_is_exact_and_touches_no_network() -> None:
    preview = rollback(Outward(resolve=no_network)).preview(PARAMETERS, catalog("https://control.example"))
    assert preview.changes == ("payments 2.4.1 -> 2.4.0",)
    assert preview.blast_radius == ("payments", "orders", "storefront")
    assert preview.undo == "Deploy payments 2.4.1 again."
    assert preview.signal == "payments error rate and p95 latency"
    assert preview.summary == "Roll payments back to 2.4.0. orders, storefront may see errors while it restarts."


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"service": "nobody"}, "unknown_service"),
        ({"service": "orders"}, "no_control"),
        ({"to_version": "2.4.1"}, "same_version"),
        ({"to_version": ""}, "action_parameters"),
        ({"force": "yes"}, "action_parameters"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_before_anything(changed: dict[str, str], code: str) -> None:
    action = rollback(Outward(resolve=no_network))
    for step in (
        lambda asked: action.preview(asked, catalog()),
        lambda asked: action.execute(asked, catalog(), KEY),
        lambda asked: action.simulate(asked, catalog(), KEY),
    ):
        with pytest.raises(Unprocessable) as refused:
            step({**PARAMETERS, **changed})
        assert refused.value.code == code


def test_it_posts_the_version_with_the_key_and_the_token_of_the_place() -> None:
    with serving(control(response(200, DONE))) as served:
        action = rollback(Outward([served.place]), {served.place: "secret-token", "127.0.0.1": "other"})
        outcome = action.execute(PARAMETERS, catalog(f"{served.url}/"), KEY)
    assert outcome == Outcome(
        OutcomeStatus.DONE, "payments runs 2.4.0.",
        {"status": "done", "version": "2.4.0", "previous_version": "2.4.1", "deploys": 3},
    )  # fmt: skip
    sent = served.requests[-1]
    assert sent.startswith(b"POST /deploy HTTP/1.1")
    assert b"authorization: Bearer secret-token" in sent
    assert f"idempotency-key: {KEY}".encode() in sent
    assert sent.endswith(b'{"version":"2.4.0"}')


def test_a_token_for_the_host_serves_all_its_ports() -> None:
    with serving(control(response(200, DONE))) as served:
        rollback(Outward([served.place]), {"127.0.0.1": "of-the-host"}).execute(PARAMETERS, catalog(served.url), KEY)
    assert b"authorization: Bearer of-the-host" in served.requests[-1]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (response(200, DONE), OutcomeStatus.DONE),
        (response(204), OutcomeStatus.DONE),
        (response(200, b'{"status":"done","version":"9.9.9"}'), OutcomeStatus.UNKNOWN),
        (response(200, b'{"status":"running"}'), OutcomeStatus.UNKNOWN),
        (response(202, b"{}"), OutcomeStatus.UNKNOWN),
        (response(302, b"", "location: http://169.254.169.254/\r\n"), OutcomeStatus.FAILED),
        (response(400, b'{"detail":"no such version"}'), OutcomeStatus.FAILED),
        (response(401), OutcomeStatus.FAILED),
        (response(404), OutcomeStatus.FAILED),
        (response(422), OutcomeStatus.FAILED),
        (response(408), OutcomeStatus.UNKNOWN),
        (response(409), OutcomeStatus.UNKNOWN),
        (response(429), OutcomeStatus.NOT_DONE),
        (response(500), OutcomeStatus.UNKNOWN),
        (response(503), OutcomeStatus.UNKNOWN),
        (b"not http at all\r\n\r\n", OutcomeStatus.UNKNOWN),
        (b"", OutcomeStatus.UNKNOWN),
    ],
)
def test_each_answer_of_the_control_has_one_meaning(answer: bytes, status: OutcomeStatus) -> None:
    with serving(control(answer)) as served:
        assert executed(served).status == status


def test_the_controls_own_sentence_is_kept_short() -> None:
    with serving(control(response(400, b'{"detail":"' + b"no\\n such " * 100 + b'"}'))) as served:
        detail = executed(served).detail
    assert "It says: no such no such" in detail
    assert len(detail) < 300


def test_silence_after_the_request_left_is_unknown() -> None:
    def speak(connection: socket.socket, request: bytes) -> None:
        if b"/version" in request:
            connection.sendall(response(404))
        else:
            connection.recv(1)

    short = replace(LIMITS, outward_total_seconds=1)
    with serving(speak) as served:
        outcome = rollback(Outward([served.place], short)).execute(PARAMETERS, catalog(served.url), KEY)
    assert outcome.status == OutcomeStatus.UNKNOWN


def test_a_refused_connection_is_not_done() -> None:
    port = refused_port()
    action = rollback(Outward([f"127.0.0.1:{port}"]))
    assert action.execute(PARAMETERS, catalog(f"http://127.0.0.1:{port}"), KEY).status == OutcomeStatus.NOT_DONE


def test_an_address_that_is_not_allowed_fails_and_says_so() -> None:
    with serving(control(response(200, DONE))) as served:
        outcome = rollback(Outward()).execute(PARAMETERS, catalog(served.url), KEY)
        assert served.connections == 0
    assert outcome.status == OutcomeStatus.FAILED
    assert "address not allowed" in outcome.detail


def test_a_service_that_runs_a_third_version_is_left_alone() -> None:
    with serving(control(response(200, DONE), response(200, b'{"version":"2.4.2"}'))) as served:
        outcome = executed(served)
    assert outcome == Outcome(OutcomeStatus.FAILED, "payments runs 2.4.2 by now, not 2.4.1; nothing was changed.")
    assert not any(request.startswith(b"POST") for request in served.requests)


@pytest.mark.parametrize("running", ["2.4.1", "2.4.0"])
def test_a_second_try_of_the_same_act_is_sent_whether_or_not_the_first_had_effect(running: str) -> None:
    version = response(200, b'{"version":"' + running.encode() + b'"}')
    with serving(control(response(200, DONE), version)) as served:
        assert executed(served).status == OutcomeStatus.DONE


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (response(200, DONE), OutcomeStatus.DONE),
        (response(404), OutcomeStatus.NOT_DONE),
        (response(200, b'{"status":"running"}'), OutcomeStatus.UNKNOWN),
        (response(401), OutcomeStatus.UNKNOWN),
        (response(500), OutcomeStatus.UNKNOWN),
        (b"", OutcomeStatus.UNKNOWN),
    ],
)
def test_the_probe_asks_by_key_and_says_only_what_it_learned(answer: bytes, status: OutcomeStatus) -> None:
    with serving(control(answer)) as served:
        outcome = rollback(Outward([served.place]), {served.place: "t"}).probe(PARAMETERS, catalog(served.url), KEY)
    assert outcome.status == status
    assert served.requests[0].startswith(b"GET /deploy?key=run_1%3Aroll-back%3Aabc%2F1 HTTP/1.1")
    assert b"authorization: Bearer t" in served.requests[0]


def test_a_probe_that_reaches_nobody_is_unknown() -> None:
    port = refused_port()
    action = rollback(Outward([f"127.0.0.1:{port}"]))
    assert action.probe(PARAMETERS, catalog(f"http://127.0.0.1:{port}"), KEY).status == OutcomeStatus.UNKNOWN


def test_undo_is_the_same_action_the_other_way_round() -> None:
    action = rollback(Outward())
    undo = action.undo_parameters(PARAMETERS, {})
    assert undo == {"service": "payments", "to_version": "2.4.1", "from_version": "2.4.0"}
    assert action.preview(undo, catalog()).changes == ("payments 2.4.0 -> 2.4.1",)


def test_a_simulation_says_what_would_be_and_sends_nothing() -> None:
    outcome = rollback(Outward(resolve=no_network)).simulate(PARAMETERS, catalog("https://control.example"), KEY)
    assert (outcome.status, outcome.output["simulated"]) == (OutcomeStatus.DONE, True)
    assert outcome.detail == "Simulated: payments would run 2.4.0 instead of 2.4.1."
