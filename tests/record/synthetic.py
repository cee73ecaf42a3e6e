"""A record made by hand, small and with every kind of entry, that tests can change the way an attacker would."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from handrail.domain.people import Actor
from handrail.kernel.canonical import canonical, digest
from handrail.record import note
from handrail.record.leaf import EntryRow, Leaf, body_digest, personal_digest, seal
from handrail.record.tree import TILE, Frontier, Tile, leaf_hash, root, tile_roots
from handrail.record.verify import Report, verify

ORIGIN = "handrail/test"
SIGNER = note.Signer(ORIGIN, bytes(range(32)))
SEAL_KEY = b"s" * 32
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

ANNA = Actor("person", "usr_anna")
BEN = Actor("person", "usr_ben")
CARA = Actor("person", "usr_cara")
ENGINE = Actor("machine", "usr_engine")

ACTION = digest({"action": "rollback", "service": "payments"})
MESSAGE = digest({"words": "We are on it."})
POLICY = digest({"policy": "default", "version": 1})


@dataclass
class Record:
    """A record in memory. It is a RecordSource; its lists may be changed at will."""

    rows: list[EntryRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    batches: dict[int, list[str]] = field(default_factory=dict)
    pieces: dict[str, bytes] = field(default_factory=dict)
    stored_tiles: list[Tile] = field(default_factory=list)

    def checkpoints(self) -> Iterable[str]:
        return iter(self.notes)

    def entries(self) -> Iterable[EntryRow]:
        return iter(sorted(self.rows, key=lambda row: row.index))

    def alert_batches(self) -> Iterable[tuple[int, Iterable[str]]]:
        return ((batch, iter(texts)) for batch, texts in sorted(self.batches.items()))

    def evidence(self) -> Iterable[tuple[str, bytes]]:
        return iter(self.pieces.items())

    def tiles(self) -> Iterable[Tile]:
        return iter(self.stored_tiles)

    def append(
        self,
        stream: str,
        kind: str,
        body: dict[str, Any],
        actor: Actor = ENGINE,
        personal: dict[str, Any] | None = None,
        seq: int | None = None,
    ) -> int:
        """Write an entry the honest way and answer with its index."""
        index = len(self.rows)
        text, private = canonical(body), canonical(personal) if personal else None
        salt = hashlib.sha256(str(index).encode()).digest()
        leaf = Leaf(
            index=index,
            stream=stream,
            seq=sum(row.stream == stream for row in self.rows) if seq is None else seq,
            type=kind,
            actor=actor,
            happened_at=START + timedelta(seconds=index),
            recorded_at=START + timedelta(seconds=index + 1),
            reason="test",
            body_digest=body_digest(text),
            personal_digest=personal_digest(salt, private) if private else None,
            previous=self.rows[-1].leaf_hash if self.rows else None,
        )
        row = row_of(leaf, text.decode())
        if private:
            row = replace(row, salt=salt.hex(), personal=private.decode())
        self.rows.append(row)
        return index

    def receive_alerts(self, count: int) -> int:
        texts = [json.dumps({"alert": len(self.rows), "at": each}, separators=(",", ":")) for each in range(count)]
        committed = root([leaf_hash(text.encode()) for text in texts]).hex()
        batch = self.append("alerts/log", "alerts.received", {"root": committed, "count": count})
        self.batches[batch] = texts
        return batch

    def sign(self, signer: note.Signer = SIGNER) -> None:
        frontier = Frontier().extend(bytes.fromhex(row.leaf_hash) for row in self.rows)
        self.notes.append(note.sign(signer, frontier.size, frontier.root()))

    def store_tiles(self) -> None:
        hashes, tier = [bytes.fromhex(row.leaf_hash) for row in self.rows], 1
        while len(hashes) >= TILE:
            hashes = tile_roots(hashes)
            self.stored_tiles += [Tile(tier, at, each) for at, each in enumerate(hashes)]
            tier += 1

    def change(self, index: int, **columns: Any) -> None:
        """What an UPDATE does."""
        self.rows = [replace(row, **columns) if row.index == index else row for row in self.rows]

    def delete(self, *indexes: int) -> None:
        self.rows = [row for row in self.rows if row.index not in indexes]

    def swap(self, left: int, right: int) -> None:
        """Two rows change places; everything but the index goes along."""
        other = {left: right, right: left}
        self.rows = [replace(row, index=other.get(row.index, row.index)) for row in self.rows]

    def rewrite_from(self, index: int) -> None:
        """What somebody does who holds the database and knows the format, but no key."""
        for position in range(index, len(self.rows)):
            row = self.rows[position]
            reason = "rewritten" if position == index else "test"
            previous = self.rows[position - 1].leaf_hash if position else None
            leaf = replace(Leaf.from_text(row.leaf), reason=reason, previous=previous)
            self.rows[position] = replace(row, leaf=leaf.to_bytes().decode(), leaf_hash=leaf.hash().hex())

    def verify(self, exported: Iterable[str] = (), seal_key: bytes | None = SEAL_KEY) -> Report:
        return verify(self, SIGNER.verifier, exported, seal_key)


def row_of(leaf: Leaf, body: str) -> EntryRow:
    text, hashed = leaf.to_bytes().decode(), leaf.hash().hex()
    return EntryRow(
        leaf.index, leaf.stream, leaf.seq, leaf.type, text, hashed, body, seal(SEAL_KEY, hashed), None, None
    )  # fmt: skip


def changed(row: EntryRow, with_hash: bool) -> dict[str, Any]:
    """The columns of a row whose leaf says something else, with or without the hash that fits it."""
    leaf = replace(Leaf.from_text(row.leaf), reason="something else")
    columns = {"leaf": leaf.to_bytes().decode()}
    return {**columns, "leaf_hash": leaf.hash().hex()} if with_hash else columns


def open_gate(record: Record, name: str, subject: str, quorum: int = 1) -> None:
    record.append(
        f"gate/{name}", "gate.opened",
        {"id": name, "subject": {"digest": subject}, "proposer": "usr_anna", "last_editor": None, "quorum": quorum},
        ANNA,
    )  # fmt: skip


def vote(record: Record, name: str, who: Actor, subject: str, word: str = "approve") -> None:
    record.append(f"gate/{name}", "gate.voted", {"by": who.id, "vote": word, "digest": subject}, who)


def satisfy(record: Record, name: str, subject: str) -> None:
    record.append(f"gate/{name}", "gate.satisfied", {"digest": subject})


def act(record: Record, subject: str, kind: str, name: str, type_: str = "action.started") -> int:
    authority = {"kind": kind, "id": name, "rule": "r1"}
    return record.append("run/run_1", type_, {"digest": subject, "authority": authority})


ERASED, BATCH, ACT, ERASURE, TOTAL = 5, 14, 21, 28, 52


def make_record() -> Record:
    """52 entries; checkpoints at 10, 20, 30, 40 and 50; a gated act, an act by policy, alerts, evidence, an erasure."""
    record = Record()
    talk = _chatter(record)
    steps: dict[int, Callable[[], object]] = {
        0: lambda: record.append("document/policy", "document.adopted", {"kind": "policy", "digest": POLICY}),
        BATCH: lambda: record.receive_alerts(7),
        16: lambda: open_gate(record, "gat_1", ACTION, quorum=2),
        17: lambda: vote(record, "gat_1", BEN, ACTION),
        19: lambda: vote(record, "gat_1", CARA, ACTION),
        20: lambda: satisfy(record, "gat_1", ACTION),
        ACT: lambda: act(record, ACTION, "gate", "gat_1"),
        ERASURE: lambda: record.append("record/log", "record.erased", {"index": ERASED}),
        33: lambda: act(record, MESSAGE, "policy", POLICY, "message.sending"),
        37: lambda: record.receive_alerts(3),
    }
    for index in range(TOTAL):
        steps.get(index, talk)()
        if (index + 1) % 10 == 0:
            record.sign()
    record.change(ERASED, salt=None, personal=None)
    record.store_tiles()
    record.pieces = {hashlib.sha256(each).hexdigest(): each for each in (b"log line\n", b"metrics\n")}
    return record


def _chatter(record: Record) -> Callable[[], object]:
    def say() -> None:
        index = len(record.rows)
        personal = {"words": f"note {index}"} if index % 5 == 0 else None
        record.append(f"incident/inc_{index % 3}", "incident.noted", {"number": index}, ANNA, personal)

    return say
