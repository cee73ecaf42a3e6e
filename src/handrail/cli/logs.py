"""`handrail logs`: the messages of log files, and what is new in them, without a server."""

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import output
from handrail.cli.options import Json, single
from handrail.cli.trouble import NOT_FOUND, USAGE, Trouble

if TYPE_CHECKING:
    from handrail.signals.logs.compare import Message

app = single()
_GZIP = b"\x1f\x8b"
_STDIN = "-"


@app.command()
def logs(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Logs, a message a line; - is stdin.")],
    usual: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A log of usual times: tells what is new and what stopped.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many messages at most are shown.")] = 50,
    as_json: Json = False,
) -> None:
    """Sort the lines of logs into messages and count them; with --usual say which are new, and which stopped.

    \b
    Examples:
      handrail logs app.log
      handrail logs today.log --usual last-week.log.gz
      kubectl logs deploy/payments | handrail logs - --json
    """
    from handrail.signals.logs.compare import compare

    found = compare((line for file in files for line in _lines(file)), _lines(str(usual)) if usual else ())
    if as_json:
        shown = {"messages": found.messages, "stopped": found.stopped}
        rows = {name: [_row(one) for one in messages[:limit]] for name, messages in shown.items()}
        totals = {"lines": found.lines, "usual_lines": found.usual_lines, "templates": len(found.messages)}
        output.print_json(totals | rows)
        return
    columns: list[output.Column] = [("LINES", lambda row: row["count"]), ("MESSAGE", lambda row: row["template"])]
    if usual:
        columns[1:1] = [("USUALLY", lambda row: row["usual"] or "never")]
    output.talk(f"{found.lines} lines, {len(found.messages)} messages.")
    output.print_rows([_row(one) for one in found.messages[:limit]], columns, "There are no lines.")
    if found.stopped and usual:
        output.talk(f"{len(found.stopped)} messages of {usual} did not come:")
        output.print_rows([_row(one) for one in found.stopped[:limit]], columns, "")


def _row(one: "Message") -> dict[str, object]:
    return {
        "template": one.template, "count": one.count, "usual": one.usual, "is_of_errors": one.is_of_errors,
        "sample": one.sample,
    }  # fmt: skip


def _lines(file: str) -> Iterator[str]:
    """The lines of a file, plain or gzip, one held at a time; bytes that are no UTF-8 are marked."""
    if file == _STDIN:
        yield from (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
        return
    try:
        with Path(file).open("rb") as opened:
            packed = opened.read(len(_GZIP)) == _GZIP
        opener = gzip.open if packed else open
        with opener(file, "rt", encoding="utf-8", errors="replace") as text:
            yield from text
    except FileNotFoundError:
        raise Trouble(f"There is no file {file}.", NOT_FOUND, "Give another one, or - for stdin.") from None
    except EOFError:
        raise Trouble(f"{file} is not whole gzip.", USAGE, "Give another file.") from None
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror or error}.", USAGE, "Give another file.") from None
