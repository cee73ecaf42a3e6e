"""What is remembered of one message of a log: how often it comes, how long it stays away, the numbers seen in its
places, its last lines, and its counts of the last windows for a picture. Pure."""

import math
from collections import deque
from dataclasses import dataclass, field

from handrail.kernel.limits import LIMITS


@dataclass(frozen=True)
class Watch:
    """One configuration for all sources. A count is unusual when it lies `deviations` standard deviations (of a Poisson
    count at least) away and is `factor` times more or less. A number is unusual when it lies `value_deviations`
    standard deviations (of logarithms) off and `factor` times beyond all that were seen, `values_min` at least; oddly
    low only where the standard deviation is at most `low_deviation_most`. A new message is news while new are rarer
    than `novelty_most` a window, followed from window `novelty_from` on with `novelty_forgetting`; else they must come
    in numbers. What is silent for `gone_windows` is gone for good."""

    window_seconds: float = 60.0
    learning_windows: int = 10
    forgetting: float = 0.1
    deviations: float = 6.0
    factor: float = 3.0
    silent_windows: int = 3
    gone_windows: int = 60
    silent_usual_min: float = 5.0
    steady_min: float = 0.8
    errors_min: int = 10
    value_deviations: float = 6.0
    values_min: int = 50
    low_deviation_most: float = 0.5
    novelty_most: float = 0.2
    novelty_from: int = 2
    novelty_forgetting: float = 0.02


@dataclass
class Values:
    """Count, mean and spread of the logarithms of the numbers in one place, and their bounds."""

    count: int = 0
    mean: float = 0.0
    spread: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def is_odd(self, value: float, watch: Watch) -> bool:
        if self.count < watch.values_min:
            return False
        # Half a percent of noise is always granted, or a constant would make its neighbour an anomaly.
        deviation = max(math.sqrt(self.spread / self.count), 0.05)
        far = abs(math.log1p(value) - self.mean) > watch.value_deviations * deviation
        # Numbers drawn evenly (ids, ports) have small ones among them: only a steady number can be oddly low.
        is_low = value * watch.factor < self.low and deviation <= watch.low_deviation_most
        return far and (value > watch.factor * self.high or is_low)

    def learn(self, value: float) -> None:
        self.count += 1
        logarithm = math.log1p(value)
        step = logarithm - self.mean
        self.mean += step / self.count
        self.spread += step * (logarithm - self.mean)
        self.low, self.high = min(self.low, value), max(self.high, value)


@dataclass
class Seen:
    """One template: its count in this window, its usual count in windows that have it, the share of windows that do,
    and the last lines that had it. `is_alert`: its source makes alerts of it. `past`: the counts of closed windows."""

    since_window: int
    count: int = 0
    usual: float = 0.0
    variance: float = 0.0
    longest_silence: int = 0
    steady: float = 0.0
    silent: int = 0
    told_silent: bool = False
    shifted: bool = False
    is_alert: bool = False
    odd: tuple[float, str] | None = None
    samples: list[str] = field(default_factory=list)
    values: dict[tuple[int, int], Values] = field(default_factory=dict)
    past: deque[int] = field(default_factory=lambda: deque(maxlen=LIMITS.log_windows_shown))

    def spread(self) -> float:
        """The standard deviation that is granted: a Poisson count's at least."""
        return math.sqrt(max(self.usual + 1, self.variance))

    def add_up(self, gone: "Seen") -> None:
        """Take in what was counted of a message that turned out to be this one."""
        self.count += gone.count
        self.usual += gone.usual
        self.variance += gone.variance
        self.longest_silence = min(self.longest_silence, gone.longest_silence)
        self.steady = max(self.steady, gone.steady)
        self.since_window = min(self.since_window, gone.since_window)
        self.is_alert = self.is_alert or gone.is_alert
        self.samples = (self.samples + gone.samples)[: LIMITS.log_samples]
        self.odd = self.odd or gone.odd
        longest = max(len(self.past), len(gone.past))
        sides = [[0] * (longest - len(past)) + list(past) for past in (self.past, gone.past)]
        self.past = deque(map(sum, zip(*sides, strict=True)), maxlen=LIMITS.log_windows_shown)
