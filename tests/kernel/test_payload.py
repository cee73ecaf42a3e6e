"""JSON from outside: every trick has its own stable code, and honest documents come through exactly."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.kernel.payload import read_json

HOSTILE = {
    "nothing": (b"", "json_invalid"),
    "half": (b'{"a":', "json_invalid"),
    "text after the end": (b"{} x", "json_invalid"),
    "single quotes": (b"{'a':1}", "json_invalid"),
    "comment": (b"// x\n{}", "json_invalid"),
    "control character in a text": (b'"a\x01b"', "json_invalid"),
    "Latin-1": (b'{"a":"\xe9"}', "json_encoding"),
    "UTF-16 with mark": ('{"a":1}'.encode("utf-16"), "json_encoding"),
    "UTF-16 without mark": ('{"a":1}'.encode("utf-16-le"), "json_encoding"),
    "UTF-32": ('{"a":1}'.encode("utf-32-be"), "json_encoding"),
    "surrogate written as bytes": (b'"\xed\xa0\x80"', "json_encoding"),
    "cut within a character": (b'{"a":"\xe2\x82', "json_encoding"),
    "ten thousand lists": (b"[" * 10_000 + b"]" * 10_000, "json_depth"),
    "ten thousand objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json_depth"),
    "one level too many": (b"[" * (LIMITS.json_depth + 1) + b"]" * (LIMITS.json_depth + 1), "json_depth"),
    "1e309": (b'{"a":1e309}', "json_number"),
    "minus 1e309": (b'{"a":-1e309}', "json_number"),
    "NaN": (b'{"a":NaN}', "json_number"),
    "Infinity": (b'{"a":Infinity}', "json_number"),
    "minus Infinity": (b"[-Infinity]", "json_number"),
    "five thousand digits": (b"[" + b"7" * 5000 + b"]", "json_number"),
    "the same key twice": (b'{"a":1,"a":2}', "json_duplicate_key"),
    "the same key twice, spaced": (b'{"a" :1,"a": 2}', "json_duplicate_key"),
    "the same key twice, on lines": (b'{"a"\n:1,\n"a"\n:2}', "json_duplicate_key"),
    "the same key twice, escaped": (b'{"a":1,"\\u0061":2}', "json_duplicate_key"),
    "the same key twice, deep within": (b'[{"x":{"a":1,"b":2,"a":3}}]', "json_duplicate_key"),
    "a duplicate hidden by a lookalike in a text": (b'{"a":1,"a" :2,"b":"\\":"}', "json_duplicate_key"),
    "NUL escaped": (b'{"a":"x\\u0000y"}', "json_string"),
    "NUL in a key": (b'{"a\\u0000":1}', "json_string"),
    "NUL as a byte": (b'{"alert":"x\x00y"}', "json_string"),
    "first half of a surrogate pair": (b'{"a":"\\ud800"}', "json_string"),
    "first half in a key": (b'{"\\ud800":1}', "json_string"),
    "second half of a surrogate pair": (b'{"a":"\\udc00"}', "json_string"),
    "a text too long": (b'"' + b"x" * (LIMITS.json_string_chars + 1) + b'"', "json_string"),
    "a key too long": (b'{"' + b"x" * (LIMITS.json_string_chars + 1) + b'":1}', "json_string"),
    "too many keys": (
        json.dumps({str(at): at for at in range(LIMITS.json_keys + 1)}).encode(),
        "json_keys",
    ),
}


@pytest.mark.parametrize("case", HOSTILE, ids=str)
def test_hostile_json_is_refused_with_its_own_code(case: str) -> None:
    body, code = HOSTILE[case]
    with pytest.raises(BadInput) as refused:
        read_json(body, LIMITS)
    assert refused.value.code == code
    assert len(refused.value.detail) < 200


HONEST = {
    "byte order mark": (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
    "exactly as deep as allowed": (b"[" * LIMITS.json_depth + b"]" * LIMITS.json_depth, None),
    "integers of 64 bits": (b"[9223372036854775807,-9223372036854775808]", [2**63 - 1, -(2**63)]),
    "an integer beyond 64 bits": (b"[18446744073709551617]", [2**64 + 1]),
    "an integer beyond what doubles hold": (b"[9007199254740993]", [9007199254740993]),
    "a whole surrogate pair": (b'"\\ud83d\\ude00"', "😀"),
    "a text that looks like a key": (b'{"a":"\\":","b":"x : y"}', {"a": '":', "b": "x : y"}),
    "a key that ends on a backslash": (b'{"a\\\\":1}', {"a\\": 1}),
    "a text about NUL": (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
    "spaces everywhere": (b' { "a" : [ 1 , 2 ] } ', {"a": [1, 2]}),
    "the same key in two objects": (b'[{"a":1},{"a":1}]', [{"a": 1}, {"a": 1}]),
    "a text exactly as long as allowed": (
        b'"' + b"x" * LIMITS.json_string_chars + b'"',
        "x" * LIMITS.json_string_chars,
    ),
    "a number too small to tell from zero": (b"[1e-400]", [0.0]),
    "not an object": (b"null", None),
}


@pytest.mark.parametrize("case", HONEST, ids=str)
def test_honest_json_comes_through_exactly(case: str) -> None:
    body, value = HONEST[case]
    read = read_json(body, LIMITS)
    if value is not None:
        assert read == value


def test_limits_are_the_callers() -> None:
    narrow = replace(LIMITS, json_depth=1, json_keys=1, json_string_chars=3)
    assert read_json(b'{"a":1}', narrow) == {"a": 1}
    for body, code in ((b"[[]]", "json_depth"), (b'{"a":1,"b":2}', "json_keys"), (b'["four"]', "json_string")):
        with pytest.raises(BadInput) as refused:
            read_json(body, narrow)
        assert refused.value.code == code


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
VALUES = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_whatever_python_writes_is_read_back(value: object, indent: int | None, ascii_only: bool) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    assert read_json(body, LIMITS) == value


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_never_raise_anything_but_bad_input(body: bytes) -> None:
    code = "json_"
    try:
        read_json(body, LIMITS)
    except BadInput as refused:
        code = refused.code
    assert code.startswith("json_")


PIECES = [b'"a"', b'"\\u0061"', b":", b" :", b"\n:", b"{", b"}", b"[", b"]", b",", b"1", b'"\\":"', b'"\\\\"', b" "]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join))
def test_no_arrangement_of_keys_hides_a_duplicate(body: bytes) -> None:
    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in found}) != len(found):
            raise LookupError
        return dict(found)

    try:
        expected: object = json.loads(body, object_pairs_hook=pairs)
    except LookupError:
        expected = "json_duplicate_key"
    except ValueError:
        return
    try:
        read: object = read_json(body, LIMITS)
    except BadInput as refused:
        read = refused.code
    assert read == expected
