"""Reads AWS Health's events into occurrences; other events have an address of their own."""

from datetime import datetime

from handrail.plugins.integrations.aws import parse_with
from handrail.plugins.integrations.aws_health_events import is_health, read_health
from handrail.plugins.integrations.contract import Inbound, Parsed

EXPECTED = "an AWS Health event (an EventBridge event with “source”: “aws.health”), bare or in an SNS message"


def parse(inbound: Inbound, now: datetime) -> Parsed:
    return parse_with(inbound, EXPECTED, is_health, lambda said: read_health(said, now))
