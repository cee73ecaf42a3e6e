"""The shared readers: times of every sender, texts of every type, and what becomes a link."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.fields import (
    TRUNCATED,
    clip,
    extra_of,
    key_of,
    key_text,
    link,
    moment,
    raw_of,
    short_labels,
    text,
    words,
)

TIMES: dict[object, datetime] = {
    "2026-01-05T08:00:00Z": datetime(2026, 1, 5, 8, tzinfo=UTC),
    "2026-01-05T08:00:00.432911368Z": datetime(2026, 1, 5, 8, 0, 0, 432911, tzinfo=UTC),
    "2026-01-05T08:00:00.315+0000": datetime(2026, 1, 5, 8, 0, 0, 315000, tzinfo=UTC),
    "2026-01-05T08:00:00+05:45": datetime(2026, 1, 5, 2, 15, tzinfo=UTC),
    "2026-01-05T08:00:00.5-04:00": datetime(2026, 1, 5, 12, 0, 0, 500000, tzinfo=UTC),
    "2016-08-12 15:26:29 UTC": datetime(2016, 8, 12, 15, 26, 29, tzinfo=UTC),
    "2026-01-05T08:00:00": datetime(2026, 1, 5, 8, tzinfo=UTC),
    1767600000: datetime(2026, 1, 5, 8, tzinfo=UTC),
    1767600000.25: datetime(2026, 1, 5, 8, 0, 0, 250000, tzinfo=UTC),
    "1767600000": datetime(2026, 1, 5, 8, tzinfo=UTC),
    1767600000123: datetime(2026, 1, 5, 8, 0, 0, 123000, tzinfo=UTC),
    "1767600000123": datetime(2026, 1, 5, 8, 0, 0, 123000, tzinfo=UTC),
    1767600000123456: datetime(2026, 1, 5, 8, 0, 0, 123456, tzinfo=UTC),
    1767600000123456789: datetime(2026, 1, 5, 8, 0, 0, 123456, tzinfo=UTC),
}


@pytest.mark.parametrize("said", TIMES, ids=str)
def test_times_are_read_as_senders_write_them(said: object) -> None:
    assert moment(said) == TIMES[said]


NO_TIMES: list[object] = [
    None, True, 0, -1, 12, 10**25, 1e300, "", "soon", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+02:00", [], {},
    "9999-12-31T23:59:59-23:59", "2026-13-01T00:00:00Z", "1" * 5000, "x" * 100_000, "2026-W02-1", "20260105",
]  # fmt: skip


@pytest.mark.parametrize("said", NO_TIMES, ids=lambda said: repr(said)[:30])
def test_what_is_no_time_is_none(said: object) -> None:
    assert moment(said) is None


@given(st.text() | st.integers() | st.floats() | st.datetimes().map(str))
def test_any_time_is_utc_or_none(said: object) -> None:
    read = moment(said)
    assert read is None or read.tzinfo is UTC


def test_texts_of_every_type() -> None:
    assert [text(value) for value in ("a", 7, 0.5, True, False, 2**64)] == [
        "a", "7", "0.5", "true", "false", "18446744073709551616",
    ]  # fmt: skip
    assert text(None) is None
    assert text({"b": 1, "a": [2]}) == '{"a":[2],"b":1}'
    assert words({"b": 1}) == ""
    assert words("  x ") == "x"


def test_cut_text_ends_on_the_mark_and_has_the_allowed_length() -> None:
    assert clip("abc", 3) == "abc"
    assert clip("x" * 50, 20) == "xxxxxxx" + TRUNCATED


def test_a_long_identity_is_replaced_by_its_digest() -> None:
    assert key_text("db-1/disk") == "db-1/disk"
    assert key_text("x" * 300).startswith("sha256:")
    assert key_text("x" * 300) != key_text("x" * 301)
    assert len(key_text("x" * 300)) <= LIMITS.label_chars


def test_parts_of_an_identity_do_not_run_into_one_another() -> None:
    assert key_of("ab", "c") != key_of("a", "bc")
    assert key_of("a", None) != key_of("a", "")


@pytest.mark.parametrize("said", ["https://x.example/a?b=c#d", "http://10.0.0.1:9090/graph", "HTTPS://X.EXAMPLE"])
def test_web_addresses_are_links(said: str) -> None:
    assert link(said) == said


@pytest.mark.parametrize(
    "said",
    ["javascript:alert(1)", "/d/abc", "", "data:text/html,x", "https://", "https://x y", "https://x\n", None, 7,
     "https://x.example/" + "y" * 3000],
    ids=lambda said: repr(said)[:30],
)  # fmt: skip
def test_anything_else_is_no_link(said: object) -> None:
    assert link(said) is None


def test_labels_keep_their_values_and_lose_nulls() -> None:
    assert short_labels({"a": "x", "b": None, "c": 7}) == {"a": "x", "c": "7"}


def test_raw_sorts_names_and_keeps_integers_exact() -> None:
    assert raw_of({"b": 2**63, "a": "ü"}) == '{"a":"ü","b":9223372036854775808}'.encode()


def test_extra_of_a_known_object_is_empty_and_a_huge_one_is_marked() -> None:
    assert extra_of({"a": 1}, frozenset({"a"})) == {}
    assert extra_of({"a": 1, "b": 2}, frozenset({"a"})) == {"b": 2}
    assert extra_of({"b": "x" * 100_000}, frozenset()) == {"truncated": True, "bytes": 100008, "fields": 1}
