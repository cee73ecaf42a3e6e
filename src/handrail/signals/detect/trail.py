"""The last points of one series with what was expected of each, kept so that a finding can be drawn. Plain numbers in
one array: thousands of series are watched."""

from array import array

from handrail.kernel.limits import LIMITS
from handrail.signals.picture import Picture

_FIELDS = 4
# The band is this many usual errors wide on either side; an error is a mean distance, 0.8 standard deviations.
BAND_ERRORS = 3.0


class Trail:
    """`add` points in time order. Memory: 4 numbers a point, so many points as a picture has."""

    __slots__ = ("_held", "_next")

    def __init__(self) -> None:
        self._held, self._next = array("d"), 0

    def add(self, at: float, value: float, expected: float, error: float) -> None:
        """`error`: how far values lay from what was expected, on average."""
        point = (at, value, expected, error)
        if len(self._held) < _FIELDS * LIMITS.picture_points:
            self._held.extend(point)
            return
        place = self._next
        self._held[place], self._held[place + 1], self._held[place + 2], self._held[place + 3] = point
        self._next = (place + _FIELDS) % len(self._held)

    def picture(self, title: str, at: float) -> Picture:
        """The series as it was seen, with the moment that a finding is about."""
        held = self._held[self._next :] + self._held[: self._next]
        times, values, expected, errors = (tuple(held[field::_FIELDS]) for field in range(_FIELDS))
        pairs = list(zip(expected, errors, strict=True))
        low = tuple(middle - BAND_ERRORS * error for middle, error in pairs)
        return Picture(title, "", times, values, at, low, tuple(m + BAND_ERRORS * error for m, error in pairs))
