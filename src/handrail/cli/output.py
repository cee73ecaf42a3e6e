"""How commands print: data on stdout, talk on stderr; tables for people, JSON that stays the same for programs."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from handrail.cli.text import safe
from handrail.cli.trouble import USAGE, Trouble

if TYPE_CHECKING:
    from rich.console import Console

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Any], object]]

# A pipe has no width: lines are left whole for the program that reads them.
_PIPE_COLUMNS = 10_000
_STYLES = {
    "SEV1": "bold red", "SEV2": "red", "SEV3": "yellow", "SEV4": "cyan", "critical": "bold red", "high": "red",
    "medium": "yellow", "firing": "red", "resolved": "green", "open": "yellow", "satisfied": "green", "done": "green",
    "failed": "red", "outcome_unknown": "bold red", "rejected": "red", "expired": "red", "delivered": "green",
    "ok": "green", "warn": "yellow", "fail": "bold red", "overdue": "bold red",
}  # fmt: skip


def talk(sentence: str) -> None:
    """Say something to the person, beside the data."""
    print(safe(sentence, lines=True), file=sys.stderr)


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=True, indent=2))


def print_text(text: object) -> None:
    """A block of text as it is, made safe for the terminal."""
    print(safe(text, lines=True))


def print_rows(rows: Iterable[Row], columns: Sequence[Column], empty: str) -> None:
    """A table for people; `empty` says what belongs here when there is nothing."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for at, (header, _) in enumerate(columns):
        table.add_column(header, overflow="fold", no_wrap=at == 0)
    for row in rows:
        cells = [safe(read(row)) for _, read in columns]
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in cells))
    if table.row_count:
        _console(sys.stdout).print(table)
    else:
        talk(empty)


def print_page(page: Mapping[str, Any], columns: Sequence[Column], empty: str) -> None:
    """One page of a list, and beside it how to go on."""
    print_rows(page["items"], columns, empty)
    if page.get("next"):
        talk(f"There is more: add --cursor {page['next']}")


def print_fields(pairs: Iterable[tuple[str, object]]) -> None:
    """One thing with its properties, one a line; what is empty is left out. Text of several lines is set in below."""
    from rich.text import Text

    console = _console(sys.stdout)
    shown = [(label, safe(value, lines=True)) for label, value in pairs if value not in (None, "", [], ())]
    width = max((len(label) for label, _ in shown), default=0)
    for label, value in shown:
        line = Text(f"{label:<{width}}  ", style="bold")
        line.append(value.replace("\n", "\n" + " " * (width + 2)), style=_STYLES.get(value, "not bold"))
        console.print(line, soft_wrap=True)


def print_finding(verdict: str, name: str, sentence: str, fix: str) -> None:
    """One line of an examination, with the fix below it."""
    from rich.text import Text

    line = Text.assemble((f"{verdict:<5}", _STYLES[verdict]), (f"{safe(name)}: ", "bold"), safe(sentence))
    if fix:
        line.append(f"\n     {safe(fix)}")
    _console(sys.stdout).print(line, soft_wrap=True)


def heading(words: str) -> None:
    from rich.text import Text

    _console(sys.stdout).print(Text(f"\n{safe(words)}", style="bold"), soft_wrap=True)


def done(answer: Any, sentence: str, as_json: bool, prints: object = None) -> None:
    """The end of a write: the answer as JSON, or a sentence beside and `prints` (such as a new id) as data."""
    if as_json:
        print_json(answer)
        return
    talk(sentence)
    if prints is not None:
        print_text(prints)


def complain(trouble: Trouble, as_json: bool) -> None:
    """Say on stderr what went wrong: what and why, each fault, the next command."""
    if as_json:
        print(json.dumps(trouble.as_json(), ensure_ascii=True), file=sys.stderr)
        return
    lines = [trouble.what, *(f"  {fault}" for fault in trouble.faults)]
    talk("\n".join([*lines, trouble.next_step] if trouble.next_step else lines))


def confirm(question: str, answer: str, yes: bool) -> None:
    """Let the person type `answer` before something that is hard to take back. Without a terminal, ask for --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Trouble(f"{question} This needs a person, and there is no terminal.", USAGE, "Add --yes to go ahead.")
    print(f"{safe(question, lines=True)}\nType {safe(answer)} to go ahead: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != answer:
        raise Trouble("Nothing was done: what you typed is not it.", USAGE)


def _console(file: IO[str]) -> "Console":
    from rich.console import Console

    width = None if file.isatty() or os.environ.get("COLUMNS") else _PIPE_COLUMNS
    return Console(file=file, width=width, highlight=False, markup=False, emoji=False)
