"""Every read of pages and API: typed, bounded, in a stable order.

Ids sort by the time they were made, so that a page is “what comes before this id”. Every function takes an open
connection, so that one answer is one snapshot.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from handrail.domain.account import Account
from handrail.domain.gate import Gate, may_vote
from handrail.domain.incident import Incident
from handrail.domain.noun import Noun
from handrail.domain.outcome import Line
from handrail.domain.people import Actor, Person
from handrail.domain.registry import NOUNS
from handrail.domain.run import Run, Task, open_tasks
from handrail.kernel.clock import from_text, to_text
from handrail.kernel.errors import NotFound
from handrail.kernel.limits import LIMITS
from handrail.store import tables
from handrail.store.projections import decode

S = TypeVar("S")

_NOUN_OF: dict[type[Any], Noun] = {noun.state: noun for noun in NOUNS.values()}


@dataclass(frozen=True)
class Found(Generic[S]):
    """A noun's state as of one snapshot. `seq` is the number of its last event, `changed_index` that entry."""

    id: str
    state: S
    seq: int
    changed_index: int


@dataclass(frozen=True)
class Wanted:
    """Which nouns of a kind; None means any."""

    status: str | None = None
    incident_id: str | None = None


@dataclass(frozen=True)
class EntryView:
    """One entry as people read it. `personal` is None when there was none or it was erased; `erased` tells which."""

    index: int
    stream: str
    seq: int
    type: str
    actor: Actor
    happened_at: datetime
    recorded_at: datetime
    reason: str
    body: dict[str, Any]
    personal: dict[str, Any] | None
    erased: bool
    leaf: str
    leaf_hash: str


@dataclass(frozen=True)
class TaskView:
    """A task with the run and incident that it belongs to."""

    run: Run
    task: Task

    @property
    def id(self) -> str:
        return f"{self.run.id}/{self.task.plan.id}"


@dataclass(frozen=True)
class TokenView:
    """A token without its secret."""

    id: str
    owner_id: str
    name: str
    last_four: str
    scopes: tuple[str, ...] | None
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class Quarantined:
    """A payload that could not be read, kept for a person to look at. `body` is None in lists."""

    id: str
    source: str
    received_at: datetime
    code: str
    reason: str
    size: int
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True)
class CheckpointView:
    size: int
    note: str
    made_at: datetime


@dataclass(frozen=True)
class Evidence:
    digest: str
    media_type: str
    about: str
    made_at: datetime
    content: bytes


def find(connection: sa.Connection, cls: type[S], noun_id: str) -> Found[S] | None:
    """The noun of that class and id, or None."""
    noun = _NOUN_OF[cls]
    query = sa.select(tables.noun).where(tables.noun.c.kind == noun.kind, tables.noun.c.id == noun_id)
    row = connection.execute(query).first()
    return _found(noun, row) if row else None


def get(connection: sa.Connection, cls: type[S], noun_id: str) -> Found[S]:
    """The noun of that class and id. Raises NotFound."""
    found = find(connection, cls, noun_id)
    if found is None:
        raise NotFound(f"There is no {_NOUN_OF[cls].kind} {noun_id[:80]}.")
    return found


def page(
    connection: sa.Connection, cls: type[S], wanted: Wanted = Wanted(), size: int = LIMITS.page_size,
    before: str | None = None,
) -> list[Found[S]]:  # fmt: skip
    """Nouns of a class, newest first; `before` is the last id of the page before."""
    noun, column = _NOUN_OF[cls], tables.noun.c
    query = sa.select(tables.noun).where(column.kind == noun.kind)
    if wanted.status is not None:
        query = query.where(column.status == wanted.status)
    if wanted.incident_id is not None:
        query = query.where(column.incident_id == wanted.incident_id)
    if before is not None:
        query = query.where(column.id < before)
    return [_found(noun, row) for row in connection.execute(query.order_by(column.id.desc()).limit(size))]


def count(connection: sa.Connection, cls: type[Any], wanted: Wanted = Wanted()) -> int:
    column = tables.noun.c
    query = sa.select(sa.func.count()).select_from(tables.noun).where(column.kind == _NOUN_OF[cls].kind)
    if wanted.status is not None:
        query = query.where(column.status == wanted.status)
    if wanted.incident_id is not None:
        query = query.where(column.incident_id == wanted.incident_id)
    return int(connection.execute(query).scalar_one())


