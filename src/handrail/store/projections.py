"""Projections: the row, keys, timers and timeline lines that follow from each noun's state; and their rebuild."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_origin

import msgspec
import sqlalchemy as sa

from handrail.domain.noun import ERASED, ERASED_CONTENT, Noun, Row
from handrail.domain.registry import NOUNS
from handrail.kernel.canonical import canonical, plain
from handrail.kernel.clock import to_text
from handrail.store import tables
from handrail.store.database import Database


@dataclass(frozen=True)
class Loaded:
    """A noun's state with the sequence number of its last event; state None before the first."""

    state: Any
    seq: int
    row: Row | None = None


def split_event(event: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An event as (body, personal): what stays, and what may be erased."""
    fields: dict[str, Any] = plain(event)
    personal = {name: fields.pop(name) for name in event.PERSONAL if fields.get(name) not in (None, "")}
    for name in event.PERSONAL:
        fields.pop(name, None)
    return fields, personal


def join_event(noun: Noun, kind: str, body: Mapping[str, Any], personal: Mapping[str, Any] | None, had: bool) -> Any:
    """The event again. Where personal text existed and is gone, it reads as erased."""
    cls = noun.by_type[kind]
    fields = dict(body)
    if had and personal is None:
        fields.update(_erased(cls))
    fields.update(personal or {})
    return msgspec.convert(fields, cls)


def _erased(cls: type[Any]) -> dict[str, Any]:
    """What stands for the personal fields of an event once they are erased."""
    return {
        field.name: dict(ERASED_CONTENT) if get_origin(field.type) is dict else ERASED
        for field in dataclasses.fields(cls)
        if field.name in cls.PERSONAL
    }


def load(connection: sa.Connection, noun: Noun, noun_id: str) -> Loaded:
    found = connection.execute(
        sa.select(tables.noun.c.state, tables.noun.c.seq).where(
            tables.noun.c.kind == noun.kind, tables.noun.c.id == noun_id
        )
    ).first()
    if found is None:
        return Loaded(None, -1)
    state = decode(noun, found.state)
    return Loaded(state, int(found.seq), noun.row(state))


def decode(noun: Noun, text: str) -> Any:
    return msgspec.json.decode(text.encode(), type=noun.state)


def save(
    database: Database, connection: sa.Connection, changed: Iterable[tuple[Noun, str, Loaded, Loaded, int]]
) -> None:
    """Write each changed noun: (noun, id, before, after, index of its last entry)."""
    rows = []
    for noun, noun_id, before, after, index in changed:
        row = noun.row(after.state)
        # The exact title stands in the state; a column of PostgreSQL holds no NUL.
        title = row.title.replace("\0", "\N{REPLACEMENT CHARACTER}")
        rows.append(
            {
                "kind": noun.kind, "id": noun_id, "seq": after.seq, "changed_index": index, "status": row.status,
                "title": title, "incident_id": row.incident_id, "state": canonical(after.state).decode(),
            }
        )  # fmt: skip
        _save_keys(connection, noun.kind, noun_id, before.row, row)
        _save_timers(database, connection, noun.kind, noun_id, before.row, row)
    database.upsert(connection, tables.noun, rows, ("kind", "id"))


def _save_keys(connection: sa.Connection, kind: str, noun_id: str, before: Row | None, after: Row) -> None:
    old, new = set(before.keys if before else ()), set(after.keys)
    for name, value in old - new:
        connection.execute(tables.key.delete().where(tables.key.c.name == name, tables.key.c.value == value))
    if new - old:
        connection.execute(
            tables.key.insert(),
            [{"name": name, "value": value, "kind": kind, "id": noun_id} for name, value in sorted(new - old)],
        )


def _save_timers(
    database: Database, connection: sa.Connection, kind: str, noun_id: str, before: Row | None, after: Row
) -> None:
    old = {timer.name: timer.due_at for timer in before.timers} if before else {}
    new = {timer.name: timer.due_at for timer in after.timers}
    gone = [name for name in old if name not in new]
    if gone:
        connection.execute(
            tables.timer.delete().where(
                tables.timer.c.kind == kind, tables.timer.c.id == noun_id, tables.timer.c.name.in_(gone)
            )
        )
    moved = [
        {"kind": kind, "id": noun_id, "name": name, "due_at": to_text(due_at)}
        for name, due_at in new.items()
        if old.get(name) != due_at
    ]
    database.upsert(connection, tables.timer, moved, ("kind", "id", "name"))


@dataclass(frozen=True)
class Entry:
    """One entry as the rebuild reads it."""

    index: int
    stream: str
    seq: int
    type: str
    body: dict[str, Any]
    personal: dict[str, Any] | None
    had_personal: bool


def entries(connection: sa.Connection, stream: str | None = None) -> Iterator[Entry]:
    """All entries in order, or those of one stream, with what is left of their personal text."""
    query = (
        sa.select(tables.entry, tables.personal.c.content)
        .outerjoin(tables.personal, tables.personal.c.idx == tables.entry.c.idx)
        .order_by(tables.entry.c.idx)
    )
    if stream is not None:
        query = query.where(tables.entry.c.stream == stream)
    for found in connection.execute(query).yield_per(500):
        had = json.loads(found.leaf)["personal_digest"] is not None
        personal = json.loads(found.content) if found.content is not None else None
        yield Entry(int(found.idx), found.stream, int(found.seq), found.type, json.loads(found.body), personal, had)


def rebuild(database: Database, connection: sa.Connection) -> None:
    """Empty all projections and make them again from the record alone."""
    for table in tables.PROJECTIONS:
        connection.execute(table.delete())
    states: dict[tuple[str, str], tuple[Loaded, int]] = {}
    lines = []
    for entry in entries(connection):
        kind, _, noun_id = entry.stream.partition("/")
        noun = NOUNS.get(kind)
        if noun is None or entry.type not in noun.by_type:
            continue
        event = join_event(noun, entry.type, entry.body, entry.personal, entry.had_personal)
        before = states.get((kind, noun_id), (Loaded(None, -1), -1))[0]
        state = noun.evolve(before.state, event)
        states[kind, noun_id] = (Loaded(state, entry.seq), entry.index)
        incident_id = noun.row(state).incident_id
        if incident_id is not None:
            lines.append({"idx": entry.index, "incident_id": incident_id})
    save(
        database,
        connection,
        [(NOUNS[kind], noun_id, Loaded(None, -1), after, index) for (kind, noun_id), (after, index) in states.items()],
    )
    if lines:
        connection.execute(tables.timeline.insert(), lines)


def dump(connection: sa.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every projection row in a fixed order: what a rebuild must give again, byte for byte."""
    return {
        table.name: [
            tuple(found) for found in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
        ]
        for table in tables.PROJECTIONS
    }
