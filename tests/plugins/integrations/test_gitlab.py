"""GitLab's deliveries: what counts as a change, field by field, and what does not."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import ReportedChange
from handrail.kernel.errors import BadSignature, Refused
from handrail.plugins.integrations.contract import Inbound, Verdict
from handrail.plugins.integrations.gitlab.parse import gitlab_moment, parse, verify

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SHA = "b2" * 20
PROJECT = {"path_with_namespace": "shop/billing", "default_branch": "main", "web_url": "https://gitlab.example/b"}


def read(kind: str, **body: Any) -> tuple[ReportedChange, ...]:
    return parse(Inbound(json.dumps({"object_kind": kind, "project": PROJECT, **body}).encode()), NOW).changes


def deployment(**fields: Any) -> dict[str, Any]:
    said = {
        "status": "success", "status_changed_at": "2026-01-05 10:34:10 +0200", "deployment_id": 1, "deployable_id": 90,
        "environment": "production", "short_sha": "b2b2b2b2", "commit_title": "Fix", "user": {"username": "mira"},
    }  # fmt: skip
    return {**said, **fields}


def pipeline(*builds: dict[str, Any], **fields: Any) -> dict[str, Any]:
    said = {"id": 5, "status": "success", "sha": SHA, "finished_at": "2026-01-05 08:35:00 UTC", **fields}
    return {"object_attributes": said, "builds": list(builds), "commit": {"message": "Fix\n"}}


def job(**fields: Any) -> dict[str, Any]:
    place = {"name": "production", "action": "start"}
    return {"id": 90, "name": "go", "stage": "deploy", "status": "success", "environment": place, **fields}


def test_a_successful_deployment_reads_field_by_field() -> None:
    [said] = read("deployment", **deployment(commit_url=f"https://gitlab.example/b/-/commit/{SHA}"))
    assert (said.kind, said.service, said.version, said.environment) == ("deploy", "shop/billing", SHA, "production")
    assert (said.title, said.author) == ("Fix", "mira")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 34, 10, tzinfo=UTC)


@pytest.mark.parametrize("status", ["running", "failed", "canceled", "created", "", None, 7])
def test_a_deployment_that_did_not_succeed_is_no_change(status: Any) -> None:
    assert read("deployment", **deployment(status=status)) == ()


def test_the_deployment_and_its_job_in_the_pipeline_are_one_change() -> None:
    [told] = read("deployment", **deployment())
    [also] = read("pipeline", **pipeline(job()))
    assert told.change_key == also.change_key == "shop/billing|job|90"
    assert (also.version, also.environment, also.title) == (SHA, "production", "Fix")


@pytest.mark.parametrize(
    "build",
    [
        job(status="failed"), job(status="manual"), job(status="skipped"),
        job(environment={"name": "review", "action": "stop"}), job(environment=None, stage="test", name="unit"),
        job(environment=None, name="smoke test"),
    ],
)  # fmt: skip
def test_a_job_that_brought_nothing_anywhere_is_no_change(build: dict[str, Any]) -> None:
    assert read("pipeline", **pipeline(build)) == ()


def test_a_failed_pipeline_changed_what_its_successful_deploy_job_changed() -> None:
    assert len(read("pipeline", **pipeline(job(), job(id=91, status="failed"), status="failed"))) == 1
    assert read("pipeline", **pipeline(job(), status="running")) == ()


def test_a_pipeline_told_without_jobs_is_known_by_its_stages() -> None:
    assert len(read("pipeline", **pipeline(stages=["build", "deploy"]))) == 1
    assert read("pipeline", **pipeline(stages=["build", "test"])) == ()
    assert read("pipeline", **pipeline(stages=["build", "deploy"], status="failed")) == ()


def test_pushes_to_the_default_branch_are_read_and_others_are_not() -> None:
    commits = [{"id": SHA, "title": "Fix", "timestamp": "2026-01-05T09:19:00+01:00"}]
    [said] = read("push", ref="refs/heads/main", before="0" * 40, after=SHA, commits=commits, user_username="mira")
    assert (said.kind, said.title, said.version, said.previous_version) == ("other", "Fix", SHA, None)
    assert said.occurred_at == datetime(2026, 1, 5, 8, 19, tzinfo=UTC)
    assert read("push", ref="refs/heads/topic", after=SHA) == ()
    assert read("push", ref="refs/heads/main", after="0" * 40) == ()


def test_a_tag_and_its_release_are_one_change_and_a_deleted_tag_is_none() -> None:
    [tag] = read("tag_push", ref="refs/tags/v4", after=SHA)
    [release] = read("release", action="create", tag="v4", name="Four", released_at="2026-01-05 08:45:00 UTC")
    assert tag.change_key == release.change_key
    assert (release.kind, release.title, release.version) == ("release", "Four", "v4")
    assert read("tag_push", ref="refs/tags/v4", after="0" * 40) == ()
    assert read("release", action="delete", tag="v4") == ()


@pytest.mark.parametrize(
    ("said", "hour"), [("2021-04-28 21:50:00 +0200", 19), ("2021-04-28 21:50:00 UTC", 21), ("2021-04-28T21:50:00Z", 21)]
)
def test_gitlabs_three_ways_to_write_a_time_are_read(said: str, hour: int) -> None:
    assert gitlab_moment(said) == datetime(2021, 4, 28, hour, 50, tzinfo=UTC)


def test_what_lacks_its_identity_is_refused_in_words() -> None:
    for kind, body, code in (
        ("deployment", deployment(deployable_id=None, deployment_id=None), "event_id_missing"),
        ("deployment", {**deployment(), "project": []}, "project_missing"),
        ("release", {"action": "create"}, "event_id_missing"),
    ):
        with pytest.raises(Refused) as refused:
            read(kind, **body)
        assert refused.value.code == code


def test_a_signature_proves_more_than_the_secret_token() -> None:
    key = base64.b64encode(b"k" * 24).decode()
    stamp, body = str(int(NOW.timestamp())), b"{}"
    mac = hmac.new(b"k" * 24, f"m1.{stamp}.".encode() + body, hashlib.sha256).digest()
    signed = {
        "webhook-id": "m1", "webhook-timestamp": stamp, "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }  # fmt: skip
    assert verify(Inbound(body, headers=signed), [f"whsec_{key}"], NOW) is Verdict.VERIFIED
    assert verify(Inbound(body, headers={"x-gitlab-token": "secret"}), ["secret"], NOW) is Verdict.TOKEN
    for bad in ({}, {"x-gitlab-token": "other"}, {**signed, "webhook-id": "m2", "x-gitlab-token": f"whsec_{key}"}):
        with pytest.raises(BadSignature):
            verify(Inbound(body, headers=bad), [f"whsec_{key}"], NOW)


@pytest.mark.parametrize("event", ["user_create", "key_create", "repository_update", "project_transfer"])
def test_a_system_hook_that_tells_of_something_else_is_taken_and_says_nothing(event: str) -> None:
    sent = json.dumps({"event_name": event, "user_id": 7}).encode()
    assert parse(Inbound(sent, headers={"x-gitlab-event": "System Hook"}), NOW).changes == ()
    with pytest.raises(Refused) as refused:
        parse(Inbound(sent), NOW)
    assert refused.value.code == "unexpected_format"


def flag(active: Any, delivery: str = "") -> ReportedChange:
    project = {"path_with_namespace": "acme/shop", "web_url": "https://gitlab.example/acme/shop"}
    attributes = {"id": 6, "name": "seat-map", "description": "Show seats", "active": active}
    body = {"object_kind": "feature_flag", "project": project, "user": {"username": "mira"}}
    sent = json.dumps({**body, "object_attributes": attributes}).encode()
    [said] = parse(Inbound(sent, headers={"idempotency-key": delivery} if delivery else {}), NOW).changes
    return said


def test_a_feature_flag_that_is_switched_is_a_change_each_time() -> None:
    on = flag(True, "d-1")
    assert (on.kind, on.service, on.title, on.author) == ("flag", "acme/shop", "seat-map on", "mira")
    assert flag(True, "d-1").change_key == on.change_key
    assert len({on.change_key, flag(False, "d-2").change_key, flag(True, "d-3").change_key}) == 3
    assert flag(True).change_key == flag("true").change_key != flag(False).change_key