def many(connection: sa.Connection, cls: type[S], ids: Iterable[str]) -> dict[str, S]:
    """The states of several nouns by id; ids that are not known are left out."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    noun = _NOUN_OF[cls]
    query = sa.select(tables.noun).where(tables.noun.c.kind == noun.kind, tables.noun.c.id.in_(wanted))
    return {row.id: decode(noun, row.state) for row in connection.execute(query.order_by(tables.noun.c.id))}


def _found(noun: Noun, row: Any) -> Found[Any]:
    return Found(row.id, decode(noun, row.state), int(row.seq), int(row.changed_index))


# incidents


def incident(connection: sa.Connection, id_or_reference: str) -> Found[Incident]:
    """An incident by its id or by its reference, such as INC-7. Raises NotFound."""
    incident_id = id_or_reference
    if not incident_id.startswith("inc_"):
        incident_id = by_key(connection, "reference", id_or_reference.upper()) or id_or_reference
    return get(connection, Incident, incident_id)


def by_key(connection: sa.Connection, name: str, value: str) -> str | None:
    """The id of the noun that holds a unique key (reference, login, source)."""
    query = sa.select(tables.key.c.id).where(tables.key.c.name == name, tables.key.c.value == value)
    return connection.execute(query).scalar()


def lines_of(connection: sa.Connection, incident_id: str) -> list[Line]:
    """All entries of an incident in order, as its outcome is computed from."""
    query = _of_incident(incident_id, tables.entry.c.idx, tables.entry.c.stream, tables.entry.c.type,
                         tables.entry.c.leaf, tables.entry.c.body)  # fmt: skip
    return [_line(row) for row in connection.execute(query.order_by(tables.entry.c.idx))]


def _line(row: Any) -> Line:
    leaf = json.loads(row.leaf)
    return Line(
        index=int(row.idx), stream=row.stream, type=row.type, actor_kind=leaf["actor"]["kind"],
        actor_id=leaf["actor"]["id"], happened_at=from_text(leaf["happened_at"]),
        recorded_at=from_text(leaf["recorded_at"]), body=json.loads(row.body),
    )  # fmt: skip


def timeline(
    connection: sa.Connection, incident_id: str, after: int = -1, size: int = LIMITS.page_size
) -> list[EntryView]:  # fmt: skip
    """Entries of an incident with an index beyond `after`, oldest first."""
    query = _of_incident(incident_id, *_ENTRY_COLUMNS).where(tables.entry.c.idx > after)
    query = query.outerjoin(tables.personal, tables.personal.c.idx == tables.entry.c.idx)
    return [_entry(row) for row in connection.execute(query.order_by(tables.entry.c.idx).limit(size))]


def timeline_end(connection: sa.Connection, incident_id: str, size: int = LIMITS.timeline_shown) -> list[EntryView]:
    """The last entries of an incident, oldest first."""
    query = _of_incident(incident_id, *_ENTRY_COLUMNS)
    query = query.outerjoin(tables.personal, tables.personal.c.idx == tables.entry.c.idx)
    newest = connection.execute(query.order_by(tables.entry.c.idx.desc()).limit(size)).all()
    return [_entry(row) for row in reversed(newest)]


def _of_incident(incident_id: str, *columns: Any) -> Any:
    return (
        sa.select(*columns)
        .select_from(tables.entry)
        .join(tables.timeline, tables.timeline.c.idx == tables.entry.c.idx)
        .where(tables.timeline.c.incident_id == incident_id)
    )


# people


def accounts(connection: sa.Connection) -> dict[str, Account]:
    """All accounts by id: what names stand for ids. An organisation's people are few."""
    query = sa.select(tables.noun).where(tables.noun.c.kind == "account").order_by(tables.noun.c.id)
    return {row.id: decode(NOUNS["account"], row.state) for row in connection.execute(query)}


def in_incident(person: Person, held_in: Incident | None) -> Person:
    """A person with the roles held in an incident."""
    return replace(person, incident_roles=held_in.roles_of(person.id)) if held_in else person


