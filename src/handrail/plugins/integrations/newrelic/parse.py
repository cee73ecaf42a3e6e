"""Reads New Relic's issues, and the incidents of its older channels, into one occurrence."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import guess_sender, other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    key_text,
    mapping,
    moment,
    raw_of,
    read_body,
    service_of,
    short_labels,
    words,
)
from handrail.plugins.integrations.newrelic.tables import ACKNOWLEDGING, SEVERITIES, STATES
from handrail.plugins.integrations.reading import (
    first_link,
    first_words,
    labels_of,
    listed,
    severity_word,
    short,
    status_in,
    unread_times,
)

EXPECTED = (
    "New Relic's issue (an object with “id”, “issueUrl” and “state”) or its older incident (“incident_id” and "
    "“current_state”)"
)
_KNOWN_ISSUE = frozenset(
    {
        "id", "issueId", "issueUrl", "issuePageUrl", "title", "issueTitle", "priority", "state", "createdAt",
        "updatedAt", "closedAt", "activatedAt", "acknowledgedAt", "impactedEntities", "service", "labels",
    }
)  # fmt: skip
_KNOWN_INCIDENT = frozenset(
    {
        "incident_id", "incident_url", "current_state", "severity", "priority", "details", "condition_name",
        "policy_name", "timestamp", "targets", "service", "labels",
    }
)  # fmt: skip
_ISSUE_TIMES = ("createdAt", "updatedAt", "closedAt", "activatedAt", "acknowledgedAt")
_SIGNS = frozenset({"issueUrl", "issuePageUrl", "issueId", "impactedEntities", "alertConditionNames", "workflowName"})


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One issue or one incident. New Relic sends no delivery id."""
    body = read_body(inbound)
    sender = guess_sender(body)
    if type(body) is not dict or (sender and "New Relic" not in sender):
        raise other_sender(body, EXPECTED)
    if "incident_id" in body and ("current_state" in body or "condition_name" in body or "policy_name" in body):
        return Parsed(occurrences=(_incident(body),))
    if _SIGNS.isdisjoint(body) or not ({"state", "trigger", "priority"} & body.keys()):
        raise other_sender(body, EXPECTED)
    return Parsed(occurrences=(_issue(body),))


def _issue(body: Mapping[str, Any]) -> Occurrence:
    key = first_words(body.get("id"), body.get("issueId"))
    if not key:
        raise BadInput("The issue has no “id”, so its end could not be told.", code="event_attribute_missing")
    status = _status(body)
    entities = [name for item in listed(body.get("impactedEntities")) if (name := _named(item))]
    starts_at = moment(body.get("activatedAt")) or moment(body.get("createdAt"))
    updated = moment(body.get("updatedAt"))
    ended = [at for at in (moment(body.get("closedAt")), updated) if at]
    ends_at = max(ended, default=None) if status == AlertStatus.RESOLVED else None
    title = first_words(body.get("title"), body.get("issueTitle"), _first(body.get("title")))
    conditions = [words(item) for item in listed(body.get("alertConditionNames"))]
    given = mapping(body.get("labels"))
    labels = short_labels(
        {
            **labels_of(given),
            **labels_of(
                {
                    "policy": _first(body.get("alertPolicyNames")),
                    "condition": next(iter(conditions), ""),
                    "workflow": body.get("workflowName"),
                    "trigger": body.get("trigger"),
                    "state": body.get("state"),
                }
            ),
        }
    )
    word = severity_word(body.get("priority"), SEVERITIES)
    return Occurrence(
        dedup_key=key_text(key),
        status=status,
        title=clip(title or next(iter(conditions), "") or f"New Relic issue {key}", LIMITS.title_chars),
        severity_raw=word.said,
        severity=word.rung,
        service=short(body.get("service")) or service_of(labels) or short(next(iter(entities), "")),
        resource=short(next(iter(entities), "")),
        summary=clip(first_words(body.get("description"), _first(body.get("description"))), LIMITS.summary_chars),
        labels=labels,
        # What was closed or acknowledged without a time was so when it came, not when the issue began.
        occurred_at=ends_at or updated or (starts_at if status == AlertStatus.FIRING else None),
        starts_at=starts_at,
        ends_at=ends_at,
        link=first_link(body.get("issueUrl"), body.get("issuePageUrl")),
        raw=raw_of(body),
        extra={**extra_of(body, _KNOWN_ISSUE), **_entities(entities), **unread_times(body, _ISSUE_TIMES)},
    )


