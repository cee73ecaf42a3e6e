"""The anomaly detector for one series, as it streams in: plain floats, a bounded memory, past points only.

Seven features each say how rare they find a point, in nats. Against the seasonal expectation: how far off it is, how
far above, how sudden that is, how lasting. Against the long level: the middle and the mean of the last points. And how
much the last points scatter. What exceeds ordinary noise is summed over features and, fading, over time. After an alarm
the detector rests."""

from collections import deque
from math import log

from handrail.signals.detect.setting import DAY_SECONDS, WEEK_SECONDS, Setting
from handrail.signals.detect.tail import NOTHING, Tail

FEATURES = ("size", "excess", "jump", "offset", "middle", "mean", "spread")
# Values closer than this share of the level are the same number, told apart by float noise only.
SAME_SHARE = 1e-9
# A spread below this share of the usual distance from the level (squared) is as good as none.
SPREAD_SHARE = 1e-4
# Beyond this a number is no measurement, and its square would no longer be one.
VALUE_MOST = 1e100
# A pause in the data says little about the usual step.
STEP_OUTLIER = 4.0


class Detector:
    """`score` for each point in time order. After it `expected` is what the point was compared with, `evidence` the
    fading sum in nats, and `surprises` the nats of each of FEATURES."""

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = s = setting or Setting()
        self.n, self.rest, self.rank = 0, 0, 0
        self.evidence, self.expected, self.step_seconds, self.error = 0.0, 0.0, 0.0, 0.0
        self.surprises: tuple[float, ...] = (0.0,) * len(FEATURES)
        self.level = self._mean = self._offset = self._residual = self._last_at = 0.0
        self._error_level = self._error_day = self._error_week = 0.0
        self._spread_recent = self._spread_usual = 0.0
        self._day, self._day_n = [0.0] * s.day_slots, [0] * s.day_slots
        self._week, self._week_n = [0.0] * s.week_slots, [0] * s.week_slots
        self._window: deque[float] = deque(maxlen=s.median_points)
        self._tails = tuple(Tail(s) for _ in FEATURES)

    def score(self, at: float, value: float) -> float:
        """A score in [0, 1] of a value at a moment (seconds since 1970); at the setting's threshold it is an alarm. A
        value that is no measurement (not finite, or beyond VALUE_MOST) is missing: it scores 0 and teaches nothing."""
        if not abs(value) < VALUE_MOST:
            return 0.0
        if self.n == 0:
            self.level = self._mean = value
            self._last_at = at
            self._window.extend([value] * self.setting.median_points)
        young = 1.0 / (self.n + 1)
        self.n += 1
        self._measure_step(at)
        floor = SAME_SHARE * abs(self.level) + NOTHING
        magnitudes = self._magnitudes(at, value, young, floor)
        self.surprises = parts = tuple(
            tail.surprise(size, floor) for tail, size in zip(self._tails, magnitudes, strict=True)
        )
        self.level += max(young, self.setting.level_rate) * (value - self.level)
        return self._rested(self._summed(parts))

    def _measure_step(self, at: float) -> None:
        if self.n < 2:
            return
        step = max(at - self._last_at, 0.0)
        self._last_at = at
        if self.n > 2:
            step = min(step, STEP_OUTLIER * self.step_seconds)
        self.step_seconds += max(1.0 / (self.n - 1), self.setting.step_rate) * (step - self.step_seconds)

    def _magnitudes(self, at: float, value: float, young: float, floor: float) -> tuple[float, ...]:
        """One per feature, each 0 or more, in the unit of the series (the spread: a ratio's logarithm)."""
        s = self.setting
        residual = self._against_season(at, value, young)
        self._offset += s.offset_rate * (residual - self._offset)
        jump = residual - self._residual
        self._residual = residual
        window = self._window
        window.append(value)
        middle = sorted(window)[len(window) // 2]
        self._mean += max(young, s.recent_rate) * (value - self._mean)
        scatter = (value - middle) * (value - middle)
        self._spread_recent += max(young, s.spread_rate) * (scatter - self._spread_recent)
        self._spread_usual += max(young, s.level_rate) * (scatter - self._spread_usual)
        none = SPREAD_SHARE * (self._error_level * self._error_level) + floor * floor
        return (
            abs(residual),
            max(residual, 0.0),
            abs(jump),
            abs(self._offset),
            abs(middle - self.level),
            abs(self._mean - self.level),
            abs(log((self._spread_recent + none) / (self._spread_usual + none))),
        )

    def _summed(self, parts: tuple[float, ...]) -> float:
        """The fading sum of what exceeds ordinary noise, as a score."""
        s = self.setting
        if self.n <= s.learning_points:
            return 0.0
        low = s.evidence_floor - s.floor_per_step * log(max(self.step_seconds, 1.0) / s.floor_step_seconds)
        low, cap = min(max(low, s.floor_least), s.floor_most), s.evidence_cap
        evidence = self.evidence * s.memory
        for part in parts:
            if part > low:
                evidence += min(part - low, cap)
        self.evidence = evidence
        return evidence / (evidence + s.score_half)

    def _rested(self, score: float) -> float:
        """The first of a row of alarms is news; the rest of them only say it again. What stays below the threshold has
        its own rest, so that a lower threshold finds it told once too; only something of a higher rank ends a rest."""
        s = self.setting
        rank = min(int(score / s.threshold * s.ranks), s.ranks)
        if self.rest > 0:
            self.rest -= 1
            if rank <= self.rank:
                return 0.0
        if rank >= s.rank_least:
            self.rest, self.rank = s.rest_points - 1, rank
        return score

    def _against_season(self, at: float, value: float, young: float) -> float:
        """Value less the expectation that has erred least so far: the level, the time of day, or the hour of the week.
        A season must beat the plain level by a margin."""
        s = self.setting
        day = int(at % DAY_SECONDS / DAY_SECONDS * s.day_slots)
        week = int(at % WEEK_SECONDS / WEEK_SECONDS * s.week_slots)
        by_level = self.level
        by_day = self._day[day] if self._day_n[day] else by_level
        by_week = self._week[week] if self._week_n[week] else by_day
        rate = max(young, s.level_rate)
        self._error_level += rate * (abs(value - by_level) - self._error_level)
        self._error_day += rate * (abs(value - by_day) - self._error_day)
        self._error_week += rate * (abs(value - by_week) - self._error_week)
        expected, error = by_level, self._error_level * s.season_gain
        if self._error_day < error:
            expected, error = by_day, self._error_day
        if self._error_week < error:
            expected, error = by_week, self._error_week
        _learn(self._day, self._day_n, day, value, s.day_rate)
        _learn(self._week, self._week_n, week, value, s.week_rate)
        self.expected, self.error = expected, error
        return value - expected


def _learn(means: list[float], counts: list[int], slot: int, value: float, rate: float) -> None:
    counts[slot] += 1
    if counts[slot] == 1:
        means[slot] = value
    else:
        means[slot] += max(1.0 / counts[slot], rate) * (value - means[slot])
