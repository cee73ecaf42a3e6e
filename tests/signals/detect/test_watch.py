"""What a watched series says, in words."""

import numpy as np
import pytest
from numpy.typing import NDArray

from handrail.signals.detect.trend import Trend
from handrail.signals.detect.watch import Anomaly, Kind, Watch, span

MINUTE = 60.0


def noise(n: int, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(50.0, 2.0, n)


def told(values: NDArray[np.float64], limit: float | None = None) -> list[tuple[int, Anomaly]]:
    watch = Watch(limit)
    points = enumerate(values.tolist())
    return [(step, anomaly) for step, value in points for anomaly in watch.observe(step * MINUTE, value)]


def test_a_spike_says_what_was_expected_what_came_and_how_rare() -> None:
    values = noise(1500)
    values[1200] = 95.0
    spike = next(anomaly for step, anomaly in told(values) if step == 1200)
    assert spike.kind is Kind.SPIKE
    assert spike.value == 95.0
    assert spike.expected == pytest.approx(50.0, abs=1.5)
    assert spike.rarity > 1000
    assert spike.sentence.startswith("Expected about ")
    assert "got 95." in spike.sentence
    assert spike.sentence.endswith("Nothing in the last 1,201 points was this far out.")


def test_what_came_before_is_said_as_once_in_so_many_points() -> None:
    watch = Watch()
    for step, value in enumerate(noise(300).tolist()):
        watch.observe(step * MINUTE, value)
    assert watch._rare(250.0) == "Something this far out came about once in 250 points."


def test_a_shift_of_the_level_within_the_noise_is_called_a_level_shift() -> None:
    values = noise(2500)
    values[2000:] += 5.0
    kinds = {anomaly.kind for step, anomaly in told(values) if step >= 2000}
    assert Kind.LEVEL_SHIFT in kinds


def test_a_value_that_stands_still_is_told_once() -> None:
    values = noise(600)
    values[400:500] = 50.25
    flat = [(step, anomaly) for step, anomaly in told(values) if anomaly.kind is Kind.FLAT_LINE]
    assert [step for step, _ in flat] == [429]
    assert flat[0][1].sentence == (
        "The value has stood at 50.25 for 29 min; it never stood still before. The sender may be stuck."
    )


def test_a_series_that_never_moved_is_no_flat_line() -> None:
    assert told(np.full(500, 7.0)) == []


def test_a_gap_is_told_once_by_the_first_point_behind_it() -> None:
    watch = Watch()
    for step in range(100):
        watch.observe(step * MINUTE, 5.0)
    found = watch.observe(130 * MINUTE, 5.0)
    assert [anomaly.kind for anomaly in found] == [Kind.MISSING]
    assert found[0].sentence == "No point came for 31 min; expected one every 60 s."
    assert watch.observe(131 * MINUTE, 5.0) == []


def test_empty_values_are_told_once_they_are_a_gap_and_not_again() -> None:
    watch = Watch()
    for step in range(100):
        watch.observe(step * MINUTE, 5.0)
    found = [(step, anomaly.kind) for step in range(100, 140) for anomaly in watch.observe(step * MINUTE, float("nan"))]
    assert found == [(105, Kind.MISSING)]
    assert watch.observe(140 * MINUTE, 5.0) == []


def test_silence_can_be_asked_for_without_a_new_point() -> None:
    watch = Watch()
    for step in range(100):
        watch.observe(step * MINUTE, 5.0)
    assert watch.overdue(102 * MINUTE) is None
    late = watch.overdue(200 * MINUTE)
    assert late is not None
    assert late.value == 101 * MINUTE


def test_a_trend_to_a_limit_tells_the_time_to_the_breach() -> None:
    # A disk that fills by a tenth of a percent a minute is full after 1000 minutes.
    values = 0.1 * np.arange(900) + np.random.default_rng(2).normal(0.0, 0.05, 900)
    found = [(step, anomaly) for step, anomaly in told(values, limit=100.0) if anomaly.kind is Kind.TREND_TO_LIMIT]
    step, first = found[0]
    assert first.breach_in == pytest.approx((1000 - step) * MINUTE, rel=0.02)
    assert first.sentence.endswith("in about 4 h.")


def test_noise_below_a_limit_leads_nowhere() -> None:
    assert [anomaly for _, anomaly in told(noise(2000), limit=60.0) if anomaly.kind is Kind.TREND_TO_LIMIT] == []


def test_a_trend_away_from_the_limit_never_reaches_it() -> None:
    trend = Trend()
    for step in range(100):
        trend.add(step * MINUTE, 50.0 - 0.1 * step)
    assert trend.reaches(60.0) is None
    assert trend.reaches(30.0) == pytest.approx(101 * MINUTE, rel=1e-6)


@pytest.mark.parametrize(
    ("seconds", "words"), [(45.0, "45 s"), (119.0, "119 s"), (600.0, "10 min"), (9000.0, "2 h"), (300_000.0, "3 d")]
)
def test_a_span_is_said_in_the_unit_a_reader_needs(seconds: float, words: str) -> None:
    assert span(seconds) == words
