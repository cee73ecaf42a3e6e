"""Every route of the API at once: nobody gets in, an observer changes nothing, what is not there is not found."""

import re
from typing import Any

import pytest
from fastapi.routing import APIRoute

from handrail.domain.people import Permission
from handrail.web.app import build_api
from tests.web.conftest import Site

OPEN = {"/api/v1/sign-in", "/api/v1/openapi.json", "/healthz", "/readyz", "/metrics", "/docs/errors"}
ROUTES = [route for route in build_api().routes if isinstance(route, APIRoute) and route.path not in OPEN]
READS = [route.path for route in ROUTES if route.methods == {"GET"}]
WRITES = [route.path for route in ROUTES if route.methods == {"POST"}]

# Anybody signed in may do these to themselves.
OWN = {"/api/v1/sign-out", "/api/v1/password", "/api/v1/tokens", "/api/v1/tokens/{token_id}/revoke"}
REASON = {"reason": "It is so."}
BODIES: dict[str, Any] = {
    "/api/v1/sign-out": None,
    "/api/v1/password": {"old": "old password", "new": "a new password that is long"},
    "/api/v1/accounts": {"login": "new", "name": "New", "roles": ["observer"]},
    "/api/v1/accounts/{account_id}/roles": {"roles": ["observer"]},
    "/api/v1/accounts/{account_id}/deactivate": None,
    "/api/v1/accounts/{account_id}/password": None,
    "/api/v1/tokens": {"name": "laptop"},
    "/api/v1/tokens/{token_id}/revoke": None,
    "/api/v1/sources": {"name": "prometheus", "integration": "alertmanager"},
    "/api/v1/sources/{source_id}/secrets": None,
    "/api/v1/sources/{source_id}/secrets/{secret_id}/retire": None,
    "/api/v1/sources/{source_id}/signing-secrets": None,
    "/api/v1/sources/{source_id}/confirmations/{confirmation_id}/agree": None,
    "/api/v1/sources/{source_id}/confirmations/{confirmation_id}/dismiss": None,
    "/api/v1/sources/{source_id}/heartbeat": {"every_seconds": 60},
    "/api/v1/sources/{source_id}/rate": {"alerts_per_second": 50},
    "/api/v1/sources/{source_id}/severities": {"words": {"warning": "high"}, "label": "priority"},
    "/api/v1/sources/{source_id}/try": {"body_base64": "e30="},
    "/api/v1/sources/{source_id}/pull": {"url": "https://p.example", "queries": [{"name": "up", "promql": "up"}]},
    "/api/v1/sources/{source_id}/pull/end": None,
    "/api/v1/sources/{source_id}/remove": None,
    "/api/v1/quarantine/{item_id}/retry": None,
    "/api/v1/silences": {"matchers": ["service=payments"], "seconds": 60, **REASON},
    "/api/v1/silences/{silence_id}/end": None,
    "/api/v1/alerts/{alert_id}/shelve": {"seconds": 60, **REASON},
    "/api/v1/candidates/{candidate_id}/declare": {"severity": "SEV1"},
    "/api/v1/candidates/{candidate_id}/dismiss": REASON,
    "/api/v1/candidates/{candidate_id}/split": {"alerts": ["alr_x"], **REASON},
    "/api/v1/candidates/{candidate_id}/move": {"alerts": ["alr_x"], "to": None, **REASON},
    "/api/v1/candidates/{candidate_id}/add": {"alerts": ["alr_x"], **REASON},
    "/api/v1/candidates/{candidate_id}/merge": {"into": "can_x", **REASON},
    "/api/v1/corrections/{correction_id}/end": None,
    "/api/v1/incidents": {"title": "Payments fail", "severity": "SEV1"},
    "/api/v1/incidents/{incident_id}/roles": {"role": "deputy", "account_id": "usr_x"},
    "/api/v1/incidents/{incident_id}/severity": {"severity": "SEV2", **REASON},
    "/api/v1/incidents/{incident_id}/notes": {"words": "Seen."},
    "/api/v1/incidents/{incident_id}/stages/{stage}/{half}": REASON,
    "/api/v1/incidents/{incident_id}/investigate": None,
    "/api/v1/incidents/{incident_id}/readiness": None,
    "/api/v1/incidents/{incident_id}/close": None,
    "/api/v1/incidents/{incident_id}/runs": {"runbook": "bad-release-rollback"},
    "/api/v1/incidents/{incident_id}/messages": {"audience": "teams", "stage": "update"},
    "/api/v1/gates/{gate_id}/vote": {"vote": "approve", "digest": "0" * 64, **REASON},
    "/api/v1/gates/{gate_id}/withdraw": REASON,
    "/api/v1/runs/{run_id}/cancel": REASON,
    "/api/v1/runs/{run_id}/tasks/{task_id}/claim": None,
    "/api/v1/runs/{run_id}/tasks/{task_id}/done": {"result": "Done."},
    "/api/v1/runs/{run_id}/tasks/{task_id}/skip": REASON,
    "/api/v1/runs/{run_id}/tasks/{task_id}/ask-again": None,
    "/api/v1/runs/{run_id}/tasks/{task_id}/resolve-unknown": {"choice": "happened", **REASON},
    "/api/v1/messages/{message_id}/edit": {"subject": "Subject", "text": "Words"},
    "/api/v1/messages/{message_id}/submit": None,
    "/api/v1/reviews/{review_id}/edit": {"section": "helped", "words": "Luck."},
    "/api/v1/reviews/{review_id}/accept": None,
    "/api/v1/documents": "kind: policy",
    "/api/v1/record/verify": None,
    "/api/v1/record/checkpoint": None,
    "/api/v1/record/export": None,
    "/api/v1/record/entries/{index}/erase": REASON,
}  # fmt: skip


