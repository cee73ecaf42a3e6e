"""JSON from outside, read within bounds: what comes back is free of every trick that JSON allows.

The happy path is one decode, a few byte counts and one walk over the containers; only what looks odd pays for an
exact look. Integers stay exact whatever their size.
"""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from handrail.kernel.errors import BadInput, Fault
from handrail.kernel.limits import Limits

_BOM = b"\xef\xbb\xbf"
_FAR_NUMBER = "out of range"


def read_json(body: bytes, limits: Limits) -> Any:
    """The value that `body` holds, or BadInput with one of these codes.

    json_invalid, json_encoding (not UTF-8; a byte order mark is tolerated), json_depth, json_number (beyond what a
    double holds, NaN, Infinity), json_duplicate_key, json_keys (too many in one object), json_string (NUL
    characters, lone surrogates, too long).
    """
    if body.startswith(_BOM):
        body = body[len(_BOM) :]
    try:
        value = msgspec.json.decode(body)
    except RecursionError:
        raise _too_deep(limits) from None
    except UnicodeDecodeError as fault:
        raise _wrong_encoding(fault.reason) from None
    except msgspec.DecodeError as fault:
        raise _unreadable(body, str(fault)) from None
    keys = _count_keys(value, limits)
    if body.count(b'":') != keys or _hides_keys(body):
        _refuse_duplicate_keys(body)
    if b"\\u0000" in body or len(body) > limits.json_string_chars:
        _check_strings(value, limits)
    return value


def _count_keys(value: Any, limits: Limits) -> int:
    """How many keys all objects hold; refuses what is too deep or an object with too many keys."""
    level, depth, keys = [value], 0, 0
    while level:
        containers: list[Any] = [item for item in level if type(item) is dict or type(item) is list]
        if not containers:
            break
        depth += 1
        if depth > limits.json_depth:
            raise _too_deep(limits)
        level = []
        for item in containers:
            if type(item) is list:
                level += item
                continue
            if len(item) > limits.json_keys:
                raise BadInput(
                    f"One object of the JSON has {len(item)} keys; at most {limits.json_keys} are read.",
                    code="json_keys",
                )
            keys += len(item)
            level += item.values()
    return keys


def _hides_keys(body: bytes) -> bool:
    """Whether counting `":` may miscount keys: a space before the colon, or an escaped quote before one.

    Looking for the single byte first is several times faster than looking for the pair.
    """
    return (
        b" :" in body
        or (b"\\" in body and b'\\":' in body)
        or (b"\n" in body and b"\n:" in body)
        or (b"\t" in body and b"\t:" in body)
        or (b"\r" in body and b"\r:" in body)
    )


def _refuse_duplicate_keys(body: bytes) -> None:
    """The exact look: the decoder keeps the last of equal keys, so another reader might have kept the first."""

    def once(pairs: list[tuple[str, Any]]) -> None:
        seen = set()
        for name, _ in pairs:
            if name in seen:
                raise BadInput(
                    f"The JSON names “{name[:40]}” twice in one object; which one counts is unknown.",
                    code="json_duplicate_key",
                )
            seen.add(name)

    json.loads(body, object_pairs_hook=once, parse_int=_unread, parse_float=_unread)


def _unread(_: str) -> None:
    """Numbers do not matter to the look for equal keys, and long ones cost time."""


def _check_strings(value: Any, limits: Limits) -> None:
    todo = [value]
    while todo:
        item = todo.pop()
        if type(item) is str:
            _check_string(item, limits)
        elif type(item) is list:
            todo += item
        elif type(item) is dict:
            _check_all(item, limits)
            todo += item.values()


def _check_all(names: Iterable[str], limits: Limits) -> None:
    for name in names:
        _check_string(name, limits)


def _check_string(text: str, limits: Limits) -> None:
    if "\0" in text:
        raise BadInput("A text in the JSON holds a NUL character; send it without.", code="json_string")
    if len(text) > limits.json_string_chars:
        raise BadInput(
            f"A text in the JSON has {len(text)} characters; at most {limits.json_string_chars} are read.",
            code="json_string",
        )


def _too_deep(limits: Limits) -> BadInput:
    return BadInput(f"The JSON is nested deeper than {limits.json_depth} levels.", code="json_depth")


def _wrong_encoding(why: str) -> BadInput:
    return BadInput(f"The body is not UTF-8 ({why}); send JSON as UTF-8.", code="json_encoding")


def _unreadable(body: bytes, why: str) -> BadInput:
    """Name what the decoder met. It stops at the first fault, so the encoding of the whole is looked at here."""
    try:
        body.decode()
    except UnicodeDecodeError as fault:
        return _wrong_encoding(fault.reason)
    if body.count(b"\0") * 3 > len(body):
        return _wrong_encoding("it looks like UTF-16 or UTF-32")
    if _FAR_NUMBER in why:
        return BadInput("A number in the JSON is beyond what can be kept exactly.", code="json_number")
    if "surrogate" in why or _fails_as_surrogate(body, why):
        return BadInput("A text in the JSON holds half of a surrogate pair.", code="json_string")
    if _stands_at(body, why, ("NaN", "Infinity", "-Infinity")):
        return BadInput("NaN and Infinity are not JSON numbers; leave them out or send null.", code="json_number")
    if _stands_at(body, why, ("\0",)):
        return BadInput("A text in the JSON holds a NUL character; send it without.", code="json_string")
    return BadInput("The body is not valid JSON.", code="json_invalid", faults=(Fault("", _plain(why)),))


def _fails_as_surrogate(body: bytes, why: str) -> bool:
    """A lone first half at the end of a text reads as “truncated” to the decoder; the lenient reader accepts it."""
    if "truncated" not in why:
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _stands_at(body: bytes, why: str, words: tuple[str, ...]) -> bool:
    """Whether one of the words stands where the decoder stopped; after a minus it tells one byte too many."""
    _, found, rest = why.partition("(byte ")
    if not found:
        return False
    at = int(rest.rstrip(")"))
    near = body[max(0, at - 1) : at + 9].decode(errors="ignore")
    return any(word in near for word in words)


def _plain(why: str) -> str:
    return why.removeprefix("JSON is malformed: ")
