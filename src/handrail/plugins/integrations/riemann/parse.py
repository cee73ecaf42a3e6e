"""Reads Riemann's events into occurrences: one event, or a list of them."""

from datetime import datetime
from typing import Any

from handrail.domain.alert import Occurrence, Severity
from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.batch import guess_sender, other_sender, read_items, refuse_if_nothing
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import extra_of, key_of, moment, read_body, words
from handrail.plugins.integrations.reading import (
    ACKNOWLEDGED,
    FIRING,
    NO_WORD,
    RESOLVED,
    missing,
    occurrence,
    plain,
    severity_word,
    status_in,
    unread_times,
)

EXPECTED = "Riemann's event (an object with “host”, “service” and “state”), or a list of events"

STATES = {
    "ok": RESOLVED, "normal": RESOLVED, "up": RESOLVED, "info": RESOLVED, "good": RESOLVED, "resolved": RESOLVED,
    "healthy": RESOLVED, "passing": RESOLVED, "clear": RESOLVED, "cleared": RESOLVED, "recovered": RESOLVED,
    "closed": RESOLVED, "alert": FIRING, "alarm": FIRING, "problem": FIRING, "failing": FIRING, "unhealthy": FIRING,
    "degraded": FIRING,
    "acknowledged": ACKNOWLEDGED, "warning": FIRING, "warn": FIRING, "critical": FIRING, "error": FIRING,
    "fatal": FIRING, "emergency": FIRING, "down": FIRING, "major": FIRING, "minor": FIRING, "unknown": FIRING,
    "expired": FIRING, "failed": FIRING, "fail": FIRING, "bad": FIRING,
}  # fmt: skip
SEVERITIES = {
    "critical": Severity.CRITICAL, "fatal": Severity.CRITICAL, "emergency": Severity.CRITICAL,
    "down": Severity.CRITICAL, "error": Severity.HIGH, "failed": Severity.HIGH, "fail": Severity.HIGH,
    "bad": Severity.HIGH, "major": Severity.HIGH, "warning": Severity.MEDIUM, "warn": Severity.MEDIUM,
    "unknown": Severity.MEDIUM, "expired": Severity.MEDIUM, "minor": Severity.LOW,
}  # fmt: skip
_KNOWN = frozenset({"host", "service", "state", "description", "time", "tags"})
# Names of other senders that have a service and a state as well.
_OTHERS = frozenset(
    {
        "title",
        "trigger",
        "hostname",
        "notification_type",
        "alerts",
        "check_id",
        "sys_id",
        "timet",
        "output",
        "problem_id",
    }
)


def parse(inbound: Inbound, now: datetime) -> Parsed:
    body = read_body(inbound)
    items = body if type(body) is list else [body]
    if not any(_is_event(item) for item in items):
        raise other_sender(body, EXPECTED)
    kept, rejected = read_items(items, _read)
    refuse_if_nothing(kept, rejected, body, EXPECTED)
    return Parsed(occurrences=kept, rejected=rejected)


def _is_event(item: Any) -> bool:
    """The fields of an event are common words, so that those that others put beside them count as well."""
    return (
        type(item) is dict
        and {"service", "state"} <= item.keys()
        and _OTHERS.isdisjoint(item)
        and guess_sender(item) is None
    )


def _read(item: Any) -> Occurrence:
    if type(item) is not dict:
        raise BadInput("An event must be an object.", code="item_not_an_object")
    host, service = words(item.get("host")), words(item.get("service"))
    if not service:
        raise missing("“service”")
    status = status_in(STATES, item.get("state"), "state")
    occurred_at, tags = moment(item.get("time")), item.get("tags")
    named = ", ".join(words(tag) for tag in tags if words(tag)) if type(tags) is list else words(tags)
    return occurrence(
        item,
        key=f"{host}/{service}" if "/" not in host else key_of(host, service),
        status=status,
        title=service,
        severity=severity_word(item.get("state"), SEVERITIES) if plain(item.get("state")) in SEVERITIES else NO_WORD,
        service=service,
        resource=host,
        summary=words(item.get("description")),
        labels={"state": words(item.get("state")), "metric": words(item.get("metric")), "tags": named},
        occurred_at=occurred_at,
        starts_at=occurred_at if status == FIRING else None,
        ends_at=occurred_at,
        extra={**extra_of(item, _KNOWN), **unread_times(item, ("time",))},
    )
