"""`handrail detect`: what is out of the ordinary in series from files, in words, without a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import output
from handrail.cli.options import Json, single
from handrail.cli.text import moment
from handrail.cli.trouble import NOT_FOUND, USAGE, Trouble

if TYPE_CHECKING:
    from handrail.signals.detect.table import Row, Wanted
    from handrail.signals.detect.watch import Anomaly

app = single()
_PARQUET = b"PAR1"


@app.command()
def detect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV with a header, or Parquet.")],
    time: Annotated[
        str, typer.Option(metavar="COLUMN", help="The time's column; else timestamp, time, ts, datetime, date or at.")
    ] = "",
    value: Annotated[
        list[str] | None, typer.Option("--value", metavar="COLUMN", help="A column to watch; else all but the time's.")
    ] = None,
    by: Annotated[
        str, typer.Option(metavar="COLUMN", help="Each row is a point of the series that this column names.")
    ] = "",
    limit: Annotated[
        float | None, typer.Option(help="A value that must not be reached: tells the time until a trend reaches it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find spikes, level shifts, scatter, flat lines, gaps and trends in series from files, by past points only.

    \b
    Examples:
      handrail detect requests.csv
      handrail detect disk.parquet --time when --value used_percent --limit 100
      handrail detect long.csv --by host --value cpu --json
    """
    from handrail.signals.detect.table import Wanted

    wanted = Wanted(time, tuple(value or ()), by, limit)
    rows = [row for file in files for row in _findings(file, wanted)]
    if as_json:
        output.print_json(rows)
        return
    columns: list[output.Column] = [
        ("SERIES", lambda row: row["series"]),
        ("AT", lambda row: moment(row["at"])),
        ("FINDING", lambda row: row["finding"]),
        ("WHAT", lambda row: row["sentence"]),
    ]
    if len(files) > 1:
        columns.insert(0, ("FILE", lambda row: row["file"]))
    output.print_rows(rows, columns, "Nothing is out of the ordinary.")


def _findings(file: Path, wanted: "Wanted") -> Iterator[dict[str, object]]:
    from handrail.kernel.errors import BadInput

    try:
        for series, found in _detected(file, wanted):
            yield _as_row(file, series, found)
    except BadInput as fault:
        said = tuple(f"{each.where}: {each.what}" for each in fault.faults)
        step = "Name the right columns with --time, --value and --by." if "column" in fault.detail else ""
        raise Trouble(f"{file}: {fault.detail}", USAGE, step, fault.code, said) from None
    except FileNotFoundError:
        raise Trouble(f"There is no file {file}.", NOT_FOUND, "Give another one.") from None
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror or error}.", USAGE, "Give another file.") from None
    except UnicodeDecodeError:
        raise Trouble(f"{file} is not UTF-8.", USAGE, "Save it as UTF-8, or give Parquet.") from None


def _detected(file: Path, wanted: "Wanted") -> "Iterator[tuple[str, Anomaly]]":
    from handrail.signals.detect.table import detect_rows, detect_table

    with file.open("rb") as opened:
        is_parquet = opened.read(len(_PARQUET)) == _PARQUET
    if is_parquet:
        names, rows = _parquet(file, wanted)
        yield from detect_table(names, rows, wanted)
        return
    with file.open(encoding="utf-8-sig", newline="") as lines:
        yield from detect_rows(lines, wanted)


def _parquet(file: Path, wanted: "Wanted") -> "tuple[list[str], Iterator[Row]]":
    """Names of the columns, and the rows as they stand, read a batch at a time."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise Trouble(
            f"{file} is Parquet, which needs a library that is not installed.", USAGE,
            "Install handrail[parquet], or give CSV.",
        ) from None  # fmt: skip
    try:
        table = parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise Trouble(f"{file} is no whole Parquet file: {str(error).splitlines()[0]}", USAGE) from None
    names = list(table.schema_arrow.names)
    asked = {wanted.time, wanted.by, *wanted.values} - {""}
    needed = [name for name in names if name in asked] if wanted.time and wanted.values else None

    def rows() -> "Iterator[Row]":
        number = 0
        for batch in table.iter_batches(columns=needed):
            for row in batch.to_pylist():
                number += 1
                yield f"Row {number}", row

    return names, rows()


def _as_row(file: Path, series: str, found: "Anomaly") -> dict[str, object]:
    from datetime import UTC, datetime

    from handrail.kernel.clock import to_text

    return {
        "file": str(file), "series": series, "at": to_text(datetime.fromtimestamp(found.at, UTC)),
        "finding": found.kind.value, "expected": found.expected, "value": found.value,
        "one_in_points": found.rarity or None, "breach_in_seconds": found.breach_in, "sentence": found.sentence,
    }  # fmt: skip
