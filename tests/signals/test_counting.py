"""Large candidates are counted now and then, small ones always, and what was placed meanwhile is not missed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from handrail.domain.alert import Severity
from handrail.kernel.limits import LIMITS
from handrail.signals.counting import Counts
from handrail.signals.relation import Symptom
from handrail.store import alerts
from handrail.store.alerts import Hits

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SMALL = replace(LIMITS, correlation_large_alerts=10, correlation_recount_seconds=5.0)


class Store:
    """Stands for the table; tells which candidates were counted."""

    def __init__(self) -> None:
        self.hits: dict[str, Hits] = {}
        self.counted: list[list[str]] = []

    def hits_of(self, _connection: object, ids: list[str]) -> list[Hits]:
        self.counted.append(list(ids))
        return [self.hits[one] for one in ids if one in self.hits]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setattr(alerts, "hits_of", made.hits_of)
    return made


def hits(candidate_id: str, count: int) -> Hits:
    return Hits(candidate_id, "ledger", Severity.HIGH, True, count, START, START)


def look(counts: Counts, *ids: str, at: float) -> dict[str, int]:
    found = counts.of(None, ids, at)  # type: ignore[arg-type]
    return {one: sum(each.count for each in all_hits) for one, all_hits in found.items()}


def test_small_candidates_are_counted_each_time(store: Store) -> None:
    counts = Counts(SMALL)
    store.hits = {"a": hits("a", 3)}
    assert look(counts, "a", at=0) == {"a": 3}
    store.hits = {"a": hits("a", 4)}
    assert look(counts, "a", at=0.1) == {"a": 4}


def test_a_large_candidate_is_counted_again_after_a_while_only(store: Store) -> None:
    counts = Counts(SMALL)
    store.hits = {"a": hits("a", 50), "b": hits("b", 1)}
    look(counts, "a", "b", at=0)
    look(counts, "a", "b", at=4.9)
    look(counts, "a", "b", at=5.0)
    assert store.counted == [["a", "b"], ["b"], ["a", "b"]]


def test_what_is_placed_between_two_counts_is_seen_at_once(store: Store) -> None:
    counts = Counts(SMALL)
    store.hits = {"a": hits("a", 50)}
    look(counts, "a", at=0)
    later = START + timedelta(minutes=3)
    symptoms = [
        Symptom("1", "ledger", Severity.HIGH, "slow", later), Symptom("2", "web", Severity.MEDIUM, "errors", later),
    ]  # fmt: skip
    counts.add("a", symptoms, later)
    found = counts.of(None, ["a"], 1.0)["a"]  # type: ignore[arg-type]
    assert {(one.service, one.severity, one.count, one.first_at, one.last_at) for one in found} == {
        ("ledger", Severity.HIGH, 51, START, later),
        ("web", Severity.MEDIUM, 1, later, later),
    }


def test_after_a_failure_everything_is_counted_anew(store: Store) -> None:
    counts = Counts(SMALL)
    store.hits = {"a": hits("a", 50)}
    look(counts, "a", at=0)
    counts.forget()
    look(counts, "a", at=1)
    assert store.counted == [["a"], ["a"]]


def test_a_candidate_that_is_no_longer_live_is_forgotten(store: Store) -> None:
    counts = Counts(SMALL)
    store.hits = {"a": hits("a", 50)}
    look(counts, "a", at=0)
    look(counts, at=1)
    assert look(counts, "a", at=2) == {"a": 50}
    assert store.counted == [["a"], [], ["a"]]
