"""Sources take turns by alerts: nobody waits behind another's flood, nobody starves, nothing is lost or reordered."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.errors import TooMany
from handrail.kernel.limits import LIMITS
from handrail.signals.turns import Turns

SMALL = replace(
    LIMITS, ingest_batch_alerts=100, ingest_shared_batch_alerts=20, ingest_turn_alerts=10, inbound_queue_alerts=1000
)


def line_up(*put: tuple[str, int]) -> Turns[str]:
    turns: Turns[str] = Turns(SMALL)
    for number, (source, size) in enumerate(put):
        turns.put(source, size, f"{source}{number}")
    return turns


def test_a_source_alone_fills_the_whole_batch_in_order() -> None:
    turns = line_up(*[("a", 30)] * 5)
    assert turns.take() == ["a0", "a1", "a2"]
    assert turns.size == 60
    assert turns.take() == ["a3", "a4"]
    assert not turns
    assert turns.take() == []


def test_a_submission_larger_than_a_batch_is_taken_alone() -> None:
    turns = line_up(("a", 300), ("a", 1))
    assert turns.take() == ["a0"]
    assert turns.take() == ["a1"]


def test_a_single_alert_does_not_wait_for_the_large_submission_before_it() -> None:
    assert line_up(("flood", 90), ("flood", 90), ("quiet", 1)).take() == ["quiet2"]


def test_a_large_submission_is_taken_after_its_turns_have_paid_for_it_however_many_small_ones_come() -> None:
    turns = line_up(("flood", 90))
    batches = []
    for number in range(20):
        turns.put("quiet", 1, f"q{number}")
        batches.append(turns.take())
    assert batches.count(["flood0"]) == 1


def test_a_batch_that_several_wait_for_stays_small_and_serves_all() -> None:
    turns = line_up(*[("a", 1)] * 200, *[("b", 1)] * 200)
    batch = turns.take()
    assert len(batch) == 20
    assert sum(item.startswith("a") for item in batch) == 10


def test_one_source_never_holds_more_than_half_of_the_room() -> None:
    turns = line_up(("flood", 400))
    with pytest.raises(TooMany, match="of this source"):
        turns.put("flood", 101, "more")
    turns.put("quiet", 500, "fits")
    with pytest.raises(TooMany, match="Too many alerts wait"):
        turns.put("third", 200, "full")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 150)), max_size=60), st.integers(1, 5))
def test_everything_comes_out_once_and_in_the_order_of_its_source(put: list[tuple[str, int]], every: int) -> None:
    turns: Turns[tuple[str, int, int]] = Turns(replace(SMALL, inbound_queue_alerts=10**9))
    out = []
    for number, (source, size) in enumerate(put):
        turns.put(source, size, (source, size, number))
        if number % every == 0:
            batch = turns.take()
            assert batch
            assert len(batch) == 1 or sum(size for _, size, _ in batch) <= 100
            out += batch
    while turns:
        batch = turns.take()
        assert batch
        out += batch
    assert turns.size == 0
    assert sorted(number for _, _, number in out) == list(range(len(put)))
    for source in "abc":
        numbers = [number for of, _, number in out if of == source]
        assert numbers == sorted(numbers)
