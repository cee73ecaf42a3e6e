"""Alertmanager's fingerprint of a label set, bit for bit, so that both name an alert the same."""

from collections.abc import Mapping
from functools import lru_cache

from handrail.kernel.limits import LIMITS

_OFFSET = 14695981039346656037
_PRIME = 1099511628211
_MASK = 2**64 - 1


def fingerprint(labels: Mapping[str, str]) -> str:
    """FNV-1a, 64 bits, over name, 0xff, value, 0xff of all labels in order of name; 16 hex digits."""
    parts = [f"{name}\0{labels[name]}\0" for name in sorted(labels)]
    hashed = "".join(parts).encode().replace(b"\0", b"\xff")
    return remembered_hash(hashed) if len(hashed) <= LIMITS.fingerprint_remembered_bytes else hash_bytes(hashed)


def hash_bytes(content: bytes) -> str:
    value = _OFFSET
    for byte in content:
        value = ((value ^ byte) * _PRIME) & _MASK
    return f"{value:016x}"


# Prometheus sends the same alerts every minute, and the loop above is the dearest part of reading one.
remembered_hash = lru_cache(maxsize=LIMITS.fingerprints_remembered)(hash_bytes)
