"""Reads Sentry's webhooks: an issue, an event of an issue alert, a metric alert, and the older plugin's object."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, Severity
from handrail.plugins.integrations.batch import guess_sender, other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    extra_of,
    key_of,
    mapping,
    moment,
    read_body,
    resource_of,
    service_of,
    short_labels,
    words,
)
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
    pairs,
    plain,
    severity_word,
    unknown_status,
    unread_times,
)

EXPECTED = "Sentry's webhook (an object with “action” and “data” with an issue, an event or a metric alert)"

ISSUE_ACTIONS = {
    "created": FIRING, "unresolved": FIRING, "reopened": FIRING, "regression": FIRING,
    "assigned": ACKNOWLEDGED, "ignored": ACKNOWLEDGED, "archived": ACKNOWLEDGED,
    "resolved": RESOLVED,
}  # fmt: skip
ISSUE_STATUSES = {"resolved": RESOLVED, "ignored": ACKNOWLEDGED, "unresolved": FIRING}
METRIC_ACTIONS = {
    "critical": FIRING, "warning": FIRING, "open": FIRING, "triggered": FIRING,
    "resolved": RESOLVED, "closed": RESOLVED,
}  # fmt: skip
EVENT_ACTIONS = {"triggered": FIRING, "created": FIRING}
SEVERITIES = {
    "fatal": Severity.CRITICAL, "critical": Severity.CRITICAL, "error": Severity.HIGH, "warning": Severity.MEDIUM,
    "info": Severity.INFO, "debug": Severity.INFO,
}  # fmt: skip
# Those that Sentry sends beside, to integrations that ask for more than issues.
_SILENT = frozenset({"comment", "installation", "seer", "preprod_artifact"})
_KNOWN = frozenset({"action", "data"})
_KNOWN_ISSUE = frozenset({"id", "title", "level", "permalink", "web_url", "culprit", "firstSeen", "lastSeen"})
_KNOWN_EVENT = frozenset({"title", "level", "web_url", "issue_id", "culprit", "datetime", "tags"})
_KNOWN_METRIC = frozenset({"id", "title", "date_created", "date_started", "date_closed"})
_ISSUE_IN_LINK = re.compile(r"/issues/(\d{1,30})")


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One webhook. The request's own id is its delivery id; its timestamp tells when a state changed."""
    body = read_body(inbound)
    replay = inbound.headers.get("request-id") or None
    data = mapping(body.get("data")) if type(body) is dict else {}
    if type(body) is dict and "action" in body and data:
        sent_at = moment(inbound.headers.get("sentry-hook-timestamp"))
        for name, read in (("issue", _issue), ("event", _event), ("error", _event), ("metric_alert", _metric)):
            if type(data.get(name)) is dict:
                return Parsed((read(body, data[name], sent_at),), replay_id=replay)
        if inbound.headers.get("sentry-hook-resource") in _SILENT or "installation" in data or "comment" in data:
            return Parsed(replay_id=replay)
    elif type(body) is dict and {"project", "level", "culprit"} <= body.keys() and not guess_sender(body):
        return Parsed((_plugin(body),), replay_id=replay)
    raise other_sender(body, EXPECTED)


def _issue(body: Mapping[str, Any], issue: Mapping[str, Any], sent_at: datetime | None) -> Occurrence:
    key, action = words(issue.get("id")), plain(body["action"])
    if not key:
        raise missing("issue id (“data.issue.id”)", "alert_labels_missing")
    status = _issue_status(body["action"], action, plain(issue.get("status")))
    last, project = first_moment(issue.get("lastSeen")), mapping(issue.get("project"))
    metadata, about = mapping(issue.get("metadata")), extra_of(issue, _KNOWN_ISSUE)
    return occurrence(
        body,
        key=key,
        status=status,
        title=first_words(issue.get("title"), metadata.get("title"), metadata.get("value")),
        severity=severity_word(issue.get("level"), SEVERITIES),
        service=first_words(project.get("slug"), project.get("name"), issue.get("project")),
        summary=words(issue.get("culprit")),
        labels={
            "project": first_words(project.get("slug"), project.get("name")), "platform": words(issue.get("platform")),
            "short_id": words(issue.get("shortId")), "level": words(issue.get("level")),
        },
        # When the error was last seen says nothing of when somebody resolved the issue, or opened it again.
        occurred_at=last if action == "created" else sent_at,
        starts_at=first_moment(issue.get("firstSeen")),
        ends_at=sent_at,
        address=first_link(issue.get("permalink"), issue.get("web_url")),
        extra={
            **extra_of(body, _KNOWN),
            **unread_times(issue, ("lastSeen", "firstSeen")),
            **({"issue": about} if about else {}),
        },
    )  # fmt: skip


