"""Canonical JSON (RFC 8785) and the digests made of it: what authority and the record bind to."""

import hashlib
import math
from datetime import datetime
from typing import Any

import msgspec
import rfc8785

from handrail.kernel.clock import to_text

NoCanonicalForm = rfc8785.CanonicalizationError
_encode = msgspec.json.Encoder(order="deterministic").encode
_INTEGER_MAX = 2**53 - 1


def plain(value: Any) -> Any:
    """Turn dataclasses, moments, enums and tuples into plain JSON values."""
    return _plain(msgspec.to_builtins(value, builtin_types=(datetime,)), [])


def canonical(value: Any) -> bytes:
    """The one byte sequence of `value` (RFC 8785). Integers beyond 2^53 and NaN have none and raise ValueError.

    For texts, whole numbers and names in ASCII the fast encoder writes the same bytes; the rest is left to the library
    that knows the law of floats and of sorting by UTF-16 units.
    """
    odd: list[object] = []
    made = _plain(msgspec.to_builtins(value, builtin_types=(datetime,)), odd)
    if not odd:
        try:
            return _encode(made)
        except UnicodeEncodeError:
            pass
    return rfc8785.dumps(made)


def digest(value: Any) -> str:
    """Hex SHA-256 of the canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_bytes(content: bytes) -> str:
    """Hex SHA-256 of bytes as they are."""
    return hashlib.sha256(content).hexdigest()


def storable(value: Any) -> Any:
    """A value from outside so that it surely has a canonical form: what has none stands as text.

    A report of what happened must never be refused because of how the other side wrote its answer.
    """
    match value:
        case None | bool():
            return value
        case str():
            return value.encode("utf-8", "replace").decode()
        case int() if -_INTEGER_MAX <= value <= _INTEGER_MAX:
            return int(value)
        case float() if math.isfinite(value):
            return value
        case dict():
            return {storable(str(key)): storable(item) for key, item in value.items()}
        case list() | tuple():
            return [storable(item) for item in value]
    return storable(str(value))


def _plain(value: Any, odd: list[object]) -> Any:
    """With moments as text. What the fast encoder might write differently is added to `odd`."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is dict:
        odd += [key for key in value if type(key) is not str or not key.isascii()]
        return {key: _plain(item, odd) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_plain(item, odd) for item in value]
    if isinstance(value, datetime):
        return to_text(value)
    if kind is not int or not -_INTEGER_MAX <= value <= _INTEGER_MAX:
        odd.append(value)
    return value
