"""The story on a terminal: what happened scrolls by and stays; below it the estate's signals and what is under way."""

import threading
import time
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from handrail.drills.demo.journal import Outcome, Step
from handrail.drills.demo.signals import Reading, spark
from handrail.drills.demo.telling import Card, Score, SignIn, Todo, clean, since

_WIDTH_MAX = 118
_TWO_COLUMNS_WIDTH = 110
_P95_TOP_SECONDS = 1.2
_REDRAW_SECONDS = 0.15
_CARD_STYLES = {"candidate": "yellow", "finding": "magenta", "gate": "blue", "message": "green"}
_MACHINES = ("Handrail", "Estate")


class LiveView:
    """Draws itself a few times a second from what it was told last.

    One lock holds for every write to the terminal: the part below is drawn over by its height, and two writers that
    both know the height of a moment ago would eat a line that should stay.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.RLock()
        self._readings: Sequence[Reading] = ()
        self._step: Step | None = None
        self._todo: Todo | None = None
        self._zero: float | None = None
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(console=console, get_renderable=self._bottom, auto_refresh=False, transient=True)
        self._live.start()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._redraw, name="demo-view", daemon=True)
        self._thread.start()

    def welcome(self, address: str, sign_ins: Sequence[SignIn]) -> None:
        rows = Table.grid(padding=(0, 2))
        for person in sign_ins:
            rows.add_row(
                Text(person.login, "bold"), Text(person.password, "cyan"), Text(person.name), Text(person.duty, "dim")
            )
        head = Text.assemble("Watch in a browser: ", (address, "bold underline cyan"), "   and sign in as")
        self._print(Panel(Group(head, Text(), rows), title="Handrail", border_style="cyan", width=self._width))

    def zero(self) -> None:
        self._zero = time.time()

    def begin(self, step: Step) -> None:
        with self._lock:
            self._step = step
        self._spinner = Spinner("dots", style="cyan")

    def end(self, outcome: Outcome) -> None:
        with self._lock:
            self._step = None
            self._print(self._line(outcome))

    def card(self, card: Card) -> None:
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="dim", no_wrap=True)
        rows.add_column(ratio=1, overflow="fold")
        for label, words in card.rows:
            rows.add_row(Text(label), Text(clean(words)))
        style = _CARD_STYLES[card.kind]
        panel = Panel(
            rows,
            title=Text(card.title, f"bold {style}"),
            title_align="left",
            border_style=style,
            width=self._width - 14,
        )
        self._print(Padding(panel, (0, 0, 0, 14), expand=False))

    def signals(self, readings: Sequence[Reading]) -> None:
        with self._lock:
            self._readings = readings

    def todo(self, todo: Todo | None) -> None:
        with self._lock:
            self._todo = todo
            if todo is not None:
                self._console.bell()

    def score(self, score: Score) -> None:
        times, record = _column("Times", score.times, "bold green"), _column("The record", score.record, "bold")
        people = _column("What people did", score.people, "bold")
        machines = _column("What machines did", score.machines, "bold")
        board = Table.grid(padding=(0, 4))
        if self._width < _TWO_COLUMNS_WIDTH:
            for part in (times, people, machines, record):
                board.add_row(part)
        else:
            board.add_row(times, record)
            board.add_row(Text(), Text())
            board.add_row(people, machines)
        self._print(Panel(board, title="What came of it", border_style="green", width=self._width))

    def say(self, words: str) -> None:
        self._print(Text(words))

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        self._live.stop()

    def _redraw(self) -> None:
        while not self._closed.wait(_REDRAW_SECONDS):
            with self._lock:
                self._live.refresh()

    @property
    def _width(self) -> int:
        return min(self._console.width, _WIDTH_MAX)

    def _print(self, what: RenderableType) -> None:
        with self._lock:
            self._console.print(what, width=self._width)

    def _line(self, outcome: Outcome) -> RenderableType:
        row = Table.grid(padding=(0, 1))
        for width in (9, 1, 8):
            row.add_column(width=width, no_wrap=True)
        row.add_column(ratio=1)
        mark = Text("✓", "bold green") if outcome.ok else Text("✗", "bold red")
        who = outcome.step.who
        style = "cyan" if who in _MACHINES else "bold yellow"
        words = Text.assemble((outcome.step.title, "bold"), ("  " + clean(outcome.detail), "" if outcome.ok else "red"))
        row.add_row(
            Text(since(outcome.at.timestamp(), self._zero), "dim", justify="right"), mark, Text(who, style), words
        )
        return row

    def _bottom(self) -> RenderableType:
        readings, step, todo = self._readings, self._step, self._todo
        parts: list[RenderableType] = [Text()]
        if readings:
            clock = "" if self._zero is None else f"  {time.time() - self._zero:.0f} s since the release"
            parts.append(Rule(Text(f"practice estate{clock}", "dim"), style="dim", align="left"))
            parts += [_signal_line(one, self._width) for one in readings]
        if step is not None:
            self._spinner.update(text=Text.assemble((f"{step.who} ", "cyan"), step.title, (" …", "dim")))
            parts.append(Padding(self._spinner, (0, 0, 0, 10)))
        if todo is not None:
            parts.append(_todo_panel(todo, self._width))
        return Group(*parts)


def _column(title: str, rows: Sequence[tuple[str, object]], style: str) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(title, "dim"), Text())
    for label, value in rows:
        table.add_row(Text(label), Text(str(value), style))
    return table


def _signal_line(one: Reading, width: int) -> Text:
    room = max(8, min(24, (width - 58) // 2))
    errors, slow = one.error_rate[-1], one.p95_seconds[-1]
    said = Text.assemble((f"{one.service:>11} ", "bold"), (f"{one.version:<6} ", "dim"))
    said.append("errors ", "dim").append(spark(one.error_rate, 1.0, room), _heat(errors, 0.02, 0.10))
    said.append("    ?  " if errors is None else f"{errors:>5.0%}  ", _heat(errors, 0.02, 0.10))
    said.append("p95 ", "dim").append(spark(one.p95_seconds, _P95_TOP_SECONDS, room), _heat(slow, 0.25, 0.5))
    said.append("     ?" if slow is None else f"{slow * 1000:>5.0f} ms", _heat(slow, 0.25, 0.5))
    said.append("  ✓" if one.healthy else f"  {len(one.symptoms)} symptoms", "green" if one.healthy else "bold red")
    said.no_wrap, said.overflow = True, "crop"
    return said


def _heat(value: float | None, warm: float, hot: float) -> str:
    if value is None:
        return "dim"
    return "bold red" if value >= hot else "yellow" if value >= warm else "green"


def _todo_panel(todo: Todo, width: int) -> Panel:
    said = Text.assemble(
        ("Sign in as ", ""), (todo.login, "bold"), (" with ", ""), (todo.password, "bold cyan"), ("\nOpen ", ""),
        (todo.where, "underline cyan"), (f"\n{todo.what}", "bold"),
    )  # fmt: skip
    return Panel(said, title=Text(f"Your turn: {todo.who}", "bold yellow"), border_style="yellow", width=width)
