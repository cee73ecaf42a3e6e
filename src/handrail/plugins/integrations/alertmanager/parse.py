"""Reads Alertmanager's webhook (version 4) and the alerts of its API (version 2) into occurrences."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.alertmanager.fingerprint import fingerprint
from handrail.plugins.integrations.batch import other_sender, read_items, refuse_if_nothing
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    first_of,
    key_text,
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
from handrail.plugins.integrations.reading import ended_at, first_link, first_words, unread_times

EXPECTED_WEBHOOK = "Alertmanager's webhook, version 4 (an object with “version”: “4” and a list “alerts”)"
EXPECTED_V2 = "Alertmanager's API v2 form (a list of objects with “labels”)"

_KNOWN_GROUP = frozenset({"alerts", "status", "version", "groupLabels", "commonLabels", "commonAnnotations"})
_KNOWN_ALERT = frozenset({"labels", "annotations", "status", "startsAt", "endsAt", "generatorURL", "fingerprint"})
_TIMES = ("startsAt", "endsAt")
_KNOWN_V2 = frozenset({"labels", "annotations", "startsAt", "endsAt", "generatorURL"})


@dataclass(frozen=True)
class _Group:
    """What an alert's group says for all of its alerts."""

    status: str
    address: Any
    extra: Mapping[str, object]


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """The webhook's object; a list is taken as what Prometheus posts to the API."""
    body = read_body(inbound)
    return _parse_list(body, now) if type(body) is list else _parse_webhook(body, now)


def parse_v2(inbound: Inbound, now: datetime) -> Parsed:
    """The API form alone. Bad items are listed in `rejected`, also when none is good: the answer joins the reasons."""
    body = read_body(inbound)
    if type(body) is not list:
        raise other_sender(body, EXPECTED_V2)
    return _read_v2(body, now)


def _parse_list(body: list[Any], now: datetime) -> Parsed:
    parsed = _read_v2(body, now)
    refuse_if_nothing(parsed.occurrences, parsed.rejected, body, f"{EXPECTED_WEBHOOK}, or {EXPECTED_V2}")
    return parsed


def _read_v2(body: list[Any], now: datetime) -> Parsed:
    kept, rejected = read_items(body, partial(_read_posted, now=now))
    return Parsed(occurrences=kept, rejected=rejected)


def _parse_webhook(body: Any, now: datetime) -> Parsed:
    if not _is_webhook(body):
        raise other_sender(body, EXPECTED_WEBHOOK)
    around = _Group(words(body.get("status")), body.get("externalURL"), extra_of(body, _KNOWN_GROUP))
    kept, rejected = read_items(body["alerts"], partial(_read_sent, group=around, now=now))
    refuse_if_nothing(kept, rejected, body, EXPECTED_WEBHOOK)
    return Parsed(occurrences=kept, rejected=rejected)


def _is_webhook(body: Any) -> bool:
    """Grafana writes the same object with version 1 and its organisation's id: another sender, another identity."""
    if type(body) is not dict or type(body.get("alerts")) is not list or "orgId" in body:
        return False
    if words(body.get("version")):
        return words(body["version"]).removesuffix(".0") == "4"
    return "groupKey" in body or "receiver" in body


def _read_sent(item: Any, group: _Group, now: datetime) -> Occurrence:
    labels = _labels(item)
    starts_at, ends_at = moment(item.get("startsAt")), moment(item.get("endsAt"))
    status = _status(first_words(item.get("status"), "" if ends_at else group.status), ends_at, now)
    extra = {**extra_of(item, _KNOWN_ALERT), **unread_times(item, _TIMES)}
    if group.extra:
        extra["group"] = group.extra
    key = words(item.get("fingerprint")) or fingerprint({name: value for name, value in labels.items() if value})
    said = _occurrence(item, labels, status, (starts_at, ends_at), key, extra)
    return said if said.link else replace(said, link=first_link(group.address))


def _read_posted(item: Any, now: datetime) -> Occurrence:
    """One alert as Prometheus posts it, checked as Alertmanager checks it and with its words for what is wrong."""
    labels = {name: value for name, value in _labels(item).items() if value}
    starts_at, ends_at = _posted_moment(item, "startsAt"), _posted_moment(item, "endsAt")
    starts_at = starts_at or ends_at or now
    if ends_at and ends_at < starts_at:
        raise BadInput("start time must be before end time", code="alert_times_crossed")
    _check_names(labels, "label set")
    if not labels:
        raise BadInput("at least one label pair required", code="alert_labels_missing")
    _check_names(mapping(item.get("annotations")), "annotations")
    status = AlertStatus.RESOLVED if ends_at and ends_at <= now else AlertStatus.FIRING
    key = fingerprint(labels)
    return _occurrence(item, labels, status, (starts_at, ends_at), key, extra_of(item, _KNOWN_V2))


def _labels(item: Any) -> dict[str, str]:
    if type(item) is not dict:
        raise BadInput("an alert must be an object with labels", code="alert_not_an_object")
    labels = item.get("labels")
    if type(labels) is not dict or not labels:
        raise BadInput("at least one label pair required", code="alert_labels_missing")
    return {name: value if type(value) is str else text(value) or "" for name, value in labels.items()}


def _check_names(pairs: Mapping[str, object], what: str) -> None:
    """Alertmanager takes any name since 0.27, as Prometheus 3 has them (“service.name”), but no empty one."""
    if "" in pairs:
        raise BadInput(f'invalid {what}: invalid name ""', code="alert_name_invalid")


def _posted_moment(item: Mapping[str, Any], name: str) -> datetime | None:
    read = moment(item.get(name))
    if read is None and unread_times(item, (name,)):
        raise BadInput(f'parsing time "{clip(words(item[name]), 64)}" of {name}', code="alert_time_invalid")
    return read


def _status(said: Any, ends_at: datetime | None, now: datetime) -> AlertStatus:
    word = words(said).lower()
    if not word:
        return AlertStatus.RESOLVED if ends_at and ends_at <= now else AlertStatus.FIRING
    if word not in ("firing", "resolved"):
        raise BadInput(f"the status “{clip(word, 64)}” is neither “firing” nor “resolved”", code="alert_status_unknown")
    return AlertStatus(word)


def _occurrence(
    item: Mapping[str, Any],
    labels: Mapping[str, str],
    status: AlertStatus,
    times: tuple[datetime | None, datetime | None],
    key: str,
    extra: dict[str, object],
) -> Occurrence:
    kept = short_labels(labels)
    sent = mapping(item.get("annotations"))
    said = words(sent.get("summary")) or words(sent.get("title"))
    title = said or words(labels.get("alertname")) or f"Alert {key_text(key)}"
    starts_at, ends_at = times
    return Occurrence(
        dedup_key=key_text(key),
        status=status,
        title=clip(title, LIMITS.title_chars),
        severity_raw=_severity(kept, sent),
        service=service_of(kept),
        resource=resource_of(kept),
        summary=clip(words(sent.get("description")) or words(sent.get("message")), LIMITS.summary_chars),
        labels=kept,
        annotations=short_annotations(sent),
        occurred_at=ended_at(starts_at, ends_at) if status == AlertStatus.RESOLVED else starts_at,
        starts_at=starts_at,
        ends_at=ends_at,
        link=first_link(item.get("generatorURL")),
        raw=raw_of(item),
        extra=extra,
    )


def _severity(labels: Mapping[str, str], annotations: Mapping[str, Any]) -> str | None:
    said = first_of(labels, ("severity", "priority")) or words(annotations.get("severity"))
    return clip(said, LIMITS.label_chars) if said else None
