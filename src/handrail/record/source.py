"""The record as the database holds it: for verification, export, proofs and checkpoints."""

import json
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa

from handrail.kernel.clock import to_text
from handrail.kernel.errors import BrokenInvariant
from handrail.record import note
from handrail.record.leaf import EntryRow, seal
from handrail.record.note import Signer
from handrail.record.tree import Frontier, Tile, TiledNodes, consistency_proof_from, leaf_hash, verify_consistency
from handrail.record.verifier import utf8
from handrail.store import tables
from handrail.store.database import Database

_STREAMED = 500


@dataclass(frozen=True)
class DatabaseSource:
    """One snapshot of the whole record, streamed in order."""

    connection: sa.Connection

    def checkpoints(self) -> Iterable[str]:
        query = sa.select(tables.checkpoint.c.note).order_by(tables.checkpoint.c.size)
        return list(self.connection.execute(query).scalars())

    def entries(self) -> Iterable[EntryRow]:
        query = (
            sa.select(tables.entry, tables.personal.c.salt, tables.personal.c.content)
            .outerjoin(tables.personal, tables.personal.c.idx == tables.entry.c.idx)
            .order_by(tables.entry.c.idx)
        )
        for row in self.connection.execute(query).yield_per(_STREAMED):
            yield EntryRow(
                int(row.idx), row.stream, int(row.seq), row.type, row.leaf, row.leaf_hash, row.body, row.seal,
                row.salt, row.content,
            )  # fmt: skip

    def alert_batches(self) -> Iterable[tuple[int, Iterable[str]]]:
        query = sa.select(tables.occurrence.c.batch, tables.occurrence.c.leaf).order_by(
            tables.occurrence.c.batch, tables.occurrence.c.position
        )
        found = self.connection.execute(query).yield_per(_STREAMED)
        for batch, rows in groupby(found, key=lambda row: int(row.batch)):
            yield batch, (row.leaf for row in rows)

    def evidence(self) -> Iterable[tuple[str, bytes]]:
        query = sa.select(tables.evidence.c.digest, tables.evidence.c.content).order_by(tables.evidence.c.digest)
        for row in self.connection.execute(query).yield_per(50):
            yield row.digest, row.content

    def tiles(self) -> Iterable[Tile]:
        query = sa.select(tables.tile).order_by(tables.tile.c.level, tables.tile.c.position)
        for row in self.connection.execute(query).yield_per(_STREAMED):
            yield Tile(int(row.level), int(row.position), bytes.fromhex(row.hash))


@dataclass(frozen=True)
class DatabaseTiles:
    """Hashes for proofs: a few tiles at a time."""

    connection: sa.Connection

    def hashes(self, tier: int, first: int, count: int) -> Sequence[bytes]:
        if tier == 0:
            query = sa.select(tables.entry.c.leaf_hash).order_by(tables.entry.c.idx)
            query = query.where(tables.entry.c.idx >= first, tables.entry.c.idx < first + count)
        else:
            at = tables.tile.c.position
            query = sa.select(tables.tile.c.hash).order_by(at)
            query = query.where(tables.tile.c.level == tier, at >= first, at < first + count)
        return [bytes.fromhex(text) for text in self.connection.execute(query).scalars()]

    def nodes(self) -> TiledNodes:
        return TiledNodes(self)


def head(connection: sa.Connection) -> Frontier:
    """The tree as it is now."""
    found = connection.execute(sa.select(tables.head.c.size, tables.head.c.frontier)).one()
    return Frontier.from_json(json.loads(found.frontier), int(found.size))


