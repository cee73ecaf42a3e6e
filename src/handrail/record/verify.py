"""Verify the record online: the checks of the stand-alone verifier, and what only the database can show besides.

The database adds columns that repeat the leaf, seals that only this installation can make, and stored tiles.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from handrail.kernel.canonical import digest_bytes
from handrail.kernel.secrets import equal
from handrail.record.leaf import EntryRow, seal
from handrail.record.note import Verifier
from handrail.record.tree import TILE, Tile, leaf_hash, root
from handrail.record.verifier import (
    Act,
    CannotRead,
    Entry,
    Finding,
    Findings,
    RecordCheck,
    Report,
    human_report,
    utf8,
    verify_export,
)

__all__ = ["Act", "CannotRead", "Finding", "RecordSource", "Report", "human_report", "verify", "verify_export"]


class RecordSource(Protocol):
    """A record as one unchanging view, streamed. Everything comes in ascending order."""

    def checkpoints(self) -> Iterable[str]: ...

    def entries(self) -> Iterable[EntryRow]: ...

    def alert_batches(self) -> Iterable[tuple[int, Iterable[str]]]:
        """The index of each batch's entry with the canonical texts of its occurrences in order of position."""
        ...

    def evidence(self) -> Iterable[tuple[str, bytes]]:
        """Hex SHA-256 and content."""
        ...

    def tiles(self) -> Iterable[Tile]: ...


def verify(
    source: RecordSource, verifier: Verifier, exported_checkpoints: Iterable[str], seal_key: bytes | None
) -> Report:
    """Check everything and name each fault with its index. Seals are checked when the key is given."""
    # Checkpoints are read before entries: a checkpoint that comes in between must not look like a cut tail.
    notes = [
        *((f"Exported checkpoint {at}", note) for at, note in enumerate(exported_checkpoints, start=1)),
        *((f"Stored checkpoint {at}", note) for at, note in enumerate(source.checkpoints(), start=1)),
    ]
    check = RecordCheck(verifier.key, notes)
    tiles = _Tiles()
    for row in source.entries():
        _check_row(row, check, seal_key)
        tiles.add(row.index, leaf_hash(utf8(row.leaf)))
    check.end_entries()
    for batch, texts in source.alert_batches():
        check.add_batch(batch, enumerate(texts))
    check.end_batches()
    for name, content in source.evidence():
        check.add_evidence(name, digest_bytes(content))
    tiles.compare(source.tiles(), check.findings, check.chain.blamed)
    return check.report()


def _check_row(row: EntryRow, check: RecordCheck, seal_key: bytes | None) -> None:
    computed = leaf_hash(utf8(row.leaf)).hex()
    fault = _hash_fault(row, computed, seal_key)
    if fault is not None:
        check.findings.add(row.index, *fault)
    leaf = check.add(Entry(row.index, row.leaf, row.body, row.salt, row.personal), suspect=fault is not None)
    if leaf is None or leaf["index"] != row.index:
        return
    wrong = [name for name in ("stream", "seq", "type") if leaf[name] != getattr(row, name)]
    if wrong:
        check.findings.add(
            row.index,
            "changed_columns",
            f"The {' and '.join(wrong)} stored for entry {row.index} differ from its leaf.",
        )


def _hash_fault(row: EntryRow, computed: str, seal_key: bytes | None) -> tuple[str, str] | None:
    if row.leaf_hash != computed:
        return (
            "changed_leaf",
            f"The leaf of entry {row.index} and its stored hash do not belong together: one was changed.",
        )
    if seal_key is not None and not (row.seal and equal(row.seal, seal(seal_key, computed))):
        return "bad_seal", f"Entry {row.index} does not bear our seal: it was changed or put in from outside."
    return None


@dataclass
class _Tiles:
    """The tiles that should be stored, as the entries give them."""

    expected: dict[tuple[int, int], bytes] = field(default_factory=dict)
    held: dict[int, list[bytes]] = field(default_factory=dict)
    whole: bool = True
    size: int = 0

    def add(self, index: int, hashed: bytes) -> None:
        # With an entry missing, no later tile can be computed; the missing entry is named already.
        self.whole = self.whole and index == self.size
        self.size += 1
        tier, position = 0, index
        while self.whole:
            neighbours = self.held.setdefault(tier, [])
            neighbours.append(hashed)
            if len(neighbours) < TILE:
                return
            hashed = root(neighbours)
            neighbours.clear()
            tier, position = tier + 1, position // TILE
            self.expected[tier, position] = hashed

    def compare(self, stored: Iterable[Tile], findings: Findings, blamed: set[int]) -> None:
        found = {(tile.tier, tile.index): tile.root for tile in stored}
        named = sorted(blamed)
        for (tier, position), hashed in self.expected.items():
            span = TILE**tier
            first = position * span
            explained = bisect_left(named, first) < bisect_left(named, first + span)
            if found.get((tier, position)) != hashed and not explained:
                findings.add(first, "changed_tile", f"The stored tile over {span} entries from entry {first} is wrong.")
