"""Canonical JSON against the vectors of RFC 8785, and what digests are made of."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.canonical import NoCanonicalForm, canonical, digest, digest_bytes, plain, storable

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8"))
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


def test_the_example_of_the_rfc_comes_out_byte_for_byte() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "€$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert canonical(value) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_sorted_by_their_utf_16_units() -> None:
    value = {
        "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
        "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis",
    }  # fmt: skip
    text = canonical(value).decode()
    order = [
        "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
        "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
    ]  # fmt: skip
    assert sorted(order, key=text.index) == order


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (5e-324, "5e-324"), (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (-1.7976931348623157e308, "-1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"), (-9007199254740992.0, "-9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"), (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"), (1.0000000000000001e23, "1.0000000000000001e+23"), (999999999999999700000.0,
        "999999999999999700000"), (999999999999999900000.0, "999999999999999900000"), (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"), (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"),
        (333333333.33333325, "333333333.33333325"), (333333333.3333333, "333333333.3333333"),
        (333333333.3333334, "333333333.3333334"), (333333333.33333343, "333333333.33333343"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"), (1424953923781206.2, "1424953923781206.2"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_in_appendix_b_of_the_rfc(number: float, text: str) -> None:
    assert canonical(number).decode() == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**53, -(2**53), "\ud800", {"\udfff": 1}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical(value)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Thing:
    name: str
    colour: Colour
    at: datetime
    parts: tuple[str, ...] = ()


def test_dataclasses_enums_moments_and_tuples_become_plain() -> None:
    moment = datetime(2026, 1, 5, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    assert plain({"thing": Thing("a", Colour.RED, moment, ("x", "y"))}) == {
        "thing": {"name": "a", "colour": "red", "at": "2026-01-05T09:30:00.000000Z", "parts": ["x", "y"]}
    }


def test_a_digest_is_the_hash_of_the_canonical_bytes() -> None:
    assert digest({"b": 1, "a": datetime(2026, 1, 5, tzinfo=UTC)}) == digest_bytes(
        b'{"a":"2026-01-05T00:00:00.000000Z","b":1}'
    )
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@given(plain_values)
def test_the_fast_encoder_writes_what_the_library_writes(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(st.text())
def test_every_text_is_escaped_as_the_library_does_or_refused(text: str) -> None:
    try:
        expected = rfc8785.dumps([text])
    except rfc8785.CanonicalizationError:
        with pytest.raises(NoCanonicalForm):
            canonical([text])
        return
    assert canonical([text]) == expected


def test_all_characters_below_the_surrogates_are_escaped_as_the_library_does() -> None:
    for start in range(0, 0xD800, 256):
        text = "".join(map(chr, range(start, start + 256)))
        assert canonical({"t": text}) == rfc8785.dumps({"t": text})


@given(plain_values)
def test_what_can_be_stored_is_stored_as_it_is(value: Any) -> None:
    assert storable(value) == value


@given(st.recursive(st.integers() | st.floats() | st.text() | st.binary() | st.just(object()),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner)))  # fmt: skip
def test_anything_can_be_made_storable(value: Any) -> None:
    assert canonical(storable(value))
