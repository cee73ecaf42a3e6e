"""How strongly a new alert belongs to services that are alerting already: topology, time, labels and changes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from handrail.domain.alert import Severity
from handrail.domain.catalog import Catalog
from handrail.domain.suggest import list_words

Pair = tuple[str, str]

# Labels that say what or how bad, or that everything in one place carries, tell nothing of a common cause.
_PLAIN_LABELS = frozenset(
    {
        "alertname", "severity", "priority", "level", "service", "service_name", "job", "app", "application",
        "component", "environment", "env", "prometheus", "monitor", "receiver", "source", "handrail_labels_dropped",
    }
)  # fmt: skip
_POINTS = {"same": 50, "adjacent": 40, "connected": 30, "sibling": 15}
_TIME_POINTS, _LABEL_POINTS, _LABEL_POINTS_MAX, _CHANGE_POINTS = 30, 5, 15, 10
_LABELS_ALONE, _LABELS_ALONE_POINTS = 2, 30


_NO_TIME = timedelta(0)


@dataclass(frozen=True)
class Symptom:
    """A new alert as correlation sees it. `since` is when it began, `earlier` what became of a former candidate."""

    id: str
    service: str | None
    severity: Severity
    title: str
    since: datetime
    pairs: frozenset[Pair] = frozenset()
    trace: str | None = None
    earlier: str = ""


@dataclass(frozen=True)
class RecentChange:
    service: str | None
    title: str
    at: datetime


@dataclass(frozen=True)
class Hit:
    """The alerts on one service taken together: from when to when they were open, how bad, which labels."""

    service: str | None
    severity: Severity
    first_at: datetime
    active_at: datetime
    pairs: frozenset[Pair] = frozenset()


@dataclass(frozen=True)
class Match:
    """A symptom belongs to a hit: 0 to 100, and why as a sentence."""

    score: int
    reason: str


def telling_pairs(labels: Mapping[str, str]) -> frozenset[Pair]:
    """The labels that two alerts of one cause may share."""
    return frozenset((name, value) for name, value in labels.items() if value and name not in _PLAIN_LABELS)


@dataclass
class Topology:
    """The catalogue with what was asked of it before, and the changes that may be a common cause."""

    catalog: Catalog
    changes: Sequence[RecentChange] = ()
    window: timedelta = timedelta(minutes=10)
    change_window: timedelta = timedelta(minutes=30)
    _below: dict[str, frozenset[str]] = field(default_factory=dict)
    _near: dict[str, frozenset[str]] = field(default_factory=dict)
    _links: dict[tuple[str | None, str | None], tuple[str | None, str]] = field(default_factory=dict)

    def knows(self, service: str | None) -> bool:
        return service is not None and service in self.catalog.services

    def near(self, service: str) -> frozenset[str]:
        """Every service with which this one can share a cause: those it reaches, those that reach it, siblings."""
        found = self._near.get(service)
        if found is None:
            below = self._reach(service)
            siblings = {other for other in self.catalog.services if below & self._reach(other)} if below else set()
            found = frozenset({service} | below | self.catalog.dependents(service) | siblings)
            self._near[service] = found
        return found

    def score(self, symptom: Symptom, hit: Hit) -> int | None:
        """How well the symptom belongs to the hit, 0 to 100, or None where it does not. Most pairs do not, so what
        rules out is asked in the order of its cost."""
        kind, _ = self._topology(symptom.service, hit.service)
        if kind is None and self._is_apart(symptom.service, hit.service):
            return None
        shared = len(symptom.pairs & hit.pairs)
        if kind is None and shared < _LABELS_ALONE:
            return None
        gap = _gap(symptom.since, hit)
        if gap > self.window:
            return None
        change = self._change(symptom, hit) if kind else None
        if kind == "sibling" and not shared and change is None:
            return None
        points = _POINTS[kind] if kind else _LABELS_ALONE_POINTS
        points += round(_TIME_POINTS * (1 - gap / self.window))
        points += min(_LABEL_POINTS_MAX, _LABEL_POINTS * shared) + (_CHANGE_POINTS if change else 0)
        return min(points, 100)

    def match(self, symptom: Symptom, hit: Hit) -> Match | None:
        """The score with the sentence that says why, or None."""
        score = self.score(symptom, hit)
        if score is None:
            return None
        kind, phrase = self._topology(symptom.service, hit.service)
        shared = sorted(symptom.pairs & hit.pairs)
        change = self._change(symptom, hit) if kind else None
        return Match(score, _sentence(phrase, _gap(symptom.since, hit), shared, symptom, change))

    def _reach(self, service: str) -> frozenset[str]:
        found = self._below.get(service)
        if found is None:
            found = self._below[service] = self.catalog.dependencies(service)
        return found

    def _is_apart(self, one: str | None, other: str | None) -> bool:
        """Two services that the catalogue knows and does not connect: shared labels prove nothing then."""
        return one != other and self.knows(one) and self.knows(other)

    def _topology(self, one: str | None, other: str | None) -> tuple[str | None, str]:
        """The kind of connection, if there is one, and how a sentence tells it."""
        found = self._links.get((one, other))
        if found is None:
            found = self._links[one, other] = self._link(one, other)
        return found

    def _link(self, one: str | None, other: str | None) -> tuple[str | None, str]:
        if one is None or other is None:
            return None, "It names no service that is alerting"
        if one == other:
            return "same", f"{one} is alerting already"
        services = self.catalog.services
        for caller, called in ((one, other), (other, one)):
            if caller in services and called in services[caller].depends_on:
                return "adjacent", f"{caller} calls {called}"
        for caller, called in ((one, other), (other, one)):
            if called in self._reach(caller):
                return "connected", f"{caller} depends on {called}"
        common = sorted(self._reach(one) & self._reach(other))
        if common:
            return "sibling", f"{one} and {other} both depend on {common[0]}"
        return None, f"{one} is not connected with {other} in the catalogue"

    def _change(self, symptom: Symptom, hit: Hit) -> RecentChange | None:
        """The newest change shortly before, on a service that both are or depend on."""
        found = None
        for change in self.changes:
            if change.service is None or not _NO_TIME <= symptom.since - change.at <= self.change_window:
                continue
            reached = all(
                change.service == service or (service is not None and change.service in self._reach(service))
                for service in (symptom.service, hit.service)
            )
            if reached and (found is None or change.at > found.at):
                found = change
        return found


def _gap(since: datetime, hit: Hit) -> timedelta:
    if since > hit.active_at:
        return since - hit.active_at
    return hit.first_at - since if since < hit.first_at else _NO_TIME


def _sentence(
    phrase: str, gap: timedelta, shared: Sequence[Pair], symptom: Symptom, change: RecentChange | None
) -> str:  # fmt: skip
    parts = [phrase]
    parts.append(f"{span_words(gap)} apart" if gap else "at the same time")
    if shared:
        parts.append("both carry " + list_words([f"{name}={value}" for name, value in shared[:2]]))
    if change is not None:
        parts.append(f"{span_words(symptom.since - change.at)} after “{change.title}”")
    if symptom.earlier:
        parts.append(symptom.earlier)
    return "; ".join(parts) + "."


def span_words(span: timedelta) -> str:
    """A span as people say it: seconds below two minutes, else minutes."""
    seconds = int(span.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
