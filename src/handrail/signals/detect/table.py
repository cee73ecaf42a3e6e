"""Reads series from tables (CSV, Parquet) and tells what is out of the ordinary in them: the pure part of
`handrail detect FILE`. One row is held at a time."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import isfinite

from handrail.kernel.errors import BadInput, Fault
from handrail.kernel.limits import LIMITS, Limits
from handrail.signals.detect.watch import Anomaly, Watch

TIME_COLUMN = "timestamp"
TIME_COLUMNS = (TIME_COLUMN, "time", "ts", "datetime", "date", "at")
FAULTS_TOLD = 20
_NAMES_TOLD = 12
# A number of seconds has ten digits for three centuries; one with more digits is of a finer unit.
_UNITS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))

Row = tuple[str, Mapping[str, object]]


@dataclass(frozen=True)
class Wanted:
    """Which columns are meant: that of the time (empty: the first of TIME_COLUMNS), of values (empty: all others), and
    one that tells series apart where each row is a point of one of them (empty: none). `limit` must not be reached."""

    time: str = ""
    values: tuple[str, ...] = ()
    by: str = ""
    limit: float | None = None


def read_moment(said: object) -> float:
    """Seconds since 1970 of `2026-01-05 09:00:00`, of ISO 8601 with a zone, of a date, or of a plain number of seconds,
    milli-, micro- or nanoseconds. Without a zone UTC is meant. Raises ValueError."""
    if isinstance(said, date) and not isinstance(said, datetime):
        said = said.isoformat()
    if isinstance(said, datetime):
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp()
    try:
        number = float(said)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return read_moment(datetime.fromisoformat(str(said)))
    if not isfinite(number):
        raise ValueError("no moment")
    return next((number * unit for least, unit in _UNITS if abs(number) >= least), number)


def detect_rows(lines: Iterable[str], wanted: Wanted | None = None) -> Iterator[tuple[str, Anomaly]]:
    """(series, anomaly) in time order from CSV lines with a header. An empty field is a missing value. Raises BadInput
    at the first row that cannot be read."""
    rows = csv.DictReader(lines)
    try:
        names = list(rows.fieldnames or ())
        yield from detect_table(names, ((f"Line {rows.line_num}", row) for row in rows), wanted or Wanted())
    except csv.Error as error:
        raise BadInput(f"Line {rows.line_num} is no CSV: {error}.") from None


def detect_table(
    names: Sequence[str], rows: Iterable[Row], wanted: Wanted, limits: Limits = LIMITS
) -> Iterator[tuple[str, Anomaly]]:
    """(series, anomaly) from rows, each with where it stands in words. A series is a column, or with `by` a value of
    that column and the name of another. Raises BadInput."""
    time, values = _columns(names, wanted)
    watches: dict[str, Watch] = {}
    last: dict[str, float] = {}
    for where, row in rows:
        at, read = _read_row(row, time, values, where)
        of = f"{row[wanted.by]} " if wanted.by else ""
        if at <= last.get(of, float("-inf")):
            raise BadInput(
                f"{where} goes back in time, or says a moment twice: {row[time]}. Sort the table by {time}; where "
                "several series share it, name the column that tells them apart."
            )
        last[of] = at
        for column, value in zip(values, read, strict=True):
            series = f"{of}{column}" if len(values) > 1 or not of else of.rstrip()
            watch = watches.get(series)
            if watch is None:
                if len(watches) >= limits.series_watched:
                    raise BadInput(f"The table has more than {limits.series_watched} series; select fewer.")
                watch = watches[series] = Watch(wanted.limit)
            for anomaly in watch.observe(at, value):
                yield series, anomaly


def _columns(names: Sequence[str], wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    """The time's column and those with values."""
    known = f"it has {', '.join(names[:_NAMES_TOLD]) or 'none'}{', …' if len(names) > _NAMES_TOLD else ''}"
    time = wanted.time or next((name for name in TIME_COLUMNS if name in names), "")
    if time not in names:
        asked = f"no column {time}" if time else f"no column {', '.join(TIME_COLUMNS[:-1])} or {TIME_COLUMNS[-1]}"
        raise BadInput(f"The table has {asked} for the time; {known}.")
    for name in (*wanted.values, *([wanted.by] if wanted.by else [])):
        if name not in names:
            raise BadInput(f"The table has no column {name}; {known}.")
    values = wanted.values or tuple(name for name in names if name not in (time, wanted.by))
    if not values:
        raise BadInput(f"The table has no column of values beside its time; {known}.")
    return time, values


def _read_row(row: Mapping[str, object], time: str, names: Sequence[str], where: str) -> tuple[float, list[float]]:
    faults: list[Fault] = []
    at, values = 0.0, []
    try:
        at = read_moment(row[time] if row[time] is not None else "")
    except (ValueError, OverflowError):
        faults.append(Fault(time, f"is not a moment: {_shown(row[time])}"))
    for name in names:
        try:
            values.append(_number(row[name]))
        except (TypeError, ValueError):
            faults.append(Fault(name, f"is not a number: {_shown(row[name])}"))
    if faults:
        raise BadInput(
            f"{where} cannot be read: {faults[0].where} {faults[0].what}.", faults=tuple(faults[:FAULTS_TOLD])
        )
    return at, values


def _number(said: object) -> float:
    if said is None or said == "":
        return float("nan")
    return float(said)  # type: ignore[arg-type]


def _shown(said: object) -> str:
    text = repr(said)
    return text if len(text) <= 64 else f"{text[:60]}…"
