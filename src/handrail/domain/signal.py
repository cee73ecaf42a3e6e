"""A signal: what the measurements of one service say at one moment, with the series that they come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypeAlias

from handrail.kernel.errors import Unavailable


@dataclass(frozen=True)
class Signal:
    """`series` has `t` (seconds since 1970, rising) and lists of the same length, with None where nothing is known.

    `error_rate` is a share of 1. `version` is what the monitor saw running, where it tells.
    """

    service: str
    healthy: bool
    error_rate: float | None
    p95_seconds: float | None
    observed_at: datetime
    series: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    version: str | None = None

    def words(self) -> str:
        """What it says, as a phrase for people."""
        rate = "error rate unknown" if self.error_rate is None else f"{self.error_rate * 100:.1f} % of requests fail"
        slow = "p95 latency unknown" if self.p95_seconds is None else f"p95 latency {self.p95_seconds:.2f} s"
        return f"{'healthy' if self.healthy else 'unhealthy'}, {rate}, {slow}"


@dataclass
class SignalUnreadable(Unavailable):
    """The service's signal could not be read."""

    title: ClassVar[str] = "The signal could not be read"
    default_code: ClassVar[str] = "signal_unreadable"


ReadSignal: TypeAlias = Callable[[str, str], Signal]
"""The port to monitors: (service, signal URL) -> its signal now. Raises SignalUnreadable and nothing else."""
