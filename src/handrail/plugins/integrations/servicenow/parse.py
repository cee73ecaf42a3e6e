"""Reads ServiceNow's incident records into occurrences."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from handrail.domain.alert import Occurrence, Severity
from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.batch import other_sender, read_items, refuse_if_nothing
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import extra_of, moment, read_body, words
from handrail.plugins.integrations.reading import (
    ACKNOWLEDGED,
    FIRING,
    RESOLVED,
    Word,
    first_link,
    first_words,
    missing,
    occurrence,
    plain,
    severity_word,
    status_in,
)

EXPECTED = "a ServiceNow incident (an object with “sys_id” or “number”, “short_description” and “state”)"

STATES = {
    "1": FIRING, "new": FIRING, "open": FIRING, "reopened": FIRING,
    "2": ACKNOWLEDGED, "in_progress": ACKNOWLEDGED, "active": ACKNOWLEDGED, "work_in_progress": ACKNOWLEDGED,
    "3": ACKNOWLEDGED, "on_hold": ACKNOWLEDGED, "4": ACKNOWLEDGED, "5": ACKNOWLEDGED, "awaiting_problem": ACKNOWLEDGED,
    "awaiting_user_info": ACKNOWLEDGED, "awaiting_evidence": ACKNOWLEDGED, "pending": ACKNOWLEDGED,
    "6": RESOLVED, "resolved": RESOLVED, "7": RESOLVED, "closed": RESOLVED, "closed_complete": RESOLVED,
    "closed_incomplete": RESOLVED, "closed_skipped": RESOLVED, "awaiting_info": ACKNOWLEDGED,
    "awaiting_caller": ACKNOWLEDGED, "awaiting_change": ACKNOWLEDGED, "awaiting_vendor": ACKNOWLEDGED,
    "8": RESOLVED, "canceled": RESOLVED, "cancelled": RESOLVED,
}  # fmt: skip
PRIORITIES = {
    "1": Severity.CRITICAL, "critical": Severity.CRITICAL, "2": Severity.HIGH, "high": Severity.HIGH,
    "3": Severity.MEDIUM, "moderate": Severity.MEDIUM, "medium": Severity.MEDIUM, "4": Severity.LOW,
    "low": Severity.LOW, "5": Severity.INFO, "planning": Severity.INFO,
}  # fmt: skip
_TIMES = ("sys_updated_on", "opened_at", "sys_created_on", "resolved_at", "closed_at")
_KNOWN = frozenset(
    {
        "sys_id", "number", "short_description", "description", "state", "incident_state", "priority", "impact",
        "urgency", "business_service", "cmdb_ci", "correlation_id", "instance", "instance_url", "link", *_TIMES,
    }
)  # fmt: skip


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One record or several, bare or within `result`, `records` or `incident`."""
    body = read_body(inbound)
    items = _records(body)
    kept, rejected = read_items(items, _read)
    refuse_if_nothing(kept, rejected, body, EXPECTED)
    return Parsed(occurrences=kept, rejected=rejected)


def _records(body: Any) -> list[Any]:
    inside = body
    if type(body) is dict and not _is_record(body):
        inside = next((body[name] for name in ("result", "records", "incident", "record") if name in body), body)
    items = inside if type(inside) is list else [inside]
    if not any(_is_record(item) for item in items):
        raise other_sender(body, EXPECTED)
    return items


def _is_record(item: Any) -> bool:
    if type(item) is not dict:
        return False
    return "sys_id" in item or {"number", "short_description"} <= item.keys()


def _value(field: Any) -> str:
    """The value itself: of {value, display_value} or {link, value} the value, and else the field."""
    return first_words(field.get("value"), field.get("display_value")) if type(field) is dict else words(field)


def _shown(field: Any) -> str:
    """What people see: the display value where it was sent."""
    if type(field) is not dict:
        return words(field)
    return first_words(field.get("display_value"), field.get("name"), field.get("value"))


def _read(item: Any) -> Occurrence:
    if type(item) is not dict:
        raise BadInput("A record must be an object.", code="item_not_an_object")
    value = {name: _value(item.get(name)) for name in _KNOWN}
    key = value["sys_id"] or value["number"]
    if not key:
        raise missing("“sys_id” and no “number”", "alert_labels_missing")
    said = value["state"] or value["incident_state"]
    status = status_in(STATES, said, "state") if said else RESOLVED if value["resolved_at"] else FIRING
    times = {name: moment(value[name]) for name in _TIMES}
    updated, opened = times["sys_updated_on"], times["opened_at"] or times["sys_created_on"]
    return occurrence(
        item,
        key=key,
        status=status,
        title=first_words(value["short_description"], value["number"]),
        severity=_severity(value),
        service=first_words(_shown(item.get("business_service")), _shown(item.get("cmdb_ci"))),
        resource=_shown(item.get("cmdb_ci")),
        summary=value["description"],
        labels={
            "number": value["number"], "correlation_id": value["correlation_id"], "state": _shown(item.get("state")),
            "priority": _shown(item.get("priority")), "impact": _shown(item.get("impact")),
            "urgency": _shown(item.get("urgency")),
        },
        occurred_at=updated or (None if status != FIRING else opened),
        starts_at=opened,
        ends_at=times["resolved_at"] or times["closed_at"] or updated,
        address=_link(item, value),
        extra={
            **extra_of(item, _KNOWN),
            **{name: value[name] for name in _TIMES if value[name] and times[name] is None},
        },
    )  # fmt: skip


def _severity(value: Mapping[str, str]) -> Word:
    """The priority as its number or name (“1 - Critical”); without it, the worse of impact and urgency."""
    said = value["priority"] or min(filter(None, (value["impact"], value["urgency"])), default="")
    head, _, name = said.partition(" - ")
    return severity_word(head if plain(head) in PRIORITIES else name or said, PRIORITIES)


def _link(item: Mapping[str, Any], value: Mapping[str, str]) -> str | None:
    """The record's page. The instance is told by itself, or by the address of a field's own record."""
    given = first_link(value["link"])
    if given:
        return given
    links = (field.get("link") for field in item.values() if type(field) is dict)
    api = next((found for link in links if (found := first_link(link))), "")
    home = first_words(value["instance"], value["instance_url"]) or api.partition("/api/")[0]
    if not value["sys_id"] or not first_link(home):
        return None
    return first_link(f"{home.rstrip('/')}/nav_to.do?uri=incident.do%3Fsys_id%3D{quote(value['sys_id'], safe='')}")
