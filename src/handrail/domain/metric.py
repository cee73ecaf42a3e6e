"""One sample of one metric, as telemetry brings it in and detectors read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MetricKind(StrEnum):
    """How the values of a series are to be read."""

    GAUGE = "gauge"
    COUNTER = "counter"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """A finite value of a series at a moment (UTC). The series is its name with its labels.

    A counter's value is the total since some start and may begin anew at zero; a delta's is what was added since the
    point before; a gauge's stands for itself.
    """

    labels: Mapping[str, str]
    name: str
    value: float
    at: datetime
    kind: MetricKind = MetricKind.GAUGE
