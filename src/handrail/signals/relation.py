"""How strongly a new alert belongs to services that are alerting already: topology, time, labels, words and changes.

Pure. What is asked of the catalogue alone is remembered in `Links`, which outlives a batch; what the moment says is in
`Topology`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from handrail.domain.alert import Alert, Severity
from handrail.domain.catalog import Catalog
from handrail.domain.kind import Kind
from handrail.domain.suggest import list_words
from handrail.kernel.limits import LIMITS, Limits

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
_WORD_POINTS, _WORD_POINTS_MAX = 5, 10
_LABELS_ALONE, _LABELS_ALONE_POINTS = 2, 30
_WORD = re.compile(r"[a-z0-9][a-z0-9._/:@-]*[a-z0-9]")
_WORDS_READ, _WORD_CHARS_MIN, _TEXT_CHARS, _WORDS_KEPT = 12, 3, 600, 128
_DOTS_OF_ADDRESS = 3
_NO_WORDS: frozenset[str] = frozenset()
_NO_TIME = timedelta(0)
_SLOW_KINDS = ("same", "adjacent", "connected")


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
    kind: Kind | None = None
    words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RecentChange:
    service: str | None
    title: str
    at: datetime


@dataclass(frozen=True)
class Hit:
    """The alerts on one service taken together: from when to when they were open, how bad, which labels and words."""

    service: str | None
    severity: Severity
    first_at: datetime
    active_at: datetime
    pairs: frozenset[Pair] = frozenset()
    words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Match:
    """A symptom belongs to a hit: 0 to 100, and why as a sentence."""

    score: int
    reason: str


def telling_pairs(labels: Mapping[str, str]) -> frozenset[Pair]:
    """The labels that two alerts of one cause may share."""
    return frozenset((name, value) for name, value in labels.items() if value and name not in _PLAIN_LABELS)


def telling_words(alert: Alert, catalog: Catalog) -> frozenset[str]:
    """The words of an alert's text that tell one thing from another, within a bound: services of the catalogue, names
    with a number or a sign in them (ledger-db, node7) and addresses. What its service and labels say is left out."""
    names, plain = _read(alert.title, alert.summary)
    found = [*names, *(word for word in plain if word in catalog.services)]
    if not found:
        return _NO_WORDS
    own = [value.lower() for value in (*alert.labels.values(), alert.service or "")]
    return frozenset([word for word in found if word not in own][:_WORDS_READ])


@lru_cache(maxsize=8192)
def _read(title: str, summary: str) -> tuple[list[str], list[str]]:
    """The names in a text, and its plain words."""
    names, plain = [], []
    for word in dict.fromkeys(_WORD.findall(f"{title} {summary}"[:_TEXT_CHARS].lower())):
        if word.isalpha():
            plain.append(word)
        elif _is_name(word):
            names.append(word)
    return names, plain


def _is_name(word: str) -> bool:
    return len(word) >= _WORD_CHARS_MIN and (word[0].isalpha() or word.count(".") == _DOTS_OF_ADDRESS)


def joined_words(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Both, within a bound: in a storm each alert may bring words of its own."""
    return one if len(one) >= _WORDS_KEPT or other <= one else one | other


