"""Reads Opsgenie's outgoing webhook into one occurrence."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import Occurrence, Severity
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import extra_of, read_body, service_of, short_labels, words
from handrail.plugins.integrations.reading import (
    ACKNOWLEDGED,
    FIRING,
    RESOLVED,
    first_moment,
    first_words,
    missing,
    occurrence,
    pairs,
    plain,
    severity_word,
    unknown_status,
    unread_times,
)

EXPECTED = "Opsgenie's webhook (an object with “action” and “alert”)"

ACTIONS = {
    "create": FIRING, "unacknowledge": FIRING, "snoozeended": FIRING, "unsnooze": FIRING, "escalate": FIRING,
    "escalatenext": FIRING,
    "acknowledge": ACKNOWLEDGED, "snooze": ACKNOWLEDGED, "takeownership": ACKNOWLEDGED,
    "close": RESOLVED, "delete": RESOLVED,
}  # fmt: skip
SILENT = frozenset(
    [
        "addnote",
        "addtags",
        "removetags",
        "adddetails",
        "removedetails",
        "addteam",
        "addrecipient",
        "addresponder",
        "assignownership",
        "assign",
        "updatepriority",
        "updatemessage",
        "updatedescription",
        "customaction",
        "executecustomaction",
        "seen",
    ]
)
SEVERITIES = {
    "p1": Severity.CRITICAL, "1": Severity.CRITICAL, "p2": Severity.HIGH, "2": Severity.HIGH, "p3": Severity.MEDIUM,
    "3": Severity.MEDIUM, "p4": Severity.LOW, "4": Severity.LOW, "p5": Severity.INFO, "5": Severity.INFO,
}  # fmt: skip
_KNOWN = frozenset({"action", "alert"})
_KNOWN_ALERT = frozenset(
    [
        "alertId",
        "alias",
        "message",
        "description",
        "entity",
        "source",
        "priority",
        "tags",
        "details",
        "createdAt",
        "updatedAt",
        "insertedAt",
    ]
)


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """What an action says of the alert's state; edits that say nothing of it are taken and change nothing."""
    body = read_body(inbound)
    if type(body) is not dict or not words(body.get("action")) or not _is_alert(body.get("alert")):
        raise other_sender(body, EXPECTED)
    action = plain(body["action"]).replace("_", "")
    if action in SILENT:
        return Parsed()
    if action not in ACTIONS:
        raise unknown_status(body["action"], "action", ACTIONS)
    return Parsed(occurrences=(_read(body, body["alert"], action),))


def _is_alert(value: Any) -> bool:
    return type(value) is dict and not {"alertId", "alias", "tinyId", "message"}.isdisjoint(value)


def _read(body: Mapping[str, Any], alert: Mapping[str, Any], action: str) -> Occurrence:
    key = first_words(alert.get("alias"), alert.get("alertId"), alert.get("tinyId"))
    if not key:
        raise missing("“alias” or “alertId”", "alert_labels_missing")
    status = ACTIONS[action]
    created, updated = (
        first_moment(alert.get("createdAt"), alert.get("insertedAt")),
        first_moment(alert.get("updatedAt")),
    )
    labels = {**pairs(alert.get("tags")), **pairs(alert.get("details"))}
    escalation = words(body.get("escalationName"))
    about = extra_of(alert, _KNOWN_ALERT)
    return occurrence(
        body,
        key=key,
        status=status,
        title=words(alert.get("message")) or (f"Escalated by {escalation}: alert {key}" if escalation else ""),
        severity=severity_word(alert.get("priority"), SEVERITIES),
        service=service_of(short_labels(labels)),
        resource=first_words(alert.get("entity"), alert.get("source")),
        summary=words(alert.get("description")),
        labels={**labels, "alert_id": words(alert.get("alertId"))},
        occurred_at=created if action == "create" and created else updated,
        starts_at=created,
        ends_at=updated,
        extra={
            **extra_of(body, _KNOWN),
            **unread_times(alert, ("createdAt", "updatedAt")),
            **({"alert": about} if about else {}),
        },
    )
