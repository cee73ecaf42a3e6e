"""Canonical JSON (RFC 8785) and the digests made of it: what authority and the record bind to."""

import hashlib
import math
from datetime import datetime
from typing import Any

import msgspec
import rfc8785

from handrail.kernel.clock import to_text

NoCanonicalForm = rfc8785.CanonicalizationError
_INTEGER_MAX = 2**53 - 1


def plain(value: Any) -> Any:
    """Turn dataclasses, moments, enums and tuples into plain JSON values."""
    return _moments(msgspec.to_builtins(value, builtin_types=(datetime,)))


def canonical(value: Any) -> bytes:
    """The one byte sequence of `value` (RFC 8785). Integers beyond 2^53 and NaN have none and raise ValueError."""
    return rfc8785.dumps(plain(value))


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


def _moments(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, dict):
        return {key: _moments(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_moments(item) for item in value]
    return value
