"""Reads events into alerts and changes by their type."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, ReportedChange
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import other_sender, read_items, refuse_if_nothing
from handrail.plugins.integrations.changes import CHANGE_FIELDS, kind_of, link_of, said_of, time_of, title_of
from handrail.plugins.integrations.cloudevents.cdevents import facts_of, is_cdevent, is_delivery_step
from handrail.plugins.integrations.cloudevents.envelope import (
    EXPECTED,
    Event,
    is_binary,
    is_event,
    read_binary,
    read_event,
)
from handrail.plugins.integrations.cloudevents.tables import (
    CHANGE_IDENTITIES,
    DELIVERED,
    FAILED,
    IDENTITIES,
    STATUSES,
    TYPE_STATUSES,
)
from handrail.plugins.integrations.contract import Inbound, Parsed, Rejected
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    key_of,
    key_text,
    mapping,
    moment,
    raw_of,
    read_body,
    resource_of,
    service_of,
    short_annotations,
    short_labels,
    words,
)
from handrail.plugins.integrations.reading import first_words, plain, unread_times

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_ALERT_WORDS = ("alert", "incident", "problem", "alarm")
_ALERT_FIELDS = frozenset(
    {
        "title",
        "summary",
        "message",
        "name",
        "description",
        "severity",
        "priority",
        "status",
        "state",
        "service",
        "resource",
        "dedup_key",
        "labels",
        "annotations",
        "starts_at",
        "ends_at",
        "link",
        "url",
    }
)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One event or a batch. The replay id is made of source and id; a batch has one made of all of them."""
    if is_binary(inbound):
        return _parsed([read_binary(inbound)], ())
    body = read_body(inbound)
    if is_event(body):
        return _parsed([read_event(body)], ())
    if type(body) is not list or (body and not any(is_event(item) for item in body)):
        raise other_sender(body, EXPECTED)
    events, rejected = read_items(body, read_event)
    refuse_if_nothing(events, rejected, body, EXPECTED)
    return _parsed(events, rejected)


def _parsed(events: Sequence[Event], rejected: tuple[Rejected, ...]) -> Parsed:
    occurrences = tuple(_occurrence(event) for event in events if _is_alert(event))
    changes = tuple(_change(event) for event in events if not _is_alert(event) and not _is_step(event))
    return Parsed(occurrences, changes, rejected, replay_id=_replay_id(events))


def _replay_id(events: Sequence[Event]) -> str | None:
    if not events:
        return None
    if len(events) == 1:
        return _identity(events[0], events[0].id)
    return key_of(*(_identity(event, event.id) for event in events))


def _identity(event: Event, name: str) -> str:
    """Source and a name within it: an id alone is unique to its source only."""
    return key_text(f"{event.source}|{name}")


def _is_alert(event: Event) -> bool:
    said = _type_words(event)
    return any(word.startswith(_ALERT_WORDS) for word in said) and DELIVERED.isdisjoint(said)


def _is_step(event: Event) -> bool:
    """Whether an event changed nothing: a step inside of a pipeline, or a change that did not come about."""
    data = mapping(event.data)
    if is_cdevent(event.type, data):
        return is_delivery_step(event.type, data)
    outcome = [plain(data.get(name)) for name in ("status", "state", "outcome", "conclusion", "result")]
    return _kind(event, data) != "other" and not FAILED.isdisjoint([*_type_words(event)[-2:], *outcome])


def _type_words(event: Event) -> list[str]:
    return [word.lower() for word in _WORD.findall(event.type)]


def _facts(event: Event) -> Mapping[str, Any]:
    """What the data says, under plain names; also where it stands in an object that is called “alert” or “incident”."""
    data = mapping(event.data)
    if is_cdevent(event.type, data):
        return facts_of(event.type, data)
    inner = next((data[name] for name in _ALERT_WORDS if type(data.get(name)) is dict), None)
    return {**inner, **data} if inner and _is_alert(event) else data


