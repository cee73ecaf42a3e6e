"""What the demonstration tells, as values, and how it is told in plain lines where no terminal watches."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Literal, Protocol

from handrail.drills.demo.journal import Outcome, Step, Teller
from handrail.drills.demo.signals import Reading

CardKind = Literal["candidate", "finding", "gate", "message"]


@dataclass(frozen=True)
class Card:
    """Something that people read before they decide: rows of (label, words)."""

    kind: CardKind
    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Todo:
    """What the person at the browser does next."""

    who: str
    login: str
    password: str
    what: str
    where: str


@dataclass(frozen=True)
class SignIn:
    """Somebody to sign in as, and what they are for."""

    name: str
    login: str
    password: str
    duty: str


@dataclass(frozen=True)
class Score:
    """The end of the story: rows of (measure, value), and what came about by whom."""

    times: tuple[tuple[str, str], ...]
    people: tuple[tuple[str, int], ...]
    machines: tuple[tuple[str, int], ...]
    record: tuple[tuple[str, str], ...]


class View(Teller, Protocol):
    """Everything that the terminal shows. Text may come from outside; views never let it command the terminal."""

    def welcome(self, address: str, sign_ins: Sequence[SignIn]) -> None: ...

    def zero(self) -> None:
        """The release goes out now: times are told from here on."""

    def card(self, card: Card) -> None: ...

    def signals(self, readings: Sequence[Reading]) -> None: ...

    def todo(self, todo: Todo | None) -> None: ...

    def score(self, score: Score) -> None: ...

    def say(self, words: str) -> None: ...

    def close(self) -> None: ...


def clean(text: str) -> str:
    """Text from outside as one printable line: nothing in it may move the cursor or colour the terminal."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def since(outcome_at: float, zero_at: float | None) -> str:
    """The moment as people read it: seconds after the release, or nothing before it."""
    return "" if zero_at is None else f"+{outcome_at - zero_at:.1f} s"


class PlainView:
    """One line for each thing, for logs and pipes."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stdout
        self._zero: float | None = None
        self._zero_next = False

    def welcome(self, address: str, sign_ins: Sequence[SignIn]) -> None:
        self.say(f"Handrail is up at {address}. Sign in as:")
        for person in sign_ins:
            self.say(f"  {person.login:<6} {person.password:<16} {person.name}, {person.duty}")

    def zero(self) -> None:
        self._zero_next = True

    def begin(self, step: Step) -> None:
        """A line at the end of the step is enough."""

    def end(self, outcome: Outcome) -> None:
        at = outcome.at.timestamp()
        if self._zero_next and self._zero is None:
            self._zero = at
        mark = "ok  " if outcome.ok else "FAIL"
        words = f"{outcome.step.who:<8} {outcome.step.title}"
        self.say(f"{since(at, self._zero):>9}  {mark}  {words}: {clean(outcome.detail)}")

    def card(self, card: Card) -> None:
        self.say(f"           {card.title}")
        for label, words in card.rows:
            self.say(f"           | {label}: {clean(words)}" if label else f"           |   {clean(words)}")

    def signals(self, readings: Sequence[Reading]) -> None:
        """Numbers that change several times a second are for people who watch."""

    def todo(self, todo: Todo | None) -> None:
        if todo is not None:
            self.say(f"           YOU: sign in as {todo.login} ({todo.password}), open {todo.where}: {todo.what}")

    def score(self, score: Score) -> None:
        for title, rows in (
            ("Times", score.times), ("People", score.people), ("Machines", score.machines), ("Record", score.record),
        ):  # fmt: skip
            self.say(title)
            for label, value in rows:
                self.say(f"  {label:<34} {value}")

    def say(self, words: str) -> None:
        print(words, file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is held."""
