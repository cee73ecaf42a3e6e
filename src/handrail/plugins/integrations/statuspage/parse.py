"""Reads what a Statuspage page sends to its subscribers: a component's new status, or an incident's update."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import Occurrence, Severity
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import extra_of, mapping, moment, read_body, words
from handrail.plugins.integrations.reading import (
    ACKNOWLEDGED,
    FIRING,
    NO_WORD,
    RESOLVED,
    first_link,
    first_moment,
    first_words,
    missing,
    occurrence,
    severity_word,
    status_in,
    unread_times,
)

EXPECTED = "Statuspage's webhook (an object with “page” and “component” or “incident”)"

COMPONENTS = {
    "operational": RESOLVED, "degraded_performance": FIRING, "partial_outage": FIRING, "major_outage": FIRING,
    "under_maintenance": ACKNOWLEDGED,
    # Instatus sends the same form and writes its words as one.
    "degradedperformance": FIRING, "partialoutage": FIRING, "majoroutage": FIRING, "undermaintenance": ACKNOWLEDGED,
}  # fmt: skip
INCIDENTS = {
    "investigating": FIRING, "identified": FIRING, "monitoring": ACKNOWLEDGED, "resolved": RESOLVED,
    "postmortem": RESOLVED, "scheduled": ACKNOWLEDGED, "in_progress": ACKNOWLEDGED, "verifying": ACKNOWLEDGED,
    "completed": RESOLVED,
}  # fmt: skip
SEVERITIES = {
    "degraded_performance": Severity.MEDIUM, "partial_outage": Severity.HIGH, "major_outage": Severity.CRITICAL,
    "under_maintenance": Severity.INFO, "none": Severity.INFO, "maintenance": Severity.INFO, "minor": Severity.MEDIUM,
    "major": Severity.HIGH, "critical": Severity.CRITICAL,
    "degradedperformance": Severity.MEDIUM, "partialoutage": Severity.HIGH, "majoroutage": Severity.CRITICAL,
    "undermaintenance": Severity.INFO,
}  # fmt: skip
# `meta` holds the address that ends the subscription: who has it can end it, so it is not kept.
_KNOWN = frozenset({"meta", "component", "component_update", "incident"})
_KNOWN_INCIDENT = frozenset(
    {"id", "name", "status", "impact", "shortlink", "created_at", "resolved_at", "incident_updates", "components"}
)


def parse(inbound: Inbound, now: datetime) -> Parsed:
    body = read_body(inbound)
    if type(body) is dict and ("page" in body or "meta" in body):
        kept = {name: value for name, value in body.items() if name != "meta"}
        if type(body.get("incident")) is dict:
            return Parsed(occurrences=(_incident(kept, body["incident"]),))
        if not {"component", "component_update"}.isdisjoint(body):
            return Parsed(occurrences=(_component(kept),))
    raise other_sender(body, EXPECTED)


def _component(body: Mapping[str, Any]) -> Occurrence:
    component, update = mapping(body.get("component")), mapping(body.get("component_update"))
    key = first_words(component.get("id"), update.get("component_id"))
    if not key:
        raise missing("component id", "alert_labels_missing")
    said = first_words(update.get("new_status"), component.get("status"))
    status = status_in(COMPONENTS, said, "new_status")
    name, at = words(component.get("name")), first_moment(update.get("created_at"), component.get("updated_at"))
    return occurrence(
        body,
        key=f"component/{key}",
        status=status,
        title=f"{name or 'Component ' + key}: {said.replace('_', ' ')}",
        severity=severity_word(said, SEVERITIES) if status != RESOLVED else NO_WORD,
        service=name,
        summary=words(component.get("description")),
        labels={"status": said, "previous_status": words(update.get("old_status"))},
        occurred_at=at,
        starts_at=at if status == FIRING else None,
        ends_at=at,
        address=first_link(mapping(body.get("page")).get("url")),
        extra={**extra_of(body, _KNOWN), **unread_times(update, ("created_at",))},
    )


def _incident(body: Mapping[str, Any], incident: Mapping[str, Any]) -> Occurrence:
    key = words(incident.get("id"))
    if not key:
        raise missing("incident id (“incident.id”)", "alert_labels_missing")
    update = _newest(incident.get("incident_updates"))
    said = first_words(incident.get("status"), update.get("status"))
    components = incident.get("components")
    names = [words(mapping(part).get("name")) for part in components] if type(components) is list else []
    about = extra_of(incident, _KNOWN_INCIDENT)
    return occurrence(
        body,
        key=f"incident/{key}",
        status=status_in(INCIDENTS, said, "status"),
        title=words(incident.get("name")),
        severity=severity_word(incident.get("impact"), SEVERITIES),
        service=first_words(*names),
        summary=words(update.get("body")),
        labels={"status": said, "impact": words(incident.get("impact")), "components": ", ".join(filter(None, names))},
        occurred_at=first_moment(update.get("created_at"), incident.get("updated_at"), incident.get("created_at")),
        starts_at=first_moment(incident.get("started_at"), incident.get("created_at")),
        ends_at=first_moment(incident.get("resolved_at"), update.get("created_at"), incident.get("updated_at")),
        address=first_link(incident.get("shortlink"), incident.get("url")),
        extra={
            **extra_of(body, _KNOWN),
            **unread_times(incident, ("created_at", "resolved_at")),
            **({"incident": about} if about else {}),
        },
    )


def _newest(updates: Any) -> Mapping[str, Any]:
    """Pages send the newest first; where the times say otherwise, they count."""
    items = [item for item in updates if type(item) is dict] if type(updates) is list else []
    timed = [(at, -index) for index, item in enumerate(items) if (at := moment(item.get("created_at")))]
    return items[-max(timed)[1]] if timed else items[0] if items else {}
