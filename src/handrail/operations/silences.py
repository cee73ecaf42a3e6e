"""Silences, maintenance windows and shelvings: put in place and ended by people, released by correlation."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from handrail.domain.people import Permission, Person, require
from handrail.domain.registry import NOUNS
from handrail.domain.silence import AddSilence, EndSilence, Kind, ReleaseSilence, Silence, read_matcher
from handrail.kernel.errors import NotFound, Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.operations.shell import Tx
from handrail.store import alerts, tables
from handrail.store.projections import decode


def add(
    tx: Tx, what: Kind, matchers: Sequence[str], starts_at: datetime | None, ends_at: datetime, reason: str,
    person: Person,
) -> Silence:  # fmt: skip
    """Put one in place. Raises Unprocessable bad_matcher, bad_silence, reason_missing, too_many_silences."""
    require(person, Permission.WORK)
    if len(live(tx.connection)) >= LIMITS.silences_live:
        raise Unprocessable(f"There are {LIMITS.silences_live} silences already; end some first.", "too_many_silences")
    silence_id = new_id("sil")
    read = tuple(read_matcher(text) for text in matchers)
    tx.change("silence", silence_id, AddSilence(silence_id, what, read, starts_at, ends_at, reason, person.id))
    tx.topics |= {"alerts", "board"}
    silence: Silence = tx.get("silence", silence_id)
    return silence


def shelve(tx: Tx, alert_id: str, span: timedelta, reason: str, person: Person) -> Silence:
    """Put one alert aside for a while."""
    require(person, Permission.WORK)
    if alerts.get(tx.connection, alert_id) is None:
        raise NotFound(f"There is no alert {alert_id[:80]}.")
    return add(tx, "shelve", [f"alert={alert_id}"], None, tx.now + span, reason, person)


def end(tx: Tx, silence_id: str, person: Person) -> None:
    """End it now: what it holds back is placed at once if it still fires."""
    require(person, Permission.WORK)
    tx.change("silence", silence_id, EndSilence(person.id))
    tx.topics |= {"alerts", "board"}


def release_ended(tx: Tx) -> int:
    """Hand what ended silences held back, and still fires, to correlation again; how many silences were released."""
    ended = with_status(tx.connection, "ended")
    for silence in ended:
        released = alerts.release(tx.connection, silence.matches)
        tx.change("silence", silence.id, ReleaseSilence(released))
    return len(ended)


def live(connection: sa.Connection) -> list[Silence]:
    """All that hold alerts back now, in a fixed order."""
    return with_status(connection, "live")


def with_status(connection: sa.Connection, status: str) -> list[Silence]:
    noun = tables.noun
    states = connection.execute(
        sa.select(noun.c.state)
        .where(noun.c.kind == "silence", noun.c.status == status)
        .order_by(noun.c.id)
        .limit(LIMITS.silences_live)
    ).scalars()
    return [decode(NOUNS["silence"], text) for text in states]
