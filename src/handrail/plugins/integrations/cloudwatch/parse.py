"""Tells which of Amazon's messages came: an alarm in one of its three shapes, or another event of EventBridge."""

from datetime import datetime
from typing import Any

from handrail.domain.alert import Occurrence, ReportedChange
from handrail.plugins.integrations.aws import Said, parse_with
from handrail.plugins.integrations.aws_health_events import is_health, read_health
from handrail.plugins.integrations.cloudwatch.alarms import (
    is_alarm_action,
    is_alarm_event,
    is_alarm_message,
    read_alarm_action,
    read_alarm_event,
    read_alarm_message,
)
from handrail.plugins.integrations.cloudwatch.events import findings_of, is_event, read_event
from handrail.plugins.integrations.contract import Inbound, Parsed

EXPECTED = (
    "a CloudWatch alarm (in an SNS message with “Message”, as an EventBridge event, or as a Lambda action's event) "
    "or another EventBridge event (an object with “detail-type”, “source” and “detail”)"
)


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """Alarms and AWS Health's events become alerts; other events become changes or alerts by their type."""
    return parse_with(inbound, EXPECTED, _knows, lambda said: _read(said, now), findings_of)


def _knows(item: Any) -> bool:
    return is_alarm_message(item) or is_alarm_action(item) or is_event(item)


def _read(said: Said, now: datetime) -> Occurrence | ReportedChange:
    if is_alarm_action(said.item):
        return read_alarm_action(said)
    if not is_event(said.item):
        return read_alarm_message(said)
    if is_alarm_event(said.item):
        return read_alarm_event(said)
    return read_health(said, now) if is_health(said.item) else read_event(said)
