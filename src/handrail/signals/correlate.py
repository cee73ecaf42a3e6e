"""Decides which candidate each new alert belongs to, or that a new candidate opens: pure, and the same every time.

1. group: each alert joins what it matches among live candidates and groups of new alerts; new groups that an alert
   connects become one. Candidates never merge: people may be working on them.
2. judge: a group opens a candidate when it holds a critical or high alert, or two of medium; else its alerts wait.
3. explain: each alert's reason is the best match among what was there before it.

What a person said of such alerts goes before everything else. What was learned from earlier incidents only brings an
alert in where nothing else does, and never makes two groups one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain

from handrail.domain.alert import Severity
from handrail.domain.candidate import Member
from handrail.domain.correction import Corrections, Verdict
from handrail.domain.kind import Kind
from handrail.domain.suggest import suggest_severity, suggest_title, worse
from handrail.kernel.limits import LIMITS, Limits
from handrail.signals.learned import Companion, Learned
from handrail.signals.relation import (
    Hit,
    Links,
    Match,
    Pair,
    RecentChange,
    Symptom,
    Topology,
    gap_to,
    joined_words,
    sentence,
    span_words,
)

_WEIGHT = {Severity.CRITICAL: 2, Severity.HIGH: 2, Severity.MEDIUM: 1, Severity.LOW: 0, Severity.INFO: 0}
_OPENS_AT = 2
_PERSON_POINTS, _TIME_POINTS = 70, 30


@dataclass(frozen=True)
class Live:
    """A candidate that alerts may join, with what its alerts so far say."""

    id: str
    hits: tuple[Hit, ...]
    count: int
    started_at: datetime
    titles: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset()


@dataclass(frozen=True)
class Memory:
    """What is known beyond the moment: the catalogue's links, what people corrected, what earlier incidents taught."""

    links: Links
    corrections: Corrections = field(default_factory=Corrections)
    learned: Learned = field(default_factory=Learned)

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        """The kinds that anything is known of; alerts of all the others need no look at them."""
        return frozenset(self.corrections.by_kind) | frozenset(self.learned.companions)


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
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True)
class Decided:
    placed: tuple[Placed, ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class _Bond:
    """How a symptom is bound to a group. Only what `fuses` may make two new groups one."""

    score: int
    fuses: bool = True
    by_person: bool = False


@dataclass(eq=False)
class _Group:
    """Alerts that belong together: with a live candidate, or new."""

    order: int
    live: Live | None
    hits: dict[str | None, Hit]
    kinds: dict[Kind, None]
    symptoms: list[Symptom] = field(default_factory=list)

    @property
    def candidate_id(self) -> str | None:
        return self.live.id if self.live else None

    def take(self, symptom: Symptom) -> None:
        self.symptoms.append(symptom)
        self.hits[symptom.service] = _joined(self.hits.get(symptom.service), _hit(symptom))
        if symptom.kind is not None:
            self.kinds[symptom.kind] = None

    def opens(self) -> bool:
        return sum(_WEIGHT[symptom.severity] for symptom in self.symptoms) >= _OPENS_AT


def correlate(
    memory: Memory,
    changes: Sequence[RecentChange],
    live: Sequence[Live],
    symptoms: Iterable[Symptom],
    limits: Limits = LIMITS,
) -> Decided:
    """Place every symptom, or let it wait for another."""
    topology = Topology(
        memory.links, changes, limits.correlation_window, limits.change_window, limits.correlation_slow_window
    )
    groups = _Groups(topology, memory, sorted(live, key=lambda one: (one.started_at, one.id)))
    for symptom in sorted(symptoms, key=lambda one: (one.since, one.id)):
        groups.add(symptom)
    placed, waiting = [], []
    for group in groups.with_symptoms():
        if group.live is not None or group.opens():
            placed.append(_place(groups, group))
        else:
            waiting += [symptom.id for symptom in group.symptoms]
    return Decided(tuple(placed), tuple(waiting))


class _Groups:
    """All groups, found by the services, labels and kinds they hold, so that each alert meets only those it may belong
    to."""

    def __init__(self, topology: Topology, memory: Memory, live: Sequence[Live]) -> None:
        self.topology = topology
        self.memory = memory
        self.kinds = memory.kinds
        self.kept_apart: dict[str, Verdict] = {}
        self._all: list[_Group] = []
        self._by_service: dict[str | None, dict[_Group, None]] = {}
        self._by_pair: dict[Pair, dict[_Group, None]] = {}
        self._by_pair_of_unknown: dict[Pair, dict[_Group, None]] = {}
        self._by_kind: dict[Kind | None, dict[_Group, None]] = {}
        self._by_id: dict[str, _Group] = {}
        for one in live:
            group = self._start(one, {hit.service: hit for hit in one.hits})
            self._by_id[one.id] = group
            group.kinds |= dict.fromkeys(one.kinds)
            for kind in one.kinds & self.kinds:
                self._index_kind(group, kind)

    def add(self, symptom: Symptom) -> None:
        matching = [
            (bond, group) for group in self._possible(symptom) if (bond := self._bond(symptom, group)) is not None
        ]
        if not matching:
            group = self._start(None, {})
        else:
            bond, group = max(matching, key=_preference)
            for other_bond, other in matching:
                if other is not group and other.live is None and bond.fuses and other_bond.fuses:
                    self._absorb(group, other)
        group.take(symptom)
        self._index(group, symptom.service, symptom.pairs)
        if symptom.kind is not None and self.kinds:
            self._index_kind(group, symptom.kind)

    def with_symptoms(self) -> list[_Group]:
        return [group for group in self._all if group.symptoms]

    def _bond(self, symptom: Symptom, group: _Group) -> _Bond | None:
        """What binds a symptom to a group: a person's word, else the best of its hits, else what was learned."""
        score = self._best(symptom, group)
        if symptom.kind not in self.kinds:
            return None if score is None else _Bond(score)
        said = self.memory.corrections.verdict(symptom.kind, group.kinds, group.candidate_id)
        if said is not None and not said.together:
            if score is not None:
                self.kept_apart[symptom.id] = said
            return None
        if said is not None:
            by_person = self.score_by_person(said, symptom, group.hits)
            if by_person is not None:
                return _Bond(max(by_person, score or 0), by_person=True)
        if score is not None:
            return _Bond(score)
        companion = self.companion(symptom, group.kinds)
        gap = gap_to(symptom, group.hits)
        if companion is None or gap > self.topology.window:
            return None
        return _Bond(companion.points + round(_TIME_POINTS * (1 - gap / self.topology.window)), fuses=False)

    def companion(self, symptom: Symptom, kinds: Iterable[Kind]) -> Companion | None:
        """What was learned best of the symptom's kind and one of these."""
        known = self.memory.learned.of(symptom.kind)
        found = [known[kind] for kind in kinds if kind in known] if known else []
        return max(found, key=lambda one: (one.points, one.together, -one.either), default=None)

    def score_by_person(self, said: Verdict, symptom: Symptom, hits: dict[str | None, Hit]) -> int | None:
        """The score by which a person's word brings a symptom in, or None where it comes too late for it."""
        gap = gap_to(symptom, hits)
        if gap > self.topology.window:
            return _PERSON_POINTS if said.here else None
        return _PERSON_POINTS + round(_TIME_POINTS * (1 - gap / self.topology.window))

    def _best(self, symptom: Symptom, group: _Group) -> int | None:
        hits = self.topology.plausible(symptom, group.hits)
        return max((score for hit in hits if (score := self.topology.score(symptom, hit)) is not None), default=None)

    def _possible(self, symptom: Symptom) -> list[_Group]:
        links = self.topology.links
        known = links.knows(symptom.service)
        services: Iterable[str | None] = [symptom.service]
        if known and symptom.service:
            near = links.near(symptom.service)
            # Whichever is fewer: the services near this one, or all that are alerting.
            few = len(self._by_service) < len(near)
            services = [service for service in self._by_service if service in near] if few else near
        # Between two services that the catalogue knows, labels prove nothing that their connection does not.
        by_pair = self._by_pair_of_unknown if known else self._by_pair
        found = set(
            chain(
                chain.from_iterable(self._by_service.get(service, ()) for service in services),
                chain.from_iterable(by_pair.get(pair, ()) for pair in symptom.pairs),
            )
        )
        if symptom.kind in self.kinds:
            corrections = self.memory.corrections
            for kind in chain([symptom.kind], corrections.partners(symptom.kind), self.memory.learned.of(symptom.kind)):
                found.update(self._by_kind.get(kind, ()))
            found.update(self._by_id[one] for one in corrections.places(symptom.kind) if one in self._by_id)
        return sorted(found, key=lambda group: group.order)

    def _start(self, live: Live | None, hits: dict[str | None, Hit]) -> _Group:
        group = _Group(len(self._all), live, hits, {})
        self._all.append(group)
        for hit in hits.values():
            self._index(group, hit.service, hit.pairs)
        return group

    def _absorb(self, group: _Group, other: _Group) -> None:
        if self.memory.corrections.are_apart(group.kinds, other.kinds):
            return
        group.symptoms += other.symptoms
        for service, hit in other.hits.items():
            group.hits[service] = _joined(group.hits.get(service), hit)
            self._index(group, service, hit.pairs)
        for kind in other.kinds:
            group.kinds[kind] = None
            self._index_kind(group, kind)
        other.symptoms, other.hits, other.kinds = [], {}, {}

    def _index(self, group: _Group, service: str | None, pairs: Iterable[Pair]) -> None:
        self._by_service.setdefault(service, {})[group] = None
        unknown = not self.topology.links.knows(service)
        for pair in pairs:
            self._by_pair.setdefault(pair, {})[group] = None
            if unknown:
                self._by_pair_of_unknown.setdefault(pair, {})[group] = None

    def _index_kind(self, group: _Group, kind: Kind) -> None:
        if kind in self.kinds:
            self._by_kind.setdefault(kind, {})[group] = None


def _preference(bound: tuple[_Bond, _Group]) -> tuple[bool, bool, int, int]:
    """A person's word first; then the best match among candidates wins over any new group: what people see already
    grows."""
    bond, group = bound
    return bond.by_person, group.live is not None, bond.score, -group.order


def _hit(symptom: Symptom) -> Hit:
    return Hit(symptom.service, symptom.severity, symptom.since, symptom.since, symptom.pairs, symptom.words)


def _joined(one: Hit | None, other: Hit) -> Hit:
    if one is None:
        return other
    return Hit(
        one.service,
        worse(one.severity, other.severity),
        min(one.first_at, other.first_at),
        max(one.active_at, other.active_at),
        one.pairs if other.pairs <= one.pairs else one.pairs | other.pairs,
        joined_words(one.words, other.words),
    )


def _place(groups: _Groups, group: _Group) -> Placed:
    live, catalog = group.live, groups.topology.catalog
    symptoms = sorted(group.symptoms, key=lambda one: (one.since, one.id))
    worst = {service: hit.severity for service, hit in group.hits.items()}
    severity, why = suggest_severity(catalog, worst)
    count = len(symptoms) + (live.count if live else 0)
    titles = chain(live.titles if live else (), (symptom.title for symptom in symptoms))
    started_at = min([symptoms[0].since, *([live.started_at] if live else [])])
    before = live.kinds if live else frozenset()
    return Placed(
        live.id if live else None,
        tuple(_explain(groups, group, symptoms)),
        tuple(sorted(service for service in worst if service is not None)),
        severity,
        why,
        suggest_title(catalog, worst, titles, count),
        started_at,
        next((symptom.trace for symptom in symptoms if symptom.trace), None),
        tuple(dict.fromkeys(one.kind for one in symptoms if one.kind is not None and one.kind not in before)),
    )


def _explain(groups: _Groups, group: _Group, symptoms: Sequence[Symptom]) -> Iterable[Member]:
    """Each alert with the best match among what was there before it; the first of all began it."""
    before = {hit.service: hit for hit in group.live.hits} if group.live else {}
    kinds: dict[Kind, None] = dict.fromkeys(group.live.kinds) if group.live else {}
    for symptom in symptoms:
        match = _why(groups, group, symptom, before, kinds)
        if match is None and before:
            later = {hit.service: hit for hit in group.hits.values() if hit.service != symptom.service}
            match = _why(groups, group, symptom, later, group.kinds)
        match = match or _beginning(symptom, groups.kept_apart.get(symptom.id))
        yield Member(symptom.id, symptom.service, symptom.title, match.reason, match.score)
        before[symptom.service] = _joined(before.get(symptom.service), _hit(symptom))
        if symptom.kind is not None and groups.kinds:
            kinds[symptom.kind] = None


def _why(
    groups: _Groups, group: _Group, symptom: Symptom, hits: dict[str | None, Hit], kinds: dict[Kind, None]
) -> Match | None:  # fmt: skip
    """Why a symptom belongs to these hits: what the moment says, with a person's word or else with what was learned."""
    if symptom.kind not in groups.kinds:
        return _strongest(groups.topology, symptom, hits)
    said = groups.memory.corrections.verdict(symptom.kind, kinds, group.candidate_id) if hits else None
    by_person = groups.score_by_person(said, symptom, hits) if said is not None and said.together else None
    spoken = [_told(said)] if said is not None and by_person is not None else []
    apart = groups.kept_apart.get(symptom.id)
    match = _strongest(groups.topology, symptom, hits, *spoken, *([_told(apart)] if apart else []))
    if by_person is not None and match is not None:
        return Match(max(match.score, by_person), match.reason)
    if by_person is not None:
        return Match(by_person, sentence([*_capital(spoken), _when(symptom, hits), symptom.earlier]))
    if match is not None or not hits:
        return match
    companion, gap = groups.companion(symptom, kinds), gap_to(symptom, hits)
    if companion is None or gap > groups.topology.window:
        return None
    score = companion.points + round(_TIME_POINTS * (1 - gap / groups.topology.window))
    return Match(score, sentence([*_capital([companion.words]), _when(symptom, hits), symptom.earlier]))


def _strongest(topology: Topology, symptom: Symptom, hits: dict[str | None, Hit], *more: str) -> Match | None:
    best, found = -1, None
    for hit in topology.plausible(symptom, hits):
        score = topology.score(symptom, hit)
        if score is not None and score > best:
            best, found = score, hit
    return topology.match(symptom, found, best, *more) if found is not None else None


def _told(said: Verdict) -> str:
    """A person's word as a part of a sentence."""
    day = f"{said.at.day} {said.at:%B %Y}"
    if said.together:
        return f"a person put such an alert {'here' if said.here else 'with such alerts'} on {day}"
    return f"kept apart from {said.other.words}, as a person did on {day}" if said.other else ""


def _when(symptom: Symptom, hits: dict[str | None, Hit]) -> str:
    gap = gap_to(symptom, hits)
    return f"{span_words(gap)} apart" if gap else "at the same time"


def _capital(parts: Sequence[str]) -> list[str]:
    return [part[:1].upper() + part[1:] for part in parts]


def _beginning(symptom: Symptom, apart: Verdict | None) -> Match:
    where = f" on {symptom.service}" if symptom.service else ""
    return Match(
        100,
        sentence([f"First symptom: a {symptom.severity} alert{where}", _told(apart) if apart else "", symptom.earlier]),
    )
