"""Envelope encryption: what is sealed opens with the right keys and place, and master keys can be replaced."""

import base64

import pytest

from handrail.kernel.errors import Unavailable, Unprocessable
from handrail.kernel.sealed import DataKey, MasterKeys, new_data_key, read_master_keys

OLD, NEW = bytes(range(32)), bytes(range(100, 132))


def test_a_sealed_secret_opens_and_looks_different_every_time() -> None:
    key = new_data_key()
    first, again = key.seal("s3cret-of-the-sender", "row-1"), key.seal("s3cret-of-the-sender", "row-1")
    assert key.open(first, "row-1") == key.open(again, "row-1") == "s3cret-of-the-sender"
    assert first != again
    assert "s3cret" not in first and "s3cret" not in repr(key)


@pytest.mark.parametrize("sealed", ["", "v1.", "v1.!!!", "v1.AAAA", "v2", "secret"])
def test_what_was_never_sealed_does_not_open(sealed: str) -> None:
    with pytest.raises(Unavailable):
        new_data_key().open(sealed, "row-1")


def test_a_sealed_secret_does_not_open_elsewhere_or_changed_or_by_another_key() -> None:
    key = DataKey(OLD)
    sealed = key.seal("secret", "row-1")
    last = "A" if sealed[-5] != "A" else "B"
    for other, text, about in ((key, sealed, "row-2"), (DataKey(NEW), sealed, "row-1"),
                               (key, sealed[:-5] + last + sealed[-4:], "row-1")):  # fmt: skip
        with pytest.raises(Unavailable):
            other.open(text, about)


def test_rotation_the_first_key_wraps_all_unwrap_and_the_old_one_can_leave() -> None:
    data_key = new_data_key()
    wrapped = MasterKeys((OLD,)).wrap(data_key, "signing")
    both = MasterKeys((NEW, OLD))
    assert not both.is_current(wrapped)
    moved = both.wrap(both.unwrap(wrapped, "signing"), "signing")
    assert both.is_current(moved)
    assert MasterKeys((NEW,)).unwrap(moved, "signing") == data_key
    with pytest.raises(Unavailable, match="not among those given"):
        MasterKeys((NEW,)).unwrap(wrapped, "signing")
    with pytest.raises(Unavailable):
        both.unwrap(moved, "another-class")


def test_master_keys_are_read_as_hex_or_base64_and_in_order() -> None:
    assert read_master_keys([OLD.hex(), base64.b64encode(NEW).decode()]).keys == (OLD, NEW)


@pytest.mark.parametrize("text", ["", "short", "00" * 32, "changeme" * 8, OLD.hex()[:-2], base64.b64encode(b"x" * 32)])
def test_a_key_that_is_none_or_an_example_is_refused_without_being_named(text: str | bytes) -> None:
    said = text if isinstance(text, str) else text.decode()
    with pytest.raises(Unprocessable) as refused:
        read_master_keys([OLD.hex(), said])
    assert refused.value.detail.startswith("Key 2 of HANDRAIL_SECRET_KEYS")
    assert not said or said not in refused.value.detail


def test_there_is_at_least_one_master_key() -> None:
    with pytest.raises(Unprocessable):
        read_master_keys([])
