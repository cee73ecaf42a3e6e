"""The Merkle tree over the record (RFC 6962, RFC 9162): roots, inclusion proofs and consistency proofs.

Proofs are made from nodes, not from all leaves: `TiledNodes` reads leaf hashes and the stored roots of 256-leaf tiles,
so a proof over a million entries reads some thousand hashes at most. Nothing here reads or writes by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from handrail.kernel.errors import BadInput, BrokenInvariant
from handrail.record.verifier import EMPTY_ROOT, append_peak, is_hex, leaf_hash, node_hash, root_of_peaks

__all__ = [
    "EMPTY_ROOT", "TILE", "Frontier", "ListNodes", "Nodes", "Tile", "TileStore", "TiledNodes",
    "consistency_proof", "consistency_proof_from", "inclusion_proof", "inclusion_proof_from", "leaf_hash",
    "node_hash", "root", "root_from", "tile_roots", "verify_consistency", "verify_inclusion",
]  # fmt: skip

TILE_BITS = 8
TILE = 1 << TILE_BITS


class Nodes(Protocol):
    """Hashes of full subtrees: node `index` of `level` covers leaves index * 2^level up to (index + 1) * 2^level."""

    def get(self, level: int, index: int) -> bytes: ...


class TileStore(Protocol):
    """Stored hashes. Tier 0 are leaf hashes; tier t are roots over 256 full neighbours of tier t - 1."""

    def hashes(self, tier: int, first: int, count: int) -> Sequence[bytes]: ...


@dataclass(frozen=True)
class Tile:
    """The root over 256 full neighbours of the tier below: what a tile store keeps."""

    tier: int
    index: int
    root: bytes


@dataclass(frozen=True)
class ListNodes:
    """Nodes over leaf hashes that are all at hand."""

    leaf_hashes: Sequence[bytes]

    def get(self, level: int, index: int) -> bytes:
        return root(self.leaf_hashes[index << level : (index + 1) << level])


@dataclass(frozen=True)
class TiledNodes:
    """Nodes over stored tiles: one reading of at most 128 neighbours for each node."""

    store: TileStore

    def get(self, level: int, index: int) -> bytes:
        tier, above = divmod(level, TILE_BITS)
        count = 1 << above
        found = self.store.hashes(tier, index << above, count)
        if len(found) != count:
            raise BrokenInvariant(f"The tree lacks hashes of tier {tier} at {index << above}.", "missing_hashes")
        return root(found)


@dataclass(frozen=True)
class Frontier:
    """An append-only tree that keeps one hash per set bit of its size: enough for the root and for going on."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> "Frontier":
        return Frontier(self.size + 1, append_peak(self.peaks, self.size, leaf))

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        size, peaks = self.size, self.peaks
        for leaf in leaves:
            size, peaks = size + 1, append_peak(peaks, size, leaf)
        return Frontier(size, peaks)

    def root(self) -> bytes:
        return root_of_peaks(self.peaks)

    def to_json(self) -> list[str]:
        """The peaks as hex; the size is kept beside them."""
        return [peak.hex() for peak in self.peaks]

    @staticmethod
    def from_json(peaks: object, size: int) -> "Frontier":
        """Read what `to_json` wrote. Raises BrokenInvariant when it does not fit the size."""
        if not isinstance(peaks, list) or len(peaks) != size.bit_count():
            raise BrokenInvariant("The stored tree does not fit the size of the record.", "bad_frontier")
        if not all(is_hex(peak) for peak in peaks):
            raise BrokenInvariant("The stored tree cannot be read.", "bad_frontier")
        return Frontier(size, tuple(bytes.fromhex(peak) for peak in peaks))


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    return Frontier().extend(hashes).root()


def root_from(nodes: Nodes, size: int) -> bytes:
    """The root over the first `size` leaves."""
    return _range_root(nodes, 0, size) if size else EMPTY_ROOT


def inclusion_proof(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """The audit path of leaf `index` in the tree over `hashes`."""
    return inclusion_proof_from(ListNodes(hashes), index, len(hashes))


def inclusion_proof_from(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size:
        raise BadInput(f"There is no entry {index} in a record of {size}.", "no_such_entry")
    proof: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(_range_root(nodes, middle, end))
            end = middle
        else:
            proof.append(_range_root(nodes, begin, middle))
            begin = middle
    return proof[::-1]


def consistency_proof(first: int, hashes: Sequence[bytes]) -> list[bytes]:
    """The proof that the tree over `hashes` only adds to the tree over the first `first` of them."""
    return consistency_proof_from(ListNodes(hashes), first, len(hashes))


def consistency_proof_from(nodes: Nodes, first: int, size: int) -> list[bytes]:
    """The consistency proof between `first` and `size` leaves (RFC 9162, 2.1.4.1). Nothing is needed from 0."""
    if not 0 <= first <= size:
        raise BadInput(f"A record of {size} entries never had {first}.", "no_such_size")
    if first in (0, size):
        return []
    proof: list[bytes] = []
    begin, end, whole = 0, size, True
    while first != end:
        middle = begin + _split(end - begin)
        if first <= middle:
            proof.append(_range_root(nodes, middle, end))
            end = middle
        else:
            proof.append(_range_root(nodes, begin, middle))
            begin, whole = middle, False
    # The verifier holds the older root; it needs the last piece only when that piece is not the older tree itself.
    if not whole:
        proof.append(_range_root(nodes, begin, end))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> bool:
    """Whether the leaf hash stands at `index` of the tree with this size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and result == tree_root


def verify_consistency(
    first: int, size: int, first_root: bytes, size_root: bytes, proof: Sequence[bytes]
) -> bool:  # fmt: skip
    """Whether the tree of `size` only adds to the tree of `first` (RFC 9162, 2.1.4.2)."""
    if not 0 <= first <= size:
        return False
    if first in (0, size):
        return not proof and first_root == (size_root if first == size else EMPTY_ROOT)
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        return False
    node, last = first - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and older == first_root and newer == size_root


def tile_roots(hashes: Sequence[bytes]) -> list[bytes]:
    """Roots over each full tile of 256; what does not fill a tile has none yet."""
    whole = len(hashes) - len(hashes) % TILE
    return [root(hashes[at : at + TILE]) for at in range(0, whole, TILE)]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_root(nodes: Nodes, begin: int, end: int) -> bytes:
    """The root over leaves begin up to end, where begin is a multiple of a power of two that is not below the span."""
    span = end - begin
    if span & (span - 1) == 0:
        level = span.bit_length() - 1
        return nodes.get(level, begin >> level)
    middle = begin + _split(span)
    return node_hash(_range_root(nodes, begin, middle), _range_root(nodes, middle, end))
