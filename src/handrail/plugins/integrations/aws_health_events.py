"""AWS Health's events, as EventBridge carries them, for every address that takes Amazon's events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, Severity
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.aws import Said, around, region_and_account
from handrail.plugins.integrations.fields import clip, extra_of, key_text, mapping, moment, raw_of, short_labels, words
from handrail.plugins.integrations.reading import labels_of, listed, severity_word, short, unread_times

SEVERITIES = {
    "issue": Severity.HIGH, "investigation": Severity.MEDIUM, "scheduledchange": Severity.LOW,
    "accountnotification": Severity.INFO,
}  # fmt: skip
STATUSES = {"open": AlertStatus.FIRING, "upcoming": AlertStatus.FIRING, "closed": AlertStatus.RESOLVED}

_KNOWN_EVENT = frozenset(
    {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
)  # fmt: skip
_KNOWN_DETAIL = frozenset(
    {
        "eventArn", "service", "eventTypeCode", "eventTypeCategory", "startTime", "endTime", "lastUpdatedTime",
        "statusCode", "eventRegion", "eventDescription", "affectedEntities", "affectedAccount",
    }
)  # fmt: skip
_TIMES = ("startTime", "endTime", "lastUpdatedTime")


def is_health(item: Any) -> bool:
    return type(item) is dict and words(item.get("source")) == "aws.health" and type(item.get("detail")) is dict


def read_health(said: Said, now: datetime) -> Occurrence:
    """One event. Its ARN is the identity: all of its pages, updates and accounts are one alert."""
    item, detail = said.item, mapping(said.item.get("detail"))
    code, service = words(detail.get("eventTypeCode")), words(detail.get("service"))
    key = words(detail.get("eventArn"))
    if not key:
        raise BadInput(
            "The AWS Health event has no “eventArn”, so its end could not be told.", code="event_attribute_missing"
        )
    starts_at, ends_at = moment(detail.get("startTime")), moment(detail.get("endTime"))
    status = _status(detail, ends_at, now)
    region = words(detail.get("eventRegion")) or words(item.get("region")) or region_and_account(key)[0]
    where = f" in {region}" if region else ""
    said_at = moment(detail.get("lastUpdatedTime")) or moment(item.get("time"))
    entities = [words(mapping(entity).get("entityValue")) for entity in listed(detail.get("affectedEntities"))]
    word = severity_word(detail.get("eventTypeCategory"), SEVERITIES)
    return Occurrence(
        dedup_key=key_text(key),
        status=status,
        title=clip(f"AWS {_readable(code, service)}{where}", LIMITS.title_chars),
        severity_raw=word.said,
        severity=word.rung,
        service=short(service),
        resource=short(next((entity for entity in entities if entity), "")) or short(region),
        summary=clip(_description(detail), LIMITS.summary_chars),
        labels=short_labels(
            labels_of(
                {
                    "event_type": code,
                    "category": detail.get("eventTypeCategory"),
                    "status": detail.get("statusCode"),
                    "account": words(detail.get("affectedAccount")) or words(item.get("account")),
                    "region": region,
                }
            )
        ),
        occurred_at=said_at or (ends_at if status == AlertStatus.RESOLVED else starts_at),
        starts_at=starts_at,
        ends_at=ends_at,
        link="https://health.aws.amazon.com/health/home",
        raw=raw_of(item),
        extra=_extra(said, detail, entities),
    )


def _status(detail: Mapping[str, Any], ends_at: datetime | None, now: datetime) -> AlertStatus:
    """The event's own word; older events have none, and are over when their end has passed."""
    known = STATUSES.get(words(detail.get("statusCode")).lower())
    if known:
        return known
    return AlertStatus.RESOLVED if ends_at and ends_at <= now else AlertStatus.FIRING


def _readable(code: str, service: str) -> str:
    """“EC2: instance store drive performance degraded”, out of AWS_EC2_INSTANCE_STORE_DRIVE_PERFORMANCE_DEGRADED."""
    plain = code.removeprefix("AWS_").removeprefix(f"{service}_").replace("_", " ").lower()
    return ": ".join(part for part in (service, plain) if part) or "Health event"


def _description(detail: Mapping[str, Any]) -> str:
    """The description in English where there is one, else the first."""
    said = [mapping(item) for item in listed(detail.get("eventDescription"))]
    english = sorted(said, key=lambda item: not words(item.get("language")).lower().startswith("en"))
    return next((told for item in english if (told := words(item.get("latestDescription")))), "")


def _extra(said: Said, detail: Mapping[str, Any], entities: list[str]) -> dict[str, object]:
    beside = {**extra_of(detail, _KNOWN_DETAIL), **unread_times(detail, _TIMES)}
    extra: dict[str, object] = {**extra_of(said.item, _KNOWN_EVENT), **around(said)}
    if len(entities) > 1:
        extra["affected"] = [clip(entity, LIMITS.label_chars) for entity in entities[: LIMITS.labels_per_alert]]
    return {**extra, "detail": beside} if beside else extra
