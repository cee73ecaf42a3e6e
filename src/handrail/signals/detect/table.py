"""Reads series from CSV text and tells what is out of the ordinary in them: the pure part of `handrail detect FILE`."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from handrail.kernel.errors import BadInput, Fault
from handrail.signals.detect.watch import Anomaly, Watch

TIME_COLUMN = "timestamp"
FAULTS_TOLD = 20


def read_moment(text: str) -> float:
    """Seconds since 1970 of `2026-01-05 09:00:00`, of ISO 8601 with a zone, or of a plain number of seconds. Without a
    zone UTC is meant. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def detect_rows(lines: Iterable[str], limit: float | None = None) -> Iterator[tuple[str, Anomaly]]:
    """(column, anomaly) in time order from CSV lines with a header: `timestamp` and one column per series. An empty
    field is a missing value. One row is held at a time. Raises BadInput at the first row that cannot be read."""
    rows = csv.DictReader(lines)
    names = [name for name in rows.fieldnames or () if name != TIME_COLUMN]
    if TIME_COLUMN not in (rows.fieldnames or ()) or not names:
        raise BadInput(f"The first line must name the column {TIME_COLUMN} and at least one column of values.")
    watches = {name: Watch(limit) for name in names}
    for row in rows:
        at, values = _read_row(row, names, rows.line_num)
        for name, value in zip(names, values, strict=True):
            for anomaly in watches[name].observe(at, value):
                yield name, anomaly


def _read_row(row: dict[str, str], names: list[str], line: int) -> tuple[float, list[float]]:
    faults: list[Fault] = []
    at, values = 0.0, []
    try:
        at = read_moment(row[TIME_COLUMN] or "")
    except ValueError:
        faults.append(Fault(f"{line}:{TIME_COLUMN}", f"is not a moment: {row[TIME_COLUMN]!r}"))
    for name in names:
        try:
            values.append(float(row[name] or "nan"))
        except ValueError:
            faults.append(Fault(f"{line}:{name}", f"is not a number: {row[name]!r}"))
    if faults:
        raise BadInput(
            f"Line {line} cannot be read: {faults[0].where} {faults[0].what}.", faults=tuple(faults[:FAULTS_TOLD])
        )
    return at, values
