"""Reads PagerDuty's webhooks: one event (version 3), or a list of messages (versions 1 and 2)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, Severity
from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.batch import other_sender, read_items, refuse_if_nothing
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import extra_of, mapping, read_body, words
from handrail.plugins.integrations.reading import (
    ACKNOWLEDGED,
    FIRING,
    RESOLVED,
    first_link,
    first_moment,
    first_words,
    missing,
    occurrence,
    plain,
    severity_word,
    unknown_status,
    unread_times,
)

EXPECTED = "PagerDuty's webhook (version 3: an object with “event”; versions 1 and 2: one with a list “messages”)"

EVENTS = {
    "triggered": FIRING, "trigger": FIRING, "unacknowledged": FIRING, "unacknowledge": FIRING, "reopened": FIRING,
    "reopen": FIRING, "escalated": FIRING, "escalate": FIRING,
    "acknowledged": ACKNOWLEDGED, "acknowledge": ACKNOWLEDGED,
    "resolved": RESOLVED, "resolve": RESOLVED,
}  # fmt: skip
STATUSES = {"triggered": FIRING, "acknowledged": ACKNOWLEDGED, "resolved": RESOLVED}
SEVERITIES = {
    "p1": Severity.CRITICAL, "sev1": Severity.CRITICAL, "sev_1": Severity.CRITICAL, "critical": Severity.CRITICAL,
    "p2": Severity.HIGH, "sev2": Severity.HIGH, "sev_2": Severity.HIGH, "high": Severity.HIGH, "p3": Severity.MEDIUM,
    "sev3": Severity.MEDIUM, "sev_3": Severity.MEDIUM, "medium": Severity.MEDIUM, "p4": Severity.LOW,
    "sev4": Severity.LOW, "sev_4": Severity.LOW, "low": Severity.LOW, "p5": Severity.INFO, "sev5": Severity.INFO,
    "sev_5": Severity.INFO,
}  # fmt: skip
_SAYS_NOTHING_OF_STATE = (
    "annotated", "annotate", "added", "replied", "updated", "published", "delegated", "delegate", "reassigned",
    "assign", "unassign", "changed", "completed", "started", "cleared", "ping", "created", "deleted", "custom",
)  # fmt: skip
_KNOWN_EVENT = frozenset({"id", "event_type", "resource_type", "occurred_at", "data"})
_KNOWN_INCIDENT = frozenset({"title", "status", "html_url", "incident_key", "created_at"})


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """Version 3's event, or the messages of the older versions. What says nothing of a state says nothing here."""
    body = read_body(inbound)
    if type(body) is dict and type(body.get("event")) is dict and "event_type" in body["event"]:
        return _parse_event(body["event"])
    if type(body) is dict and _are_messages(body.get("messages")):
        messages = body["messages"]
        kept, rejected = read_items(messages, _read_message)
        refuse_if_nothing(kept, rejected, body, EXPECTED)
        replay = first_words(mapping(messages[0]).get("id")) if len(messages) == 1 else ""
        return Parsed(tuple(said for said in kept if said), rejected=rejected, replay_id=replay or None)
    raise other_sender(body, EXPECTED)


def _are_messages(value: Any) -> bool:
    """Both older versions name an incident in each message: within `data`, or beside the event's name."""
    items = [item for item in value if type(item) is dict] if type(value) is list else []
    return any("incident" in item or "incident" in mapping(item.get("data")) for item in items)


def _parse_event(event: Mapping[str, Any]) -> Parsed:
    said = _read(event, mapping(event.get("data")), words(event.get("event_type")), ("occurred_at",))
    return Parsed((said,) if said else (), replay_id=words(event.get("id")) or None)


def _read_message(message: Any) -> Occurrence | None:
    if type(message) is not dict:
        raise BadInput("A message must be an object.", code="item_not_an_object")
    incident = mapping(message.get("incident")) or mapping(mapping(message.get("data")).get("incident"))
    return _read(message, incident, first_words(message.get("event"), message.get("type")), ("created_on",))


def _read(
    event: Mapping[str, Any], incident: Mapping[str, Any], kind: str, times: tuple[str, ...]
) -> Occurrence | None:
    status = _status(kind, incident)
    if status is None:
        return None
    # The key is one service's own and comes again with the next incident; the id never does.
    key = first_words(incident.get("id"), incident.get("incident_key"))
    if not key:
        raise missing("incident id (“id” or “incident_key”)", "alert_labels_missing")
    trigger = mapping(incident.get("trigger_summary_data"))
    service, priority = mapping(incident.get("service")), mapping(incident.get("priority"))
    severity = first_words(
        priority.get("summary"), priority.get("name"), incident.get("priority"), incident.get("urgency")
    )
    description = first_words(trigger.get("subject"), trigger.get("description"), incident.get("description"))
    occurred_at = first_moment(
        *(event.get(name) for name in times), incident.get("last_status_change_at"),
        incident.get("last_status_change_on"),
    )  # fmt: skip
    about = extra_of(incident, _KNOWN_INCIDENT)
    return occurrence(
        event,
        key=key,
        status=status,
        title=first_words(incident.get("title"), incident.get("summary"), description) or _numbered(incident),
        severity=severity_word(severity, SEVERITIES),
        service=first_words(service.get("summary"), service.get("name"), service.get("id")),
        summary=description,
        labels={
            "incident_number": first_words(incident.get("number"), incident.get("incident_number")),
            "urgency": words(incident.get("urgency")),
            "priority": first_words(priority.get("summary"), priority.get("name")),
        },
        occurred_at=occurred_at,
        starts_at=first_moment(incident.get("created_at"), incident.get("created_on"))
        or (occurred_at if status == FIRING else None),
        ends_at=first_moment(incident.get("resolved_at")) or occurred_at,
        address=first_link(incident.get("html_url"), incident.get("trigger_details_html_url")),
        extra={
            **extra_of(event, _KNOWN_EVENT | {"incident", "messages"}),
            **unread_times(event, times),
            **({"incident": about} if about else {}),
        },
    )


def _status(kind: str, incident: Mapping[str, Any]) -> AlertStatus | None:
    """The incident's own status where it is known, else the event's; None for an event that speaks of no state.

    An escalation or a new priority comes in any state, so that the incident's own word goes first; only a trigger, an
    acknowledgement and a resolve are told by the event's name.
    """
    last = plain(kind).rpartition(".")[2]
    by_status = STATUSES.get(plain(incident.get("status")))
    if last in EVENTS and not (last.startswith("escalate") and by_status):
        return EVENTS[last]
    if by_status is not None:
        return by_status
    is_about_another_thing = type(incident.get("incident")) is dict  # a note, a role, an update of the incident
    if last.endswith(_SAYS_NOTHING_OF_STATE) or is_about_another_thing:
        return None
    raise unknown_status(kind, "event_type", (f"incident.{name}" for name in STATUSES))


def _numbered(incident: Mapping[str, Any]) -> str:
    number = first_words(incident.get("number"), incident.get("incident_number"))
    return f"PagerDuty incident {number}" if number else ""
