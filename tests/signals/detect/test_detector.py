"""What the anomaly detector finds and what it leaves alone; and that one series and many give equal scores."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from handrail.signals.detect.many import ManyDetector
from handrail.signals.detect.one import Detector
from handrail.signals.detect.setting import Setting

THRESHOLD = Setting().threshold
STEP = 300.0


def scores_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    detector = Detector()
    return np.array([detector.score(step * STEP, value) for step, value in enumerate(values.tolist())])


def alarms_of(values: NDArray[np.float64]) -> list[int]:
    return [int(index) for index in np.flatnonzero(scores_of(values) >= THRESHOLD)]


def noise(n: int, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(50.0, 2.0, n)


def test_a_spike_is_found_at_once() -> None:
    values = noise(1500)
    values[1200] += 40.0
    assert 1200 in alarms_of(values)


def test_a_level_shift_is_found_within_an_hour() -> None:
    values = noise(1500)
    values[1200:] += 12.0
    assert [index for index in alarms_of(values) if 1200 <= index < 1212]


def test_noise_stays_quiet() -> None:
    alarms = [len([index for index in alarms_of(noise(3000, seed)) if index >= 450]) for seed in range(6)]
    assert sum(alarms) <= 3


def test_a_constant_series_stays_quiet() -> None:
    assert alarms_of(np.full(2000, 3.3)) == []


def test_float_noise_on_a_constant_is_not_news() -> None:
    values = np.full(2000, 0.1 + 0.2)
    values[1500] = 0.3
    assert alarms_of(values) == []


def test_a_daily_season_is_not_news_after_two_periods() -> None:
    steps = np.arange(288 * 8)
    values = 100.0 + 40.0 * np.sin(2 * np.pi * steps / 288) + np.random.default_rng(4).normal(0.0, 2.0, len(steps))
    assert [index for index in alarms_of(values) if index >= 2 * 288] == []


def test_what_breaks_the_season_is_news_though_its_value_is_ordinary() -> None:
    steps = np.arange(288 * 8)
    values = 100.0 + 40.0 * np.sin(2 * np.pi * steps / 288) + np.random.default_rng(4).normal(0.0, 2.0, len(steps))
    night = 288 * 6 + 216
    values[night : night + 24] = 135.0
    assert [index for index in alarms_of(values) if night <= index < night + 24]


def test_after_an_alarm_it_rests() -> None:
    values = noise(1500)
    values[1200:1300:10] += 60.0
    assert [index for index in alarms_of(values) if 1200 <= index < 1300] == [1200]


def test_what_stays_below_the_threshold_is_told_once_and_ends_where_an_alarm_begins() -> None:
    detector = Detector()
    assert [detector._rested(score) for score in (0.42, 0.41, 0.43, 0.6, 0.7, 0.42)] == [0.42, 0.0, 0.0, 0.6, 0.0, 0.0]


def test_a_missing_value_scores_nothing_and_teaches_nothing() -> None:
    values = noise(800)
    holed = np.insert(values, 400, [np.nan, np.inf, -1e200])
    plain, other = Detector(), Detector()
    expected = [plain.score(0.0, value) for value in values.tolist()]
    scores = [other.score(0.0, value) for value in holed.tolist()]
    assert scores[400:403] == [0.0, 0.0, 0.0]
    assert scores[:400] + scores[403:] == expected


def test_points_of_one_moment_and_out_of_order_do_no_harm() -> None:
    detector = Detector()
    moments = np.random.default_rng(2).integers(0, 5, 1000) * STEP
    scores = [detector.score(at, value) for at, value in zip(moments.tolist(), noise(1000).tolist(), strict=True)]
    assert all(0.0 <= score <= 1.0 for score in scores)


def test_the_largest_jumps_a_float_can_hold_keep_the_score_within_bounds() -> None:
    values = noise(400)
    values[300], values[301], values[302] = 9e99, -9e99, 1e-300
    scores = scores_of(values)
    assert np.isfinite(scores).all()
    assert scores.max() <= 1.0


def test_scores_never_depend_on_what_comes_later() -> None:
    values = noise(900)
    other = values.copy()
    other[600:] *= 9.0
    assert (scores_of(values)[:600] == scores_of(other)[:600]).all()


def test_memory_does_not_grow_with_the_points_seen() -> None:
    detector = Detector()
    sizes = []
    for step, value in enumerate(noise(9000).tolist()):
        detector.score(step * STEP, value)
        if step in (2999, 8999):
            sizes.append(len(pickle.dumps(detector)))
    assert sizes[1] <= sizes[0] * 1.1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shape=st.sampled_from(["noise", "steps", "heavy", "flat", "season"]))
def test_one_series_and_many_give_equal_scores(seed: int, shape: str) -> None:
    rng = np.random.default_rng(seed)
    n, series = 500, 4
    values = {
        "noise": rng.normal(0.0, 1.0, (n, series)),
        "steps": np.repeat(rng.normal(0.0, 9.0, (n // 50, series)), 50, axis=0),
        "heavy": rng.standard_cauchy((n, series)),
        "flat": np.full((n, series), 5.0) + (rng.random((n, series)) > 0.99),
        "season": 9 * np.sin(np.arange(n) / 9)[:, None] + rng.normal(0.0, 1.0, (n, series)),
    }[shape]
    many, ones = ManyDetector(series), [Detector() for _ in range(series)]
    for step, row in enumerate(values):
        at = step * 1800.0
        together = many.score(np.full(series, at), row)
        alone = [one.score(at, value) for one, value in zip(ones, row.tolist(), strict=True)]
        assert together == pytest.approx(alone, abs=1e-9)


def test_many_refuse_a_missing_value() -> None:
    with pytest.raises(ValueError, match="missing"):
        ManyDetector(2).score(np.zeros(2), np.array([1.0, np.nan]))
