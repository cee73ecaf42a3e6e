"""Between which values a series has been, and how far beyond them one is: what chance brings lies close to them, what
matters to people mostly does not."""

from math import copysign, inf, log1p

# The ends come back by this share a point, so that one old excursion does not hide the next for ever.
FADE = 1 / 5000
SIZE_RATE = 0.002
NOTHING = 1e-12


class Reach:
    """`beyond` a value, then `add` it. Memory: four numbers."""

    def __init__(self) -> None:
        self.n, self.low, self.high, self._size = 0, inf, -inf, 0.0

    def beyond(self, value: float) -> float:
        """By what share of the whole reach a value lies outside it; negative inside. Far above the usual size the
        scale is logarithmic, for what varies by factors reaches its next height by a factor. Nothing is beyond the
        reach of a series that was never seen."""
        if self.n == 0:
            return -inf
        low, high, place = self._place(self.low), self._place(self.high), self._place(value)
        return max(place - high, low - place) / max(high - low, NOTHING)

    def add(self, value: float) -> None:
        self.n += 1
        self._size += max(1.0 / self.n, SIZE_RATE) * (abs(value) - self._size)
        self.low = value if value <= self.low else self.low + FADE * (value - self.low)
        self.high = value if value >= self.high else self.high + FADE * (value - self.high)

    def _place(self, value: float) -> float:
        return copysign(log1p(abs(value) / max(self._size, NOTHING)), value)
