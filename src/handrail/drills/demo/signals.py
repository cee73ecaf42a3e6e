"""The symptoms of the estate as numbers to show: read from its monitor a few times a second, beside the story."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

_BARS = "▁▂▃▄▅▆▇█"
_INTERVAL_SECONDS = 0.5
_CALL_SECONDS = 2.0
SHOWN_SECONDS = 24


@dataclass(frozen=True)
class Reading:
    """One service: its release, its symptoms, and the last seconds of two measures (None: not known)."""

    service: str
    version: str
    symptoms: tuple[str, ...]
    error_rate: tuple[float | None, ...]
    p95_seconds: tuple[float | None, ...]

    @property
    def healthy(self) -> bool:
        return not self.symptoms


def reading(signal: Mapping[str, Any]) -> Reading:
    """What the monitor says, with the present value at the end of each series."""
    series = signal["series"]
    return Reading(
        str(signal["service"]),
        str(signal["version"] or "?"),
        tuple(signal["symptoms"]),
        (*series["error_rate"][-SHOWN_SECONDS + 1 :], signal["error_rate"]),
        (*series["p95_seconds"][-SHOWN_SECONDS + 1 :], signal["p95_seconds"]),
    )


def spark(values: Sequence[float | None], top: float, width: int = SHOWN_SECONDS) -> str:
    """The last values as bars under a fixed top, so that bars of different services compare. Unknown is a gap."""
    shown = list(values)[-width:]
    bars = "".join(" " if value is None else _BARS[_level(value, top)] for value in shown)
    return bars.rjust(width)


def _level(value: float, top: float) -> int:
    return max(0, min(len(_BARS) - 1, round(value / top * (len(_BARS) - 1))))


class Watcher:
    """A thread that hands on the readings of all services. A monitor that does not answer is left out for a moment."""

    def __init__(self, urls: Mapping[str, str], tell: Callable[[Sequence[Reading]], None]) -> None:
        self._urls = urls
        self._tell = tell
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-signals", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_CALL_SECONDS * 2)

    def _run(self) -> None:
        with httpx2.Client(verify=False, trust_env=False, timeout=_CALL_SECONDS) as client:
            while not self._stop.wait(_INTERVAL_SECONDS):
                try:
                    self._tell([reading(client.get(url).json()) for url in self._urls.values()])
                except (httpx2.HTTPError, ValueError, KeyError):
                    continue
