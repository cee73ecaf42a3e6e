"""What the real payloads of deliveries and telemetry say, where the shared folder lies beside this repository."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.integrations.test_shared_payloads import NOW, PAYLOADS, needs_payloads

from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.registry import integrations


def read(file: str) -> tuple[Any, Parsed]:
    body = (PAYLOADS / file).read_bytes()
    return json.loads(body), integrations()[Path(file).parent.name].parse(Inbound(body), NOW)


@needs_payloads
def test_githubs_successful_deployment_is_a_change() -> None:
    sent, parsed = read("github/deployment_status_success.json")
    [said] = parsed.changes
    assert said.service == sent["repository"]["full_name"]
    assert said.version == sent["deployment"]["sha"]
    assert said.environment == sent["deployment_status"]["environment"]
    assert said.occurred_at == datetime.fromisoformat(sent["deployment_status"]["updated_at"])
    assert said.link == sent["repository"]["html_url"]
    assert json.loads(said.raw) == sent


@needs_payloads
def test_gitlabs_successful_deployment_is_a_change() -> None:
    sent, parsed = read("gitlab/deployment_success.json")
    [said] = parsed.changes
    assert said.service == sent["project"]["path_with_namespace"]
    assert said.title == sent["commit_title"]
    assert said.environment == sent["environment"]
    assert said.version
    assert said.version.startswith(sent["short_sha"])
    assert said.occurred_at == datetime.strptime(sent["status_changed_at"], "%Y-%m-%d %H:%M:%S %z")
    assert said.link == sent["deployable_url"]


@needs_payloads
@pytest.mark.parametrize(
    "file", ["github/push_branch.json", "github/workflow_run_completed.json", "gitlab/pipeline.json"]
)
def test_a_deleted_tag_a_test_run_and_a_deploy_that_waits_for_a_hand_are_no_change(file: str) -> None:
    assert read(file)[1].changes == ()


@needs_payloads
def test_opentelemetrys_example_is_of_severity_information_and_makes_no_alert() -> None:
    sent, parsed = read("otlp/logs.json")
    assert (parsed.occurrences, parsed.changes, parsed.rejected) == ((), (), ())
    record = sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    graver = {**sent["resourceLogs"][0], "scopeLogs": [{"logRecords": [{**record, "severityText": "Error"}]}]}
    again = integrations()["otlp"].parse(Inbound(json.dumps({"resourceLogs": [graver]}).encode()), NOW)
    [said] = again.occurrences
    assert (said.title, said.service) == (record["body"]["stringValue"], "my.service")
    assert said.extra["trace_id"] == record["traceId"].lower()
    assert said.occurred_at
    assert said.occurred_at.timestamp() == record["timeUnixNano"] / 10**9