def real(site: Site) -> dict[str, str]:
    """Ids of things that exist."""
    gate = site.world.to_gate()
    return {
        "account_id": site.world.member.id, "token_id": "tok_x", "source_id": "src_x", "secret_id": "tok_y",
        "confirmation_id": "cnf_x",
        "candidate_id": site.world.candidate_id, "incident_id": site.world.incident_id, "stage": "triage",
        "half": "machine", "gate_id": gate.id, "run_id": site.world.run_id, "task_id": "roll-back",
        "message_id": site.world.message_of("tell-teams").id, "review_id": "rev_x", "index": "0",
        "silence_id": "sil_x", "correction_id": "cor_x", "alert_id": "alr_x", "item_id": "qua_x",
    }  # fmt: skip


def unknown(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: {"index": "999999", "half": "machine"}.get(found[1], "x_unknown"), path)


def send(hands: Any, path: str, body: Any) -> Any:
    path = path.removeprefix("/api/v1")
    if isinstance(body, str):
        return hands.send("POST", path, content=body, headers={"Content-Type": "application/yaml"})
    return hands.post(path, body)


def test_every_write_has_a_body_in_this_test() -> None:
    assert sorted(BODIES) == sorted(WRITES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_nobody_gets_in(route: APIRoute, empty_site: Site) -> None:
    method = min(route.methods or ())
    answer = empty_site.client.request(method, unknown(route.path))
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "not_signed_in"


def test_an_observer_changes_nothing(site: Site) -> None:
    ids = real(site)
    hands = site.as_(site.world.outsider)
    size = site.world.shell.transact(site.world.owner.actor, lambda tx: tx.writer.size)
    statuses = {
        path: send(hands, re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path), body).status_code
        for path, body in BODIES.items()
        if path not in OWN
    }
    assert {path: status for path, status in statuses.items() if status != 403} == {}
    assert site.world.shell.transact(site.world.owner.actor, lambda tx: tx.writer.size) == size


def test_a_machine_votes_on_nothing_and_declares_nothing(site: Site) -> None:
    ids = real(site)
    hands = site.as_(site.machine)
    gate = site.world.gate(ids["gate_id"])
    vote = {"vote": "approve", "digest": gate.subject.digest, **REASON}
    assert hands.post(f"/gates/{gate.id}/vote", vote).status_code == 403
    assert hands.post("/incidents", BODIES["/api/v1/incidents"]).status_code == 403


def test_what_does_not_exist_is_not_found(site: Site) -> None:
    hands = site.as_(site.world.owner)
    named = {path: hands.get(unknown(path).removeprefix("/api/v1")).status_code for path in READS if "{" in path}
    named |= {path: send(hands, unknown(path), body).status_code for path, body in BODIES.items() if "{" in path}
    assert {path: status for path, status in named.items() if status != 404} == {}


def test_a_field_that_is_not_known_is_refused(site: Site) -> None:
    hands = site.as_(site.world.owner)
    for path, body in BODIES.items():
        if isinstance(body, str):
            continue
        answer = send(hands, unknown(path), {**(body or {}), "surplus": 1})
        assert answer.status_code == 422, path
        assert "/surplus" in [fault["pointer"] for fault in answer.json()["errors"]], (path, answer.text)


def test_an_auditor_reads_the_record_and_an_observer_does_not(site: Site) -> None:
    assert site.as_(site.auditor).get("/record/entries").status_code == 200
    answer = site.as_(site.world.outsider).get("/record/entries")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_a_token_does_no_more_than_its_scopes(site: Site) -> None:
    hands = site.as_(site.world.owner, Permission.READ)
    assert hands.get("/incidents").status_code == 200
    assert hands.post("/incidents", BODIES["/api/v1/incidents"]).status_code == 403
    assert hands.post("/tokens", {"name": "wider"}).json()["code"] == "token_scope"


def test_every_list_answers_with_a_page(site: Site) -> None:
    site.world.whole()
    hands = site.as_(site.world.owner)
    for path in READS:
        if "{" in path or path in (
            "/live",
            "/api/v1/me",
            "/api/v1/record",
            "/api/v1/catalog",
            "/api/v1/catalog/schema",
            "/api/v1/catalog/resolve",
            "/api/v1/catalog/resolve",
            "/api/v1/catalog/unresolved",
            "/api/v1/record/consistency",
            "/api/v1/integrations",
        ):
            continue
        answer = hands.get(path.removeprefix("/api/v1"))
        assert answer.status_code == 200, path
        assert set(answer.json()) == {"items", "next"}, path
