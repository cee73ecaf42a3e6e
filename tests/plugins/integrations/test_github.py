"""GitHub's deliveries: what counts as a change, field by field, and what does not."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import pytest

from handrail.domain.alert import ReportedChange
from handrail.kernel.errors import BadInput, BadSignature, Refused
from handrail.plugins.integrations.contract import Inbound, Verdict
from handrail.plugins.integrations.github.parse import parse, verify

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SHA = "a1" * 20
REPOSITORY = {"full_name": "acme/shop", "default_branch": "main", "html_url": "https://github.example/acme/shop"}
DEPLOYMENT = {"id": 7, "sha": SHA, "ref": "main", "task": "deploy", "environment": "production"}


def read(event: str, **body: Any) -> tuple[ReportedChange, ...]:
    sent = json.dumps({"repository": REPOSITORY, "sender": {"login": "mira"}, **body}).encode()
    headers = {"x-github-event": event} if event else {}
    return parse(Inbound(sent, headers=headers), NOW).changes


def status(**fields: Any) -> dict[str, Any]:
    said = {"state": "success", "environment": "eu", "updated_at": "2026-01-05T08:34:10Z", **fields}
    return {"action": "created", "deployment": DEPLOYMENT, "deployment_status": said}


def run(**fields: Any) -> dict[str, Any]:
    said = {"id": 8, "run_attempt": 1, "name": "Deploy", "conclusion": "success", "head_sha": SHA, "event": "push"}
    return {"action": "completed", "workflow_run": {**said, **fields}}


def push(**fields: Any) -> dict[str, Any]:
    head = {"id": SHA, "message": "Fix totals\n\nMore.", "timestamp": "2026-01-05T09:12:00+01:00"}
    return {"ref": "refs/heads/main", "before": "0" * 40, "after": SHA, "head_commit": head, **fields}


def test_a_successful_deployment_reads_field_by_field() -> None:
    [said] = read("deployment_status", **status(target_url="https://ci.example/1"))
    assert (said.kind, said.service, said.version, said.environment) == ("deploy", "acme/shop", SHA, "eu")
    assert said.title == "deploy of acme/shop a1a1a1a to eu"
    assert said.occurred_at == datetime(2026, 1, 5, 8, 34, 10, tzinfo=UTC)
    assert (said.author, said.link) == ("mira", "https://ci.example/1")
    assert said.change_key == "acme/shop|deployment|7"


def test_the_deployment_and_its_success_are_one_change() -> None:
    [started] = read("deployment", action="created", deployment=DEPLOYMENT)
    [succeeded] = read("deployment_status", **status())
    assert started.change_key == succeeded.change_key
    assert started.extra["state"] == "started"


@pytest.mark.parametrize("state", ["failure", "error", "in_progress", "queued", "pending", "inactive", "waiting", None])
def test_a_deployment_that_did_not_succeed_is_no_change(state: str | None) -> None:
    assert read("deployment_status", **status(state=state)) == ()


def test_a_rollback_is_told_from_a_deploy_by_its_task() -> None:
    rollback = {**DEPLOYMENT, "task": "rollback:web"}
    assert read("deployment_status", **{**status(), "deployment": rollback})[0].kind == "rollback"


@pytest.mark.parametrize("name", ["Deploy", "ci-cd", "Roll out to EU", "release", "deployToProd", "Terraform apply"])
def test_a_successful_workflow_that_delivers_is_a_change(name: str) -> None:
    [said] = read("workflow_run", **run(name=name))
    assert said.change_key == "acme/shop|workflow_run|8|1"


@pytest.mark.parametrize(
    "fields",
    [
        {"conclusion": "failure"}, {"conclusion": None}, {"conclusion": "cancelled"}, {"name": "test"},
        {"name": "Test deploy scripts"}, {"event": "pull_request"}, {"name": "membership"},
    ],
)  # fmt: skip
def test_failed_runs_test_runs_and_runs_for_pull_requests_are_no_change(fields: dict[str, Any]) -> None:
    assert read("workflow_run", **run(**fields)) == ()


def test_a_rerun_of_a_deploy_is_another_change() -> None:
    assert read("workflow_run", **run())[0].change_key != read("workflow_run", **run(run_attempt=2))[0].change_key


def test_a_push_to_the_default_branch_is_read() -> None:
    [said] = read("push", **push())
    assert (said.kind, said.title, said.version, said.previous_version) == ("other", "Fix totals", SHA, None)
    assert said.occurred_at == datetime(2026, 1, 5, 8, 12, tzinfo=UTC)


def test_a_commit_that_waited_for_days_counts_from_its_push() -> None:
    old = {"id": SHA, "message": "m", "timestamp": "2026-01-02T00:00:00Z"}
    [said] = read("push", **push(head_commit=old), repository={**REPOSITORY, "pushed_at": 1767602000})
    assert said.occurred_at == datetime(2026, 1, 5, 8, 33, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "fields", [{"ref": "refs/heads/topic"}, {"ref": "refs/tags/main"}, {"after": "0" * 40}, {"deleted": True}]
)
def test_other_branches_tags_and_deletions_are_no_change(fields: dict[str, Any]) -> None:
    assert read("push", **push(**fields)) == ()


def test_a_published_release_is_a_change_and_a_draft_is_none() -> None:
    release = {"id": 3, "tag_name": "v2", "name": None, "published_at": "2026-01-05T08:40:00Z"}
    [said] = read("release", action="published", release=release)
    assert (said.kind, said.title, said.version) == ("release", "v2", "v2")
    assert read("release", action="published", release={**release, "draft": True}) == ()
    assert read("release", action="edited", release=release) == ()


def test_the_event_is_known_without_its_header() -> None:
    assert len(read("", **status())) == len(read("", **push())) == len(read("", **run())) == 1


def test_a_ping_and_unknown_events_say_nothing() -> None:
    assert read("ping", zen="Keep it logically awesome.", hook_id=1) == ()
    assert read("star", action="created") == ()


def test_the_delivery_id_and_the_form_type_are_read() -> None:
    body = json.dumps({"repository": REPOSITORY, "sender": {}, **status()})
    headers = {"x-github-event": "deployment_status", "x-github-delivery": "d-1"}
    parsed = parse(Inbound(b"payload=" + quote_plus(body).encode(), headers=headers), NOW)
    assert parsed.replay_id == "d-1"
    assert parsed.changes[0].version == SHA
    with pytest.raises(BadInput) as refused:
        parse(Inbound(b"payload=1&payload=2", headers=headers), NOW)
    assert refused.value.code == "form_payload_missing"


@pytest.mark.parametrize(
    ("event", "body", "code"),
    [
        ("deployment_status", {"deployment_status": 7}, "event_part_missing"),
        ("deployment_status", {**status(), "deployment": {"sha": SHA}}, "event_id_missing"),
        ("push", {**push(), "repository": None}, "repository_missing"),
    ],
)
def test_what_lacks_its_identity_is_refused_in_words(event: str, body: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        read(event, **body)
    assert refused.value.code == code


def test_the_signature_is_checked_over_the_raw_body() -> None:
    body, secrets = b'{"zen": "x"}', ["old-secret", "new-secret"]
    good = "sha256=" + hmac.new(b"new-secret", body, hashlib.sha256).hexdigest()
    assert verify(Inbound(body, headers={"x-hub-signature-256": good}), secrets, NOW) is Verdict.VERIFIED
    for bad in ({}, {"x-hub-signature-256": good[:-1] + "g"}, {"x-hub-signature": good}):
        with pytest.raises(BadSignature):
            verify(Inbound(body, headers=bad), secrets, NOW)


@pytest.mark.parametrize("name", ["Release Drafter", "Release notes", "draft-release", "Update changelog for release"])
def test_a_workflow_that_only_writes_about_a_release_is_no_change(name: str) -> None:
    assert read("workflow_run", **run(name=name)) == ()
