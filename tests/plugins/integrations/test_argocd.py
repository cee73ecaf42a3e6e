"""Argo CD's notifications: whole applications and flat bodies."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import ReportedChange
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.argocd.parse import parse
from handrail.plugins.integrations.contract import Inbound

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NEW, OLD = "d4" * 20, "e5" * 20


def read(body: Any) -> tuple[ReportedChange, ...]:
    return parse(Inbound(json.dumps(body).encode()), NOW).changes


def application(phase: str = "Succeeded", **status: Any) -> dict[str, Any]:
    operation = {
        "phase": phase, "finishedAt": "2026-01-05T08:33:40Z", "syncResult": {"revision": NEW},
        "operation": {"sync": {"revision": NEW}, "initiatedBy": {"username": "mira"}},
    }  # fmt: skip
    said = {"operationState": operation, "history": [{"revision": OLD}, {"revision": NEW}], **status}
    spec = {"destination": {"namespace": "shop"}}
    return {
        "app": {"metadata": {"name": "cart"}, "spec": spec, "status": said},
        "context": {"argocdUrl": "https://argo.example/"},
    }


def test_a_successful_sync_reads_field_by_field() -> None:
    [said] = read(application())
    assert (said.kind, said.service, said.environment, said.author) == ("deploy", "cart", "shop", "mira")
    assert (said.version, said.previous_version) == (NEW, OLD)
    assert said.link == "https://argo.example/applications/cart"
    assert said.occurred_at == datetime(2026, 1, 5, 8, 33, 40, tzinfo=UTC)


@pytest.mark.parametrize("phase", ["Running", "Failed", "Error", "Terminating", ""])
def test_a_sync_that_did_not_succeed_is_no_change(phase: str) -> None:
    assert read(application(phase)) == ()


def test_a_dry_run_is_no_change() -> None:
    body = application()
    body["app"]["status"]["operationState"]["operation"]["sync"]["dryRun"] = True
    assert read(body) == ()


def test_a_sync_to_an_older_revision_of_the_history_is_a_rollback() -> None:
    [said] = read(application(history=[{"revision": NEW}, {"revision": OLD}, {"revision": NEW}]))
    assert said.kind == "rollback"


def test_the_tag_of_the_only_image_is_the_version() -> None:
    one = application(summary={"images": ["registry.example:5000/shop/cart:1.14.0@sha256:00"]})
    assert read(one)[0].version == "1.14.0"
    two = application(summary={"images": ["a:1", "b:2"]})
    assert read(two)[0].version == NEW


def test_the_application_alone_and_a_flat_body_are_read() -> None:
    assert read(application()["app"])[0].service == "cart"
    flat = {"app": "cart", "phase": "Succeeded", "revision": NEW, "finished_at": "2026-01-05T08:33:40Z"}
    [said] = read(flat)
    assert (said.service, said.version) == ("cart", NEW)
    assert read({**flat, "phase": "Failed"}) == ()


@pytest.mark.parametrize("body", [[], {}, {"app": "x"}, {"app": {}}, {"app": {"metadata": {}}}, {"text": "synced"}])
def test_what_is_no_notification_is_refused_in_words(body: Any) -> None:
    with pytest.raises(Refused) as refused:
        read(body)
    assert "Argo CD" in refused.value.detail