def tokens_of(connection: sa.Connection, owner_id: str, owner_kind: str = "account") -> list[TokenView]:
    """The API tokens of an account, or the tokens of a source, newest first."""
    token = tables.token
    query = sa.select(token).where(token.c.owner_kind == owner_kind, token.c.owner_id == owner_id)
    return [
        TokenView(
            row.id, row.owner_id, row.name, row.last_four,
            tuple(json.loads(row.scopes)) if row.scopes is not None else None,
            from_text(row.expires_at) if row.expires_at else None,
            from_text(row.revoked_at) if row.revoked_at else None,
        )
        for row in connection.execute(query.order_by(token.c.id.desc()).limit(LIMITS.page_size_max))
    ]  # fmt: skip


def still_signed_in(connection: sa.Connection, hashes: Sequence[str], now: datetime) -> set[str]:
    """Which of these hashes of session and API tokens still belong to an active account."""
    session, token, noun, moment = tables.session, tables.token, tables.noun, to_text(now)
    active = sa.select(noun.c.id).where(noun.c.kind == "account", noun.c.status == "active")
    sessions = sa.select(session.c.token_hash).where(
        session.c.token_hash.in_(hashes), session.c.expires_at > moment, session.c.account_id.in_(active)
    )
    tokens = sa.select(token.c.token_hash).where(
        token.c.token_hash.in_(hashes), token.c.owner_kind == "account", token.c.revoked_at.is_(None),
        sa.or_(token.c.expires_at.is_(None), token.c.expires_at > moment), token.c.owner_id.in_(active),
    )  # fmt: skip
    return {str(found) for found in connection.execute(sa.union_all(sessions, tokens)).scalars()}


# gates


def gates_of(
    connection: sa.Connection, person: Person, status: str = "open", size: int = LIMITS.page_size,
    before: str | None = None,
) -> list[Found[Gate]]:  # fmt: skip
    """Gates of that status which this person may decide and has not voted on, newest first."""
    mine: list[Found[Gate]] = []
    read = 0
    incidents: dict[str, Incident] = {}
    while len(mine) < size and read < LIMITS.gates_read:
        some = page(connection, Gate, Wanted(status), LIMITS.page_size_max, before)
        unknown = {gate.state.incident_id for gate in some if gate.state.incident_id} - set(incidents)
        incidents |= many(connection, Incident, (name for name in unknown if name))
        mine += [found for found in some if decides(found.state, person, incidents)]
        if len(some) < LIMITS.page_size_max:
            break
        before, read = some[-1].id, read + len(some)
    return mine[:size]


def decides(gate: Gate, person: Person, incidents: Mapping[str, Incident]) -> bool:
    """Whether the gate waits for this person: may vote, and has not."""
    voter = in_incident(person, incidents.get(gate.incident_id or ""))
    return may_vote(gate, voter) is None and all(vote.by != person.id for vote in gate.votes)


# tasks


def tasks(connection: sa.Connection, incident_id: str | None = None, running: bool = True) -> list[TaskView]:
    """Open tasks of running runs (or every task of every run), those due first at the front."""
    wanted = Wanted("running" if running else None, incident_id)
    found = [
        TaskView(run.state, task)
        for run in page(connection, Run, wanted, LIMITS.page_size_max)
        for task in (open_tasks(run.state) if running else run.state.tasks).values()
    ]
    return sorted(found, key=_due_first)[: LIMITS.tasks_read]


def _due_first(view: TaskView) -> tuple[bool, str, str]:
    due_at = view.task.due_at
    return (due_at is None, to_text(due_at) if due_at else "", view.id)


def owns(view: TaskView, person: Person, held_in: Incident | None) -> bool:
    """Whether a task is this person's: claimed, or owned by account, role or team while nobody has claimed it."""
    if view.task.claimed_by is not None:
        return view.task.claimed_by == person.id
    kind, _, name = view.task.plan.owner.rpartition(":")
    if kind == "team":
        return name in person.teams
    if kind == "role":
        held = person.roles | (held_in.roles_of(person.id) if held_in else frozenset())
        return name in held
    return name == person.id


def tasks_of(connection: sa.Connection, person: Person, incident_id: str | None = None) -> list[TaskView]:
    """Open tasks that are this person's."""
    found = tasks(connection, incident_id)
    incidents = many(connection, Incident, (view.run.incident_id for view in found))
    return [view for view in found if owns(view, person, incidents.get(view.run.incident_id))]


# the record

_ENTRY_COLUMNS = (
    tables.entry.c.idx, tables.entry.c.stream, tables.entry.c.seq, tables.entry.c.type, tables.entry.c.leaf,
    tables.entry.c.leaf_hash, tables.entry.c.body, tables.personal.c.content,
)  # fmt: skip


