"""Anomalies out of CSV text."""

import numpy as np
import pytest

from handrail.kernel.errors import BadInput
from handrail.signals.detect.table import detect_rows, read_moment
from handrail.signals.detect.watch import Kind


def test_each_column_is_a_series_of_its_own() -> None:
    values = np.random.default_rng(5).normal(20.0, 1.0, (900, 2))
    values[700, 1] = 80.0
    lines = ["timestamp,errors,latency", *(f"{step * 60},{a},{b}" for step, (a, b) in enumerate(values.tolist()))]
    found = [(name, anomaly.at, anomaly.kind) for name, anomaly in detect_rows(lines)]
    assert found == [("latency", 42_000.0, Kind.SPIKE)]


def test_an_empty_field_is_a_missing_value() -> None:
    lines = ["timestamp,errors", *(f"{step * 60},{'' if step >= 100 else 5}" for step in range(140))]
    assert [anomaly.kind for _, anomaly in detect_rows(lines)] == [Kind.MISSING]


@pytest.mark.parametrize(
    "text", ["1767603600", "2026-01-05 09:00:00", "2026-01-05T09:00:00Z", "2026-01-05T10:00:00+01:00"]
)
def test_a_moment_is_read_in_the_usual_forms(text: str) -> None:
    assert read_moment(text) == 1767603600.0


def test_a_row_that_cannot_be_read_is_refused_with_all_its_faults() -> None:
    with pytest.raises(BadInput) as refused:
        list(detect_rows(["timestamp,errors,latency", "noon,5,", "noon,many,5"]))
    assert [fault.where for fault in refused.value.faults] == ["2:timestamp"]
    with pytest.raises(BadInput) as refused:
        list(detect_rows(["timestamp,errors,latency", "later,many,few"]))
    assert [fault.where for fault in refused.value.faults] == ["2:timestamp", "2:errors", "2:latency"]


def test_a_table_without_its_time_column_is_refused() -> None:
    with pytest.raises(BadInput, match="timestamp"):
        list(detect_rows(["at,errors", "1,2"]))
