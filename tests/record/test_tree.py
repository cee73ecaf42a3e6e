"""Roots and proofs: the vectors of Certificate Transparency, and agreement with the definition in RFC 6962."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.errors import BadInput, BrokenInvariant
from handrail.record import tree

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
HASHES = [tree.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert tree.root(HASHES[:size]).hex() == ([EMPTY, *ROOTS])[size]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [(0, 1, []), (0, 8, [A, B, C]), (5, 8, [D, E, ROOTS[3]]), (2, 3, [ROOTS[1]]), (1, 5, [ROOTS[0], B, D])],
)
def test_inclusion_proofs_are_those_of_certificate_transparency(index: int, size: int, proof: list[str]) -> None:
    made = tree.inclusion_proof(index, HASHES[:size])

    assert [each.hex() for each in made] == proof
    assert tree.verify_inclusion(HASHES[index], index, size, made, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(
    ("first", "size", "proof"), [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[3]]), (2, 5, [B, D])]
)
def test_consistency_proofs_are_those_of_certificate_transparency(first: int, size: int, proof: list[str]) -> None:
    made = tree.consistency_proof(first, HASHES[:size])

    assert [each.hex() for each in made] == proof
    assert tree.verify_consistency(
        first, size, bytes.fromhex(ROOTS[first - 1]), bytes.fromhex(ROOTS[size - 1]), made
    )  # fmt: skip


def test_nothing_proves_what_is_out_of_range() -> None:
    with pytest.raises(BadInput):
        tree.inclusion_proof(8, HASHES)
    with pytest.raises(BadInput):
        tree.consistency_proof(9, HASHES)
    assert not tree.verify_inclusion(HASHES[0], 8, 8, [], tree.root(HASHES))
    assert not tree.verify_consistency(9, 8, HASHES[0], HASHES[0], [])


def naive_root(hashes: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962 writes it."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + naive_root(hashes[:k]) + naive_root(hashes[k:])).digest()


@cache
def some_hashes(count: int) -> tuple[bytes, ...]:
    return tuple(tree.leaf_hash(str(each).encode()) for each in range(count))


@given(st.integers(0, 300))
def test_root_and_frontier_agree_with_the_definition(size: int) -> None:
    hashes = some_hashes(300)[:size]

    frontier = tree.Frontier()
    for each in hashes:
        frontier = frontier.append(each)

    assert frontier.root() == tree.root(hashes) == tree.root_from(tree.ListNodes(hashes), size) == naive_root(hashes)
    assert frontier.size == size
    assert tree.Frontier.from_json(frontier.to_json(), size) == frontier


@given(st.data(), st.integers(1, 300))
def test_every_inclusion_proof_holds_for_its_own_leaf_alone(data: st.DataObject, size: int) -> None:
    hashes = some_hashes(300)[:size]
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(index, hashes)

    assert tree.verify_inclusion(hashes[index], index, size, proof, naive_root(hashes))
    assert tree.verify_inclusion(hashes[other], index, size, proof, naive_root(hashes)) == (other == index)
    assert not tree.verify_inclusion(hashes[index], index, size, [*proof, hashes[0]], naive_root(hashes))


@given(st.data(), st.integers(1, 300))
def test_every_consistency_proof_holds_for_its_own_trees_alone(data: st.DataObject, size: int) -> None:
    hashes = some_hashes(300)[:size]
    first = data.draw(st.integers(1, size))
    proof = tree.consistency_proof(first, hashes)
    older, newer = naive_root(hashes[:first]), naive_root(hashes)
    forked = naive_root([*hashes[: first - 1], tree.leaf_hash(b"another")])

    assert tree.verify_consistency(first, size, older, newer, proof)
    assert not tree.verify_consistency(first, size, forked, newer, proof)
    assert not tree.verify_consistency(first, size, older, newer, [*proof, newer])


@given(st.integers(0, 30), st.integers(0, 30), st.lists(st.sampled_from(HASHES), max_size=7))
def test_verifying_any_nonsense_answers_and_never_raises(index: int, size: int, proof: list[bytes]) -> None:
    assert tree.verify_inclusion(HASHES[0], index, size, proof, HASHES[1]) in (True, False)
    assert tree.verify_consistency(index, size, HASHES[0], HASHES[1], proof) in (True, False)


@dataclass
class CountingStore:
    """A tile store over hashes in memory that counts what is read."""

    tiers: list[list[bytes]]
    read: list[int] = field(default_factory=lambda: [0] * 4)

    def hashes(self, tier: int, first: int, count: int) -> Sequence[bytes]:
        self.read[tier] += count
        return self.tiers[tier][first : first + count]


def store_of(hashes: list[bytes]) -> CountingStore:
    tiers = [hashes]
    while len(tiers[-1]) >= tree.TILE:
        tiers.append(tree.tile_roots(tiers[-1]))
    return CountingStore(tiers)


def test_proofs_from_tiles_read_few_hashes_and_are_the_same() -> None:
    size = 70_000
    hashes = [sha256(each.to_bytes(4, "big")).digest() for each in range(size)]
    store = store_of(hashes)
    nodes = tree.TiledNodes(store)
    whole = tree.root(hashes)

    inclusion = tree.inclusion_proof_from(nodes, 41_234, size)
    consistency = tree.consistency_proof_from(nodes, 30_001, size)

    assert tree.verify_inclusion(hashes[41_234], 41_234, size, inclusion, whole)
    assert tree.verify_consistency(30_001, size, tree.root(hashes[:30_001]), whole, consistency)
    assert tree.root_from(nodes, size) == whole
    assert store.read[0] < 4 * tree.TILE
    assert sum(store.read) < 2000


def test_a_tile_store_that_lost_hashes_is_named() -> None:
    store = store_of(list(some_hashes(300)))
    store.tiers[1].clear()
    with pytest.raises(BrokenInvariant):
        tree.root_from(tree.TiledNodes(store), 300)


@pytest.mark.parametrize("peaks", [[], ["00"], "x", [1], [EMPTY, EMPTY], ["g" * 64]])
def test_a_stored_frontier_that_does_not_fit_is_refused(peaks: object) -> None:
    with pytest.raises(BrokenInvariant):
        tree.Frontier.from_json(peaks, 4)
