"""New Relic's issues and its older incidents."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.newrelic.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def sample(name: str) -> Any:
    return json.loads((files("handrail.plugins.integrations.newrelic") / "samples" / f"{name}.json").read_text())


def read(body: Any) -> Parsed:
    return parse(Inbound(json.dumps(body).encode()), NOW)


def one(body: Any) -> Occurrence:
    [said] = read(body).occurrences
    return said


def test_an_issue_reads_field_by_field() -> None:
    said = one(sample("issue_activated"))
    assert said.dedup_key == "11111111-aaaa-4bbb-8ccc-222222222222"
    assert (said.title, said.status) == ("Booking error rate above 5 %", AlertStatus.FIRING)
    assert rung_of(said) == Severity.CRITICAL
    assert (said.service, said.resource) == ("booking", "booking")
    assert said.starts_at == datetime(2026, 1, 5, 7, 41, 12, tzinfo=UTC)
    assert said.occurred_at == datetime(2026, 1, 5, 7, 41, 40, 123000, tzinfo=UTC)
    assert said.extra["entities"] == ["booking", "gate"]
    assert said.extra["isCorrelated"] == "false"
    assert said.labels["policy"] == "Ferries"


def test_an_issue_is_acknowledged_and_closed_under_one_id() -> None:
    taken, closed = one(sample("issue_acknowledged")), one(sample("issue_closed"))
    assert taken.dedup_key == closed.dedup_key == one(sample("issue_activated")).dedup_key
    assert (taken.status, closed.status) == (AlertStatus.ACKNOWLEDGED, AlertStatus.RESOLVED)
    assert closed.ends_at == closed.occurred_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def test_an_incident_that_closed_within_an_active_issue_does_not_close_it() -> None:
    assert one({**sample("issue_activated"), "trigger": "INCIDENT_CLOSED"}).status == AlertStatus.FIRING


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("open", AlertStatus.FIRING), ("acknowledged", AlertStatus.ACKNOWLEDGED), ("closed", AlertStatus.RESOLVED),
        ("Closed", AlertStatus.RESOLVED),
    ],
)  # fmt: skip
def test_an_older_incident_has_three_states(state: str, status: AlertStatus) -> None:
    said = one({**sample("legacy_open"), "current_state": state})
    assert (said.dedup_key, said.status) == ("42", status)
    assert (said.title, said.resource) == ("Gate CPU: gate-7", "gate-7")
    assert rung_of(said) == Severity.MEDIUM
    assert said.labels["env"] == "prod"
    assert said.occurred_at == datetime(2026, 1, 5, 7, 41, 12, tzinfo=UTC)


def test_lists_as_text_and_lists_as_titles_are_read() -> None:
    said = one(
        {**sample("issue_activated"), "impactedEntities": "gate, crane", "title": ["Two things"], "updatedAt": "x"}
    )
    assert (said.service, said.title) == ("gate", "Two things")
    assert said.extra["updatedAt"] == "x"


def test_what_names_no_issue_and_what_has_no_known_state_is_refused() -> None:
    with pytest.raises(Refused, match="no “id”"):
        read({**sample("issue_activated"), "id": None})
    with pytest.raises(Refused, match="“MUSING” is not known"):
        read({**sample("issue_activated"), "state": "MUSING"})


def test_an_issue_that_was_given_back_fires_again() -> None:
    body = {**sample("issue_activated"), "acknowledgedAt": 1767599000000}
    assert one(body).status == AlertStatus.ACKNOWLEDGED
    assert one({**body, "trigger": "ISSUE_UNACKNOWLEDGED"}).status == AlertStatus.FIRING


def issue(**fields: Any) -> Occurrence:
    said = {
        "id": "i-1", "issueUrl": "https://radar.example/i-1", "title": "Memory", "state": "ACTIVATED",
        "trigger": "STATE_CHANGE", "createdAt": 1767602400000, "updatedAt": 1767602460000, "impactedEntities": ["web"],
    }  # fmt: skip
    [read] = parse(Inbound(json.dumps({**said, **fields}).encode()), NOW).occurrences
    return read


@pytest.mark.parametrize("fields", [{"state": "CLOSED"}, {"trigger": "ACKNOWLEDGED"}])
def test_what_tells_no_time_of_its_own_is_not_as_old_as_the_issue(fields: dict[str, Any]) -> None:
    """Or it would be taken for late, after the update that came before it."""
    assert issue(updatedAt=None, **fields).occurred_at is None


def test_an_end_never_looks_older_than_the_last_update() -> None:
    ended = issue(state="CLOSED", closedAt=1767602430000)
    assert ended.occurred_at == ended.ends_at == issue().occurred_at


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"trigger": "Issue acknowledged by Sam"}, "acknowledged"), ({"acknowledgedBy": ["sam"]}, "acknowledged"),
        ({"acknowledgedBy": []}, "firing"), ({"trigger": "ISSUE_UNACKNOWLEDGED", "acknowledgedBy": "sam"}, "firing"),
        ({"state": ["CLOSED"]}, "resolved"),
    ],
)  # fmt: skip
def test_who_has_it_and_what_came_as_a_list_are_read(fields: dict[str, Any], status: str) -> None:
    assert issue(**fields).status == status