@dataclass
class Checkpointer:
    """Signs the head of the record and keeps the note in the database and in a file outside it.

    Before it signs it makes sure that the record ends where its head says, extends everything exported before, and
    that every new entry is what we wrote and sealed. Otherwise it refuses, for ever, until a person has looked.
    """

    database: Database
    signer: Signer
    seal_key: bytes
    file: Path
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def exported(self) -> list[str]:
        """The notes in the file, oldest first."""
        return note.split(self.file.read_text()) if self.file.exists() else []

    def run_once(self, now: datetime) -> int | None:
        """Sign what is new. Returns the size signed, or None when there is no news. Raises BrokenInvariant."""
        # The duty and a person may ask at the same moment; the file must grow in order.
        with self._turn:
            return self._sign(now)

    def _sign(self, now: datetime) -> int | None:
        with self.database.read() as connection:
            frontier = head(connection)
            _must_end_at_head(connection, frontier.size)
            last = self._last_exported()
            if frontier.size == 0 or (last is not None and last.size == frontier.size and last.root == frontier.root()):
                return None
            self._must_extend(connection, frontier, last)
            self._must_be_sealed(connection, last.size if last else 0)
        text = note.sign(self.signer, frontier.size, frontier.root())
        with self.database.plain() as connection:
            row = {"size": frontier.size, "note": text, "made_at": to_text(now)}
            self.database.upsert(connection, tables.checkpoint, [row], ("size",))
        self._export(text)
        return frontier.size

    def _export(self, text: str) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as file:
            file.write(note.join(["", text]) if file.tell() else text)
            file.flush()
            os.fsync(file.fileno())

    def _last_exported(self) -> note.Checkpoint | None:
        notes = self.exported()
        return note.open(notes[-1], self.signer.verifier) if notes else None

    def _must_extend(self, connection: sa.Connection, frontier: Frontier, last: note.Checkpoint | None) -> None:
        if last is None:
            return
        if last.size > frontier.size:
            raise BrokenInvariant(
                f"The record has {frontier.size} entries, and a checkpoint of {last.size} was exported: entries from "
                f"{frontier.size} on are gone. Nothing is signed until a person has looked.",
                "record_cut",
            )
        proof = consistency_proof_from(DatabaseTiles(connection).nodes(), last.size, frontier.size)
        if not verify_consistency(last.size, frontier.size, last.root, frontier.root(), proof):
            raise BrokenInvariant(
                f"The record does not extend the checkpoint of {last.size} entries that was exported. "
                "Nothing is signed until a person has looked.",
                "record_forked",
            )

    def _must_be_sealed(self, connection: sa.Connection, first: int) -> None:
        for index, leaf, hashed, found in _sealed(connection, first):
            if leaf_hash(utf8(leaf)).hex() != hashed:
                raise BrokenInvariant(
                    f"Entry {index} is not what was written: its text was changed. Nothing is signed until a person "
                    "has looked.",
                    "changed_leaf",
                )
            if seal(self.seal_key, hashed) != found:
                raise BrokenInvariant(
                    f"Entry {index} does not bear our seal: it came in from outside. Nothing is signed until a person "
                    "has looked.",
                    "bad_seal",
                )


def _must_end_at_head(connection: sa.Connection, size: int) -> None:
    newest = connection.execute(sa.select(sa.func.max(tables.entry.c.idx))).scalar()
    found = 0 if newest is None else int(newest) + 1
    if found < size:
        raise BrokenInvariant(
            f"The record has {found} entries, and its head says {size}: entries from {found} on are gone. "
            "Nothing is signed until a person has looked.",
            "record_cut",
        )
    if found > size:
        raise BrokenInvariant(
            f"Entry {size} was not written by Handrail: the record's head says {size} entries. "
            "Nothing is signed until a person has looked.",
            "foreign_entry",
        )


def _sealed(connection: sa.Connection, first: int) -> Iterator[tuple[int, str, str, str]]:
    entry = tables.entry.c
    query = sa.select(entry.idx, entry.leaf, entry.leaf_hash, entry.seal).where(entry.idx >= first)
    for row in connection.execute(query.order_by(entry.idx)).yield_per(_STREAMED):
        yield int(row.idx), row.leaf, row.leaf_hash, row.seal
