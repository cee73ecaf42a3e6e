"""Watches one series and says in words what is out of the ordinary: what was expected, what came, how rare that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import exp, inf, isfinite

from handrail.signals.detect.one import FEATURES, STEP_OUTLIER, Detector
from handrail.signals.detect.pace import Looked, Pace
from handrail.signals.detect.reach import Reach
from handrail.signals.detect.setting import Setting
from handrail.signals.detect.trend import Trend

# A value that stands still is news once it does so four times longer than ever, and at least for so many points. Longer
# is meant in time: points may come closer together than those of the history.
FLAT_POINTS_LEAST, FLAT_LONGER, FLAT_CHANGES_LEAST = 30, 4, 20
# So many usual steps without a point are a gap, once so many points have told the usual step.
GAP_STEPS, GAP_POINTS_LEAST = 5.0, 20
TREND_HORIZON_SECONDS = 4 * 3600.0
# Evidence in nats that is told: of a value well beyond all that the series has been, so much; of one within it, which
# is odd only for its time or its company, much more. Measured on series without a fault (docs/detection.md).
BEYOND_LEAST, EVIDENCE_BEYOND, EVIDENCE_WITHIN = 0.5, 6.0, 20.0
# After an alarm so many points (or means) only say it again.
REST_POINTS = 60


class Kind(StrEnum):
    SPIKE = "spike"
    LEVEL_SHIFT = "level shift"
    SCATTER = "scatter"
    FLAT_LINE = "flat line"
    MISSING = "missing"
    TREND_TO_LIMIT = "trend to limit"


KINDS = {
    "size": Kind.SPIKE,
    "excess": Kind.SPIKE,
    "jump": Kind.SPIKE,
    "offset": Kind.LEVEL_SHIFT,
    "middle": Kind.LEVEL_SHIFT,
    "mean": Kind.LEVEL_SHIFT,
    "spread": Kind.SCATTER,
}


@dataclass(frozen=True)
class Anomaly:
    """`at` in seconds since 1970; `rarity` N says one in N points, 0 where it is not a matter of chance; `breach_in`
    the seconds until a limit is reached, where there is one."""

    kind: Kind
    at: float
    expected: float
    value: float
    rarity: float
    sentence: str
    breach_in: float | None = None


def span(seconds: float) -> str:
    """A length of time in words, rounded to what a reader needs."""
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


class Watch:
    """`observe` each point in time order. `limit` is a value that must not be reached, such as a full disk. After each
    point `looked` is what the detector was given by it: the point, the mean of those before it, or nothing."""

    def __init__(self, limit: float | None = None, setting: Setting | None = None) -> None:
        self.limit, self.detector = limit, Detector(setting)
        self._trend, self._trend_rest = Trend(), 0
        self._reach, self._rest = Reach(), 0
        self.step_seconds, self._steps = 0.0, 0
        self._last_at, self._last_value = 0.0, float("nan")
        self._low, self._high = inf, -inf
        self._pace = Pace()
        self.looked: list[Looked] = []
        self._run, self._changes, self._run_began, self._longest_run = 0, 0, 0.0, 0.0
        self._flat_told = False
        self._missing_told = False

    def observe(self, at: float, value: float) -> list[Anomaly]:
        """What is new at this point; mostly nothing."""
        gap = self.overdue(at)
        if not isfinite(value):
            return self._tell_missing(gap)
        found = self._tell_missing(gap)
        self.looked = self._pace.take(at, value)
        for moment, mean, points in self.looked:
            found += self._alarm(moment, mean, points)
        found += [*self._flat(at, value), *self._breach(at, value)]
        self._measure_step(at)
        self._last_at, self._last_value, self._missing_told = at, value, False
        return found

    def learn_mean(self, at: float, value: float) -> None:
        """Learn from a value of history that is the mean of MEAN_SECONDS already: all but how often points come."""
        self.looked = self._pace.take_mean(at, value)
        for moment, mean, points in self.looked:
            list(self._alarm(moment, mean, points))
        list(self._flat(at, value))
        self._last_at, self._last_value = at, value

    def _measure_step(self, at: float) -> None:
        if self._last_at > 0.0:
            step, self._steps = at - self._last_at, self._steps + 1
            if self._steps > 1:
                step = min(step, STEP_OUTLIER * self.step_seconds)
            self.step_seconds += max(1.0 / self._steps, self.detector.setting.step_rate) * (step - self.step_seconds)

    def overdue(self, now: float) -> Anomaly | None:
        """The gap between the last point and now, when it is longer than points ever need. Changes nothing."""
        usual, silent = self.step_seconds, now - self._last_at
        if self._steps < GAP_POINTS_LEAST or usual <= 0.0 or silent <= GAP_STEPS * usual:
            return None
        said = f"No point came for {span(silent)}; expected one every {span(usual)}."
        return Anomaly(Kind.MISSING, now, usual, silent, 0.0, said)

    def _tell_missing(self, gap: Anomaly | None) -> list[Anomaly]:
        """One gap is told once, whether by empty values or by the first point behind it."""
        if gap is None or self._missing_told:
            return []
        self._missing_told = True
        return [gap]

    def _alarm(self, at: float, value: float, points: int) -> Iterator[Anomaly]:
        level, beyond = self.detector.level, self._reach.beyond(value)
        self.detector.score(at, value)
        self._reach.add(value)
        least = EVIDENCE_BEYOND if beyond >= BEYOND_LEAST else EVIDENCE_WITHIN
        if self._rest or self.detector.evidence < least:
            self._rest = max(self._rest - 1, 0)
            return
        self._rest = REST_POINTS
        parts = self.detector.surprises
        feature = max(range(len(parts)), key=parts.__getitem__)
        kind, rarity, expected = KINDS[FEATURES[feature]], exp(parts[feature]), self.detector.expected
        rare, got = self._rare(rarity), f"{value:.4g}" if points == 1 else f"{value:.4g} (the mean of {points} points)"
        if kind is Kind.LEVEL_SHIFT:
            said = f"The level has moved: expected about {expected:.4g} (long level {level:.4g}), now {got}. {rare}"
        elif kind is Kind.SCATTER:
            said = f"The values scatter unlike before around {expected:.4g}, now {got}. {rare}"
        else:
            usual = f"give or take {self.detector.error:.3g}"
            said = f"Expected about {expected:.4g}, {usual}, got {got}. {rare}"
        yield Anomaly(kind, at, expected, value, rarity, said)

    def _rare(self, rarity: float) -> str:
        """Beyond everything remembered the tail is a guess; then only what was seen is said."""
        remembered = min(self.detector.n, self.detector.setting.histogram_halved_every)
        if rarity > remembered:
            return f"Nothing in the last {remembered:,} points was this far out."
        return f"Something this far out came about once in {rarity:,.0f} points."

    def _flat(self, at: float, value: float) -> Iterator[Anomaly]:
        if value != self._last_value:
            self._low, self._high = min(self._low, value), max(self._high, value)
            self._longest_run = max(self._longest_run, self._last_at - self._run_began)
            self._run, self._run_began, self._flat_told = 1, at, False
            self._changes = min(self._changes + 1, FLAT_CHANGES_LEAST)
            return
        self._run += 1
        lasts, usual = at - self._run_began, self._longest_run
        enough = self._run >= FLAT_POINTS_LEAST and lasts >= FLAT_LONGER * usual and not self._flat_told
        # At its lowest or highest a series is idle or full, such as a rate of 0 at night: that is not stuck.
        if enough and self._changes == FLAT_CHANGES_LEAST and self._low < value < self._high:
            self._flat_told = True
            longest = f"never stood still for more than {span(usual)}" if usual else "never stood still"
            said = (
                f"The value has stood at {value:.4g} for {span(lasts)}; it {longest} before. The sender may be stuck."
            )
            yield Anomaly(Kind.FLAT_LINE, at, usual, value, 0.0, said)

    def _breach(self, at: float, value: float) -> Iterator[Anomaly]:
        if self.limit is None:
            return
        self._trend.add(at, value)
        self._trend_rest = max(self._trend_rest - 1, 0)
        left = self._trend.reaches(self.limit)
        if self._trend_rest or left is None or left > TREND_HORIZON_SECONDS:
            return
        self._trend_rest = self.detector.setting.rest_points
        said = f"Now {value:.4g}; going on like this it reaches the limit of {self.limit:.4g} in about {span(left)}."
        yield Anomaly(Kind.TREND_TO_LIMIT, at, self.limit, value, 0.0, said, breach_in=left)
