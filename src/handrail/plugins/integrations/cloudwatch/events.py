"""EventBridge's events that are no alarms: changes of what runs, and findings and problems as alerts."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, ReportedChange, Severity
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.aws import Said, around, last_part
from handrail.plugins.integrations.changes import CHANGE_FIELDS, kind_of, link_of, said_of
from handrail.plugins.integrations.cloudwatch.tables import (
    ALERT_WORDS,
    CHANGE_SERVICE_FIELDS,
    CHANGE_SOURCES,
    CHANGE_TYPES,
    EVENT_SEVERITIES,
    EVENT_STATUSES,
    FINDING_SEVERITIES,
)
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    key_of,
    key_text,
    mapping,
    moment,
    raw_of,
    short_labels,
    words,
)
from handrail.plugins.integrations.reading import (
    Word,
    first_words,
    labels_of,
    listed,
    severity_word,
    short,
    unread_times,
)

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_KNOWN_EVENT = frozenset({"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"})
_KNOWN_ALERT = frozenset({"title", "description", "severity", "Severity", "status", "state", "findings"})
_STATES = (
    "state",
    "status",
    "lastStatus",
    "deploymentState",
    "eventName",
    "instance-action",
    "StatusMessage",
    "EventID",
)


def is_event(item: Any) -> bool:
    return type(item) is dict and "detail-type" in item and "source" in item and type(item.get("detail")) is dict


def findings_of(said: Said) -> list[Said]:
    """Security Hub may send several findings in one event: each is an alert of its own."""
    detail = mapping(said.item.get("detail"))
    findings = detail.get("findings")
    if not is_event(said.item) or type(findings) is not list or len(findings) < 2:
        return [said]
    return [replace(said, item={**said.item, "detail": {**detail, "findings": [finding]}}) for finding in findings]


def read_event(said: Said) -> Occurrence | ReportedChange:
    """An alert where the type names one, else a change."""
    if not words(said.item.get("detail-type")) or not words(said.item.get("source")):
        raise BadInput("The event's “detail-type” or “source” is empty.", code="event_attribute_missing")
    named = {word.lower() for word in _WORD.findall(words(said.item["detail-type"]))}
    return _alert(said, named) if named & ALERT_WORDS and "configuration" not in named else _change(said)


def _change(said: Said) -> ReportedChange:
    item, detail = said.item, said.item["detail"]
    kind_said, source = words(item["detail-type"]), words(item["source"])
    what, state = _resource(item), first_words(*(detail.get(name) for name in _STATES))
    event_id, service = words(item.get("id")), _service(detail)
    title = " ".join(part for part in (f"{kind_said}:", what or service, state) if part).removesuffix(":")
    return ReportedChange(
        change_key=key_text(f"{source}|{event_id}")
        if event_id
        else key_of(source, kind_said, what, state, words(item.get("time"))),
        kind=_kind(kind_said, source),
        service=service or short(what),
        title=clip(said_of(detail, "title") or short(detail.get("Message")) or title, LIMITS.title_chars),
        occurred_at=moment(item.get("time")),
        version=said_of(detail, "version"),
        previous_version=said_of(detail, "previous_version"),
        environment=said_of(detail, "environment"),
        author=said_of(detail, "author") or short(mapping(detail.get("userIdentity")).get("arn")),
        link=link_of(detail),
        raw=raw_of(item),
        extra=_extra(said, CHANGE_FIELDS, {"resource": what, "state": state}),
    )


def _alert(said: Said, named: set[str]) -> Occurrence:
    """A finding or a problem. Its identity is the detail's own id, which its end carries too; never the event's."""
    item, detail = said.item, said.item["detail"]
    found = mapping(next(iter(listed(detail.get("findings"))), None)) or detail
    kind_said, source, what = words(item["detail-type"]), words(item["source"]), _found_in(found) or _resource(item)
    names = ("title", "Title", "name", "insightDescription")
    title = first_words(*(found.get(name) for name in names)) or f"{kind_said} {what}".strip()
    key = first_words(
        *(found.get(name) for name in ("dedup_key", "id", "Id", "arn", "findingArn", "anomalyId", "insightId"))
    )
    status, at = _status(found, named), moment(item.get("time"))
    word = _severity(found)
    return Occurrence(
        dedup_key=key_text(f"{source}|{key}") if key else key_of(source, kind_said, what, title),
        status=status,
        title=clip(title, LIMITS.title_chars),
        severity_raw=word.said,
        severity=word.rung,
        service=said_of(found, "service") or short(what),
        resource=short(what),
        summary=clip(first_words(found.get("description"), found.get("Description")), LIMITS.summary_chars),
        labels=short_labels(
            labels_of(
                {"type": kind_said, "source": source, "account": item.get("account"), "region": item.get("region")}
            )
        ),
        occurred_at=at,
        starts_at=at if status == AlertStatus.FIRING else None,
        ends_at=at if status == AlertStatus.RESOLVED else None,
        link=link_of(found),
        raw=raw_of(item),
        extra=_extra(said, _KNOWN_ALERT, {}),
    )


def _status(found: Mapping[str, Any], named: set[str]) -> AlertStatus:
    """The word of a workflow (Security Hub), a record, the event or its type; without one an event tells news."""
    workflow = mapping(found.get("Workflow"))
    for said in (workflow.get("Status"), found.get("RecordState"), found.get("status"), found.get("state")):
        status = EVENT_STATUSES.get(words(said).lower())
        if status:
            return status
    return next((EVENT_STATUSES[word] for word in sorted(named) if word in EVENT_STATUSES), AlertStatus.FIRING)


def _severity(found: Mapping[str, Any]) -> Word:
    """A word, Security Hub's label, or GuardDuty's number from 0 to 10."""
    said = next((found[name] for name in ("severity", "Severity", "insightSeverity") if found.get(name)), None)
    if type(said) is dict:
        said = said.get("Label")
    if isinstance(said, int | float) and said is not True and said is not False:
        rung = next((rung for least, rung in FINDING_SEVERITIES if said >= least), Severity.INFO)
        return Word(words(said), rung)
    return severity_word(said, EVENT_SEVERITIES)


def _found_in(found: Mapping[str, Any]) -> str:
    """What a finding is about: Security Hub lists its resources (the event's own are the finding's), GuardDuty has one
    of several kinds."""
    listed_id = mapping(next(iter(listed(found.get("Resources"))), None)).get("Id")
    resource = mapping(found.get("resource"))
    instance, key = mapping(resource.get("instanceDetails")), mapping(resource.get("accessKeyDetails"))
    return last_part(listed_id) or first_words(instance.get("instanceId"), key.get("userName"))


def _resource(item: Mapping[str, Any]) -> str:
    """What the event is about: the name in its first resource, else an id that the detail carries."""
    detail = item["detail"]
    named = next((last_part(arn) for arn in listed(item.get("resources")) if words(arn)), "")
    return named or first_words(detail.get("instance-id"), detail.get("instance_id"), detail.get("resourceId"))


def _service(detail: Mapping[str, Any]) -> str | None:
    """What the event is about, under the names that Amazon's services use. A task of ECS names it in a group."""
    named = said_of(detail, "service") or short(first_words(*(detail.get(name) for name in CHANGE_SERVICE_FIELDS)))
    group = words(detail.get("group"))
    return named or (short(group.removeprefix("service:")) if group.startswith("service:") else None)


def _kind(kind_said: str, source: str) -> str:
    plain = kind_said.lower()
    named = next((kind for word, kind in CHANGE_TYPES if word in plain), None) or CHANGE_SOURCES.get(source)
    if named:
        return named
    kind = kind_of(kind_said)
    return "infrastructure" if kind == "other" and source.startswith("aws.") else kind


def _extra(said: Said, known: frozenset[str], facts: Mapping[str, str]) -> dict[str, object]:
    item = said.item
    extra: dict[str, object] = {
        "type": clip(words(item["detail-type"]), LIMITS.label_chars),
        "source": clip(words(item["source"]), LIMITS.label_chars),
        **{name: clip(value, LIMITS.label_chars) for name, value in facts.items() if value},
        **extra_of(item, _KNOWN_EVENT),
        **unread_times(item, ("time",)),
        **around(said),
    }
    beside = extra_of(item["detail"], known)
    return {**extra, "detail": beside} if beside else extra
