"""The anomaly detector for many series at once: the arithmetic of `one.Detector` on arrays with one number per series.
A test holds both to the same scores."""

import numpy as np
from numpy.typing import NDArray

from handrail.signals.detect.one import FEATURES, RAREST_NOVELTY, SAME_SHARE
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
        self.n = np.zeros(series, dtype=np.int64)
        self.rest, self.last_level = np.zeros(series, dtype=np.int64), np.zeros(series, dtype=np.int64)
        self.evidence, self.expected = np.zeros(series), np.zeros(series)
        self.surprises = np.zeros((len(FEATURES), series))
        self._level, self._offset, self._residual = np.zeros(series), np.zeros(series), np.zeros(series)
        self._low, self._high, self._error_level = np.zeros(series), np.zeros(series), np.zeros(series)
        self._day = _Season(series, s.day_slots, s.day_rate)
        self._week = _Season(series, s.week_slots, s.week_rate)
        self._window, self._newest = np.zeros((s.median_points, series)), 0
        self._jump_tail, self._offset_tail, self._level_tail = (Tails(series, s) for _ in range(3))
        grid = s.levels + 1
        self._levels_seen = np.zeros((series, grid), dtype=bool)
        self._steps_seen = np.zeros((series, grid * grid), dtype=bool)
        self._new_level_rate, self._new_step_rate = np.ones(series), np.ones(series)
        self._rows = np.arange(series)

    def score(self, at: Floats, value: Floats) -> Floats:
        """Scores in [0, 1] of one value per series at its moment (seconds since 1970). Every value must be finite:
        series that miss points belong in a `Detector` each."""
        if not np.isfinite(value).all():
            raise ValueError("a value is missing; series with gaps need a Detector each")
        s = self.setting
        if not self.n[0]:
            self._level, self._low, self._high = value.copy(), value.copy(), value.copy()
            self._window[:] = value
        young = 1.0 / (self.n + 1)
        self.n += 1
        residual = self._against_season(at, value, young)
        floor = SAME_SHARE * np.abs(self._level) + NOTHING
        self._offset += s.recent_rate * (residual - self._offset)
        jump = self._jump_tail.surprise(np.abs(residual - self._residual), floor)
        self._residual = residual
        offset = self._offset_tail.surprise(np.abs(self._offset), floor)
        self._window[self._newest] = value
        self._newest = (self._newest + 1) % s.median_points
        middle = np.partition(self._window, s.median_points // 2, axis=0)[s.median_points // 2]
        level = self._level_tail.surprise(np.abs(middle - self._level), floor)
        new_level, new_step = self._novelty(value, young)
        self._level = self._level + np.maximum(young, s.level_rate) * (value - self._level)
        self.surprises = np.stack([jump, offset, level, new_level, new_step])
        evidence = self.evidence * s.memory
        for part in self.surprises:
            evidence += np.clip(part - s.evidence_floor, 0.0, s.evidence_cap)
        self.evidence = evidence
        return self._rested(evidence / (evidence + s.score_half))

    def _rested(self, score: Floats) -> Floats:
        resting = self.rest > 0
        self.rest -= resting
        loud = ~resting & (score >= self.setting.threshold) & (self.n > self.setting.learning_points)
        self.rest[loud] = self.setting.rest_points - 1
        return np.where(resting, 0.0, score)

    def _against_season(self, at: Floats, value: Floats, young: Floats) -> Floats:
        s = self.setting
        day = (at % DAY_SECONDS / DAY_SECONDS * s.day_slots).astype(np.int64)
        week = (at % WEEK_SECONDS / WEEK_SECONDS * s.week_slots).astype(np.int64)
        by_level = self._level
        by_day = self._day.expected(day, by_level)
        by_week = self._week.expected(week, by_day)
        rate = np.maximum(young, s.level_rate)
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

    def _novelty(self, value: Floats, young: Floats) -> tuple[Floats, Floats]:
        s, rows = self.setting, self._rows
        self._high, self._low = np.maximum(self._high, value), np.minimum(self._low, value)
        level = (s.levels * ((value - self._low) / (self._high - self._low + NOTHING))).astype(np.int64)
        step = self.last_level * (s.levels + 1) + level
        self.last_level = level
        learned = self.n > s.learning_points + 1
        new_level, new_step = ~self._levels_seen[rows, level], ~self._steps_seen[rows, step]
        surprises = (
            np.where(learned & new_level, -np.log(np.maximum(self._new_level_rate, RAREST_NOVELTY)), 0.0),
            np.where(learned & new_step, -np.log(np.maximum(self._new_step_rate, RAREST_NOVELTY)), 0.0),
        )
        self._levels_seen[rows, level] = self._steps_seen[rows, step] = True
        rate = np.maximum(young, s.novelty_rate)
        self._new_level_rate += rate * (new_level - self._new_level_rate)
        self._new_step_rate += rate * (new_step - self._new_step_rate)
        return surprises
