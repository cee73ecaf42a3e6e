"""Append entries to the record inside the caller's transaction: the only code that writes entries.

The caller holds the head (`Database.write`), so the order is total. Nothing is written before `flush`, which writes
all entries of the operation at once and moves the head.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handrail.domain.people import Actor
from handrail.kernel.canonical import canonical
from handrail.record.leaf import Leaf, body_digest, personal_digest, seal
from handrail.record.tree import TILE, Frontier, leaf_hash, node_hash
from handrail.store.statements import execute_many, fetch

# Fixed texts: every commit of the storm path runs these, and building a statement costs more than running it.
_HEAD = "SELECT size, leaf_hash, frontier FROM hr_head WHERE id = 1"
_NEWEST = "SELECT max(seq) FROM hr_entry WHERE stream = ?"
_MOVE = "UPDATE hr_head SET size = ?, leaf_hash = ?, frontier = ? WHERE id = 1"
_ENTRIES = "INSERT INTO hr_entry (idx, stream, seq, type, leaf, leaf_hash, body, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_TILE = "INSERT INTO hr_tile (level, position, hash) VALUES (?, ?, ?)"
_LEAVES = "SELECT leaf_hash FROM hr_entry WHERE idx >= ? AND idx < ? ORDER BY idx"
_NODES = "SELECT hash FROM hr_tile WHERE level = ? AND position >= ? AND position < ? ORDER BY position"
_PERSONAL = "INSERT INTO hr_personal (idx, salt, content) VALUES (?, ?, ?)"


@dataclass(frozen=True)
class Written:
    """One entry as it stands in the record."""

    index: int
    stream: str
    seq: int
    type: str


@dataclass
class Writer:
    """The entries of one operation. Made per transaction; `seal_key` is known to this installation's nodes alone."""

    connection: sa.Connection
    seal_key: bytes
    size: int = 0
    previous: str | None = None
    frontier: Frontier = field(default_factory=Frontier)
    _entries: list[tuple[Any, ...]] = field(default_factory=list)
    _personal: list[tuple[int, str, str]] = field(default_factory=list)
    _sequences: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ((size, self.previous, frontier),) = fetch(self.connection, _HEAD)
        self.size = int(size)
        self.frontier = Frontier.from_json(json.loads(frontier), self.size)

    def append(
        self,
        stream: str,
        kind: str,
        body: Mapping[str, Any],
        personal: Mapping[str, Any],
        actor: Actor,
        happened_at: datetime,
        recorded_at: datetime,
        reason: str,
    ) -> Written:
        """Put one entry in line; `personal` is what may be erased later and stands beside the entry."""
        index, seq = self.size, self._next_seq(stream)
        body_bytes = canonical(body)
        leaf = Leaf(
            index=index, stream=stream, seq=seq, type=kind, actor=actor, happened_at=happened_at,
            recorded_at=recorded_at, reason=reason, body_digest=body_digest(body_bytes),
            personal_digest=self._keep_personal(index, personal), previous=self.previous,
        ).to_bytes()  # fmt: skip
        hashed = leaf_hash(leaf)
        self._entries.append(
            (
                index, stream, seq, kind, leaf.decode(), hashed.hex(), body_bytes.decode(),
                seal(self.seal_key, hashed.hex()),
            )
        )  # fmt: skip
        self.frontier = self.frontier.append(hashed)
        self.size, self.previous = index + 1, hashed.hex()
        return Written(index, stream, seq, kind)

    def flush(self) -> None:
        """Write what was appended, the tiles that became full, and the new head."""
        if not self._entries:
            return
        execute_many(self.connection, _ENTRIES, self._entries)
        execute_many(self.connection, _PERSONAL, self._personal)
        first = int(self._entries[0][0])
        for position in range(first // TILE, self.size // TILE):
            self._write_tile(0, position)
        moved = (self.size, self.previous, json.dumps(self.frontier.to_json()))
        execute_many(self.connection, _MOVE, [moved])
        self._entries, self._personal = [], []

    def _next_seq(self, stream: str) -> int:
        if stream not in self._sequences:
            ((newest,),) = fetch(self.connection, _NEWEST, (stream,))
            self._sequences[stream] = -1 if newest is None else int(newest)
        self._sequences[stream] += 1
        return self._sequences[stream]

    def _keep_personal(self, index: int, personal: Mapping[str, Any]) -> str | None:
        if not personal:
            return None
        salt, content = secrets.token_bytes(32), canonical(personal)
        self._personal.append((index, salt.hex(), content.decode()))
        return personal_digest(salt, content)

    def _write_tile(self, level: int, position: int) -> None:
        """Keep the root of a full tile of 256 hashes, so that a proof reads a few tiles and not all entries."""
        hashes = self._tile_hashes(level, position)
        while len(hashes) > 1:
            hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
        execute_many(self.connection, _TILE, [(level + 1, position, hashes[0].hex())])
        if (position + 1) % TILE == 0:
            self._write_tile(level + 1, position // TILE)

    def _tile_hashes(self, level: int, position: int) -> list[bytes]:
        start, end = position * TILE, (position + 1) * TILE
        if level == 0:
            rows = fetch(self.connection, _LEAVES, (start, end))
        else:
            rows = fetch(self.connection, _NODES, (level, start, end))
        return [bytes.fromhex(row[0]) for row in rows]
