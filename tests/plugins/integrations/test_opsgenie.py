"""Opsgenie's actions: which of them speak of a state, and the times in two units."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Severity
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.opsgenie.parse import SEVERITIES, SILENT, parse
from handrail.plugins.integrations.reading import severity_word

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ALERT = {
    "alertId": "id-1", "alias": "ferry-3/engine", "message": "Engine hot", "entity": "ferry-3", "priority": "P2",
    "createdAt": 1767602400123, "updatedAt": 1767602460000000110, "tags": ["service:ferries", "hot"],
    "description": "104 C", "details": {"deck": "lower"},
}  # fmt: skip


def read(action: Any = "Create", **alert: Any) -> Parsed:
    return parse(Inbound(json.dumps({"action": action, "alert": {**ALERT, **alert}, "x": 1}).encode()), NOW)


def test_a_creation_reads_field_by_field() -> None:
    [said] = read(team="t").occurrences
    assert (said.dedup_key, said.status, said.title) == ("ferry-3/engine", "firing", "Engine hot")
    assert (said.severity_raw, said.service, said.resource) == ("P2", "ferries", "ferry-3")
    assert said.summary == "104 C"
    assert said.labels == {"service": "ferries", "hot": "true", "deck": "lower", "alert_id": "id-1"}
    assert said.occurred_at == said.starts_at == datetime(2026, 1, 5, 8, 40, 0, 123000, tzinfo=UTC)
    assert said.extra == {"x": 1, "alert": {"team": "t"}}


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("Create", "firing"), ("UnAcknowledge", "firing"), ("Escalate", "firing"), ("SnoozeEnded", "firing"),
        ("Acknowledge", "acknowledged"), ("Snooze", "acknowledged"), ("Close", "resolved"), ("Delete", "resolved"),
    ],
)  # fmt: skip
def test_every_action_of_state_meets_the_same_alert(action: str, status: str) -> None:
    [said] = read(action).occurrences
    assert (said.dedup_key, said.status) == ("ferry-3/engine", status)


def test_a_close_ends_at_the_time_of_the_update_in_nanoseconds() -> None:
    [said] = read("Close").occurrences
    assert said.occurred_at == said.ends_at == datetime(2026, 1, 5, 8, 41, tzinfo=UTC)


@pytest.mark.parametrize("action", ["AddNote", "AddTags", "UpdatePriority", *sorted(SILENT)])
def test_an_edit_is_taken_and_opens_nothing_again(action: str) -> None:
    assert read(action) == Parsed()


@pytest.mark.parametrize(("word", "rung"), SEVERITIES.items())
def test_every_priority_lands_on_its_rung_as_text_and_as_number(word: str, rung: Severity) -> None:
    said = int(word) if word.isdigit() else word.upper()
    assert severity_word(said, SEVERITIES).rung == rung


def test_without_an_alias_the_id_is_the_identity_and_without_both_it_is_refused() -> None:
    assert read(alias=None).occurrences[0].dedup_key == "id-1"
    with pytest.raises(Refused, match="alias"):
        read(alias=None, alertId=None)


def test_an_unknown_action_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="Explode") as refused:
        read("Explode")
    assert refused.value.code == "alert_status_unknown"


def test_an_odd_time_is_kept_beside() -> None:
    [said] = read(createdAt="soon").occurrences
    assert said.starts_at is None
    assert said.extra["createdAt"] == "soon"
