"""One alarm in its three shapes: SNS's message, EventBridge's event, a Lambda action's event. All give one identity."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.aws import Said, around, console_link, region_and_account
from handrail.plugins.integrations.cloudwatch.tables import (
    ONLY_MARKED,
    RESOURCE_DIMENSIONS,
    SERVICE_DIMENSIONS,
    SEVERITY_WORDS,
    STATUSES,
    WITHOUT_DATA,
)
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    first_of,
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
    object_in,
    short,
    status_in,
    unread_times,
)

_ARN = re.compile(r"arn:aws[a-z-]*:cloudwatch:[^:]*:[^:]*:alarm:(?P<name>.+)")
_PART = re.compile(r"[A-Za-z0-9]+")
# Space is taken in one piece and never given back: a run of spaces would be tried in every way to cut it in two.
_MARKED = re.compile(r"[\[(<]\s*+(\w{2,16})\s*+[\])>]|(?:severity|priority)\s*+[:=]?\s*+(\w{2,16})", re.IGNORECASE)
_ACCOUNT_NAME = ("AWSAccountId", "accountId", "account")

_KNOWN_MESSAGE = frozenset(
    {"AlarmName", "AlarmDescription", "AWSAccountId", "NewStateValue", "NewStateReason", "StateChangeTime", "AlarmArn"}
)
_KNOWN_EVENT = frozenset(
    {"version", "id", "detail-type", "source", "account", "accountId", "time", "region", "resources", "alarmArn"}
)
_KNOWN_DETAIL = frozenset({"alarmName", "state"})


@dataclass(frozen=True)
class _Alarm:
    """An alarm's words, out of whichever shape."""

    name: str
    arn: str
    account: str
    region: str
    state: str
    reason: str
    description: str
    at: datetime | None
    metrics: list[Mapping[str, Any]]
    labels: Mapping[str, Any]
    extra: Mapping[str, object]
    contributor: tuple[str, ...] = ()


def is_alarm_message(item: Any) -> bool:
    return type(item) is dict and ("NewStateValue" in item or ("AlarmName" in item and "AWSAccountId" in item))


def is_alarm_event(item: Mapping[str, Any]) -> bool:
    detail = mapping(item.get("detail"))
    if "configuration" in words(item.get("detail-type")).lower():
        return False
    named = words(item.get("detail-type")).lower() == "cloudwatch alarm state change"
    return named or (words(item.get("source")) == "aws.cloudwatch" and "alarmName" in detail and "state" in detail)


def is_alarm_action(item: Any) -> bool:
    return type(item) is dict and type(item.get("alarmData")) is dict


def read_alarm_message(said: Said) -> Occurrence:
    """What SNS carries. Its `Region` is a name for people (“EU (Ireland)”), so the region comes out of an ARN."""
    item, trigger = said.item, mapping(said.item.get("Trigger"))
    region, account = region_and_account(item.get("AlarmArn"), said.around.get("TopicArn"))
    told = words(item.get("Region"))
    alarm = _Alarm(
        name=_name(item.get("AlarmName"), item.get("AlarmArn")),
        arn=words(item.get("AlarmArn")),
        account=words(item.get("AWSAccountId")) or account,
        region=region or (told if re.fullmatch(r"[a-z]{2}-[a-z-]+-\d", told) else ""),
        state=words(item.get("NewStateValue")),
        reason=words(item.get("NewStateReason")),
        description=words(item.get("AlarmDescription")),
        at=moment(item.get("StateChangeTime")) or moment(said.around.get("Timestamp")),
        metrics=[trigger, *(mapping(metric) for metric in listed(trigger.get("Metrics")))],
        labels={"previous_state": item.get("OldStateValue"), "alarm_rule": item.get("AlarmRule")},
        extra={
            **extra_of(item, _KNOWN_MESSAGE),
            **unread_times(item, ("StateChangeTime",)),
            **around(said),
        },
    )
    return _occurrence(alarm, said.item)


def read_alarm_event(said: Said) -> Occurrence:
    return _occurrence(_of_event(said, mapping(said.item.get("detail")), "detail"), said.item)


def read_alarm_action(said: Said) -> Occurrence:
    return _occurrence(_of_event(said, mapping(said.item["alarmData"]), "alarmData"), said.item)


def _of_event(said: Said, detail: Mapping[str, Any], within: str) -> _Alarm:
    item, state, was = said.item, mapping(detail.get("state")), mapping(detail.get("previousState"))
    configuration = mapping(detail.get("configuration"))
    attributes = mapping(mapping(detail.get("alarmContributor")).get("attributes"))
    given = [item.get("alarmArn"), *listed(item.get("resources"))]
    arn = next((words(part) for part in given if _ARN.fullmatch(words(part))), "")
    region, account = region_and_account(arn)
    beside = extra_of(detail, _KNOWN_DETAIL)
    data = object_in(state.get("reasonData"))
    if data:
        beside["reasonData"] = extra_of(data, frozenset())
    extra: dict[str, object] = {
        **extra_of(item, _KNOWN_EVENT | {within}),
        **unread_times(state, ("timestamp",)),
        **around(said),
    }
    return _Alarm(
        name=_name(detail.get("alarmName"), arn),
        arn=arn,
        account=account or first_words(*(item.get(name) for name in _ACCOUNT_NAME)),
        region=region or words(item.get("region")),
        state=first_words(state.get("value"), detail.get("state")),
        reason=words(state.get("reason")),
        description=words(configuration.get("description")),
        at=moment(state.get("timestamp")) or moment(item.get("time")),
        metrics=[mapping(metric) for metric in listed(configuration.get("metrics"))],
        labels={
            "previous_state": was.get("value"),
            "alarm_rule": configuration.get("alarmRule"),
            "actions_suppressed_by": state.get("actionsSuppressedBy"),
            **labels_of(attributes),
        },
        contributor=tuple(f"{name}={words(value)}" for name, value in sorted(attributes.items())),
        extra={**extra, within: beside} if beside else extra,
    )


