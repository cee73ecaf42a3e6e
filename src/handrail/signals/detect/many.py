"""The anomaly detector for many series at once: the arithmetic of `one.Detector` on arrays with one number per series.
A test holds both to the same scores."""

import numpy as np
from numpy.typing import NDArray

from handrail.signals.detect.one import FEATURES, SAME_SHARE, SPREAD_SHARE, STEP_OUTLIER, VALUE_MOST
from handrail.signals.detect.setting import DAY_SECONDS, WEEK_SECONDS, Setting
from handrail.signals.detect.tail import NOTHING, Floats, Tails

Ints = NDArray[np.int64]


class _Season:
    """Running means per slot of a period, for each series."""

    def __init__(self, series: int, slots: int, rate: float) -> None:
        self.means, self.counts = np.zeros((series, slots)), np.zeros((series, slots), dtype=np.int64)
        self.error = np.zeros(series)
        self._rate, self._rows = rate, np.arange(series)

    def expected(self, slot: Ints, otherwise: Floats) -> Floats:
        return np.where(self.counts[self._rows, slot] > 0, self.means[self._rows, slot], otherwise)

    def learn(self, slot: Ints, value: Floats) -> None:
        count = self.counts[self._rows, slot] + 1
        mean = self.means[self._rows, slot]
        later = mean + np.maximum(1.0 / count, self._rate) * (value - mean)
        self.counts[self._rows, slot] = count
        self.means[self._rows, slot] = np.where(count == 1, value, later)


class ManyDetector:
    """`score` takes one point of every series. Memory: a fixed number of bytes per series."""

    def __init__(self, series: int, setting: Setting | None = None) -> None:
        self.setting = s = setting or Setting()
        self.n = 0
        self.rest, self.rank = np.zeros(series, dtype=np.int64), np.zeros(series, dtype=np.int64)
        self.evidence, self.expected, self.step_seconds = np.zeros(series), np.zeros(series), np.zeros(series)
        self.surprises = np.zeros((len(FEATURES), series))
        self.level, self._mean, self._last_at = np.zeros(series), np.zeros(series), np.zeros(series)
        self._offset, self._residual, self._error_level = np.zeros(series), np.zeros(series), np.zeros(series)
        self._spread_recent, self._spread_usual = np.zeros(series), np.zeros(series)
        self._day = _Season(series, s.day_slots, s.day_rate)
        self._week = _Season(series, s.week_slots, s.week_rate)
        self._window, self._newest = np.zeros((s.median_points, series)), 0
        self._tails = tuple(Tails(series, s) for _ in FEATURES)

    def score(self, at: Floats, value: Floats) -> Floats:
        """Scores in [0, 1] of one value per series at its moment (seconds since 1970). Every value must be a
        measurement: series that miss points belong in a `Detector` each. Raises ValueError otherwise."""
        if not (np.abs(value) < VALUE_MOST).all():
            raise ValueError("a value is missing; series with gaps need a Detector each")
        if self.n == 0:
            self.level, self._mean, self._last_at = value.copy(), value.copy(), at.copy()
            self._window[:] = value
        young = 1.0 / (self.n + 1)
        self.n += 1
        self._measure_step(at)
        magnitudes = self._magnitudes(at, value, young)
        floor = SAME_SHARE * np.abs(self.level) + NOTHING
        self.surprises = np.stack(
            [tail.surprise(size, floor) for tail, size in zip(self._tails, magnitudes, strict=True)]
        )
        self.level = self.level + max(young, self.setting.level_rate) * (value - self.level)
        return self._rested(self._summed())

    def _measure_step(self, at: Floats) -> None:
        if self.n < 2:
            return
        step = np.maximum(at - self._last_at, 0.0)
        self._last_at = at.copy()
        if self.n > 2:
            step = np.minimum(step, STEP_OUTLIER * self.step_seconds)
        self.step_seconds += max(1.0 / (self.n - 1), self.setting.step_rate) * (step - self.step_seconds)

    def _magnitudes(self, at: Floats, value: Floats, young: float) -> tuple[Floats, ...]:
        s = self.setting
        residual = self._against_season(at, value, young)
        self._offset += s.offset_rate * (residual - self._offset)
        jump = residual - self._residual
        self._residual = residual
        self._window[self._newest] = value
        self._newest = (self._newest + 1) % s.median_points
        middle = np.partition(self._window, s.median_points // 2, axis=0)[s.median_points // 2]
        self._mean = self._mean + max(young, s.recent_rate) * (value - self._mean)
        scatter = (value - middle) * (value - middle)
        self._spread_recent += max(young, s.spread_rate) * (scatter - self._spread_recent)
        self._spread_usual += max(young, s.level_rate) * (scatter - self._spread_usual)
        floor = SAME_SHARE * np.abs(self.level) + NOTHING
        none = SPREAD_SHARE * (self._error_level * self._error_level) + floor * floor
        return (
            np.abs(residual),
            np.maximum(residual, 0.0),
            np.abs(jump),
            np.abs(self._offset),
            np.abs(middle - self.level),
            np.abs(self._mean - self.level),
            np.abs(np.log((self._spread_recent + none) / (self._spread_usual + none))),
        )

    def _summed(self) -> Floats:
        s = self.setting
        if self.n <= s.learning_points:
            return np.zeros(len(self.evidence))
        low = s.evidence_floor - s.floor_per_step * np.log(np.maximum(self.step_seconds, 1.0) / s.floor_step_seconds)
        over = self.surprises - np.clip(low, s.floor_least, s.floor_most)
        self.evidence = self.evidence * s.memory + np.clip(over, 0.0, s.evidence_cap).sum(axis=0)
        return self.evidence / (self.evidence + s.score_half)

    def _rested(self, score: Floats) -> Floats:
        s = self.setting
        rank = np.minimum((score / s.threshold * s.ranks).astype(np.int64), s.ranks)
        resting = self.rest > 0
        self.rest -= resting
        resting &= rank <= self.rank
        loud = ~resting & (rank >= s.rank_least)
        self.rest[loud] = s.rest_points - 1
        self.rank[loud] = rank[loud]
        return np.where(resting, 0.0, score)

    def _against_season(self, at: Floats, value: Floats, young: float) -> Floats:
        s = self.setting
        day = (at % DAY_SECONDS / DAY_SECONDS * s.day_slots).astype(np.int64)
        week = (at % WEEK_SECONDS / WEEK_SECONDS * s.week_slots).astype(np.int64)
        by_level = self.level
        by_day = self._day.expected(day, by_level)
        by_week = self._week.expected(week, by_day)
        rate = max(young, s.level_rate)
        self._error_level += rate * (np.abs(value - by_level) - self._error_level)
        self._day.error += rate * (np.abs(value - by_day) - self._day.error)
        self._week.error += rate * (np.abs(value - by_week) - self._week.error)
        plain = self._error_level * s.season_gain
        daily = self._day.error < plain
        expected, error = np.where(daily, by_day, by_level), np.where(daily, self._day.error, plain)
        expected = np.where(self._week.error < error, by_week, expected)
        self._day.learn(day, value)
        self._week.learn(week, value)
        self.expected = expected
        return value - expected
