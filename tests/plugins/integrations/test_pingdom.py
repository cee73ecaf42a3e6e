"""Pingdom: a check's states, its importance, and times in two forms."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Occurrence
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.pingdom.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SENT = {
    "check_id": 5501, "check_name": "Booking page", "check_params": {"hostname": "b.example"}, "current_state": "DOWN",
    "importance_level": "HIGH", "state_changed_timestamp": 1767602400, "long_description": "Timeout",
    "tags": ["service:bookings", "public"],
}  # fmt: skip


def read(**fields: Any) -> Occurrence:
    return parse(Inbound(json.dumps({**SENT, **fields}).encode()), NOW).occurrences[0]


def test_an_outage_reads_field_by_field() -> None:
    said = read(first_probe={"ip": "x"})
    assert (said.dedup_key, said.status, said.title) == ("5501", "firing", "Booking page")
    assert (said.severity_raw, said.service, said.resource) == ("HIGH", "bookings", "b.example")
    assert (said.summary, said.occurred_at) == ("Timeout", datetime(2026, 1, 5, 8, 40, tzinfo=UTC))
    assert said.extra["first_probe"] == {"ip": "x"}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("DOWN", "firing"), ("FAILING", "firing"), ("UP", "resolved"), ("SUCCESS", "resolved"),
        ("PAUSED", "acknowledged"),
    ],
)  # fmt: skip
def test_every_state_meets_the_same_check(state: str, status: str) -> None:
    said = read(current_state=state, check_id="5501")
    assert (said.dedup_key, said.status) == ("5501", status)


@pytest.mark.parametrize(
    "times",
    [
        {"state_changed_timestamp": "1767602400"},
        {"state_changed_timestamp": 1767602400000},
        {"state_changed_timestamp": None, "state_changed_utc_time": "2026-01-05T08:40:00"},
    ],
)
def test_the_time_is_read_in_every_form(times: dict[str, Any]) -> None:
    assert read(**times).occurred_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)


def test_missing_and_retyped_fields_take_nothing_else_away() -> None:
    said = read(check_params=None, tags="x", importance_level=None, check_id=None)
    assert (said.resource, said.service, said.severity_raw) == (None, None, None)
    assert said.dedup_key == read(check_id=None, current_state="UP").dedup_key


def test_an_unknown_state_and_another_senders_payload_are_refused_in_words() -> None:
    with pytest.raises(Refused, match="SIDEWAYS") as refused:
        read(current_state="SIDEWAYS")
    assert refused.value.code == "alert_status_unknown"
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"current_state": "DOWN"}'), NOW)
    assert refused.value.code == "unexpected_format"