@dataclass(eq=False)
class Links:
    """The catalogue with what was asked of it before, within a bound: it is forgotten whole and asked anew."""

    catalog: Catalog
    limits: Limits = LIMITS
    _below: dict[str, frozenset[str]] = field(default_factory=dict)
    _near: dict[str, frozenset[str]] = field(default_factory=dict)
    _kinds: dict[tuple[str, str], str | None] = field(default_factory=dict)
    _phrases: dict[tuple[str, str], str] = field(default_factory=dict)
    _held: int = 0

    def knows(self, service: str | None) -> bool:
        return service is not None and service in self.catalog.services

    def reach(self, service: str) -> frozenset[str]:
        found = self._below.get(service)
        if found is None:
            found = self.catalog.dependencies(service)
            self._hold(len(found) + 1)
            self._below[service] = found
        return found

    def _hold(self, names: int) -> None:
        self._held += names
        if self._held > self.limits.correlation_links:
            for memory in (self._below, self._near, self._kinds, self._phrases):
                memory.clear()
            self._held = names

    def near(self, service: str) -> frozenset[str]:
        """Every service with which this one can share a cause: those it reaches, those that reach it, siblings."""
        found = self._near.get(service)
        if found is None:
            below = self.reach(service)
            # Whoever depends on something that this service depends on, or on the service itself.
            others = {other for other in self.catalog.services if not self.reach(other).isdisjoint({service} | below)}
            found = frozenset({service} | below | others)
            self._hold(len(found))
            self._near[service] = found
        return found

    def kind(self, one: str | None, other: str | None) -> str | None:
        """How the catalogue connects two services: same, adjacent, connected, sibling; None where it does not."""
        if one is None or other is None:
            return None
        if one == other:
            return "same"
        found = self._kinds.get((one, other), "")
        if found == "":
            found = self._kind(one, other)
            self._hold(1)
            self._kinds[one, other] = found
        return found

    def phrase(self, one: str | None, other: str | None) -> str:
        """The connection as a sentence tells it."""
        if one is None or other is None:
            return "It names no service that is alerting"
        found = self._phrases.get((one, other))
        if found is None:
            found = self._phrase(one, other)
            self._hold(1)
            self._phrases[one, other] = found
        return found

    def _kind(self, one: str, other: str) -> str | None:
        services = self.catalog.services
        if any(a in services and b in services[a].depends_on for a, b in ((one, other), (other, one))):
            return "adjacent"
        if other in self.reach(one) or one in self.reach(other):
            return "connected"
        return None if self.reach(one).isdisjoint(self.reach(other)) else "sibling"

    def _phrase(self, one: str, other: str) -> str:
        kind = self.kind(one, other)
        if kind == "same":
            return f"{one} is alerting already"
        if kind == "adjacent":
            services = self.catalog.services
            caller = one if one in services and other in services[one].depends_on else other
            return f"{caller} calls {one if caller == other else other}"
        if kind == "connected":
            caller = one if other in self.reach(one) else other
            return f"{caller} depends on {one if caller == other else other}"
        if kind == "sibling":
            return f"{one} and {other} both depend on {min(self.reach(one) & self.reach(other))}"
        return f"{one} is not connected with {other} in the catalogue"


