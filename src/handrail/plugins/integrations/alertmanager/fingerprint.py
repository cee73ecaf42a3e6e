"""Alertmanager's fingerprint of a label set, bit for bit, so that both name an alert the same."""

from collections.abc import Mapping
from functools import lru_cache

from handrail.kernel.limits import LIMITS

_OFFSET = 14695981039346656037
_PRIME = 1099511628211
_MASK = 2**64 - 1


def fingerprint(labels: Mapping[str, str]) -> str:
    """FNV-1a, 64 bits, over name, 0xff, value, 0xff of all labels in order of name; 16 hex digits."""
    value = _OFFSET
    for name in sorted(labels):
        said = labels[name]
        if len(name) + len(said) <= LIMITS.fingerprint_remembered_chars:
            value = _remembered(value, name, said)
        else:
            value = _label(value, name, said)
    return f"{value:016x}"


def hash_bytes(content: bytes, value: int = _OFFSET) -> str:
    return f"{_hashed(content, value):016x}"


def _hashed(content: bytes, value: int) -> int:
    for byte in content:
        value = ((value ^ byte) * _PRIME) & _MASK
    return value


def _label(value: int, name: str, said: str) -> int:
    """The hash so far, gone on over one label."""
    return _hashed(f"{name}\0{said}\0".encode().replace(b"\0", b"\xff"), value)


# Prometheus sends the same alerts every minute, and alerts of one kind share their first labels; the loop above is the
# dearest part of reading one.
remembered_hash = lru_cache(maxsize=LIMITS.fingerprints_remembered)(hash_bytes)
_remembered = lru_cache(maxsize=LIMITS.fingerprints_remembered)(_label)
