"""PagerDuty's webhooks of all versions: states, identities, events that say nothing, and the signature."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.kernel.errors import BadSignature, Refused
from handrail.plugins.integrations.contract import Inbound, Parsed, Verdict
from handrail.plugins.integrations.pagerduty_webhook.parse import parse
from handrail.plugins.integrations.pagerduty_webhook.verify import verify

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
INCIDENT = {
    "id": "P1", "incident_key": "berth-9", "title": "Shore power lost", "status": "triggered", "urgency": "low",
    "service": {"summary": "shore-power"}, "html_url": "https://pd.example/P1", "priority": {"summary": "P1"},
    "created_at": "2026-01-05T08:00:00Z", "number": 7,
}  # fmt: skip


def event(kind: str = "incident.triggered", **incident: Any) -> Parsed:
    said = {"id": "E1", "event_type": kind, "occurred_at": "2026-01-05T08:01:00Z", "data": {**INCIDENT, **incident}}
    return parse(Inbound(json.dumps({"event": said}).encode()), NOW)


def test_an_event_of_version_3_reads_field_by_field() -> None:
    parsed = event(resolve_reason=None, teams=["x"])
    [said] = parsed.occurrences
    assert parsed.replay_id == "E1"
    assert (said.dedup_key, said.status, said.title) == ("P1", "firing", "Shore power lost")
    assert (said.severity_raw, said.service, said.link) == ("P1", "shore-power", "https://pd.example/P1")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 1, tzinfo=UTC)
    assert said.starts_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    assert said.labels == {"incident_number": "7", "urgency": "low", "priority": "P1"}
    assert said.extra["incident"]["teams"] == ["x"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("incident.acknowledged", "acknowledged", "acknowledged"),
        ("incident.resolved", "resolved", "resolved"),
        ("incident.resolved", None, "resolved"),
        ("incident.unacknowledged", "triggered", "firing"),
        ("incident.reopened", "triggered", "firing"),
        ("incident.escalated", "acknowledged", "acknowledged"),
        ("incident.priority_updated", "acknowledged", "acknowledged"),
        ("incident.something_new", "resolved", "resolved"),
    ],
)
def test_every_event_lands_on_its_status(kind: str, status: str | None, expected: str) -> None:
    [said] = event(kind, status=status).occurrences
    assert (said.status, said.dedup_key) == (expected, "P1")


@pytest.mark.parametrize("kind", ["incident.annotated", "pagey.ping", "service.updated", "incident.responder.added"])
def test_an_event_that_speaks_of_no_state_is_taken_and_changes_nothing(kind: str) -> None:
    said = {"event": {"id": "E2", "event_type": kind, "data": {"type": "incident_note", "content": "hello"}}}
    assert parse(Inbound(json.dumps(said).encode()), NOW) == Parsed(replay_id="E2")


def test_an_unknown_event_without_a_status_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="event_type") as refused:
        event("incident.exploded", status="sideways")
    assert refused.value.code == "alert_status_unknown"


def test_without_an_id_the_key_is_the_identity_and_without_a_priority_the_urgency_is_the_severity() -> None:
    [said] = event(id=None, priority=None).occurrences
    assert (said.dedup_key, said.severity_raw) == ("berth-9", "low")


def test_two_incidents_of_two_services_under_one_key_are_two_alerts() -> None:
    [here], [there] = event().occurrences, event(id="P2", service={"summary": "cranes"}).occurrences
    assert here.dedup_key != there.dedup_key


def test_an_incident_that_moved_to_another_service_and_lost_its_key_is_still_resolved() -> None:
    [said] = event("incident.resolved", incident_key=None, service={"summary": "cranes"}, title="Moved").occurrences
    assert (said.dedup_key, said.status) == ("P1", "resolved")


def test_an_event_about_a_thing_of_the_incident_that_is_not_known_yet_changes_nothing() -> None:
    data = {"type": "incident_role", "incident": {"id": "P1", "type": "incident_reference"}, "role": {"name": "scribe"}}
    said = {"event": {"id": "E3", "event_type": "incident.role.granted", "data": data}}
    assert parse(Inbound(json.dumps(said).encode()), NOW) == Parsed(replay_id="E3")


def test_the_older_versions_are_read_and_meet_the_same_incident() -> None:
    v1 = {"type": "incident.trigger", "id": "m1", "created_on": "2026-01-05T08:01:00Z", "data": {"incident": {
        "id": "P1", "incident_key": "berth-9", "status": "triggered", "service": {"name": "shore-power"},
        "trigger_summary_data": {"subject": "Shore power lost"}}}}  # fmt: skip
    v2 = {"event": "incident.resolve", "id": "m2", "created_on": "2026-01-05T08:02:00Z", "incident": INCIDENT}
    fired, resolved = parse(Inbound(json.dumps({"messages": [v1, v2]}).encode()), NOW).occurrences
    assert (fired.status, fired.title, fired.service) == ("firing", "Shore power lost", "shore-power")
    assert resolved.status == "resolved"
    assert fired.dedup_key == resolved.dedup_key == "P1"
    assert resolved.ends_at == datetime(2026, 1, 5, 8, 2, tzinfo=UTC)


def test_a_bad_message_is_named_and_the_others_are_kept() -> None:
    good = {"event": "incident.trigger", "incident": INCIDENT}
    parsed = parse(Inbound(json.dumps({"messages": [good, 7]}).encode()), NOW)
    assert len(parsed.occurrences) == 1
    assert [(item.index, item.code) for item in parsed.rejected] == [(1, "item_not_an_object")]


def test_one_of_several_signatures_must_fit_one_of_the_secrets() -> None:
    fits = "v1=" + hmac.new(b"s3cret", b"{}", hashlib.sha256).hexdigest()
    inbound = Inbound(b"{}", {"x-pagerduty-signature": f"v1={'0' * 64},{fits}"})
    assert verify(inbound, ["s3cret"], NOW) == Verdict.VERIFIED
    with pytest.raises(BadSignature):
        verify(inbound, ["other"], NOW)
    with pytest.raises(BadSignature):
        verify(Inbound(b"{}"), ["s3cret"], NOW)