@dataclass
class Topology:
    """The catalogue's links, the spans that count as near in time, and the changes that may be a common cause."""

    links: Links
    changes: Sequence[RecentChange] = ()
    window: timedelta = timedelta(minutes=10)
    change_window: timedelta = timedelta(minutes=30)
    slow_window: timedelta = timedelta(hours=2)

    @property
    def catalog(self) -> Catalog:
        return self.links.catalog

    def plausible(self, symptom: Symptom, hits: Mapping[str | None, Hit]) -> Iterator[Hit]:
        """The hits to which the symptom may belong, in their order; the others need not be scored."""
        if not self.links.knows(symptom.service):
            yield from hits.values()
            return
        near = self.links.near(symptom.service or "")
        for service, hit in hits.items():
            if service in near or not self.links.knows(service):
                yield hit

    def score(self, symptom: Symptom, hit: Hit) -> int | None:
        """How well the symptom belongs to the hit, 0 to 100, or None where it does not. Most pairs do not, so what
        rules out is asked in the order of its cost."""
        kind = self.links.kind(symptom.service, hit.service)
        if kind is None and self._is_apart(symptom.service, hit.service):
            return None
        shared = len(symptom.pairs & hit.pairs)
        if kind is None and shared < _LABELS_ALONE and not self._by_one_label(symptom, hit, shared):
            return None
        gap = _gap(symptom.since, hit)
        slow = gap > self.window
        if slow and not self._is_slow(symptom, hit, kind, gap):
            return None
        change = self._change(symptom, hit) if kind and self.changes else None
        spoken = symptom.words & hit.words if symptom.words else _NO_WORDS
        if kind == "sibling" and not shared and change is None and not self._says_enough(spoken):
            return None
        points = _POINTS[kind] if kind else _LABELS_ALONE_POINTS
        points += 0 if slow else round(_TIME_POINTS * (1 - gap / self.window))
        points += min(_LABEL_POINTS_MAX, _LABEL_POINTS * shared) + (_CHANGE_POINTS if change else 0)
        if spoken:
            points += min(_WORD_POINTS_MAX, _WORD_POINTS * len(spoken))
        return min(points, 100)

    def match(self, symptom: Symptom, hit: Hit, score: int, *more: str) -> Match:
        """A score of theirs with the sentence that says why; `more` ends it."""
        gap = _gap(symptom.since, hit)
        parts = [self.links.phrase(symptom.service, hit.service)]
        if gap > self.window:
            parts.append(f"it had been firing for {span_words(gap)} by then and still is")
        else:
            parts.append(f"{span_words(gap)} apart" if gap else "at the same time")
        shared = sorted(symptom.pairs & hit.pairs)
        if shared:
            parts.append("both carry " + list_words([f"{name}={value}" for name, value in shared[:2]]))
        spoken = sorted(symptom.words & hit.words)
        if spoken:
            parts.append("both speak of " + list_words(spoken[:2]))
        change = self._change(symptom, hit) if self.links.kind(symptom.service, hit.service) else None
        if change is not None:
            parts.append(f"{span_words(symptom.since - change.at)} after “{change.title}”")
        return Match(score, sentence([*parts, *more, symptom.earlier]))

    def _by_one_label(self, symptom: Symptom, hit: Hit, shared: int) -> bool:
        """One telling label is enough where the texts speak of two of the same things."""
        return shared == 1 and len(symptom.words & hit.words) >= _LABELS_ALONE

    def _says_enough(self, spoken: frozenset[str]) -> bool:
        """Whether words alone bind siblings: they name a service, or two things."""
        return len(spoken) > 1 or any(word in self.catalog.services for word in spoken)

    def _is_slow(self, symptom: Symptom, hit: Hit, kind: str | None, gap: timedelta) -> bool:
        """An alert that began long before the hit and still fires: what burned slowly until it broke something."""
        return kind in _SLOW_KINDS and symptom.since < hit.first_at and gap <= self.slow_window

    def _is_apart(self, one: str | None, other: str | None) -> bool:
        """Two services that the catalogue knows and does not connect: shared labels prove nothing then."""
        return one != other and self.links.knows(one) and self.links.knows(other)

    def _change(self, symptom: Symptom, hit: Hit) -> RecentChange | None:
        """The newest change shortly before, on a service that both are or depend on."""
        found = None
        for change in self.changes:
            if change.service is None or not _NO_TIME <= symptom.since - change.at <= self.change_window:
                continue
            reached = all(
                change.service == service or (service is not None and change.service in self.links.reach(service))
                for service in (symptom.service, hit.service)
            )
            if reached and (found is None or change.at > found.at):
                found = change
        return found


def gap_to(symptom: Symptom, hits: Mapping[str | None, Hit]) -> timedelta:
    """How far in time the symptom lies from the nearest of the hits."""
    return min((_gap(symptom.since, hit) for hit in hits.values()), default=_NO_TIME)


def _gap(since: datetime, hit: Hit) -> timedelta:
    if since > hit.active_at:
        return since - hit.active_at
    return hit.first_at - since if since < hit.first_at else _NO_TIME


def sentence(parts: Sequence[str]) -> str:
    """The parts that say something, as one sentence."""
    return "; ".join(part for part in parts if part) + "."


def span_words(span: timedelta) -> str:
    """A span as people say it: seconds below two minutes, else minutes."""
    seconds = int(span.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