def _name(said: Any, arn: Any) -> str:
    """An alarm's name; out of its ARN where only that was sent."""
    found = _ARN.fullmatch(words(arn))
    name = words(said) or (found["name"] if found else "")
    if not name:
        raise BadInput("The alarm has neither a name nor an ARN.", code="alert_title_missing")
    return name


def _occurrence(alarm: _Alarm, item: Mapping[str, Any]) -> Occurrence:
    status = status_in(STATUSES, alarm.state, "state")
    dimensions = _dimensions(alarm.metrics)
    first = next(iter(dimensions.values()), None)
    resource = first_of(dimensions, RESOURCE_DIMENSIONS) or first
    told = alarm.description if alarm.description != alarm.name else ""
    word = _severity(alarm, status)
    return Occurrence(
        dedup_key=key_text(_key(alarm)),
        status=status,
        title=clip(alarm.name, LIMITS.title_chars),
        severity_raw=word.said,
        severity=word.rung,
        service=short(first_of(dimensions, SERVICE_DIMENSIONS) or resource),
        resource=short(resource),
        summary=clip("\n".join(part for part in (told, alarm.reason) if part), LIMITS.summary_chars),
        labels=short_labels(
            labels_of(
                {
                    "alarm_name": alarm.name,
                    "state": alarm.state,
                    "account": alarm.account,
                    "region": alarm.region,
                    **_metric(alarm.metrics),
                    **alarm.labels,
                    **dimensions,
                }
            )
        ),
        occurred_at=alarm.at,
        starts_at=alarm.at if status == AlertStatus.FIRING else None,
        ends_at=alarm.at if status == AlertStatus.RESOLVED else None,
        link=console_link(alarm.region, "cloudwatch/home", f"alarmsV2:alarm/{alarm.name}"),
        raw=raw_of(item),
        extra=dict(alarm.extra),
    )


def _key(alarm: _Alarm) -> str:
    """The alarm's ARN, or what it would be; a contributor of an alarm over many series has its own alert."""
    arn = alarm.arn or f"arn:aws:cloudwatch:{alarm.region}:{alarm.account}:alarm:{alarm.name}"
    return f"{arn}|{key_of(*alarm.contributor)}" if alarm.contributor else arn


def _severity(alarm: _Alarm, status: AlertStatus) -> Word:
    """The worst severity word of the name, else one that the description marks as such."""
    if status == AlertStatus.FIRING and alarm.state.upper() != "ALARM":
        return Word(alarm.state, WITHOUT_DATA)
    return Word(_severity_word(alarm.name, whole=True) or _severity_word(alarm.description, whole=False))


def _severity_word(said: str, *, whole: bool) -> str | None:
    """The worst severity word in brackets or after “severity” or “priority”; in a `whole` name, telling words too."""
    marked = {word.lower() for pair in _MARKED.findall(said) for word in pair if word}
    parts = {part.lower() for part in _PART.findall(said)} - ONLY_MARKED if whole else set()
    return next((word for word in SEVERITY_WORDS if word in marked or word in parts), None)


def _dimensions(metrics: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """All dimensions of all metrics, the first value of each: lists of name and value, or an object."""
    found: dict[str, str] = {}
    for metric in metrics:
        stat = mapping(metric.get("MetricStat")) or mapping(metric.get("metricStat"))
        inner = mapping(stat.get("Metric")) or mapping(stat.get("metric"))
        for said in (metric.get("Dimensions"), inner.get("Dimensions"), inner.get("dimensions")):
            for name, value in _pairs(said):
                found.setdefault(name, value)
    return found


def _pairs(said: Any) -> list[tuple[str, str]]:
    if type(said) is dict:
        pairs = [(name, words(value)) for name, value in said.items()]
    else:
        items = [mapping(item) for item in listed(said)]
        pairs = [
            (first_words(item.get("name"), item.get("Name")), first_words(item.get("value"), item.get("Value")))
            for item in items
        ]
    return [(name, value) for name, value in pairs if name and value]


def _metric(metrics: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Name and namespace of the first metric that has them."""
    for metric in metrics:
        stat = mapping(metric.get("MetricStat")) or mapping(metric.get("metricStat"))
        inner = mapping(stat.get("Metric")) or mapping(stat.get("metric")) or metric
        name = first_words(inner.get("MetricName"), inner.get("name"))
        if name:
            return {"metric": name, "namespace": first_words(inner.get("Namespace"), inner.get("namespace"))}
    return {}
