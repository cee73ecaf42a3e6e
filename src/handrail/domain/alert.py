"""Alerts and changes as every integration hands them over, and how one alert's state moves.

An alert is one symptom from one source. Its identity is (source, dedup key); occurrences of the same identity
change its state. Alerts are too many for a stream each, so they have rows, committed to the record in batches.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

UNREST_HALF_LIFE = timedelta(minutes=10)
FLAPPING_UNREST = 4.0


class AlertStatus(StrEnum):
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """The default ladder of alerts, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


SEVERITY_WORDS: dict[str, Severity] = {
    "critical": Severity.CRITICAL, "sev0": Severity.CRITICAL, "p1": Severity.CRITICAL, "disaster": Severity.CRITICAL,
    "fatal": Severity.CRITICAL, "emergency": Severity.CRITICAL, "page": Severity.CRITICAL,
    "high": Severity.HIGH, "sev1": Severity.HIGH, "p2": Severity.HIGH, "error": Severity.HIGH, "major": Severity.HIGH,
    "medium": Severity.MEDIUM, "sev2": Severity.MEDIUM, "p3": Severity.MEDIUM, "warning": Severity.MEDIUM,
    "warn": Severity.MEDIUM, "average": Severity.MEDIUM, "minor": Severity.MEDIUM,
    "low": Severity.LOW, "sev3": Severity.LOW, "p4": Severity.LOW,
    "info": Severity.INFO, "informational": Severity.INFO, "sev4": Severity.INFO, "p5": Severity.INFO,
    "none": Severity.INFO,
}  # fmt: skip
_JOINTS = re.compile(r"[\s_-]+")
_COMPOUND = re.compile(r"\s+[-–—]\s+|[:()/|,]")


def spellings(word: str) -> Iterator[str]:
    """The ways in which a table may know a sender's word, in lower case: as it is, without its joints (“SEV-1”), and
    where people joined several, each of them (“P1 - Critical”, “High (2)”), numbers last."""
    whole = word.strip().lower()
    yield whole
    yield _JOINTS.sub("", whole)
    parts = [said for part in _COMPOUND.split(whole) if (said := part.strip())]
    for part in sorted(parts, key=str.isdecimal):
        yield part
        yield _JOINTS.sub("", part)


def known_severity(word: str | None) -> Severity | None:
    """The ladder's rung for a sender's own word, None for one that it does not know."""
    rung = SEVERITY_WORDS.get((word or "").strip().lower())
    if rung is not None or not word:
        return rung
    return next((SEVERITY_WORDS[said] for said in spellings(word) if said in SEVERITY_WORDS), None)


def severity_of(word: str | None) -> Severity:
    """The ladder's rung for a sender's own word; a word not known is medium, and the raw word stays on the alert."""
    return known_severity(word) or Severity.MEDIUM


def rung_of(said: "Occurrence") -> Severity:
    """How bad it is: what a table says of the sender's word, else what the ladder does."""
    return said.severity or severity_of(said.severity_raw)


def is_unknown_word(said: "Occurrence") -> bool:
    """Whether the sender used a word for its severity that no table and no ladder knows, so that medium is a guess."""
    word = said.severity_raw
    return said.severity is None and bool(word) and known_severity(word) is None


@dataclass(frozen=True)
class Occurrence:
    """One thing that a source said about one alert. `occurred_at` is the sender's time, None when it sent none.

    `severity_raw` is the sender's own word, `severity` the rung that the source's mapping or its format's table names
    for it, None where only the ladder can tell. `starts_at` and `ends_at` are the sender's, where given. `raw` is the
    sender's own words for this alert (bytes of JSON), `extra` whatever the format does not name.
    """

    dedup_key: str
    status: AlertStatus
    title: str
    severity_raw: str | None = None
    service: str | None = None
    resource: str | None = None
    summary: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    occurred_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    link: str | None = None
    raw: bytes = b""
    extra: dict[str, object] = field(default_factory=dict)
    severity: Severity | None = None


@dataclass(frozen=True)
class ReportedChange:
    """A deploy, flag, config or infrastructure change as a source told it. `change_key` makes a resend harmless."""

    change_key: str
    kind: str
    service: str | None
    title: str
    occurred_at: datetime | None = None
    version: str | None = None
    previous_version: str | None = None
    environment: str | None = None
    author: str | None = None
    link: str | None = None
    raw: bytes = b""
    extra: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Alert:
    """The state of one identity after all its occurrences. `last_said_at` orders them: late ones do not reopen."""

    id: str
    source: str
    dedup_key: str
    status: AlertStatus
    severity: Severity
    severity_raw: str | None
    title: str
    summary: str
    service: str | None
    resource: str | None
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
    first_at: datetime
    last_at: datetime
    last_said_at: datetime
    count: int
    link: str | None
    fingerprint: str
    verdict: str = "token"
    late: int = 0
    turns: int = 0
    turned_at: datetime | None = None
    unrest: float = 0.0


