"""What the alerts of live candidates say taken together; those of a large candidate are counted anew only now and then.

A round of correlation moves few of them, and counting a hundred thousand would cost more than the round. Between two
counts, what the rounds themselves placed is added; that others ended or were moved is seen at the next count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from handrail.domain.alert import Severity
from handrail.kernel.limits import LIMITS, Limits
from handrail.signals.relation import Symptom
from handrail.store import alerts
from handrail.store.alerts import Hits

_Sort = tuple[str | None, Severity, bool]


@dataclass
class _Count:
    at: float
    hits: dict[_Sort, Hits]


class Counts:
    """One duty's. `moment` is the clock's monotonic time in seconds."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._large: dict[str, _Count] = {}

    def of(self, connection: sa.Connection, candidate_ids: Sequence[str], moment: float) -> dict[str, list[Hits]]:
        """By candidate: its alerts by service, severity and whether they are open."""
        wanted = set(candidate_ids)
        self._large = {
            one: count
            for one, count in self._large.items()
            if one in wanted and moment - count.at < self._limits.correlation_recount_seconds
        }
        found: dict[str, list[Hits]] = {one: list(count.hits.values()) for one, count in self._large.items()}
        for hits in alerts.hits_of(connection, [one for one in candidate_ids if one not in self._large]):
            found.setdefault(hits.candidate_id, []).append(hits)
        for one, all_hits in found.items():
            if one not in self._large and sum(hits.count for hits in all_hits) >= self._limits.correlation_large_alerts:
                self._large[one] = _Count(moment, {_sort(hits): hits for hits in all_hits})
        return found

    def add(self, candidate_id: str, placed: Iterable[Symptom], now: datetime) -> None:
        """Alerts that were placed into a candidate just now."""
        count = self._large.get(candidate_id)
        if count is None:
            return
        for symptom in placed:
            fresh = Hits(candidate_id, symptom.service, symptom.severity, True, 1, min(symptom.since, now), now)
            known = count.hits.get(_sort(fresh))
            count.hits[_sort(fresh)] = fresh if known is None else _both(known, fresh)

    def forget(self) -> None:
        """Count everything anew: what was added may not have been committed."""
        self._large.clear()


def _sort(hits: Hits) -> _Sort:
    return hits.service, hits.severity, hits.is_open


def _both(one: Hits, other: Hits) -> Hits:
    return replace(
        one, count=one.count + other.count, first_at=min(one.first_at, other.first_at),
        last_at=max(one.last_at, other.last_at),
    )  # fmt: skip
