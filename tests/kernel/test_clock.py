"""Moments as text: one width, one zone, and nothing that means less than it says."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.clock import ManualClock, SystemClock, from_text, to_text
from handrail.kernel.errors import BadInput

moments = st.datetimes(
    min_value=datetime(1, 1, 3),
    max_value=datetime(9999, 12, 29),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5.5))]),
)


@given(moments)
def test_a_moment_comes_back_from_its_text(moment: datetime) -> None:
    assert from_text(to_text(moment)) == moment
    assert len(to_text(moment)) == 27


@given(moments, moments)
def test_text_order_is_time_order(left: datetime, right: datetime) -> None:
    assert (left < right) == (to_text(left) < to_text(right))


def test_the_zero_time_of_other_programs_has_a_year_of_four_digits() -> None:
    assert to_text(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"


def test_an_offset_is_brought_to_utc() -> None:
    assert to_text(from_text("2026-01-05T14:30:00+05:30")) == "2026-01-05T09:00:00.000000Z"


def test_a_moment_without_a_zone_has_no_text() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_text(datetime(2026, 1, 5))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-01-05T09:00:00", "has no time zone"), ("2026-01-05", "has no time zone"), ("yesterday", "is not a time"),
        ("", "is not a time"), ("2026-02-30T00:00:00Z", "is not a time"), ("2026-01-05T25:00:00Z", "is not a time"),
        ("0001-01-01T00:00:00+23:59", "outside the range"), ("9999-12-31T23:59:59-23:59", "outside the range"),
        ("١٢٣٤-01-01T00:00:00Z", "is not a time"),
    ],
)  # fmt: skip
def test_what_is_no_moment_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        from_text(text)


def test_a_manual_clock_moves_both_of_its_hands() -> None:
    clock = ManualClock()
    clock.advance(minutes=2)
    assert (to_text(clock.now()), clock.monotonic()) == ("2026-01-05T09:02:00.000000Z", 120.0)


def test_the_system_clock_tells_utc_and_never_steps_back() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()
