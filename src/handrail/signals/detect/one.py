"""The anomaly detector for one series, as it streams in: plain floats, a bounded memory, past points only.

Five features each say how rare they find a point, in nats: a jump against the seasonal expectation, a lasting offset
from it, the level of the last points against the long level, a level never seen, a step between levels never seen.
What exceeds ordinary noise is summed over features and, fading, over time. After an alarm the detector rests."""

from collections import deque
from math import isfinite, log

from handrail.signals.detect.setting import DAY_SECONDS, WEEK_SECONDS, Setting
from handrail.signals.detect.tail import NOTHING, Tail

FEATURES = ("jump", "offset", "level", "new_level", "new_step")
# Values closer than this share of the level are the same number, told apart by float noise only.
SAME_SHARE = 1e-9
RAREST_NOVELTY = 1e-4


class Detector:
    """`score` for each point in time order. After it `expected` is what the point was compared with, `evidence` the
    fading sum in nats, and `surprises` the nats of each of FEATURES."""

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = s = setting or Setting()
        self.n, self.rest, self.last_level = 0, 0, 0
        self.evidence, self.expected = 0.0, 0.0
        self.surprises: tuple[float, ...] = (0.0,) * len(FEATURES)
        self._level = self._offset = self._residual = self._low = self._high = 0.0
        self._error_level = self._error_day = self._error_week = 0.0
        self._day, self._day_n = [0.0] * s.day_slots, [0] * s.day_slots
        self._week, self._week_n = [0.0] * s.week_slots, [0] * s.week_slots
        self._window: deque[float] = deque(maxlen=s.median_points)
        self._jump_tail, self._offset_tail, self._level_tail = Tail(s), Tail(s), Tail(s)
        grid = s.levels + 1
        self._levels_seen, self._steps_seen = bytearray(grid), bytearray(grid * grid)
        self._new_level_rate = self._new_step_rate = 1.0

    def score(self, at: float, value: float) -> float:
        """A score in [0, 1] of a value at a moment (seconds since 1970); at the setting's threshold it is an alarm. A
        value that is not finite is missing: it scores 0 and teaches nothing."""
        if not isfinite(value):
            return 0.0
        s = self.setting
        if self.n == 0:
            self._begin(value)
        young = 1.0 / (self.n + 1)
        self.n += 1
        residual = self._against_season(at, value, young)
        floor = SAME_SHARE * abs(self._level) + NOTHING
        self._offset += s.recent_rate * (residual - self._offset)
        jump = self._jump_tail.surprise(abs(residual - self._residual), floor)
        self._residual = residual
        offset = self._offset_tail.surprise(abs(self._offset), floor)
        window = self._window
        window.append(value)
        level = self._level_tail.surprise(abs(sorted(window)[len(window) // 2] - self._level), floor)
        new_level, new_step = self._novelty(value, young)
        self._level += max(young, s.level_rate) * (value - self._level)
        self.surprises = parts = (jump, offset, level, new_level, new_step)
        evidence, low, cap = self.evidence * s.memory, s.evidence_floor, s.evidence_cap
        for part in parts:
            if part > low:
                evidence += min(part - low, cap)
        self.evidence = evidence
        return self._rested(evidence / (evidence + s.score_half))

    def _begin(self, value: float) -> None:
        self._level = self._low = self._high = value
        self._window.extend([value] * self.setting.median_points)

    def _rested(self, score: float) -> float:
        """The first of a row of alarms is news; the rest of them only say it again."""
        if self.rest > 0:
            self.rest -= 1
            return 0.0
        if score >= self.setting.threshold and self.n > self.setting.learning_points:
            self.rest = self.setting.rest_points - 1
        return score

    def _against_season(self, at: float, value: float, young: float) -> float:
        """Value less the expectation that has erred least so far: the level, the time of day, or the hour of the week.
        A season must beat the plain level by a margin."""
        s = self.setting
        day = int(at % DAY_SECONDS / DAY_SECONDS * s.day_slots)
        week = int(at % WEEK_SECONDS / WEEK_SECONDS * s.week_slots)
        by_level = self._level
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
            expected = by_week
        _learn(self._day, self._day_n, day, value, s.day_rate)
        _learn(self._week, self._week_n, week, value, s.week_rate)
        self.expected = expected
        return value - expected

    def _novelty(self, value: float, young: float) -> tuple[float, float]:
        """Nats for a level, and for a step between two levels, that never came before: by how seldom that happens."""
        s = self.setting
        self._high, self._low = max(self._high, value), min(self._low, value)
        level = int(s.levels * ((value - self._low) / (self._high - self._low + NOTHING)))
        step = self.last_level * (s.levels + 1) + level
        self.last_level = level
        learned = self.n > s.learning_points + 1
        new_level = 0.0 if self._levels_seen[level] else 1.0
        new_step = 0.0 if self._steps_seen[step] else 1.0
        surprises = (
            -log(max(self._new_level_rate, RAREST_NOVELTY)) if learned and new_level else 0.0,
            -log(max(self._new_step_rate, RAREST_NOVELTY)) if learned and new_step else 0.0,
        )
        self._levels_seen[level] = self._steps_seen[step] = 1
        rate = max(young, s.novelty_rate)
        self._new_level_rate += rate * (new_level - self._new_level_rate)
        self._new_step_rate += rate * (new_step - self._new_step_rate)
        return surprises


def _learn(means: list[float], counts: list[int], slot: int, value: float, rate: float) -> None:
    counts[slot] += 1
    if counts[slot] == 1:
        means[slot] = value
    else:
        means[slot] += max(1.0 / counts[slot], rate) * (value - means[slot])
