"""The steps of the demonstration: each is tried once, timed, told, and kept for the summary."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from handrail.kernel.clock import Clock, to_text
from handrail.kernel.errors import HandrailError

T = TypeVar("T")

_LOOK_SECONDS = 0.2


class StepFailed(Exception):
    """A step did not hold; the sentence says what was awaited and what was seen instead."""


class Broken(StepFailed):
    """A step broke in a way that nobody foresaw: a fault of ours, told with its trace."""


class Usage(Exception):
    """The demonstration cannot start as asked; the sentence says why and what to do."""


@dataclass(frozen=True)
class Step:
    """`name` is stable, for summaries; `who` acts: a person's first name, Handrail, or the estate."""

    name: str
    who: str
    title: str


@dataclass(frozen=True)
class Outcome:
    """What became of a step. `at` is when it ended."""

    step: Step
    ok: bool
    at: datetime
    seconds: float
    detail: str

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.step.name, "ok": self.ok, "at": to_text(self.at), "seconds": round(self.seconds, 3),
            "detail": self.detail, "who": self.step.who, "title": self.step.title,
        }  # fmt: skip


class Teller(Protocol):
    """Who tells of the steps as they begin and end."""

    def begin(self, step: Step) -> None: ...

    def end(self, outcome: Outcome) -> None: ...


class Journal:
    """Runs steps one after the other. The first that does not hold ends the story."""

    def __init__(self, clock: Clock, teller: Teller) -> None:
        self._clock = clock
        self._teller = teller
        self.outcomes: list[Outcome] = []

    @property
    def failed(self) -> Outcome | None:
        return next((outcome for outcome in self.outcomes if not outcome.ok), None)

    def run(self, step: Step, work: Callable[[], str]) -> None:
        """Do the work of a step; what it returns is told. Raises StepFailed."""
        self._teller.begin(step)
        began = self._clock.monotonic()
        try:
            detail = work()
        except StepFailed as failure:
            self._end(step, False, began, str(failure))
            raise
        except HandrailError as error:
            self._end(step, False, began, error.detail)
            raise StepFailed(error.detail) from error
        except Exception as error:
            # The outermost place that knows which step it was.
            self._end(step, False, began, f"It broke: {error!r}")
            raise Broken(f"It broke: {error!r}") from error
        self._end(step, True, began, detail)

    def _end(self, step: Step, ok: bool, began: float, detail: str) -> None:
        outcome = Outcome(step, ok, self._clock.now(), self._clock.monotonic() - began, detail)
        self.outcomes.append(outcome)
        self._teller.end(outcome)


def wait_for(what: str, look: Callable[[], T | None], seconds: float | None) -> T:
    """Look again and again until there is something; raises StepFailed after `seconds` (None waits for ever)."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if deadline is not None and time.monotonic() >= deadline:
            raise StepFailed(f"{what} did not happen within {seconds:g} s.")
        time.sleep(_LOOK_SECONDS)
