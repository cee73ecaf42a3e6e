"""Reads Jira's webhooks: the state of one issue as one alert."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, Severity
from handrail.plugins.integrations.batch import other_sender
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
    unread_times,
)

EXPECTED = "Jira's webhook (an object with “webhookEvent” and “issue”), or an issue as Jira's automation sends it"

_AROUND = ("self", "changelog")
# A status category goes by its key, its name and its number.
CATEGORIES = {
    "new": FIRING, "undefined": FIRING, "to_do": FIRING, "no_category": FIRING, "1": FIRING, "2": FIRING,
    "indeterminate": ACKNOWLEDGED, "in_progress": ACKNOWLEDGED, "4": ACKNOWLEDGED, "done": RESOLVED, "3": RESOLVED,
}  # fmt: skip
# For versions that tell no category; a name of nobody's table is an open issue.
STATUS_NAMES = {
    "in_progress": ACKNOWLEDGED, "in_review": ACKNOWLEDGED, "under_investigation": ACKNOWLEDGED,
    "work_in_progress": ACKNOWLEDGED, "pending": ACKNOWLEDGED,
    "done": RESOLVED, "closed": RESOLVED, "resolved": RESOLVED, "completed": RESOLVED, "canceled": RESOLVED,
    "cancelled": RESOLVED, "declined": RESOLVED,
}  # fmt: skip
PRIORITIES = {
    "blocker": Severity.CRITICAL, "highest": Severity.CRITICAL, "critical": Severity.CRITICAL, "p1": Severity.CRITICAL,
    "high": Severity.HIGH, "major": Severity.HIGH, "p2": Severity.HIGH, "medium": Severity.MEDIUM,
    "normal": Severity.MEDIUM, "p3": Severity.MEDIUM, "low": Severity.LOW, "minor": Severity.LOW, "p4": Severity.LOW,
    "lowest": Severity.INFO, "trivial": Severity.INFO, "p5": Severity.INFO,
}  # fmt: skip
_KNOWN = frozenset({"webhookEvent", "issue", "timestamp", "issue_event_type_name"})
_KNOWN_FIELDS = frozenset(
    {"summary", "description", "priority", "status", "resolution", "components", "project", "labels", "created"}
)


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """The issue of an event. Events of Jira's that name no issue (sprints, users, versions) change nothing, and neither
    do those that tell nothing of its status (comments, in some versions)."""
    body = read_body(inbound)
    if type(body) is not dict:
        raise other_sender(body, EXPECTED)
    replay = inbound.headers.get("x-atlassian-webhook-identifier") or None
    issue = body if _is_issue(body) else body.get("issue")
    if type(issue) is dict and ("webhookEvent" in body or "fields" in issue):
        said = _read(body, issue) if _tells_status(body, issue) else None
        return Parsed((said,) if said else (), replay_id=replay)
    if ":issue_" in words(body.get("webhookEvent")):
        raise missing("issue (“issue”)", "alert_labels_missing")
    if words(body.get("webhookEvent")):
        return Parsed(replay_id=replay)
    raise other_sender(body, EXPECTED)


def _is_issue(body: Mapping[str, Any]) -> bool:
    """Automation's “Issue data (Automation format)”: the issue itself, with nothing around it."""
    names = body.keys()
    return type(body.get("fields")) is dict and not names.isdisjoint(("id", "key")) and not names.isdisjoint(_AROUND)


def _tells_status(body: Mapping[str, Any], issue: Mapping[str, Any]) -> bool:
    """Events about something on an issue (a comment, a link) name it in some versions without its status: read as open,
    a resolved issue would fire again."""
    event, fields = plain(body.get("webhookEvent")), mapping(issue.get("fields"))
    return not event or ":issue_" in event or bool(fields.get("status") or fields.get("resolution"))


def _read(body: Mapping[str, Any], issue: Mapping[str, Any]) -> Occurrence:
    fields = mapping(issue.get("fields"))
    key, name = first_words(issue.get("id"), issue.get("key")), words(issue.get("key"))
    if not key:
        raise missing("issue id (“issue.id”)", "alert_labels_missing")
    status, project = _status(body, fields), mapping(fields.get("project"))
    priority = first_words(mapping(fields.get("priority")).get("name"), fields.get("priority"))
    components = fields.get("components")
    part = mapping(components[0]) if type(components) is list and components else {}
    tags = fields.get("labels")
    return occurrence(
        body,
        key=key,
        status=status,
        title=first_words(fields.get("summary"), name),
        severity=severity_word(priority, PRIORITIES),
        service=first_words(part.get("name"), project.get("key"), project.get("name"), name.rpartition("-")[0]),
        summary=words(fields.get("description")),
        labels={
            "key": name, "project": words(project.get("key")), "priority": priority,
            "status": words(mapping(fields.get("status")).get("name")),
            "issuetype": words(mapping(fields.get("issuetype")).get("name")),
            "labels": ", ".join(words(tag) for tag in tags if words(tag)) if type(tags) is list else words(tags),
        },
        occurred_at=first_moment(body.get("timestamp"), fields.get("updated"), fields.get("created")),
        starts_at=first_moment(fields.get("created")),
        ends_at=first_moment(fields.get("resolutiondate"), body.get("timestamp"), fields.get("updated")),
        address=_link(issue, name),
        extra={
            **extra_of({} if body is issue else body, _KNOWN),
            **unread_times(body, ("timestamp",)),
            "fields": extra_of({field: said for field, said in fields.items() if said}, _KNOWN_FIELDS),
        },
    )  # fmt: skip


def _status(body: Mapping[str, Any], fields: Mapping[str, Any]) -> AlertStatus:
    if plain(body.get("webhookEvent")).endswith("issue_deleted") or fields.get("resolution"):
        return RESOLVED
    status = mapping(fields.get("status"))
    category = mapping(status.get("statusCategory"))
    told = (plain(category.get(name)) for name in ("key", "id", "name"))
    by_category = next((CATEGORIES[said] for said in told if said in CATEGORIES), None)
    return by_category or STATUS_NAMES.get(first_words(plain(status.get("name")), plain(fields.get("status"))), FIRING)


def _link(issue: Mapping[str, Any], name: str) -> str | None:
    """Where people read the issue: Jira tells only where its interface does."""
    home, found, _ = words(issue.get("self")).partition("/rest/")
    return first_link(f"{home}/browse/{name}") if found and name else None