def _issue_status(said: Any, action: str, issue: str) -> AlertStatus:
    """An alert on an issue's activity (“triggered”) tells no more than how the issue is. Somebody may be named for an
    issue that is resolved already; that opens it no more."""
    if action == "triggered":
        return ISSUE_STATUSES.get(issue, FIRING)
    if action not in ISSUE_ACTIONS:
        raise unknown_status(said, "action", ISSUE_ACTIONS)
    return RESOLVED if action == "assigned" and issue == "resolved" else ISSUE_ACTIONS[action]


def _event(body: Mapping[str, Any], event: Mapping[str, Any], sent_at: datetime | None) -> Occurrence:
    if plain(body["action"]) not in EVENT_ACTIONS:
        raise unknown_status(body["action"], "action", EVENT_ACTIONS)
    return _of_event(body, event, _issue_of(event), first_words(event.get("project_slug"), event.get("project_name"),
                     event.get("project")))  # fmt: skip


def _plugin(body: Mapping[str, Any]) -> Occurrence:
    """The older plugin: the issue's fields outside, its event within, and nothing of an end."""
    event = {**mapping(body.get("event")), "level": body.get("level"), "culprit": body.get("culprit")}
    event["web_url"] = first_words(body.get("url"), event.get("web_url"))
    event["title"] = first_words(event.get("title"), body.get("message"), body.get("culprit"))
    key = first_words(body.get("id")) or _issue_of(event)
    return _of_event(body, event, key, first_words(body.get("project_slug"), body.get("project")))


def _issue_of(event: Mapping[str, Any]) -> str:
    """The issue of an event, by its field or by its address; without both, what happened where is the identity."""
    found = _ISSUE_IN_LINK.search(first_words(event.get("issue_url"), event.get("web_url"), event.get("url")))
    said = words(event.get("issue_id")) or (found.group(1) if found else "")
    title, culprit = words(event.get("title")), words(event.get("culprit"))
    if not (said or title or culprit):
        raise missing("issue id and no title")
    return said or key_of(words(event.get("project")), title, culprit)


def _of_event(body: Mapping[str, Any], event: Mapping[str, Any], key: str, project: str) -> Occurrence:
    tags, about = pairs(event.get("tags")), extra_of(event, _KNOWN_EVENT)
    short = short_labels(tags)
    occurred_at = first_moment(event.get("datetime"), event.get("timestamp"), event.get("received"))
    return occurrence(
        body,
        key=key,
        status=FIRING,
        title=first_words(event.get("title"), event.get("message"), event.get("culprit")),
        severity=severity_word(event.get("level"), SEVERITIES),
        service=service_of(short) or project,
        resource=resource_of(short) or words(tags.get("server_name")),
        summary=words(event.get("culprit")),
        labels={**tags, "project": project},
        occurred_at=occurred_at,
        starts_at=occurred_at,
        address=first_link(event.get("web_url"), event.get("issue_url"), event.get("url")),
        extra={
            **({"event": about} if about else {}),
            **extra_of(mapping(body.get("data")), frozenset({"event", "error"})),
            **unread_times(event, ("datetime",)),
        },
    )


def _metric(body: Mapping[str, Any], metric: Mapping[str, Any], sent_at: datetime | None) -> Occurrence:
    action, data = plain(body["action"]), mapping(body.get("data"))
    if action not in METRIC_ACTIONS:
        raise unknown_status(body["action"], "action", METRIC_ACTIONS)
    rule = mapping(metric.get("alert_rule"))
    key = first_words(metric.get("id"), metric.get("identifier"), rule.get("id"))
    if not key:
        raise missing("id of its metric alert (“data.metric_alert.id”)", "alert_labels_missing")
    status, projects = METRIC_ACTIONS[action], metric.get("projects")
    started = first_moment(metric.get("date_started"), metric.get("date_created"))
    about = extra_of(metric, _KNOWN_METRIC)
    return occurrence(
        body,
        key=f"metric/{key}",
        status=status,
        title=first_words(metric.get("title"), rule.get("name"), data.get("description_title")),
        severity=severity_word(action, SEVERITIES) if action in SEVERITIES else NO_WORD,
        service=first_words(*(projects if type(projects) is list else ())),
        summary=first_words(data.get("description_text"), data.get("description_title")),
        labels={"environment": words(rule.get("environment")), "rule": words(rule.get("name"))},
        occurred_at=sent_at or (first_moment(metric.get("date_closed")) if status == RESOLVED else started),
        starts_at=started,
        ends_at=first_moment(metric.get("date_closed")) or sent_at,
        address=first_link(data.get("web_url"), metric.get("web_url")),
        extra={**extra_of(body, _KNOWN), **({"metric_alert": about} if about else {})},
    )
