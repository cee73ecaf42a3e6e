"""Alertmanager's webhook, version 4: what is sent for one service, and when. Pure; `signals.py` sends it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from handrail.kernel.clock import to_text

NEVER = "0001-01-01T00:00:00Z"
REPEAT_SECONDS = 5.0
_RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Told:
    """One alert as the receiver is told of it."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None

    @property
    def status(self) -> str:
        return "resolved" if self.ends_at else "firing"


def fingerprint(labels: Mapping[str, str]) -> str:
    """The identity of a label set, computed as Prometheus does: 64-bit FNV-1a over the sorted pairs."""
    value = 14695981039346656037
    for byte in b"".join(name.encode() + b"\xff" + labels[name].encode() + b"\xff" for name in sorted(labels)):
        value = ((value ^ byte) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def payload(service: str, alerts: Sequence[Told], external_url: str) -> dict[str, Any]:
    """The body for one group."""
    return {
        "version": "4",
        "groupKey": f'{{}}:{{service="{service}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if any(alert.status == "firing" for alert in alerts) else "resolved",
        "receiver": "handrail",
        "groupLabels": {"service": service},
        "commonLabels": _common([alert.labels for alert in alerts]),
        "commonAnnotations": _common([alert.annotations for alert in alerts]),
        "externalURL": external_url,
        "alerts": [_one(alert, f"{external_url}/signal/{service}") for alert in alerts],
    }


def _one(alert: Told, url: str) -> dict[str, Any]:
    return {
        "status": alert.status,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": to_text(alert.starts_at),
        "endsAt": to_text(alert.ends_at) if alert.ends_at else NEVER,
        "generatorURL": url,
        "fingerprint": fingerprint(alert.labels),
    }


def _common(maps: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = maps or [{}]
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


@dataclass(frozen=True)
class Group:
    """What the receiver was told of one service. `told` are (fingerprint, status, start) of the last delivery."""

    told: frozenset[tuple[str, str, datetime]] = frozenset()
    told_at: float | None = None
    failures: int = 0
    failed_at: float = 0.0


def is_due(group: Group, alerts: Sequence[Told], seconds: float) -> bool:
    """Whether to send now: on news at once, while anything fires again and again, after failures ever more slowly."""
    if not alerts:
        return False
    if group.failures:
        wait = _RETRY_SECONDS[min(group.failures, len(_RETRY_SECONDS)) - 1]
        return seconds - group.failed_at >= wait
    if group.told_at is None or _marks(alerts) - group.told:
        return True
    fires = any(alert.status == "firing" for alert in alerts)
    return fires and seconds - group.told_at >= REPEAT_SECONDS


def delivered(alerts: Sequence[Told], seconds: float) -> Group:
    """The group after the receiver took the message."""
    return Group(told=_marks(alerts), told_at=seconds)


def not_delivered(group: Group, seconds: float) -> Group:
    """The group after the receiver did not answer, or refused."""
    return replace(group, failures=group.failures + 1, failed_at=seconds)


def _marks(alerts: Sequence[Told]) -> frozenset[tuple[str, str, datetime]]:
    return frozenset((fingerprint(alert.labels), alert.status, alert.starts_at) for alert in alerts)
