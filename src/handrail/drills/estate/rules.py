"""The alert rules of the estate, as data, and how one alert comes and goes. Pure.

A rule looks at a window shorter than its hold: one stall of a busy machine leaves the window before the hold is over,
so only what lasts becomes an alert.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from handrail.drills.estate.topology import Spec
from handrail.drills.estate.window import Measures

WINDOW_SECONDS = 1.5
QUIET_SECONDS = 1.0


@dataclass(frozen=True)
class Rule:
    """Alert `name` fires when the measure `of` has been at `limit` or above for `hold_seconds`.

    `says` is the sentence for people; `{service}`, `{dependency}`, `{value}` and `{limit}` stand for the facts.
    """

    name: str
    of: str
    limit: float
    hold_seconds: float
    severity: str
    says: str
    unit: str = ""


RULES: tuple[Rule, ...] = (
    Rule("HighErrorRate", "error_rate", 0.10, 2.0, "critical", "{service} fails {value} of its requests", "%"),
    Rule("HighLatencyP95", "p95_seconds", 0.5, 2.5, "warning", "{service} answers slowly: p95 is {value}", "s"),
    Rule(
        "ConnectionPoolExhausted", "pool_share", 1.0, 1.0, "critical",
        "{service} has every connection to {dependency} in use ({value} of the pool)", "%",
    ),
    Rule(
        "RequestsQueueing", "pool_waiting", 3.0, 1.5, "warning",
        "{value} requests of {service} wait for a connection to {dependency}",
    ),
    Rule("RequestsPilingUp", "in_flight", 10.0, 2.0, "warning", "{service} has {value} requests open at once"),
    Rule(
        "DependencyErrors", "call_error_rate", 0.10, 2.0, "warning",
        "{value} of the calls from {service} to {dependency} fail", "%",
    ),
    Rule("HighCpu", "cpu_share", 0.7, 2.0, "warning", "{service} uses {value} of a processor", "%"),
    Rule("ServiceDown", "down", 1.0, 2.5, "critical", "{service} does not answer its monitor"),
)  # fmt: skip


def value_of(rule: Rule, measures: Measures) -> float | None:
    """The measure that the rule looks at."""
    value: float | None = getattr(measures, rule.of)
    return value


def holds(rule: Rule, measures: Measures) -> bool:
    """Whether the symptom is there now. What is not known is not a symptom."""
    value = value_of(rule, measures)
    return value is not None and value >= rule.limit


def symptoms(measures: Measures) -> tuple[str, ...]:
    """The names of all rules whose symptom is there now."""
    return tuple(rule.name for rule in RULES if holds(rule, measures))


@dataclass(frozen=True)
class Phase:
    """Where one alert stands. Seconds never step; `starts_at` is set while it fires, `ends_at` once it ended."""

    pending_since: float | None = None
    quiet_since: float | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def firing(self) -> bool:
        return self.starts_at is not None and self.ends_at is None


def step(phase: Phase, rule: Rule, there: bool, seconds: float, now: datetime) -> Phase:
    """The phase after one more look: quiet, pending through the hold, firing, and ended after a short quiet."""
    if phase.firing:
        if there:
            return replace(phase, quiet_since=None)
        quiet_since = phase.quiet_since if phase.quiet_since is not None else seconds
        ended = seconds - quiet_since >= QUIET_SECONDS
        return replace(phase, quiet_since=quiet_since, ends_at=now if ended else None)
    if not there:
        return replace(phase, pending_since=None)
    pending_since = phase.pending_since if phase.pending_since is not None else seconds
    if seconds - pending_since >= rule.hold_seconds:
        return Phase(starts_at=now)
    return replace(phase, pending_since=pending_since)


def labels_of(rule: Rule, spec: Spec, instance: str) -> dict[str, str]:
    """The labels that make the alert's identity: they do not change while it lasts."""
    labels = {
        "alertname": rule.name,
        "service": spec.name,
        "severity": rule.severity,
        "instance": instance,
        "environment": "production",
        "team": spec.owner,
    }
    if "{dependency}" in rule.says:
        labels["dependency"] = spec.dependency
    return labels


def annotations_of(rule: Rule, spec: Spec, value: float | None) -> dict[str, str]:
    """The words of the alert with the value last seen."""
    facts: Mapping[str, str] = {
        "service": spec.title, "dependency": spec.dependency, "value": _shown(value, rule.unit),
    }  # fmt: skip
    return {
        "summary": rule.says.format(**facts) + ".",
        "description": f"{rule.of} has been at or above {_shown(rule.limit, rule.unit)} for {rule.hold_seconds:g} s "
        f"(looked at over {WINDOW_SECONDS:g} s).",
    }


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return "an unknown share" if unit else "unknown"
    if unit == "%":
        return f"{value * 100:.0f} %"
    return f"{value:.2f} {unit}" if unit else f"{value:.0f}"