def record_size(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(tables.head.c.size)).scalar_one())


def entries(
    connection: sa.Connection, stream: str | None = None, kind: str | None = None, size: int = LIMITS.page_size,
    before: int | None = None,
) -> list[EntryView]:  # fmt: skip
    """Entries of the record, newest first, of one stream (`incident/inc_…`) and one type where they are given."""
    entry = tables.entry.c
    query = _entries()
    if stream is not None:
        query = query.where(entry.stream == stream)
    if kind is not None:
        query = query.where(entry.type == kind)
    if before is not None:
        query = query.where(entry.idx < before)
    return [_entry(row) for row in connection.execute(query.order_by(entry.idx.desc()).limit(size))]


def entry(connection: sa.Connection, index: int) -> EntryView:
    """One entry. Raises NotFound."""
    row = connection.execute(_entries().where(tables.entry.c.idx == index)).first()
    if row is None:
        raise NotFound(f"There is no entry {index}.")
    return _entry(row)


def entries_at(connection: sa.Connection, indexes: Sequence[int]) -> dict[int, EntryView]:
    """Entries by index; those that are not there are left out."""
    if not indexes:
        return {}
    found = connection.execute(_entries().where(tables.entry.c.idx.in_(indexes)))
    return {int(row.idx): _entry(row) for row in found}


def _entries() -> Any:
    joined = tables.entry.outerjoin(tables.personal, tables.personal.c.idx == tables.entry.c.idx)
    return sa.select(*_ENTRY_COLUMNS).select_from(joined)


def _entry(row: Any) -> EntryView:
    leaf = json.loads(row.leaf)
    return EntryView(
        index=int(row.idx), stream=row.stream, seq=int(row.seq), type=row.type, actor=Actor(**leaf["actor"]),
        happened_at=from_text(leaf["happened_at"]), recorded_at=from_text(leaf["recorded_at"]), reason=leaf["reason"],
        body=json.loads(row.body), personal=json.loads(row.content) if row.content is not None else None,
        erased=row.content is None and leaf["personal_digest"] is not None, leaf=row.leaf, leaf_hash=row.leaf_hash,
    )  # fmt: skip


def checkpoints(
    connection: sa.Connection, size: int = LIMITS.page_size, before: int | None = None
) -> list[CheckpointView]:  # fmt: skip
    """Signed checkpoints, newest first."""
    checkpoint = tables.checkpoint
    query = sa.select(checkpoint).order_by(checkpoint.c.size.desc()).limit(size)
    if before is not None:
        query = query.where(checkpoint.c.size < before)
    return [CheckpointView(int(row.size), row.note, from_text(row.made_at)) for row in connection.execute(query)]


def evidence(connection: sa.Connection, digest: str) -> Evidence:
    """A snapshot by the digest of its content. Raises NotFound."""
    found = connection.execute(sa.select(tables.evidence).where(tables.evidence.c.digest == digest)).first()
    if found is None:
        raise NotFound(f"There is no evidence {digest[:64]}.")
    return Evidence(found.digest, found.media_type, found.about, from_text(found.made_at), found.content)


# quarantine


def quarantined(
    connection: sa.Connection, size: int = LIMITS.page_size, before: str | None = None
) -> list[Quarantined]:  # fmt: skip
    """Payloads in quarantine without their bytes, newest first."""
    table = tables.quarantine.c
    query = sa.select(table.id, table.source, table.received_at, table.code, table.reason, table.size)
    if before is not None:
        query = query.where(table.id < before)
    return [_quarantined(row) for row in connection.execute(query.order_by(table.id.desc()).limit(size))]


def quarantine_item(connection: sa.Connection, item_id: str) -> Quarantined:
    """One payload with its bytes. Raises NotFound."""
    row = connection.execute(sa.select(tables.quarantine).where(tables.quarantine.c.id == item_id)).first()
    if row is None:
        raise NotFound(f"There is nothing {item_id[:80]} in quarantine; it may have been dropped by age.")
    return replace(_quarantined(row), body=row.body, headers=json.loads(row.headers), path=row.path)


def _quarantined(row: Any) -> Quarantined:
    return Quarantined(row.id, row.source, from_text(row.received_at), row.code, row.reason, int(row.size))
