"""What is known of an incident, in the form that causes are ranked by. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from handrail.domain.alert import Alert, Severity
from handrail.domain.catalog import Catalog
from handrail.domain.change import Change
from handrail.domain.signal import Signal


class SymptomKind(StrEnum):
    """What a symptom is about. DEPENDENCY is a symptom that points at a service which its own service calls."""

    DEPENDENCY = "dependency"
    SATURATION = "saturation"
    DOWN = "down"
    ERRORS = "errors"
    LATENCY = "latency"
    OTHER = "other"


_WORDS: tuple[tuple[SymptomKind, tuple[str, ...]], ...] = (
    (SymptomKind.SATURATION, ("pool", "queue", "queuing", "saturat", "exhaust", "backlog", "connections", "threads",
                              "piling", "memory", "oom", "disk", "cpu", "throttl", "in flight", "in-flight")),
    (SymptomKind.DOWN, ("down", "unreachable", "does not answer", "no data", "absent", "crash", "restart")),
    (SymptomKind.LATENCY, ("latency", "slow", "p95", "p99", "duration", "timeout", "response time")),
    (SymptomKind.ERRORS, ("error", "5xx", "fail", "exception", "burn", "availability")),
)  # fmt: skip


@dataclass(frozen=True)
class Symptom:
    """One alert as a symptom of one service. `points_at` is a dependency of that service which the alert names."""

    alert_id: str
    service: str
    title: str
    kind: SymptomKind
    points_at: str | None
    at: datetime


@dataclass(frozen=True)
class Facts:
    """`first_at` is when the first symptom began; without symptoms, when the incident is said to have begun.

    `placed` is the share of alerts that name a service.
    """

    first_at: datetime
    symptoms: tuple[Symptom, ...] = ()
    changes: tuple[Change, ...] = ()
    unhealthy: frozenset[str] = frozenset()
    healthy: frozenset[str] = frozenset()
    catalog: Catalog = field(default_factory=Catalog)
    placed: float = 1.0

    @cached_property
    def pointed_at(self) -> frozenset[str]:
        """Services that a caller's symptom names, unless their own signal says that they are well."""
        return frozenset(item.points_at for item in self.symptoms if item.points_at) - self.healthy

    @cached_property
    def affected(self) -> tuple[str, ...]:
        """Every service with a symptom of its own, an unhealthy signal, or a caller that points at it; by name."""
        own = {item.service for item in self.symptoms}
        return tuple(sorted(own | self.unhealthy | self.pointed_at))

    @cached_property
    def first_of(self) -> Mapping[str, datetime]:
        """When the first symptom of each service with symptoms began."""
        found: dict[str, datetime] = {}
        for item in self.symptoms:
            found[item.service] = min(found.get(item.service, item.at), item.at)
        return found

    def of(self, service: str) -> tuple[Symptom, ...]:
        return tuple(item for item in self.symptoms if item.service == service)

    def cone(self, service: str) -> tuple[str, ...]:
        """The affected services whose symptoms `service` could explain: itself, and those that reach it."""
        reach = self.catalog.dependents(service) | {service}
        return tuple(name for name in self.affected if name in reach)

    def as_json(self) -> dict[str, Any]:
        """What the ranking depends on and nothing else, so that equal facts have equal digests."""
        named = {*self.affected, *(change.service for change in self.changes if change.service)}
        known = sorted(named & set(self.catalog.services))
        return {
            "first_at": self.first_at,
            "symptoms": list(self.symptoms),
            "changes": [[change.id, change.service, change.at] for change in self.changes],
            "unhealthy": sorted(self.unhealthy),
            "healthy": sorted(self.healthy),
            "dependencies": {name: sorted(self.catalog.dependencies(name)) for name in known},
            "placed": self.placed,
        }


def build(
    started_at: datetime,
    alerts: Iterable[Alert],
    changes: Iterable[Change],
    signals: Mapping[str, Signal],
    catalog: Catalog,
) -> Facts:
    """The facts of an incident. Alerts that only inform are no symptoms."""
    told = [alert for alert in alerts if alert.severity != Severity.INFO]
    placed = [alert for alert in told if alert.service]
    symptoms = sorted(
        (symptom_of(alert, alert.service, catalog) for alert in placed if alert.service),
        key=lambda item: (item.at, item.service, item.alert_id),
    )
    return Facts(
        first_at=symptoms[0].at if symptoms else started_at,
        symptoms=tuple(symptoms),
        changes=tuple(sorted(changes, key=lambda change: (change.at, change.id))),
        unhealthy=frozenset(name for name, signal in signals.items() if not signal.healthy),
        healthy=frozenset(name for name, signal in signals.items() if signal.healthy),
        catalog=catalog,
        placed=len(placed) / len(told) if told else 1.0,
    )


def symptom_of(alert: Alert, service: str, catalog: Catalog) -> Symptom:
    known = catalog.services.get(service)
    points_at = _named(alert, known.depends_on if known else ())
    kind = SymptomKind.DEPENDENCY if points_at else _kind(alert)
    return Symptom(alert.id, service, alert.title, kind, points_at, alert.starts_at)


def _named(alert: Alert, dependencies: tuple[str, ...]) -> str | None:
    """The dependency that the alert names, in a label of its own or in its words."""
    values = {value for key, value in alert.labels.items() if key != "service"}
    for name in dependencies:
        if name in values or re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", f"{alert.title} {alert.summary}"):
            return name
    return None


def _kind(alert: Alert) -> SymptomKind:
    text = f"{alert.labels.get('alertname', '')} {alert.title}".lower()
    return next((kind for kind, words in _WORDS if any(word in text for word in words)), SymptomKind.OTHER)
