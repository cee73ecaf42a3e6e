"""A signal: what the measurements of one service say at one moment, with the series that they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from handrail.domain.catalog import Service
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


@dataclass
class SignalUnreadable(Unavailable):
    """The service's signal could not be read."""

    title: ClassVar[str] = "The signal could not be read"
    default_code: ClassVar[str] = "signal_unreadable"


class SignalProbe(Protocol):
    """The port through which signals are read."""

    def read(self, service: Service) -> Signal:
        """The signal as it is now. Raises SignalUnreadable and nothing else."""
        ...


def as_json(signal: Signal) -> dict[str, Any]:
    """The signal as evidence keeps it."""
    return {
        "service": signal.service, "healthy": signal.healthy, "error_rate": signal.error_rate,
        "p95_seconds": signal.p95_seconds, "version": signal.version, "observed_at": signal.observed_at,
        "series": {name: list(values) for name, values in signal.series.items()},
    }  # fmt: skip
