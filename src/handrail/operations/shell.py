"""The imperative shell: one transaction per operation.

It loads a noun, lets the domain decide, appends the events to the record, keeps the projections, puts machine work in
line, commits, and only then wakes listeners. The clock is read once per operation.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from handrail.domain.incident import Incident
from handrail.domain.noun import Noun
from handrail.domain.people import Actor, Person
from handrail.domain.registry import NOUNS
from handrail.kernel.canonical import NoCanonicalForm, canonical, digest_bytes
from handrail.kernel.clock import Clock, to_text
from handrail.kernel.errors import (
    BrokenInvariant,
    Conflict,
    HandrailError,
    NotFound,
    Refused,
    Unavailable,
    Unprocessable,
)
from handrail.kernel.limits import LIMITS
from handrail.kernel.sealed import MasterKeys
from handrail.plugins.actions.contract import Action
from handrail.record.writer import Writer, Written
from handrail.store import tables
from handrail.store.database import Database, worth_another_try
from handrail.store.projections import Loaded, entries, join_event, load, save, split_event

T = TypeVar("T")

HANDRAIL = Actor("machine", "handrail")


@dataclass(frozen=True)
class Work:
    """One machine step for the engine. The same `key` is put in line once, however often it is asked for."""

    kind: str
    key: str
    arguments: dict[str, str]


class Engine(Protocol):
    """The port to durable execution: put work in line inside the caller's transaction."""

    def enqueue(self, connection: sa.Connection, work: Work) -> None: ...


@dataclass(frozen=True)
class Ports:
    """What operations know of the outside without touching it: actions to preview, and channels that are set up.

    `channels` None means that every channel an audience names is set up. `secret_keys` seal secrets that are read
    back; without them none can be kept.
    """

    actions: Mapping[str, Action] = field(default_factory=dict)
    channels: frozenset[str] | None = None
    secret_keys: MasterKeys | None = None


@dataclass(frozen=True)
class Committed:
    """What an operation changed, told to listeners after the commit."""

    index: int
    topics: frozenset[str]


Listener = Callable[[Committed], None]


@dataclass
class Tx:
    """One operation's transaction. Every read sees what the operation itself has changed."""

    connection: sa.Connection
    database: Database
    writer: Writer
    engine: Engine
    now: datetime
    actor: Actor
    reason: str
    ports: Ports
    work: list[Work] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)
    written: list[Written] = field(default_factory=list)
    _loaded: dict[tuple[str, str], Loaded] = field(default_factory=dict)
    _before: dict[tuple[str, str], Loaded] = field(default_factory=dict)
    _last_index: dict[tuple[str, str], int] = field(default_factory=dict)
    _timeline: list[dict[str, Any]] = field(default_factory=list)

    def load(self, kind: str, noun_id: str) -> Any:
        """The state, or None."""
        return self._load(kind, noun_id).state

    def get(self, kind: str, noun_id: str) -> Any:
        """The state. Raises NotFound."""
        state = self.load(kind, noun_id)
        if state is None:
            raise NotFound(f"There is no {kind} {noun_id[:80]}.")
        return state

    def seq(self, kind: str, noun_id: str) -> int:
        """The number of the noun's last event, with what this operation did; -1 before the first."""
        return self._load(kind, noun_id).seq

    def find(self, name: str, value: str) -> str | None:
        """The id of the noun that holds a unique key, as committed before this operation."""
        found = self.connection.execute(
            sa.select(tables.key.c.id).where(tables.key.c.name == name, tables.key.c.value == value)
        ).scalar()
        return str(found) if found is not None else None

    def change(self, kind: str, noun_id: str, command: object, happened_at: datetime | None = None) -> list[Any]:
        """Let the domain decide, and append what follows. Raises the domain's refusal."""
        noun, before = NOUNS[kind], self._load(kind, noun_id)
        decided = noun.decide(before.state, command, self.now)
        if isinstance(decided, Refused):
            raise decided
        self._before.setdefault((kind, noun_id), before)
        for event in decided:
            self._append(noun, noun_id, event, happened_at)
        return list(decided)

    def append_plain(
        self, stream: str, kind: str, body: dict[str, Any], personal: dict[str, Any] | None = None
    ) -> Written:
        """Append an entry that belongs to no noun (a batch of alerts, an erasure, a reading)."""
        written = self.writer.append(stream, kind, body, personal or {}, self.actor, self.now, self.now, self.reason)
        self.written.append(written)
        return written

    def keep_evidence(self, content: bytes, media_type: str, about: str) -> str:
        """Store a snapshot under the digest of its content; the same content is kept once."""
        digest = digest_bytes(content)
        kept = {"digest": digest, "media_type": media_type, "about": about, "made_at": to_text(self.now),
                "content": content}  # fmt: skip
        known = self.connection.execute(
            sa.select(tables.evidence.c.digest).where(tables.evidence.c.digest == digest)
        ).first()
        if known is None:
            self.connection.execute(tables.evidence.insert().values(kept))
        return digest

    def reproject(self, kind: str, noun_id: str) -> None:
        """Make a noun's state again from its entries, after personal text was erased from one of them."""
        self.flush()
        noun, before = NOUNS[kind], self._load(kind, noun_id)
        state, seq, index = None, -1, -1
        for entry in entries(self.connection, f"{kind}/{noun_id}"):
            event = join_event(noun, entry.type, entry.body, entry.personal, entry.had_personal)
            state, seq, index = noun.evolve(state, event), entry.seq, entry.index
        if state is None:
            return
        self._before.setdefault((kind, noun_id), before)
        self._loaded[kind, noun_id] = Loaded(state, seq, noun.row(state))
        self._last_index[kind, noun_id] = index
        self.topics |= {kind, f"{kind}:{noun_id}"}

    def keep_json_evidence(self, value: Any, about: str) -> str:
        return self.keep_evidence(canonical(value), "application/json", about)

    def enqueue(self, work: Work) -> None:
        self.work.append(work)

    def person(self, account_id: str, incident_id: str | None = None) -> Person | None:
        """An account as it is now, with the roles that it holds in the incident."""
        account = self.load("account", account_id)
        if account is None:
            return None
        incident: Incident | None = self.load("incident", incident_id) if incident_id else None
        result: Person = account.person(incident.roles_of(account_id) if incident else frozenset())
        return result

    def flush(self) -> None:
        """Write the entries and timeline lines so far, so that a query of this operation sees them."""
        self.writer.flush()
        if self._timeline:
            self.connection.execute(tables.timeline.insert(), self._timeline)
            self._timeline = []

    def finish(self) -> None:
        """Write everything in the order: entries, projections, work."""
        self.flush()
        changed = [
            (NOUNS[kind], noun_id, before, self._loaded[kind, noun_id], self._last_index[kind, noun_id])
            for (kind, noun_id), before in self._before.items()
            if (kind, noun_id) in self._last_index
        ]
        save(self.database, self.connection, changed)
        for work in self.work:
            self.engine.enqueue(self.connection, work)

    def _load(self, kind: str, noun_id: str) -> Loaded:
        if (kind, noun_id) not in self._loaded:
            self._loaded[kind, noun_id] = load(self.connection, NOUNS[kind], noun_id)
        return self._loaded[kind, noun_id]

    def _append(self, noun: Noun, noun_id: str, event: Any, happened_at: datetime | None) -> None:
        body, personal = split_event(event)
        moment = happened_at or getattr(event, "happened_at", None) or self.now
        written = self.writer.append(
            f"{noun.kind}/{noun_id}", event.TYPE, body, personal, self.actor, moment, self.now, self.reason
        )
        state = noun.evolve(self._loaded[noun.kind, noun_id].state, event)
        row = noun.row(state)
        self._loaded[noun.kind, noun_id] = Loaded(state, written.seq, row)
        self._last_index[noun.kind, noun_id] = written.index
        self.written.append(written)
        self.topics |= {noun.kind, f"{noun.kind}:{noun_id}"}
        if row.incident_id is not None:
            self._timeline.append({"idx": written.index, "incident_id": row.incident_id})
            self.topics.add(f"incident:{row.incident_id}")


