"""How rare a magnitude is among those that came before: a histogram over octaves of the usual size, with old counts
fading, and beyond the greatest one a tail that falls by a power law. `Tail` is for one series, `Tails` for many; both
give the same numbers."""

from math import frexp, log

import numpy as np
from numpy.typing import NDArray

from handrail.signals.detect.setting import Setting

Floats = NDArray[np.float64]

BINS_PER_OCTAVE = 4
# The usual size follows ordinary magnitudes; one outlier may move it by no more than this many usual sizes.
OUTLIER_SIZES = 8.0
YOUNG_POINTS = 20
# Division by nothing in a constant series: far below any value that a metric tells apart.
NOTHING = 1e-12


class Tail:
    """One series. Memory: one count per bin."""

    __slots__ = ("bins", "counts", "every", "n", "rate", "size", "slope", "top", "total")

    def __init__(self, setting: Setting) -> None:
        self.bins = BINS_PER_OCTAVE * setting.histogram_octaves
        self.counts = [0.0] * self.bins
        self.every, self.rate, self.slope = setting.histogram_halved_every, setting.scale_rate, setting.tail_slope
        self.n, self.top, self.size, self.total = 0, 0, 0.0, 0.0

    def surprise(self, magnitude: float, floor: float) -> float:
        """Nats of surprise at a magnitude of 0 or more; then it counts among the past. Sizes below `floor` are noise of
        the arithmetic."""
        self.n = n = self.n + 1
        size = magnitude if self.size == 0.0 else self.size
        mantissa, exponent = frexp(1.0 + 4.0 * (magnitude / (size + floor)))
        place = min(BINS_PER_OCTAVE * (exponent - 1) + int((mantissa - 0.5) * 8.0), self.bins - 1)
        counts, top = self.counts, self.top
        surprise = 0.0
        if n > 1:
            if place > top:
                surprise = log((self.total + 1.0) / 0.5) + self.slope * (place - top)
            else:
                surprise = log((self.total + 1.0) / (sum(counts[place : top + 1]) + 0.5))
        if place > top:
            self.top = place
        counts[place] += 1.0
        self.total += 1.0
        if n % self.every == 0:
            self.counts = [count * 0.5 for count in counts]
            self.total *= 0.5
        if n > YOUNG_POINTS:
            most = OUTLIER_SIZES * size + floor
            rate = self.rate if n * self.rate > 1.0 else 1.0 / n
            self.size = size + rate * ((magnitude if magnitude < most else most) - size)
        else:
            self.size = size + 1.0 / n * (magnitude - size)
        return surprise


class Tails:
    """Many series at once; arrays of one number per series."""

    def __init__(self, series: int, setting: Setting) -> None:
        self.bins = BINS_PER_OCTAVE * setting.histogram_octaves
        self.counts = np.zeros((series, self.bins), dtype=np.float32)
        self.every, self.rate, self.slope = setting.histogram_halved_every, setting.scale_rate, setting.tail_slope
        self.n = np.zeros(series, dtype=np.int64)
        self.top = np.zeros(series, dtype=np.int64)
        self.size, self.total = np.zeros(series), np.zeros(series)
        self._rows, self._places = np.arange(series), np.arange(self.bins, dtype=np.uint8)

    def surprise(self, magnitude: Floats, floor: Floats) -> Floats:
        self.n += 1
        size = np.where(self.size == 0.0, magnitude, self.size)
        mantissa, exponent = np.frexp(1.0 + 4.0 * (magnitude / (size + floor)))
        place = BINS_PER_OCTAVE * (exponent.astype(np.int64) - 1) + ((mantissa - 0.5) * 8.0).astype(np.int64)
        place = np.minimum(place, self.bins - 1)
        # Counts stay below 2 ** 15 with few binary places, so single precision adds them without loss.
        beyond = self._places >= place.astype(np.uint8)[:, None]
        tail = np.einsum("sb,sb->s", self.counts, beyond.astype(np.float32)).astype(np.float64)
        old = self.n > 1
        surprise = np.where(old, np.log((self.total + 1.0) / (tail + 0.5)), 0.0)
        surprise += np.where(old & (place > self.top), self.slope * (place - self.top), 0.0)
        self.top = np.maximum(self.top, place)
        self.counts[self._rows, place] += 1.0
        self.total += 1.0
        full = self.n % self.every == 0
        if full.any():
            self.counts[full] *= 0.5
            self.total[full] *= 0.5
        seen = np.where(self.n > YOUNG_POINTS, np.minimum(magnitude, OUTLIER_SIZES * size + floor), magnitude)
        self.size = size + np.maximum(1.0 / self.n, self.rate) * (seen - size)
        return surprise