def _occurrence(event: Event) -> Occurrence:
    facts = _facts(event)
    labels, annotations = short_labels(mapping(facts.get("labels"))), mapping(facts.get("annotations"))
    title = next((said for name in ("title", "summary", "message", "name") if (said := words(facts.get(name)))), "")
    title = title or words(annotations.get("summary")) or f"{event.type} {event.subject}".strip()
    severity = words(facts.get("severity")) or words(event.extensions.get("severity")) or words(facts.get("priority"))
    status, said_at = _status(event, facts), event.occurred_at or time_of(facts)
    starts_at, ends_at = moment(facts.get("starts_at")), moment(facts.get("ends_at"))
    return Occurrence(
        dedup_key=_identity(event, _alert_name(event, facts, title)),
        status=status,
        title=clip(title, LIMITS.title_chars),
        severity_raw=clip(severity or labels.get("severity", ""), LIMITS.label_chars) or None,
        service=said_of(facts, "service") or service_of(labels),
        resource=clip(words(facts.get("resource")), LIMITS.label_chars) or resource_of(labels),
        summary=clip(words(facts.get("description")), LIMITS.summary_chars),
        labels=labels,
        annotations=short_annotations(annotations),
        occurred_at=said_at or (ends_at if status == AlertStatus.RESOLVED else starts_at),
        starts_at=starts_at or (said_at if status == AlertStatus.FIRING else None),
        ends_at=ends_at,
        link=link_of(facts),
        raw=raw_of(event.item),
        extra=_extra(event, _ALERT_FIELDS),
    )


def _alert_name(event: Event, facts: Mapping[str, Any], title: str) -> str:
    """What names the alert within its source. An event's id never does: each event has another one."""
    return first_words(*map(facts.get, IDENTITIES), event.subject, facts.get("id"), title)


def _status(event: Event, facts: Mapping[str, Any]) -> AlertStatus:
    """The data's own status where it is a word for one (HTTP's numbers stand there as well), else the type's."""
    for said in (facts.get("status"), facts.get("state")):
        word = plain(mapping(said).get("name") or mapping(said).get("value") or said)
        if word in STATUSES:
            return STATUSES[word]
    after = _words_after_alert(event)
    return next((TYPE_STATUSES[word] for word in after if word in TYPE_STATUSES), AlertStatus.FIRING)


def _words_after_alert(event: Event) -> list[str]:
    """Names before it are somebody's domain: an alert of “com.ok” is not resolved. “alertresolved” is two words."""
    said = _type_words(event)
    last = max(at for at, word in enumerate(said) if word.startswith(_ALERT_WORDS))
    joined = next(said[last].removeprefix(word) for word in _ALERT_WORDS if said[last].startswith(word))
    return [joined, *said[last + 1 :]]


def _change(event: Event) -> ReportedChange:
    facts = _facts(event)
    is_name = _PLAIN_NAME.fullmatch(event.subject) and not is_cdevent(event.type, mapping(event.data))
    subject = event.subject if is_name else None
    change = ReportedChange(
        change_key=_identity(event, first_words(*map(facts.get, CHANGE_IDENTITIES), event.id)),
        kind=_kind(event, facts),
        service=said_of(facts, "service") or (clip(subject, LIMITS.label_chars) if subject else None),
        title=said_of(facts, "title") or "",
        occurred_at=event.occurred_at or time_of(facts),
        version=said_of(facts, "version"),
        previous_version=said_of(facts, "previous_version"),
        environment=said_of(facts, "environment"),
        author=said_of(facts, "author"),
        link=link_of(facts),
        raw=raw_of(event.item),
        extra=_extra(event, CHANGE_FIELDS),
    )
    return change if change.title else replace(change, title=_title(change, event))


def _kind(event: Event, facts: Mapping[str, Any]) -> str:
    named = kind_of(event.type)
    if named == "other" and event.type.startswith("dev.cdevents.pipelinerun."):
        return "deploy"
    return named if named != "other" else kind_of(words(facts.get("kind")))


def _title(change: ReportedChange, event: Event) -> str:
    if change.kind != "other":
        return title_of(change)
    return clip(f"{event.type} {event.subject}".strip(), LIMITS.title_chars)


def _extra(event: Event, known: frozenset[str]) -> dict[str, object]:
    """Type, source and extensions of the envelope, and the parts of the data that no field took."""
    extra: dict[str, object] = {
        "type": clip(event.type, LIMITS.label_chars),
        "source": clip(event.source, LIMITS.label_chars),
        **extra_of(event.extensions, frozenset({"severity"})),
        **unread_times(event.item, ("time",)),
    }
    data = event.data
    beside = extra_of(data, known) if type(data) is dict else extra_of({"data": data} if data else {}, frozenset())
    if beside:
        extra["data"] = beside
    return extra
