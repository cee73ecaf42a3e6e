"""Decides which candidate each new alert belongs to, or that a new candidate opens: pure, and the same every time.

1. group: each alert joins what it matches among live candidates and groups of new alerts; new groups that an alert
   connects become one. Candidates never merge: people may be working on them.
2. judge: a group opens a candidate when it holds a critical or high alert, or two of medium; else its alerts wait.
3. explain: each alert's reason is the best match among what was there before it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from handrail.domain.alert import Severity
from handrail.domain.candidate import Member
from handrail.domain.catalog import Catalog
from handrail.domain.suggest import suggest_severity, suggest_title, worse
from handrail.kernel.limits import LIMITS, Limits
from handrail.signals.relation import Hit, Match, Pair, RecentChange, Symptom, Topology

_WEIGHT = {Severity.CRITICAL: 2, Severity.HIGH: 2, Severity.MEDIUM: 1, Severity.LOW: 0, Severity.INFO: 0}
_OPENS_AT = 2


@dataclass(frozen=True)
class Live:
    """A candidate that alerts may join, with what its alerts so far say."""

    id: str
    hits: tuple[Hit, ...]
    count: int
    started_at: datetime
    titles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placed:
    """Alerts that join a candidate (`candidate_id`) or open one (None), and what the candidate becomes by them."""

    candidate_id: str | None
    members: tuple[Member, ...]
    services: tuple[str, ...]
    suggested_severity: str
    severity_reason: str
    title: str
    started_at: datetime
    trace: str | None


@dataclass(frozen=True)
class Decided:
    placed: tuple[Placed, ...]
    waiting: tuple[str, ...]


@dataclass(eq=False)
class _Group:
    """Alerts that belong together: with a live candidate, or new."""

    order: int
    live: Live | None
    hits: dict[str | None, Hit]
    symptoms: list[Symptom] = field(default_factory=list)

    def take(self, symptom: Symptom) -> None:
        self.symptoms.append(symptom)
        self.hits[symptom.service] = _joined(self.hits.get(symptom.service), _hit(symptom))

    def opens(self) -> bool:
        return sum(_WEIGHT[symptom.severity] for symptom in self.symptoms) >= _OPENS_AT


def correlate(
    catalog: Catalog,
    changes: Sequence[RecentChange],
    live: Sequence[Live],
    symptoms: Iterable[Symptom],
    limits: Limits = LIMITS,
) -> Decided:
    """Place every symptom, or let it wait for another."""
    topology = Topology(catalog, changes, limits.correlation_window, limits.change_window)
    groups = _Groups(topology, sorted(live, key=lambda one: (one.started_at, one.id)))
    for symptom in sorted(symptoms, key=lambda one: (one.since, one.id)):
        groups.add(symptom)
    placed, waiting = [], []
    for group in groups.with_symptoms():
        if group.live is not None or group.opens():
            placed.append(_place(topology, group))
        else:
            waiting += [symptom.id for symptom in group.symptoms]
    return Decided(tuple(placed), tuple(waiting))


class _Groups:
    """All groups, found by the services and labels they hold, so that each alert meets only those it may belong to."""

    def __init__(self, topology: Topology, live: Sequence[Live]) -> None:
        self._topology = topology
        self._all: list[_Group] = []
        self._by_service: dict[str | None, dict[_Group, None]] = {}
        self._by_pair: dict[Pair, dict[_Group, None]] = {}
        for one in live:
            self._start(one, {hit.service: hit for hit in one.hits})

    def add(self, symptom: Symptom) -> None:
        matching = [
            (score, group) for group in self._possible(symptom) if (score := self._best(symptom, group)) is not None
        ]
        if not matching:
            group = self._start(None, {})
        else:
            # The best match among candidates wins over any new group: what people see already grows.
            _, group = max(matching, key=lambda item: (item[1].live is not None, item[0], -item[1].order))
            for _, other in matching:
                if other is not group and other.live is None:
                    self._absorb(group, other)
        group.take(symptom)
        self._index(group, symptom.service, symptom.pairs)

    def with_symptoms(self) -> list[_Group]:
        return [group for group in self._all if group.symptoms]

    def _best(self, symptom: Symptom, group: _Group) -> int | None:
        scores = [self._topology.score(symptom, hit) for hit in group.hits.values()]
        return max((score for score in scores if score is not None), default=None)

    def _possible(self, symptom: Symptom) -> list[_Group]:
        known = self._topology.knows(symptom.service)
        services = self._topology.near(symptom.service) if known and symptom.service else [symptom.service]
        found = chain(
            chain.from_iterable(self._by_service.get(service, ()) for service in services),
            chain.from_iterable(self._by_pair.get(pair, ()) for pair in symptom.pairs),
        )
        return sorted(set(found), key=lambda group: group.order)

    def _start(self, live: Live | None, hits: dict[str | None, Hit]) -> _Group:
        group = _Group(len(self._all), live, hits)
        self._all.append(group)
        for hit in hits.values():
            self._index(group, hit.service, hit.pairs)
        return group

    def _absorb(self, group: _Group, other: _Group) -> None:
        group.symptoms += other.symptoms
        for service, hit in other.hits.items():
            group.hits[service] = _joined(group.hits.get(service), hit)
            self._index(group, service, hit.pairs)
        other.symptoms, other.hits = [], {}

    def _index(self, group: _Group, service: str | None, pairs: Iterable[Pair]) -> None:
        self._by_service.setdefault(service, {})[group] = None
        for pair in pairs:
            self._by_pair.setdefault(pair, {})[group] = None


def _hit(symptom: Symptom) -> Hit:
    return Hit(symptom.service, symptom.severity, symptom.since, symptom.since, symptom.pairs)


def _joined(one: Hit | None, other: Hit) -> Hit:
    if one is None:
        return other
    return Hit(
        one.service,
        worse(one.severity, other.severity),
        min(one.first_at, other.first_at),
        max(one.active_at, other.active_at),
        one.pairs | other.pairs if other.pairs - one.pairs else one.pairs,
    )


def _place(topology: Topology, group: _Group) -> Placed:
    live = group.live
    symptoms = sorted(group.symptoms, key=lambda one: (one.since, one.id))
    worst = {service: hit.severity for service, hit in group.hits.items()}
    severity, why = suggest_severity(topology.catalog, worst)
    count = len(symptoms) + (live.count if live else 0)
    titles = chain(live.titles if live else (), (symptom.title for symptom in symptoms))
    started_at = min([symptoms[0].since, *([live.started_at] if live else [])])
    return Placed(
        live.id if live else None,
        tuple(_explain(topology, group, symptoms)),
        tuple(sorted(service for service in worst if service is not None)),
        severity,
        why,
        suggest_title(topology.catalog, worst, titles, count),
        started_at,
        next((symptom.trace for symptom in symptoms if symptom.trace), None),
    )


def _explain(topology: Topology, group: _Group, symptoms: Sequence[Symptom]) -> Iterable[Member]:
    """Each alert with the best match among what was there before it; the first of all began it."""
    before = {hit.service: hit for hit in group.live.hits} if group.live else {}
    for symptom in symptoms:
        match = _strongest(topology, symptom, before.values())
        if match is None and before:
            later = (hit for hit in group.hits.values() if hit.service != symptom.service)
            match = _strongest(topology, symptom, later)
        match = match or _beginning(symptom)
        yield Member(symptom.id, symptom.service, symptom.title, match.reason, match.score)
        before[symptom.service] = _joined(before.get(symptom.service), _hit(symptom))


def _strongest(topology: Topology, symptom: Symptom, hits: Iterable[Hit]) -> Match | None:
    best, found = -1, None
    for hit in hits:
        score = topology.score(symptom, hit)
        if score is not None and score > best:
            best, found = score, hit
    return topology.match(symptom, found) if found is not None else None


def _beginning(symptom: Symptom) -> Match:
    where = f" on {symptom.service}" if symptom.service else ""
    after = f"; {symptom.earlier}" if symptom.earlier else ""
    return Match(100, f"First symptom: a {symptom.severity} alert{where}{after}.")
