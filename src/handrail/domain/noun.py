"""What every noun with a life is: its events, `decide`, `evolve`, and the row by which it is found.

`decide(state, command, now)` answers with the events that follow or with a refusal; `evolve(state, event)` gives the
next state. Both are pure. The shell appends the events and keeps `row(state)` as the projection.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeAlias

from handrail.kernel.errors import Refused

ERASED = "[erased]"
ERASED_CONTENT: dict[str, Any] = {"erased": True}


class Event(Protocol):
    """A frozen dataclass with a stable type name. Fields named in PERSONAL are stored apart and can be erased."""

    TYPE: ClassVar[str]
    PERSONAL: ClassVar[tuple[str, ...]]


Decision: TypeAlias = Sequence[Any] | Refused


@dataclass(frozen=True)
class Timer:
    """A moment at which the noun wants to be told the time. `name` is unique within the noun."""

    name: str
    due_at: datetime


@dataclass(frozen=True)
class Row:
    """How a noun is found: its status, its incident, its unique keys, and its next moments."""

    status: str
    title: str = ""
    incident_id: str | None = None
    keys: tuple[tuple[str, str], ...] = ()
    timers: tuple[Timer, ...] = ()


@dataclass(frozen=True)
class Noun:
    """One noun: `kind` names its streams (`kind/id`)."""

    kind: str
    state: type[Any]
    events: tuple[type[Any], ...]
    decide: Callable[[Any, Any, datetime], Decision]
    evolve: Callable[[Any, Any], Any]
    row: Callable[[Any], Row]
    by_type: dict[str, type[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_type.update({event.TYPE: event for event in self.events})


@dataclass(frozen=True)
class Tick:
    """The command of every timer: it is `now`; what is due?"""
