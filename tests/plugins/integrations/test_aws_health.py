"""AWS Health's events, bare and through SNS."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.aws_health.parse import parse
from handrail.plugins.integrations.cloudwatch.parse import parse as parse_any
from handrail.plugins.integrations.contract import Inbound, Parsed

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def sample(name: str) -> Any:
    return json.loads((files("handrail.plugins.integrations.aws_health") / "samples" / f"{name}.json").read_text())


def read(body: Any) -> Parsed:
    return parse(Inbound(json.dumps(body).encode()), NOW)


def test_an_issue_fires_with_its_words_in_english() -> None:
    [said] = read(sample("issue_open")).occurrences
    assert said.title == "AWS EBS: degraded ebs volume performance in eu-north-1"
    assert said.summary == "Your volume is slow."
    assert (said.service, said.resource, said.status) == ("EBS", "vol-0tide", AlertStatus.FIRING)
    assert rung_of(said) == Severity.HIGH
    assert said.starts_at == datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
    assert said.occurred_at == datetime(2026, 1, 5, 7, 9, tzinfo=UTC)


def test_its_end_has_the_same_identity_also_through_sns() -> None:
    opened, closed = read(sample("issue_open")), read(sample("sns_issue_closed"))
    assert closed.occurrences[0].dedup_key == opened.occurrences[0].dedup_key
    assert closed.occurrences[0].status == AlertStatus.RESOLVED
    assert closed.occurrences[0].ends_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    assert closed.replay_id == "5b0c0d0e-1111-5222-8333-444455559999"


def test_without_a_status_an_event_is_over_when_its_end_has_passed() -> None:
    event = sample("scheduled_change")
    assert read(event).occurrences[0].status == AlertStatus.FIRING
    assert rung_of(read(event).occurrences[0]) == Severity.LOW
    event["detail"]["endTime"] = "2026-01-05T08:00:00Z"
    assert read(event).occurrences[0].status == AlertStatus.RESOLVED


def test_the_general_address_reads_the_same_event_the_same() -> None:
    body = Inbound(json.dumps(sample("issue_open")).encode())
    assert parse_any(body, NOW).occurrences == parse(body, NOW).occurrences


def test_other_events_are_refused_and_an_event_without_its_arn_too() -> None:
    with pytest.raises(Refused) as refused:
        read({**sample("issue_open"), "source": "aws.ec2"})
    assert refused.value.code == "unexpected_format"
    event = sample("issue_open")
    del event["detail"]["eventArn"]
    with pytest.raises(Refused, match="eventArn"):
        read(event)
