"""Reads one incident of Google Cloud Monitoring, bare or within a Pub/Sub push, into an occurrence."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, Severity
from handrail.kernel.errors import BadInput, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    first_of,
    key_of,
    key_text,
    link,
    mapping,
    moment,
    raw_of,
    read_body,
    short_annotations,
    short_labels,
    words,
)
from handrail.plugins.integrations.reading import (
    Word,
    ended_at,
    first_words,
    labels_of,
    object_in,
    plain,
    severity_word,
    short,
    status_in,
    unread_times,
)

EXPECTED = (
    "a Google Cloud Monitoring incident (an object with “incident” and “version”), bare or in a Pub/Sub push "
    "(“message” with “data”, and “subscription”)"
)
SEVERITIES = {
    "critical": Severity.CRITICAL, "error": Severity.HIGH, "warning": Severity.MEDIUM,
    "no_severity": Severity.MEDIUM, "severity_unspecified": Severity.MEDIUM,
}  # fmt: skip
STATUSES = {
    "open": AlertStatus.FIRING, "opened": AlertStatus.FIRING, "acknowledged": AlertStatus.ACKNOWLEDGED,
    "closed": AlertStatus.RESOLVED, "resolved": AlertStatus.RESOLVED,
}  # fmt: skip
SERVICE_NAMES = (
    "service", "service_name", "module_id", "container_name", "function_name", "job", "database_id", "queue_id",
    "subscription_id", "topic_id", "bucket_name", "cluster_name",
)  # fmt: skip
RESOURCE_NAMES = (
    "instance_name", "instance_id", "pod_name", "node_name", "host", "revision_name", "database_id", "service_name",
    "function_name", "bucket_name", "project_id",
)  # fmt: skip
_TIMES = ("started_at", "ended_at")
_NAMES = frozenset({"incident_id", "policy_name", "condition_name", "state", "started_at"})
_KNOWN = frozenset(
    {
        "incident_id", "state", "started_at", "ended_at", "summary", "policy_name", "condition_name", "url", "severity",
        "resource_name", "resource_display_name", "policy_user_labels", "documentation",
    }
)  # fmt: skip


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One incident. The delivery id is Pub/Sub's message id; the webhook has none."""
    body, delivery = read_body(inbound), None
    if type(body) is dict and type(body.get("message")) is dict and "incident" not in body:
        message = body["message"]
        delivery = key_text(first_words(message.get("messageId"), message.get("message_id"))) or None
        body = _pushed(message)
    incident = mapping(body).get("incident")
    if type(incident) is not dict or _NAMES.isdisjoint(incident):
        raise other_sender(body, EXPECTED)
    return Parsed(occurrences=(_occurrence(body, incident),), replay_id=delivery)


def _pushed(message: Mapping[str, Any]) -> Any:
    try:
        return read_body(Inbound(base64.b64decode(words(message.get("data")), validate=True)))
    except (binascii.Error, ValueError):
        raise Unprocessable(
            f"The Pub/Sub message's “data” is not base64. This address expects {EXPECTED}.", code="unexpected_format"
        ) from None
    except BadInput as fault:
        raise Unprocessable(
            f"The Pub/Sub message holds no JSON that can be read ({fault.detail}) This address expects {EXPECTED}.",
            code="unexpected_format",
        ) from None


def _occurrence(body: Mapping[str, Any], incident: Mapping[str, Any]) -> Occurrence:
    starts_at, ends_at = moment(incident.get("started_at")), moment(incident.get("ended_at"))
    status = _status(incident, ends_at)
    own, resource = mapping(incident.get("policy_user_labels")), mapping(incident.get("resource"))
    metric, documentation = mapping(incident.get("metric")), _documentation(incident.get("documentation"))
    policy, condition = words(incident.get("policy_name")), words(incident.get("condition_name"))
    named = {name: words(value) for name, value in mapping(resource.get("labels")).items()}
    shown = first_words(incident.get("resource_display_name"), incident.get("resource_name"))
    where = first_of(named, RESOURCE_NAMES) or shown or words(incident.get("resource_id"))
    title = first_words(incident.get("summary"), policy, condition, documentation.get("subject"))
    if not title and status == AlertStatus.FIRING:
        raise BadInput("The incident has neither a “summary” nor a “policy_name”.", code="alert_title_missing")
    told = first_words(documentation.get("content"), documentation.get("text"))
    word = _severity(incident.get("severity"), own)
    return Occurrence(
        dedup_key=_key(incident, policy, condition, where),
        status=status,
        title=clip(title, LIMITS.title_chars),
        severity_raw=word.said,
        severity=word.rung,
        service=short(
            first_words(*(own.get(name) for name in ("service", "service_name", "app")))
            or first_of(named, SERVICE_NAMES)
            or shown
            or where
        ),
        resource=short(shown or where),
        summary=clip(told, LIMITS.summary_chars),
        labels=short_labels(
            labels_of(
                {
                    **named,
                    **mapping(metric.get("labels")),
                    **own,
                    "policy": policy,
                    "condition": condition,
                    "project": incident.get("scoping_project_id"),
                    "resource_type": resource.get("type"),
                    "metric": first_words(metric.get("displayName"), metric.get("type")),
                }
            )
        ),
        annotations=short_annotations(
            labels_of({name: incident.get(name) for name in ("observed_value", "threshold_value")})
        ),
        occurred_at=ended_at(starts_at, ends_at) if status == AlertStatus.RESOLVED else starts_at,
        starts_at=starts_at,
        ends_at=ends_at if status == AlertStatus.RESOLVED else None,
        link=link(incident.get("url")),
        raw=raw_of(body),
        extra=_extra(body, incident, documentation),
    )


def _status(incident: Mapping[str, Any], ends_at: datetime | None) -> AlertStatus:
    if words(incident.get("state")):
        return status_in(STATUSES, incident["state"], "state")
    return AlertStatus.RESOLVED if ends_at else AlertStatus.FIRING


def _severity(said: Any, own: Mapping[str, Any]) -> Word:
    """The policy's severity. “No severity” says nothing, so that the label which people gave may."""
    labelled = severity_word(first_words(own.get("severity"), own.get("priority")), SEVERITIES)
    if plain(said) in ("no_severity", "severity_unspecified", ""):
        return labelled
    return severity_word(said, SEVERITIES)


def _key(incident: Mapping[str, Any], policy: str, condition: str, where: str) -> str:
    given = words(incident.get("incident_id"))
    return key_text(given) or key_of("gcp_monitoring", policy, condition, where)


def _documentation(said: Any) -> dict[str, Any]:
    """Older versions send text. JSON inside of `content` is asked for its summary, which people wrote there."""
    if type(said) is not dict:
        return {"text": said}
    inner = object_in(said.get("content"))
    return {**said, "content": first_words(inner.get("summary"), said.get("content"))}


def _extra(body: Mapping[str, Any], incident: Mapping[str, Any], documentation: Mapping[str, Any]) -> dict[str, object]:
    extra = {**extra_of(body, frozenset({"incident"})), **extra_of(incident, _KNOWN), **unread_times(incident, _TIMES)}
    beside = extra_of(documentation, frozenset({"content", "text"}))
    return {**extra, "documentation": beside} if beside else extra