@dataclass
class Shell:
    """What every operation runs in. `listeners` are called after each commit, in the committing thread."""

    database: Database
    clock: Clock
    seal_key: bytes
    engine: Engine
    ports: Ports = field(default_factory=Ports)
    listeners: list[Listener] = field(default_factory=list)

    def transact(self, actor: Actor, operation: Callable[[Tx], T], reason: str = "command") -> T:
        """Run one operation in one transaction; tried again within a bound when the database asks for it."""
        for attempt in range(1, LIMITS.transaction_attempts + 1):
            try:
                return self._once(actor, operation, reason)
            except IntegrityError as error:
                if tables.entry.name in str(error.orig):
                    what = "The next place in the record is taken by an entry that Handrail did not write; verify it."
                    raise BrokenInvariant(what, "foreign_entry") from error
                raise Conflict("This exists already.", "exists") from error
            except (sa.exc.DataError, NoCanonicalForm) as error:
                what = "This cannot be stored as it is; check it for characters that no text may hold."
                raise Unprocessable(what, "not_storable") from error
            except sa.exc.DBAPIError as error:
                if not worth_another_try(error) or attempt == LIMITS.transaction_attempts:
                    raise Unavailable("The database could not complete this; try again.", "database_busy") from error
                time.sleep(0.02 * 2**attempt)
        raise AssertionError("unreachable")

    def look(self, actor: Actor, question: Callable[[Tx], T]) -> T:
        """Run what only reads, over one snapshot: nobody who writes waits for it, and what it would write is lost."""
        with self.database.read() as connection:
            writer, now = Writer(connection, self.seal_key), self.clock.now()
            return question(Tx(connection, self.database, writer, self.engine, now, actor, "look", self.ports))

    def _once(self, actor: Actor, operation: Callable[[Tx], T], reason: str) -> T:
        with self.database.write() as connection:
            writer, now = Writer(connection, self.seal_key), self.clock.now()
            tx = Tx(connection, self.database, writer, self.engine, now, actor, reason, self.ports)
            result = operation(tx)
            tx.finish()
            committed = Committed(tx.writer.size - 1, frozenset(tx.topics))
        if committed.topics:
            for listener in self.listeners:
                listener(committed)
        return result


__all__ = ["HANDRAIL", "Committed", "Engine", "HandrailError", "Listener", "Shell", "Tx", "Work"]
