"""Jenkins' notification plugin: which build is a change, and which is not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import ReportedChange
from handrail.kernel.errors import BadInput, Refused
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.jenkins.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def read(job: str = "deploy-shop", **fields: Any) -> tuple[ReportedChange, ...]:
    build = {
        "number": 18, "phase": "COMPLETED", "status": "SUCCESS", "timestamp": 1767601800000,
        "full_url": "https://ci.example/job/x/18/", "scm": {"commit": "c3" * 20, "branch": "main"}, **fields,
    }  # fmt: skip
    body = {"name": job, "url": f"job/{job}/", "build": build}
    return parse(Inbound(json.dumps(body).encode()), NOW).changes


def test_a_successful_build_reads_field_by_field() -> None:
    [said] = read()
    assert (said.kind, said.service, said.title) == ("deploy", "deploy-shop", "deploy-shop #18")
    assert (said.version, said.link) == ("c3" * 20, "https://ci.example/job/x/18/")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


def test_completed_and_finalized_are_one_change() -> None:
    [completed], [finalized] = read(), read(phase="FINALIZED", timestamp=1767601805000)
    assert completed.change_key == finalized.change_key
    assert completed.change_key != read(number=19)[0].change_key


@pytest.mark.parametrize(
    "fields",
    [
        {"phase": "STARTED", "status": None}, {"phase": "QUEUED"}, {"status": "FAILURE"}, {"status": "UNSTABLE"},
        {"status": "ABORTED"}, {"status": None}, {"phase": 3}, {"job": "shop-unit-tests"},
    ],
)  # fmt: skip
def test_builds_that_did_not_succeed_or_only_test_are_no_change(fields: dict[str, Any]) -> None:
    assert read(**fields) == ()


def test_parameters_name_service_version_and_environment_in_any_case() -> None:
    [said] = read(parameters={"app": "orders", "Image_Tag": 42, "ENVIRONMENT": "eu", "OTHER": None})
    assert (said.service, said.version, said.environment) == ("orders", "42", "eu")


def test_a_job_named_rollback_is_a_rollback() -> None:
    assert read("rollback-shop")[0].kind == "rollback"


def test_what_cannot_be_known_again_and_xml_are_refused_in_words() -> None:
    with pytest.raises(Refused) as refused:
        read(number=None)
    assert refused.value.code == "event_id_missing"
    with pytest.raises(BadInput) as xml:
        parse(Inbound(b"<job><name>x</name></job>"), NOW)
    assert xml.value.code == "body_is_xml"
    assert "JSON" in xml.value.detail


def test_parameters_may_be_a_list_of_names_and_values() -> None:
    [said] = read(parameters=[{"name": "VERSION", "value": "1.4"}, {"name": "ENV", "value": "eu"}])
    assert (said.version, said.environment) == ("1.4", "eu")
