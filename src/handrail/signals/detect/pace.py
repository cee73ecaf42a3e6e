"""Points that come close together are looked at as means: what lasts shows more clearly in a mean, and what is one
point's chance does not show at all. Points that are far apart are looked at one by one."""

from collections.abc import Sequence

# One mean per so many seconds, of points that come about twice as often or more.
MEAN_SECONDS = 30.0
CLOSE_SECONDS = 0.55 * MEAN_SECONDS
# A mean of fewer points than these seconds hold scatters more than the others would: it is left out.
COVERED_SECONDS = 0.4 * MEAN_SECONDS
# A pause does not make close points far apart; so many in a row do.
PAUSES = 3

Looked = tuple[float, float, int]


class Pace:
    """`take` each point in time order. Memory: the points of one span."""

    def __init__(self) -> None:
        self._is_close, self._pauses, self._last_at = False, 0, float("-inf")
        self._gathered: list[tuple[float, float]] = []

    def take(self, at: float, value: float) -> list[Looked]:
        """What is to be looked at now, as (moment, value, of how many points it is the mean); mostly nothing where
        points are close."""
        if at - self._last_at <= CLOSE_SECONDS:
            self._is_close, self._pauses = True, 0
        else:
            self._pauses += 1
            self._is_close = self._is_close and self._pauses < PAUSES
        self._last_at = at
        gathered, ready = self._gathered, []
        if gathered and (not self._is_close or at // MEAN_SECONDS != gathered[0][0] // MEAN_SECONDS):
            if gathered[-1][0] - gathered[0][0] >= COVERED_SECONDS:
                ready.append(_mean(gathered))
            gathered.clear()
        if not self._is_close:
            return [*ready, (at, value, 1)]
        gathered.append((at, value))
        return ready

    def take_mean(self, at: float, value: float) -> list[Looked]:
        """The same of a value that is the mean of a span already: so what follows is compared with its like."""
        self._is_close, self._pauses, self._last_at = True, 0, at
        self._gathered.clear()
        return [(at, value, 1)]


def _mean(points: Sequence[tuple[float, float]]) -> Looked:
    """When the last of them was, their mean, and how many they are. Of equal values the mean is that value, exactly."""
    values = [value for _, value in points]
    mean = values[0] if min(values) == max(values) else sum(values) / len(values)
    return points[-1][0], mean, len(points)