def is_flapping(alert: Alert, now: datetime) -> bool:
    """Whether it goes on and off so often that neither word can be relied on. `unrest` counts its turns, each worth
    half after ten minutes (as Nagios and BGP route damping, RFC 2439, decay theirs)."""
    return _unrest(alert, now) >= FLAPPING_UNREST


def _unrest(alert: Alert, now: datetime) -> float:
    if alert.turned_at is None:
        return 0.0
    passed: float = max(0.0, (now - alert.turned_at) / UNREST_HALF_LIFE)
    return float(alert.unrest * 0.5**passed)


def first(alert_id: str, source: str, said: Occurrence, fingerprint: str, verdict: str, now: datetime) -> Alert:
    """The alert that a first occurrence makes. A resolve without a trigger is kept, resolved."""
    said_at = _said_at(said, now)
    starts_at = _starts_at(said, said_at, now)
    return Alert(
        id=alert_id, source=source, dedup_key=said.dedup_key, status=said.status,
        severity=rung_of(said), severity_raw=said.severity_raw, title=said.title,
        summary=said.summary, service=said.service, resource=said.resource, labels=said.labels,
        annotations=said.annotations, starts_at=starts_at,
        ends_at=_ends_at(said, said_at, starts_at, now), first_at=now, last_at=now, last_said_at=said_at, count=1,
        link=said.link, fingerprint=fingerprint, verdict=verdict,
    )  # fmt: skip


def merge(alert: Alert, said: Occurrence, now: datetime) -> Alert:
    """The alert after one more occurrence.

    A firing older than the last word about this alert does not reopen it (it is counted as late). A resolve that
    came before its trigger holds, when the trigger's own time is not after the resolve's.
    """
    said_at = _said_at(said, now)
    late = said_at < alert.last_said_at and said.status != alert.status
    if late:
        earlier = min(alert.starts_at, _starts_at(said, said_at, now))
        named = alert if alert.title else _renamed(alert, said)
        return replace(named, count=alert.count + 1, late=alert.late + 1, last_at=now, starts_at=earlier)
    reopened = alert.status == AlertStatus.RESOLVED and said.status != AlertStatus.RESOLVED
    turned = reopened or (said.status == AlertStatus.RESOLVED and alert.status != AlertStatus.RESOLVED)
    if turned:
        unrest = _unrest(alert, now) + 1
        alert = replace(alert, turns=alert.turns + 1, turned_at=now, unrest=unrest)
    silent = said.status == AlertStatus.RESOLVED and not said.title
    named = alert if silent or said.status != AlertStatus.FIRING else _renamed(alert, said)
    status = said.status
    starts_at = _starts_at(said, said_at, now) if reopened else alert.starts_at
    return replace(
        named, status=status, count=alert.count + 1, last_at=now, last_said_at=max(said_at, alert.last_said_at),
        starts_at=starts_at, ends_at=_ends_at(said, said_at, starts_at, now),
    )  # fmt: skip


def _renamed(alert: Alert, said: Occurrence) -> Alert:
    return replace(
        alert, title=said.title or alert.title, summary=said.summary or alert.summary,
        severity=rung_of(said) if said.severity or said.severity_raw else alert.severity,
        severity_raw=said.severity_raw or alert.severity_raw, service=said.service or alert.service,
        resource=said.resource or alert.resource, labels=said.labels or alert.labels,
        annotations=said.annotations or alert.annotations, link=said.link or alert.link,
    )  # fmt: skip


def _said_at(said: Occurrence, now: datetime) -> datetime:
    """The sender's time, never later than when we knew: a sender's fast clock must not block its later words."""
    return min(said.occurred_at, now) if said.occurred_at else now


def _starts_at(said: Occurrence, said_at: datetime, now: datetime) -> datetime:
    return min(said.starts_at or said_at, now)


def _ends_at(said: Occurrence, said_at: datetime, starts_at: datetime, now: datetime) -> datetime | None:
    """Nothing lasts a negative time, and nothing has ended that is still to come."""
    if said.status != AlertStatus.RESOLVED:
        return None
    return max(min(said.ends_at or said_at, now), starts_at)
