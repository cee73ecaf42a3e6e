"""What every state machine of a noun checks at each step, and the people that all of them use."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from handrail.domain.noun import Noun
from handrail.domain.people import Person
from handrail.kernel.canonical import canonical
from handrail.kernel.errors import Refused
from handrail.store.projections import decode, join_event, split_event

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

PROPOSER = Person("usr_proposer", "person", frozenset({"responder"}), frozenset({"payments"}))
EDITOR = Person("usr_editor", "person", frozenset({"responder"}), frozenset({"payments"}))
ANNA = Person("usr_anna", "person", frozenset({"responder"}), frozenset({"payments"}))
BEN = Person("usr_ben", "person", frozenset({"responder"}), frozenset({"payments"}))
CARA = Person("usr_cara", "person", frozenset({"manager"}))
OWNER = Person("usr_owner", "person", frozenset({"owner"}))
OUTSIDER = Person("usr_outsider", "person", frozenset({"observer"}))
READER = Person("usr_reader", "person", frozenset({"observer"}), frozenset({"payments"}))
GONE = Person("usr_gone", "person", frozenset({"manager"}), frozenset({"payments"}), active=False)
ROBOT = Person("usr_robot", "machine", frozenset({"machine"}), frozenset({"payments"}))
PEOPLE = (PROPOSER, EDITOR, ANNA, BEN, CARA, OWNER, OUTSIDER, READER, GONE, ROBOT)

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
names = st.sampled_from(["usr_anna", "usr_ben", "analyst", ""])


@dataclass(frozen=True)
class Step:
    """What one command did: the state after it, the events, or the refusal."""

    state: Any
    events: tuple[Any, ...] = ()
    refusal: Refused | None = None


def step(noun: Noun, state: Any, command: object, now: datetime) -> Step:
    """Decide and evolve, holding true what must hold for every noun.

    1. the same command in the same state at the same moment gives the same decision
    2. no decision makes `evolve` or `row` fail
    3. every event comes back from its stored form, and so does the state
    """
    decided = noun.decide(state, command, now)
    assert noun.decide(state, command, now) == decided
    if isinstance(decided, Refused):
        assert decided.detail
        assert decided.status < 500
        return Step(state, (), decided)
    for event in decided:
        assert stored(noun, event) == event
        state = noun.evolve(state, event)
        noun.row(state)
    if decided:
        assert decode(noun, canonical(state).decode()) == state
    return Step(state, tuple(decided))


def stored(noun: Noun, event: Any) -> Any:
    """The event after a stay in the record."""
    body, personal = (json.loads(canonical(part)) for part in split_event(event))
    return join_event(noun, event.TYPE, body, personal or None, bool(personal))


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)