def _status(body: Mapping[str, Any]) -> AlertStatus:
    """The state; while it is active, the trigger or the time of an acknowledgement tells that somebody has it."""
    trigger = " ".join(words(body.get("trigger")).lower().replace("_", " ").split())
    state = first_words(body.get("state"), _first(body.get("state")))
    if not state:
        closed = "closed" in trigger and "issue" in trigger
        status = AlertStatus.RESOLVED if closed else AlertStatus.FIRING
    else:
        status = status_in(STATES, state, "state")
    if status == AlertStatus.FIRING and _is_acknowledged(body, trigger):
        return AlertStatus.ACKNOWLEDGED
    return status


def _is_acknowledged(body: Mapping[str, Any], trigger: str) -> bool:
    """By the trigger, or by who acknowledged it and when; one that was given back is nobody's."""
    if "unack" in trigger:
        return False
    by = first_words(body.get("acknowledgedBy"), _first(body.get("acknowledgedBy")))
    return "acknowledge" in trigger or trigger in ACKNOWLEDGING or bool(moment(body.get("acknowledgedAt"))) or bool(by)


def _incident(body: Mapping[str, Any]) -> Occurrence:
    key = words(body.get("incident_id"))
    if not key:
        raise BadInput("The incident's “incident_id” is empty.", code="event_attribute_missing")
    said = first_words(
        body.get("current_state"), words(body.get("event_type")).lower().removeprefix("incident").strip("_")
    )
    status = status_in(STATES, said or "open", "current_state")
    targets = [mapping(item) for item in listed(body.get("targets"))]
    target = next(iter(targets), {})
    name = words(target.get("name"))
    at = moment(body.get("timestamp"))
    labels = short_labels(
        {
            **labels_of(mapping(target.get("labels"))),
            **labels_of(mapping(body.get("labels"))),
            **labels_of(
                {
                    "policy": body.get("policy_name"),
                    "condition": body.get("condition_name"),
                    "account": body.get("account_name"),
                    "product": target.get("product"),
                }
            ),
        }
    )
    title = first_words(body.get("condition_name"), body.get("policy_name"), body.get("details"))
    word = severity_word(first_words(body.get("severity"), body.get("priority")), SEVERITIES)
    return Occurrence(
        dedup_key=key_text(key),
        status=status,
        title=clip(f"{title}: {name}" if title and name else title or f"New Relic incident {key}", LIMITS.title_chars),
        severity_raw=word.said,
        severity=word.rung,
        service=short(body.get("service")) or service_of(labels) or short(name),
        resource=short(name),
        summary=clip(words(body.get("details")), LIMITS.summary_chars),
        labels=labels,
        occurred_at=at,
        starts_at=at if status == AlertStatus.FIRING else None,
        ends_at=at if status == AlertStatus.RESOLVED else None,
        link=first_link(body.get("incident_url"), body.get("violation_chart_url")),
        raw=raw_of(body),
        extra={
            **extra_of(body, _KNOWN_INCIDENT),
            **_entities([words(item.get("name")) for item in targets]),
            **unread_times(body, ("timestamp",)),
        },
    )


def _named(item: Any) -> str:
    return words(item) or first_words(mapping(item).get("name"), mapping(item).get("id"))


def _first(said: Any) -> str:
    return next((word for item in listed(said) if (word := words(item))), "")


def _entities(names: list[str]) -> dict[str, object]:
    """All that are hit, where there are more than the one that is the resource."""
    if len(names) < 2:
        return {}
    return {"entities": [clip(name, LIMITS.label_chars) for name in names[: LIMITS.labels_per_alert]]}
