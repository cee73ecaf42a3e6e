"""Token buckets: how fast each source may send. One source over its rate does not touch another's."""

import math
from dataclasses import dataclass

from handrail.kernel.errors import TooMany


@dataclass
class Bucket:
    """Holds up to `burst`, gains `per_second`; what is taken last may overdraw it."""

    per_second: float
    burst: float
    level: float
    at: float

    def take(self, amount: float, now: float) -> None:
        """Raises TooMany with the seconds after which there is something again."""
        self.level = min(self.burst, self.level + max(0.0, now - self.at) * self.per_second)
        self.at = now
        if self.level <= 0:
            wait = max(1, math.ceil((1 - self.level) / self.per_second))
            raise TooMany("This source sends faster than it may; slow down.", "source_rate", retry_after=wait)
        self.level -= amount


class Buckets:
    """One bucket per source; sources are few and known, so there is no need to forget them."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._seconds = burst / per_second
        self._buckets: dict[str, Bucket] = {}

    def admit(self, source: str, now: float, own_per_second: float | None = None) -> None:
        """One request, at the price of one alert. `own_per_second`: the rate that people set for this source; a burst
        is worth as many seconds of it as for any other. Raises TooMany."""
        rate, bucket = own_per_second or self._per_second, self._buckets.get(source)
        if bucket is None or bucket.per_second != rate:
            burst = rate * self._seconds
            level, at = (burst, now) if bucket is None else (min(burst, bucket.level), bucket.at)
            bucket = self._buckets[source] = Bucket(rate, burst, level, at)
        bucket.take(1, now)

    def charge(self, source: str, more: int) -> None:
        """What an admitted request turned out to hold beyond one alert: it is taken, and the next ones wait."""
        self._buckets[source].level -= more
