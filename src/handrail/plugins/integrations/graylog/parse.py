"""Reads Graylog's notifications: events of event definitions, and the stream alerts of older versions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import Occurrence, Severity
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    extra_of,
    key_of,
    mapping,
    read_body,
    resource_of,
    service_of,
    short_labels,
    words,
)
from handrail.plugins.integrations.reading import (
    FIRING,
    RESOLVED,
    first_moment,
    first_words,
    missing,
    occurrence,
    severity_word,
    unread_times,
)

EXPECTED = "Graylog's notification (an object with “event_definition_id” and “event”, or with “check_result”)"

PRIORITIES = {
    "1": Severity.LOW, "low": Severity.LOW, "2": Severity.MEDIUM, "normal": Severity.MEDIUM, "3": Severity.HIGH,
    "high": Severity.HIGH, "4": Severity.CRITICAL, "critical": Severity.CRITICAL, "0": Severity.INFO,
    "informational": Severity.INFO,
}  # fmt: skip
TRIGGERED = {"true": FIRING, "1": FIRING, "": FIRING, "false": RESOLVED, "0": RESOLVED}
_KNOWN = frozenset({"event", "event_definition_id", "event_definition_title", "event_definition_description"})
_KNOWN_EVENT = frozenset(
    {"id", "key", "message", "source", "priority", "timestamp", "fields", "event_definition_id", "group_by_fields"}
)


def parse(inbound: Inbound, now: datetime) -> Parsed:
    body = read_body(inbound)
    if type(body) is dict and type(body.get("check_result")) is dict:
        return Parsed(occurrences=(_stream_alert(body, body["check_result"]),))
    if type(body) is dict and type(body.get("event")) is dict and _names_definition(body):
        event = body["event"]
        return Parsed(occurrences=(_event(body, event),), replay_id=words(event.get("id")) or None)
    raise other_sender(body, EXPECTED)


def _names_definition(body: Mapping[str, Any]) -> bool:
    names = {"event_definition_id", "event_definition_title"}
    return bool(names & body.keys() or names & body["event"].keys())


def _event(body: Mapping[str, Any], event: Mapping[str, Any]) -> Occurrence:
    definition = first_words(
        body.get("event_definition_id"), event.get("event_definition_id"), body.get("event_definition_title")
    )
    if not definition:
        raise missing("event definition (“event_definition_id”)", "alert_labels_missing")
    grouped_by, group = mapping(event.get("group_by_fields")), _group(event)
    fields = {**grouped_by, **mapping(event.get("fields"))}
    short, about = short_labels(fields), extra_of(event, _KNOWN_EVENT)
    occurred_at = first_moment(event.get("timestamp"), event.get("timestamp_processing"))
    return occurrence(
        body,
        key=f"{definition}/{group}" if group else definition,
        status=FIRING,
        title=first_words(event.get("message"), body.get("event_definition_title")),
        severity=severity_word(event.get("priority"), PRIORITIES),
        service=service_of(short),
        resource=resource_of(short) or words(event.get("source")),
        summary=words(body.get("event_definition_description")),
        labels={**fields, "event_definition": words(body.get("event_definition_title"))},
        occurred_at=occurred_at,
        starts_at=occurred_at,
        extra={
            **extra_of(body, _KNOWN),
            **unread_times(event, ("timestamp",)),
            **({"event": about} if about else {}),
        },
    )


def _group(event: Mapping[str, Any]) -> str:
    """The key that the event definition makes; without one, what its aggregation groups by tells its events apart."""
    parts = event.get("key_tuple")
    given = words(event.get("key")) or "|".join(words(part) for part in (parts if type(parts) is list else ()))
    grouped_by = mapping(event.get("group_by_fields"))
    return given or "|".join(f"{name}={words(grouped_by[name])}" for name in sorted(grouped_by))


def _stream_alert(body: Mapping[str, Any], result: Mapping[str, Any]) -> Occurrence:
    condition, stream = mapping(result.get("triggered_condition")), mapping(body.get("stream"))
    title = first_words(result.get("result_description"), condition.get("title"), condition.get("description"))
    name = words(stream.get("title"))
    if not first_words(condition.get("id"), stream.get("id"), title):
        raise missing("condition (“check_result.triggered_condition.id”) and no stream", "alert_labels_missing")
    matched = result.get("matching_messages")
    message = mapping(matched[0]) if type(matched) is list and matched else {}
    occurred_at = first_moment(result.get("triggered_at"), message.get("timestamp"))
    return occurrence(
        body,
        key=words(condition.get("id")) or key_of(first_words(stream.get("id"), name), words(condition.get("type"))),
        status=TRIGGERED.get(words(result.get("triggered")).lower(), FIRING),
        title=title or name,
        service=name,
        resource=words(message.get("source")),
        summary=first_words(message.get("message"), stream.get("description")),
        labels={"stream": name, "condition": words(condition.get("type"))},
        occurred_at=occurred_at,
        starts_at=occurred_at,
        extra={
            **extra_of(body, frozenset({"check_result", "stream"})),
            **unread_times(result, ("triggered_at",)),
            "check_result": extra_of(result, frozenset({"result_description", "triggered", "triggered_at"})),
        },
    )
