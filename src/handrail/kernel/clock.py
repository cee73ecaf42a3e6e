"""Time is UTC and injected: one `now` per operation, never read inside the domain."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from handrail.kernel.errors import BadInput


class Clock(Protocol):
    """Where the shell reads the time. `now` is an aware UTC moment; `monotonic` is seconds that never step."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class ManualClock:
    """A clock that a test moves by hand."""

    moment: datetime = field(default_factory=lambda: datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, **span: float) -> datetime:
        step = timedelta(**span)
        self.moment += step
        self.seconds += step.total_seconds()
        return self.moment


def to_text(moment: datetime) -> str:
    """RFC 3339 in UTC with six decimals and `Z`, so that text order is time order. Raises ValueError without a zone."""
    if moment.tzinfo is None:
        raise ValueError("A moment without a zone means nothing.")
    return _utc_text(moment)


# One moment is written many times: all that a batch holds was received at one, and an alert repeats its own.
@lru_cache(maxsize=4096)
def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def from_text(text: str) -> datetime:
    """Read RFC 3339 with a zone. Raises BadInput without one: a moment without zone means nothing."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"“{text[:40]}” is not a time; write it as 2026-01-31T09:00:00Z.") from None
    if moment.tzinfo is None:
        raise BadInput(f"“{text[:40]}” has no time zone; add Z or an offset.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise BadInput(f"“{text[:40]}” is outside the range of times.") from None
