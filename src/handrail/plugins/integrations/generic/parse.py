"""Reads Handrail's own simple JSON: alerts and changes, single or many."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import NoneType
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, ReportedChange
from handrail.kernel.clock import to_text
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import guess_sender, other_sender, read_items, refuse_if_nothing
from handrail.plugins.integrations.changes import CHANGE_FIELDS, kind_of, link_of, said_of, time_of, title_of
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    key_of,
    key_text,
    link,
    mapping,
    moment,
    raw_of,
    read_body,
    resource_of,
    service_of,
    short_annotations,
    short_labels,
    text,
    words,
)
from handrail.plugins.integrations.reading import ended_at, plain
from handrail.plugins.integrations.usual import USUAL_STATUSES

EXPECTED = "an alert with “title”, a change with “kind”, a list of these, or an object with “alerts” or “changes”"

_KNOWN_ALERT = frozenset(
    {
        "dedup_key",
        "status",
        "severity",
        "title",
        "service",
        "resource",
        "summary",
        "labels",
        "annotations",
        "occurred_at",
        "starts_at",
        "ends_at",
        "link",
    }
)
_OWN_NAMES = frozenset({"title", "dedup_key", "kind", "change_key"})


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """Everything that the body says. In a list alerts and changes may be mixed: an object with `kind` is a change."""
    body = read_body(inbound)
    items = _items(body)
    kept, rejected = read_items(items, partial(_read, now=now))
    refuse_if_nothing(kept, rejected, body, EXPECTED)
    return Parsed(
        occurrences=tuple(item for item in kept if isinstance(item, Occurrence)),
        changes=tuple(item for item in kept if isinstance(item, ReportedChange)),
        rejected=rejected,
        replay_id=inbound.headers.get("webhook-id"),
    )


def _items(body: Any) -> list[Any]:
    """One list of all items; with both lists in a body, the changes are counted after the alerts.

    Other senders' objects may have a title as well; read as this form, their resolves would look like alerts.
    """
    if guess_sender(body):
        raise other_sender(body, EXPECTED)
    if type(body) is list:
        return body
    if type(body) is dict and ("alerts" in body or "changes" in body):
        alerts, changes = body.get("alerts"), body.get("changes")
        if {type(alerts), type(changes)} in ({list}, {list, NoneType}):
            return [*(alerts or ()), *(_as_change(item) for item in changes or ())]
    elif type(body) is dict and not _OWN_NAMES.isdisjoint(body):
        return [body]
    raise other_sender(body, EXPECTED)


def _as_change(item: Any) -> Any:
    """Within “changes” the kind may be left out; a deploy is not guessed from it."""
    return {"kind": "other", **item} if type(item) is dict else item


def _read(item: Any, now: datetime) -> Occurrence | ReportedChange:
    if type(item) is not dict:
        raise BadInput("An item must be an object.", code="item_not_an_object")
    return _change(item, now) if "kind" in item else _alert(item, now)


def _alert(item: Mapping[str, Any], now: datetime) -> Occurrence:
    starts_at, ends_at = moment(item.get("starts_at")), moment(item.get("ends_at"))
    status = _status(item.get("status"), ends_at, now)
    title, given = words(item.get("title")), words(item.get("dedup_key"))
    if not title and not (given and status != AlertStatus.FIRING):
        raise BadInput("The alert has no “title”.", code="alert_title_missing")
    labels = short_labels(mapping(item.get("labels")))
    service = clip(words(item.get("service")), LIMITS.label_chars) or service_of(labels)
    resource = clip(words(item.get("resource")), LIMITS.label_chars) or resource_of(labels)
    own = key_of(title, service, resource, text(_telling(mapping(item.get("labels")))))
    return Occurrence(
        dedup_key=key_text(given) or own,
        status=status,
        title=clip(title, LIMITS.title_chars),
        severity_raw=clip(words(item.get("severity")) or labels.get("severity", ""), LIMITS.label_chars) or None,
        service=service,
        resource=resource,
        summary=_summary(item),
        labels=labels,
        annotations=short_annotations(mapping(item.get("annotations"))),
        occurred_at=moment(item.get("occurred_at")) or _said_at(status, starts_at, ends_at),
        starts_at=starts_at,
        ends_at=ends_at,
        link=link(item.get("link")),
        raw=raw_of(item),
        extra={**extra_of(item, _KNOWN_ALERT), **_unread(item)},
    )


def _telling(labels: Mapping[str, Any]) -> dict[str, str]:
    """Labels as far as they tell one alert from another: as text, in order of name, and without what says how it is."""
    return {name: text(labels[name]) or "" for name in sorted(labels) if name.lower() not in ("status", "state")}


def _said_at(status: AlertStatus, starts_at: datetime | None, ends_at: datetime | None) -> datetime | None:
    """Without a time of its own, an acknowledgement came when it came, and not when the alert began."""
    if status == AlertStatus.RESOLVED:
        return ended_at(starts_at, ends_at)
    return starts_at if status == AlertStatus.FIRING else None


def _status(said: Any, ends_at: datetime | None, now: datetime) -> AlertStatus:
    word = words(said).lower()
    if not word:
        return AlertStatus.RESOLVED if ends_at and ends_at <= now else AlertStatus.FIRING
    status = USUAL_STATUSES.get(plain(word))
    if status is None:
        raise BadInput(
            f"The status “{clip(word, 64)}” is not known; write firing, acknowledged or resolved.",
            code="alert_status_unknown",
        )
    return status


def _summary(item: Mapping[str, Any]) -> str:
    annotations = mapping(item.get("annotations"))
    return clip(words(item.get("summary")) or words(annotations.get("description")), LIMITS.summary_chars)


def _unread(item: Mapping[str, Any]) -> dict[str, object]:
    """Times and links that were sent and could not be used, so that a person can see why they are missing."""
    unread: dict[str, object] = {}
    for name, read in (("starts_at", moment), ("ends_at", moment), ("occurred_at", moment), ("link", link)):
        said = item.get(name)
        if said and read(said) is None:
            unread[name] = clip(text(said) or "", LIMITS.label_chars)
    return unread


def _change(item: Mapping[str, Any], now: datetime) -> ReportedChange:
    said_kind = words(item.get("kind"))
    if not said_kind:
        raise BadInput("The change has no “kind”; write deploy, rollback, flag, config or other.", code="kind_missing")
    kind, occurred_at = kind_of(said_kind), time_of(item)
    said = {name: said_of(item, name) for name in ("service", "title", "version", "previous_version", "environment")}
    if not said["service"] and not said["title"]:
        raise BadInput("The change names neither a “service” nor a “title”.", code="change_empty")
    # Without a time the same deploy may rightly come again later: the minute of arrival tells a retry from that.
    about = occurred_at or now.replace(second=0, microsecond=0)
    extra = extra_of(item, CHANGE_FIELDS)
    if kind == "other" and said_kind.lower() != "other":
        extra["kind"] = clip(said_kind, LIMITS.label_chars)
    change = ReportedChange(
        change_key=key_text(words(item.get("change_key"))) or key_of(kind, *said.values(), to_text(about)),
        kind=kind,
        service=said["service"],
        title=said["title"] or "",
        occurred_at=occurred_at,
        version=said["version"],
        previous_version=said["previous_version"],
        environment=said["environment"],
        author=said_of(item, "author"),
        link=link_of(item),
        raw=raw_of(item),
        extra=extra,
    )
    return change if change.title else replace(change, title=title_of(change))
