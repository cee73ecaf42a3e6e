"""Real payloads of clouds and of monitoring services, where the shared folder with them lies beside this repository."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Severity, rung_of
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.registry import integrations

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).resolve().parents[4] / "shared" / "data" / "payloads"
ABSENT = "the shared folder with real payloads is not beside this repository (../shared); nothing to read"
pytestmark = pytest.mark.skipif(not PAYLOADS.is_dir(), reason=ABSENT)


@dataclass(frozen=True)
class Wanted:
    """What one payload must become. `title`, `key` and `time` are paths into the payload: nothing is copied here.

    `time` None: the payload has none that can be trusted. `inner`: the alarm is JSON in the text “Message”.
    """

    integration: str
    file: str
    title: str
    key: str
    time: str | None
    status: AlertStatus = AlertStatus.FIRING
    severity: Severity = Severity.MEDIUM
    inner: bool = False


WANTED = (
    Wanted(
        "cloudwatch", "aws_cloudwatch_sns/notification_alarm", "AlarmName", "AlarmName", "StateChangeTime",
        inner=True,
    ),
    Wanted(
        "cloudwatch", "aws_eventbridge/cloudwatch_alarm_metric_math", "detail.alarmName", "resources.0",
        "detail.state.timestamp",
    ),
    Wanted(
        "cloudwatch", "aws_eventbridge/cloudwatch_alarm_single_metric", "detail.alarmName", "resources.0",
        "detail.state.timestamp",
    ),
    Wanted(
        "cloudwatch", "aws_cloudwatch_lambda_action/single_metric", "alarmData.alarmName", "alarmArn",
        "alarmData.state.timestamp",
    ),
    Wanted(
        "azure_monitor", "azure_monitor/log_fired", "data.essentials.alertRule", "data.essentials.alertId",
        "data.essentials.firedDateTime", severity=Severity.LOW,
    ),
    Wanted(
        "azure_monitor", "azure_monitor/metric_fired", "data.essentials.alertRule", "data.essentials.alertId",
        "data.essentials.firedDateTime", severity=Severity.LOW,
    ),
    Wanted(
        "azure_monitor", "azure_monitor/metric_resolved", "data.essentials.alertRule", "data.essentials.alertId",
        "data.essentials.resolvedDateTime", AlertStatus.RESOLVED, Severity.LOW,
    ),
    Wanted(
        "gcp_monitoring", "gcp_monitoring/incident_open", "incident.summary", "incident.incident_id",
        "incident.started_at",
    ),
    Wanted("datadog", "datadog/default_template_triggered", "title", "", "last_updated"),
    Wanted("newrelic", "newrelic/issue_activated", "title", "id", "updatedAt", severity=Severity.CRITICAL),
    Wanted("newrelic", "newrelic/issue_closed", "title", "id", "updatedAt", AlertStatus.RESOLVED, Severity.CRITICAL),
    Wanted("dynatrace", "dynatrace/problem_open_test", "ProblemTitle", "PID", None),
    Wanted("splunk", "splunk/search_one_result", "search_name", "", "result._time"),
)  # fmt: skip


def read(wanted: Wanted) -> tuple[Any, Parsed]:
    body = (PAYLOADS / f"{wanted.file}.json").read_bytes()
    payload = json.loads(body)
    return (json.loads(payload["Message"]) if wanted.inner else payload), integrations()[wanted.integration].parse(
        Inbound(body), NOW
    )


def at(payload: Any, path: str) -> Any:
    for part in path.split("."):
        payload = payload[int(part)] if part.isdigit() else payload[part]
    return payload


def moment(said: Any) -> datetime:
    """Read here without the code under test."""
    if isinstance(said, str) and "-" in said:
        return datetime.fromisoformat(said).astimezone(UTC)
    seconds = int(said)
    return datetime.fromtimestamp(seconds / 1000 if seconds > 10**11 else seconds, UTC)


@pytest.mark.parametrize("wanted", WANTED, ids=lambda wanted: wanted.file)
def test_a_real_payload_lands_where_it_should(wanted: Wanted) -> None:
    payload, parsed = read(wanted)
    assert parsed.rejected == () and parsed.changes == ()
    [said] = parsed.occurrences
    assert said.title in at(payload, wanted.title) and said.title
    assert at(payload, wanted.key) in said.dedup_key if wanted.key else len(said.dedup_key) == 32
    assert said.status == wanted.status
    assert rung_of(said) == wanted.severity
    assert said.link
    when = moment(at(payload, wanted.time)) if wanted.time else None
    assert said.occurred_at == when
    assert said.ends_at == (when if wanted.status == AlertStatus.RESOLVED else None)


def test_a_fired_and_a_resolved_alert_of_azure_meet() -> None:
    fired, resolved = (
        read(wanted)[1].occurrences[0] for wanted in WANTED if wanted.file.startswith("azure_monitor/metric")
    )
    assert fired.dedup_key == resolved.dedup_key


def test_the_subscription_is_handed_to_a_person() -> None:
    body = (PAYLOADS / "aws_cloudwatch_sns" / "subscription_confirmation.json").read_bytes()
    for name in ("cloudwatch", "aws_health"):
        parsed = integrations()[name].parse(Inbound(body), NOW)
        [asked] = parsed.confirmations
        assert (asked.url, asked.token) == (json.loads(body)["SubscribeURL"], json.loads(body)["Token"])
        assert parsed.occurrences == ()


def test_an_instances_end_is_a_change_with_its_own_old_time() -> None:
    body = (PAYLOADS / "aws_eventbridge" / "ec2_state_change.json").read_bytes()
    [change] = integrations()["cloudwatch"].parse(Inbound(body), NOW).changes
    payload = json.loads(body)
    assert payload["detail"]["state"] in change.title and payload["detail"]["instance_id"] in change.title
    assert change.occurred_at == moment(payload["time"])
    assert change.extra["replay-name"] == payload["replay-name"]
