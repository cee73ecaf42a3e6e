"""What the monitor concludes about one service: its alerts, its health, and the last minutes as a series. No I/O."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handrail.drills.estate.rules import (
    RULES,
    WINDOW_SECONDS,
    Phase,
    annotations_of,
    labels_of,
    step,
    symptoms,
    value_of,
)
from handrail.drills.estate.topology import Spec
from handrail.drills.estate.webhook import Told
from handrail.drills.estate.window import Measures, Sample, Window
from handrail.kernel.clock import to_text

SERIES_SECONDS = 180


@dataclass(frozen=True)
class Point:
    """One second of the series; `at` is in whole seconds since 1970."""

    at: int
    measures: Measures


class Watch:
    """Everything about one service. `look` is called a few times a second with the time of that look."""

    def __init__(self, spec: Spec, instance: str, now: datetime) -> None:
        self.spec = spec
        self._instance = instance
        self._window = Window()
        self._phases: dict[str, Phase] = {rule.name: Phase() for rule in RULES}
        self._values: dict[str, float | None] = {}
        self._measures = Measures(down=1.0)
        self._points: deque[Point] = deque(maxlen=SERIES_SECONDS)
        self._symptoms: tuple[str, ...] = ("ServiceDown",)
        self._since = now
        self._looked_at = now

    def add(self, sample: Sample) -> None:
        self._window.add(sample)

    def look(self, seconds: float, now: datetime) -> None:
        """Look at the window and move every alert, the health and the series on."""
        self._measures = self._window.measure(seconds, WINDOW_SECONDS)
        self._looked_at = now
        healthy = not self._symptoms
        self._symptoms = symptoms(self._measures)
        if healthy != (not self._symptoms):
            self._since = now
        for rule in RULES:
            there = rule.name in self._symptoms
            if there:
                self._values[rule.name] = value_of(rule, self._measures)
            self._phases[rule.name] = step(self._phases[rule.name], rule, there, seconds, now)
        at = int(now.timestamp())
        if not self._points or at > self._points[-1].at:
            self._points.append(Point(at, self._measures))

    def alerts(self) -> list[Told]:
        """The alerts that fire, and those that ended and were not forgotten yet."""
        return [
            Told(
                labels_of(rule, self.spec, self._instance),
                annotations_of(rule, self.spec, self._values.get(rule.name)),
                phase.starts_at,
                phase.ends_at,
            )
            for rule in RULES
            if (phase := self._phases[rule.name]).starts_at is not None
        ]

    def forget(self, alert: Told) -> None:
        """Drop an ended alert once its end was told; a new one of the same name is left alone."""
        name = alert.labels["alertname"]
        phase = self._phases[name]
        if phase.ends_at is not None and phase.starts_at == alert.starts_at:
            self._phases[name] = Phase()

    def signal(self) -> Mapping[str, Any]:
        """Health and series as they are served."""
        measures = self._measures
        return {
            "service": self.spec.name,
            "healthy": not self._symptoms,
            "symptoms": list(self._symptoms),
            "version": self._window.version,
            "error_rate": _rounded(measures.error_rate),
            "p95_seconds": _rounded(measures.p95_seconds),
            "requests_per_second": _rounded(measures.requests_per_second),
            "pool_in_use": measures.pool_in_use,
            "since": to_text(self._since),
            "at": to_text(self._looked_at),
            "window_seconds": WINDOW_SECONDS,
            "series": {
                "t": [point.at for point in self._points],
                "error_rate": [_rounded(point.measures.error_rate) for point in self._points],
                "p95_seconds": [_rounded(point.measures.p95_seconds) for point in self._points],
                "requests_per_second": [_rounded(point.measures.requests_per_second) for point in self._points],
                "pool_in_use": [point.measures.pool_in_use for point in self._points],
            },
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
