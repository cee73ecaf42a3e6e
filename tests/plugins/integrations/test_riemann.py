"""Riemann: one event or many, its states, and times in seconds or as text."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.riemann.parse import SEVERITIES, STATES, parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SENT = {"host": "buoy-1", "service": "battery", "state": "critical", "description": "11.2 V", "metric": 11.2,
        "tags": ["sea", "power"], "time": 1767602400, "ttl": 60}  # fmt: skip


def read(**fields: Any) -> Occurrence:
    return parse(Inbound(json.dumps({**SENT, **fields}).encode()), NOW).occurrences[0]


def test_an_event_reads_field_by_field() -> None:
    said = read()
    assert (said.dedup_key, said.status, said.title) == ("buoy-1/battery", "firing", "battery")
    assert (said.severity_raw, said.service, said.resource) == ("critical", "battery", "buoy-1")
    assert said.labels == {"state": "critical", "metric": "11.2", "tags": "sea, power"}
    assert (said.summary, said.occurred_at) == ("11.2 V", datetime(2026, 1, 5, 8, 40, tzinfo=UTC))
    assert said.extra == {"metric": 11.2, "ttl": 60}


@pytest.mark.parametrize(("state", "status"), STATES.items())
def test_every_state_meets_the_same_alert(state: str, status: str) -> None:
    said = read(state=state.upper())
    assert (said.dedup_key, said.status) == ("buoy-1/battery", status)


@pytest.mark.parametrize(("word", "rung"), SEVERITIES.items())
def test_every_state_lands_on_its_rung(word: str, rung: Severity) -> None:
    assert rung_of(read(state=word)) == rung


def test_a_time_is_read_as_a_fraction_and_as_text_and_an_odd_one_is_kept_beside() -> None:
    assert read(time=1767602400.25).occurred_at == datetime(2026, 1, 5, 8, 40, 0, 250000, tzinfo=UTC)
    assert read(time="2026-01-05T08:40:00Z").occurred_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
    assert read(time="noon").extra["time"] == "noon"


def test_of_a_list_bad_events_are_named_and_the_others_kept() -> None:
    items = [SENT, 7, {**SENT, "state": "sideways"}, {**SENT, "service": ""}]
    parsed = parse(Inbound(json.dumps(items).encode()), NOW)
    assert len(parsed.occurrences) == 1
    assert [(item.index, item.code) for item in parsed.rejected] == [
        (1, "item_not_an_object"), (2, "alert_status_unknown"), (3, "alert_title_missing"),
    ]  # fmt: skip


def test_a_nagios_notification_is_no_event() -> None:
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"host": "a", "service": "b", "state": "OK", "output": "fine"}'), NOW)
    assert refused.value.code == "unexpected_format"


@pytest.mark.parametrize(("state", "status"), [("healthy", "resolved"), ("clear", "resolved"), ("failing", "firing")])
def test_the_usual_other_words_for_a_state_are_read(state: str, status: str) -> None:
    body = json.dumps({"host": "web-1", "service": "disk", "state": state}).encode()
    assert parse(Inbound(body), NOW).occurrences[0].status == status
