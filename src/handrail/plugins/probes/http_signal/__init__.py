"""Reads a service's signal over HTTP, from the catalogue's `signal-url`.

The answer is one JSON object: `healthy` (true or false), `error_rate` and `p95_seconds` (numbers or null), and where
there are, `at` (RFC 3339), `version`, and `series` with `t` and lists as long as it.
"""

from datetime import datetime
from itertools import pairwise
from math import isfinite
from typing import Any

from handrail.domain.signal import Signal, SignalUnreadable
from handrail.kernel.clock import Clock, from_text
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.outward import Outward, OutwardFailed

_SECONDS_OF_YEAR_9999 = 253_402_300_799


class HttpSignal:
    """Fills the port `ReadSignal`: called with a service's name and its `signal-url`."""

    def __init__(self, outward: Outward, clock: Clock) -> None:
        self._outward = outward
        self._clock = clock

    def __call__(self, service: str, url: str) -> Signal:
        """The signal as it is now. Raises SignalUnreadable."""
        try:
            answer = self._outward.get(url, {"accept": "application/json"})
            if answer.status != 200:
                raise SignalUnreadable(f"The monitor of {service} answered {answer.status}.")
            content = answer.json()
        except OutwardFailed as failure:
            raise SignalUnreadable(f"The signal of {service} cannot be read: {failure.detail}") from failure
        except BadInput:
            raise SignalUnreadable(f"The monitor of {service} answered what is no JSON.") from None
        return read_signal(content, service, self._clock.now())


def read_signal(content: Any, service: str, now: datetime) -> Signal:
    """The signal that a monitor's answer holds; what does not fit its series is left out. Raises SignalUnreadable."""
    if not isinstance(content, dict) or not isinstance(content.get("healthy"), bool):
        raise SignalUnreadable(f"The monitor of {service} does not say whether it is healthy.")
    told = content.get("service", service)
    if told != service:
        raise SignalUnreadable(f"The monitor of {service} told of another service.")
    version = content.get("version")
    return Signal(
        service=service,
        healthy=content["healthy"],
        error_rate=_number(content.get("error_rate")),
        p95_seconds=_number(content.get("p95_seconds")),
        observed_at=_observed_at(content.get("at"), now),
        series=_series(content.get("series")),
        version=version[: LIMITS.label_chars] if isinstance(version, str) and version else None,
    )


def _observed_at(told: Any, now: datetime) -> datetime:
    """The monitor's own time, never later than ours."""
    try:
        return min(from_text(told), now) if isinstance(told, str) else now
    except BadInput:
        return now


def _series(told: Any) -> dict[str, tuple[float | None, ...]]:
    if not isinstance(told, dict) or not isinstance(told.get("t"), list):
        return {}
    moments = [_number(value) for value in told["t"]]
    times = [value for value in moments if value is not None and 0 <= value <= _SECONDS_OF_YEAR_9999]
    if len(times) != len(moments) or any(earlier >= later for earlier, later in pairwise(times)):
        return {}
    lists = {
        name: tuple(_number(value) for value in values)
        for name, values in told.items()
        if name != "t" and isinstance(values, list) and len(values) == len(times)
    }
    return {"t": tuple(times), **lists} if lists else {}


def _number(value: Any) -> float | None:
    """A finite number that canonical JSON can hold; anything else is not known."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isfinite(value) and abs(value) < 2**53 else None
