"""A straight line through the last points of a series, fading, and when it will reach a limit."""

from math import inf, sqrt

# Points that count for the line: a point's weight falls to a third after so many.
LINE_POINTS = 60
LINE_POINTS_LEAST = 30
# A slope of fewer standard errors than this may be noise.
CLEAR_ERRORS = 8.0


class Trend:
    """`add` points in time order, then ask `reaches`. Memory: seven numbers."""

    def __init__(self) -> None:
        self.n, self._at = 0, 0.0
        self._w = self._t = self._v = self._tt = self._tv = self._vv = 0.0
        self._base = 0.0

    def add(self, at: float, value: float) -> None:
        """Times are counted back from the newest point and values from the first, so that the sums stay exact."""
        if self.n == 0:
            self._base = value
        fade, moved, value = 1.0 - 1.0 / LINE_POINTS, at - self._at if self.n else 0.0, value - self._base
        self.n, self._at = self.n + 1, at
        w, t, tv, v = self._w * fade, self._t * fade, self._tv * fade, self._v * fade
        self._tt = self._tt * fade - 2.0 * moved * t + moved * moved * w
        self._tv = tv - moved * v
        self._t = t - moved * w
        self._w, self._v, self._vv = w + 1.0, v + value, self._vv * fade + value * value

    def _line(self) -> tuple[float, float, float]:
        """Slope per second, value now, and the standard error of the slope."""
        w, mean_t, mean_v = self._w, self._t / self._w, self._v / self._w
        spread_t = self._tt / w - mean_t * mean_t
        if self.n < LINE_POINTS_LEAST or spread_t <= 0.0:
            return 0.0, mean_v + self._base, inf
        slope = (self._tv / w - mean_t * mean_v) / spread_t
        left = max(self._vv / w - mean_v * mean_v - slope * slope * spread_t, 0.0)
        return slope, mean_v - slope * mean_t + self._base, sqrt(left / (spread_t * w))

    def reaches(self, limit: float) -> float | None:
        """Seconds from the newest point until the line is at `limit`; None when it is flat, noisy or leads away."""
        slope, now, error = self._line()
        if slope == 0.0 or abs(slope) < CLEAR_ERRORS * error:
            return None
        seconds = (limit - now) / slope
        return seconds if seconds > 0.0 else None
