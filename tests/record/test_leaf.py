"""Leaves: one spelling, read strictly."""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.errors import BadInput
from handrail.record.leaf import Actor, Leaf, body_digest, personal_digest, seal

LEAF = Leaf(
    index=3, stream="incident/inc_1", seq=0, type="incident.declared", actor=Actor("person", "usr_ä", None),
    happened_at=datetime(2026, 1, 5, 9, tzinfo=UTC), recorded_at=datetime(2026, 1, 5, 9, 0, 1, 500, tzinfo=UTC),
    reason="declare", body_digest="a" * 64, personal_digest=None, previous="b" * 64,
)  # fmt: skip
TEXT = (
    '{"actor":{"id":"usr_ä","kind":"person","on_behalf_of":null},"body_digest":"' + "a" * 64 + '",'
    '"happened_at":"2026-01-05T09:00:00.000000Z","index":3,"personal_digest":null,"previous":"' + "b" * 64 + '",'
    '"reason":"declare","recorded_at":"2026-01-05T09:00:01.000500Z","seq":0,"stream":"incident/inc_1",'
    '"type":"incident.declared"}'
)


def test_a_leaf_has_one_canonical_text() -> None:
    assert LEAF.to_bytes().decode() == TEXT
    assert LEAF.hash() == hashlib.sha256(b"\x00" + TEXT.encode()).digest()
    assert Leaf.from_text(TEXT) == LEAF


@given(st.text(max_size=40), st.text(max_size=40), st.none() | st.text(max_size=20), st.integers(1, 2**53 - 1))
def test_any_leaf_reads_back_as_it_was(stream: str, reason: str, on_behalf_of: str | None, index: int) -> None:
    actor = Actor("machine", "usr_1", on_behalf_of)
    leaf = replace(LEAF, stream=stream, reason=reason, actor=actor, index=index)
    assert Leaf.from_text(leaf.to_bytes().decode()) == leaf


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"seq":0,', ""),
        ('"seq":0,', '"seq":0,"seq":0,'),
        ('"seq":0,', '"seq":0,"size":1,'),
        ('"seq":0,', '"seq":-1,'),
        ('"seq":0,', '"seq":-0,'),
        ('"seq":0,', '"seq":0.0,'),
        ('"seq":0,', '"seq":false,'),
        ('"seq":0,', '"seq":NaN,'),
        ('"seq":0,', '"seq": 0,'),
        ('"seq":0,', '"seq":9007199254740992,'),
        ('"index":3', '"index":0'),
        ('"kind":"person"', '"kind":"cat"'),
        ('"kind":"person"', '"kind":["person"]'),
        ('"on_behalf_of":null', '"on_behalf_of":7'),
        ("ä", "\\u00e4"),
        ("a" * 64, "A" * 64),
        ("b" * 64, "b" * 63),
        (".000500Z", ".0005Z"),
        (".000500Z", ".000500+00:00"),
        ("2026-01-05T09:00:00.000000Z", "2026-13-05T09:00:00.000000Z"),
        ('"declare"', "null"),
        ("{", "[" * 100_000 + "{"),
        ("{", " {"),
    ],
)
def test_a_text_that_we_would_not_write_is_refused(old: str, new: str) -> None:
    with pytest.raises(BadInput):
        Leaf.from_text(TEXT.replace(old, new, 1))


def test_digests_and_seal_are_those_of_the_format() -> None:
    assert body_digest(b"{}") == hashlib.sha256(b"{}").hexdigest()
    assert personal_digest(b"s", b"{}") == hmac.new(b"s", b"{}", "sha256").hexdigest()
    assert seal(b"k", "ab") == hmac.new(b"k", b"ab", "sha256").hexdigest()
