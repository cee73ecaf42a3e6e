"""Which kinds of alerts came together in earlier incidents, though the catalogue does not connect their services.

Counted over the last closed incidents, each worth half after a month. Pure, and made anew from what the candidates of
those incidents remember, so that a correction by a person changes what is learned as well.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations

from handrail.domain.candidate import KindSeen
from handrail.domain.kind import Kind
from handrail.kernel.limits import LIMITS, Limits

_TOGETHER_MIN = 3
_SHARE_MIN = 0.5
_POINTS = 28
_HALF_LIFE = timedelta(days=30)


@dataclass(frozen=True)
class Past:
    """The candidate of a closed incident: which kinds of alerts it had, and when each came."""

    opened_at: datetime
    kinds: tuple[KindSeen, ...] = ()


@dataclass(frozen=True)
class Companion:
    """In `together` of the `either` incidents in which one of two kinds came, both did. `points` of 28 at most."""

    together: int
    either: int
    points: int

    @property
    def words(self) -> str:
        return f"in {self.together} of {self.either} earlier incidents both came together"


@dataclass(frozen=True)
class Learned:
    companions: Mapping[Kind, Mapping[Kind, Companion]] = field(default_factory=dict)

    def of(self, kind: Kind | None) -> Mapping[Kind, Companion]:
        """The kinds that came with this one."""
        return self.companions.get(kind, {}) if kind is not None else {}


def learn(past: Iterable[Past], now: datetime, limits: Limits = LIMITS) -> Learned:
    """Pairs of kinds of different services that came within the window in at least three incidents, in at least half
    of those that had either, and that weigh at least one incident of today."""
    alone: dict[Kind, int] = defaultdict(int)
    alone_weight: dict[Kind, float] = defaultdict(float)
    both: dict[tuple[Kind, Kind], int] = defaultdict(int)
    both_weight: dict[tuple[Kind, Kind], float] = defaultdict(float)
    for one in past:
        weight = 0.5 ** (max(now - one.opened_at, timedelta(0)) / _HALF_LIFE)
        kinds = one.kinds[: limits.learned_kinds]
        for seen in kinds:
            alone[seen.kind] += 1
            alone_weight[seen.kind] += weight
        for seen, other in combinations(sorted(kinds, key=lambda found: _order(found.kind)), 2):
            if seen.kind.service != other.kind.service and _apart(seen, other) <= limits.correlation_window:
                both[seen.kind, other.kind] += 1
                both_weight[seen.kind, other.kind] += weight
    found = []
    for (kind, other_kind), together in both.items():
        weight = both_weight[kind, other_kind]
        either = alone[kind] + alone[other_kind] - together
        share = weight / (alone_weight[kind] + alone_weight[other_kind] - weight)
        if together >= _TOGETHER_MIN and together / either >= _SHARE_MIN and weight >= 1:
            found.append((kind, other_kind, Companion(together, either, round(_POINTS * share))))
    found.sort(key=lambda item: (-item[2].points, _order(item[0]), _order(item[1])))
    companions: dict[Kind, dict[Kind, Companion]] = defaultdict(dict)
    for kind, other_kind, companion in found[: limits.learned_pairs]:
        companions[kind][other_kind] = companions[other_kind][kind] = companion
    return Learned(dict(companions))


def _order(kind: Kind) -> tuple[str, str, str]:
    return kind.source, kind.service or "", kind.name


def _apart(one: KindSeen, other: KindSeen) -> timedelta:
    return abs(one.first_at - other.first_at)
