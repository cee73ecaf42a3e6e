"""Anomalies out of tables."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from handrail.kernel.errors import BadInput
from handrail.signals.detect.table import Wanted, detect_rows, read_moment
from handrail.signals.detect.watch import Kind


def refused(*lines: str, **wanted: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        list(detect_rows(lines, Wanted(**wanted)))  # type: ignore[arg-type]
    return caught.value


def test_each_column_is_a_series_of_its_own() -> None:
    values = np.random.default_rng(5).normal(20.0, 1.0, (900, 2))
    values[700, 1] = 80.0
    lines = ["timestamp,errors,latency", *(f"{step * 60},{a},{b}" for step, (a, b) in enumerate(values.tolist()))]
    found = [(name, anomaly.at, anomaly.kind) for name, anomaly in detect_rows(lines)]
    assert found == [("latency", 42_000.0, Kind.SPIKE)]


def test_a_column_can_tell_which_series_a_row_is_a_point_of() -> None:
    values = np.random.default_rng(5).normal(20.0, 1.0, (900, 2))
    values[700, 1] = 80.0
    rows = [f"{step * 60},h{n},{value},x" for step, pair in enumerate(values.tolist()) for n, value in enumerate(pair)]
    found = list(detect_rows(["time,host,cpu,note", *rows], Wanted(values=("cpu",), by="host")))
    assert [(name, anomaly.at) for name, anomaly in found] == [("h1", 42_000.0)]


def test_an_empty_field_is_a_missing_value() -> None:
    lines = ["timestamp,errors", *(f"{step * 60},{'' if step >= 100 else 5}" for step in range(140))]
    assert [anomaly.kind for _, anomaly in detect_rows(lines)] == [Kind.MISSING]


@pytest.mark.parametrize(
    "said",
    ["1767603600", "1767603600000", 1767603600000000, 1767603600_000000000, "2026-01-05 09:00:00",
     "2026-01-05T09:00:00Z", "2026-01-05T10:00:00+01:00", datetime(2026, 1, 5, 9), datetime(2026, 1, 5, 9, tzinfo=UTC)],
)  # fmt: skip
def test_a_moment_is_read_in_the_usual_forms(said: object) -> None:
    assert read_moment(said) == 1767603600.0


def test_a_day_is_its_beginning() -> None:
    assert read_moment(date(2026, 1, 5)) == read_moment("2026-01-05") == 1767571200.0


def test_a_row_that_cannot_be_read_is_refused_with_all_its_faults() -> None:
    assert [fault.where for fault in refused("timestamp,errors,latency", "noon,5,").faults] == ["timestamp"]
    all_three = refused("timestamp,errors,latency", "later,many,few")
    assert [fault.where for fault in all_three.faults] == ["timestamp", "errors", "latency"]
    assert all_three.detail == "Line 2 cannot be read: timestamp is not a moment: 'later'."


def test_a_table_without_the_columns_that_are_meant_is_refused_with_those_it_has() -> None:
    assert "it has when, errors" in refused("when,errors", "1,2").detail
    assert refused("when,errors", "1,2", time="then").detail.startswith("The table has no column then for the time")
    assert "no column of values" in refused("time", "1").detail
    assert "it has none" in refused("").detail


def test_time_that_goes_back_or_stands_still_is_refused_with_its_line() -> None:
    for second in ("50", "60"):
        assert refused("time,a", "60,1", f"{second},1").detail.startswith("Line 3 goes back in time")


def test_a_moment_that_is_no_number_is_refused_and_a_short_row_misses_values() -> None:
    assert "is not a moment: 'nan'" in refused("time,a", "nan,1").detail
    assert list(detect_rows(["time,a,b", "60,1", "120,1,2"])) == []
