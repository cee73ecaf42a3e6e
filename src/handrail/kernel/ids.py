"""Ids: a prefix that tells the noun, then 26 characters that sort by the time they were made (ULID layout)."""

import secrets
import time
from collections.abc import Iterator
from itertools import count
from typing import NewType

IncidentId = NewType("IncidentId", str)
CandidateId = NewType("CandidateId", str)
AlertId = NewType("AlertId", str)
ChangeId = NewType("ChangeId", str)
FindingId = NewType("FindingId", str)
ProposalId = NewType("ProposalId", str)
GateId = NewType("GateId", str)
RunId = NewType("RunId", str)
TaskId = NewType("TaskId", str)
MessageId = NewType("MessageId", str)
ReviewId = NewType("ReviewId", str)
AccountId = NewType("AccountId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """`prefix_` and 26 characters: 48 bits of milliseconds, 80 random bits."""
    return _text(prefix, _new_value())


def ids_in_order(prefix: str) -> Iterator[str]:
    """Any number of ids that sort in the order they are taken; only the first costs random bits."""
    for value in count(_new_value()):
        yield _text(prefix, value)


def _new_value() -> int:
    return (int(time.time() * 1000) << 80) | secrets.randbits(80)


def _text(prefix: str, value: int) -> str:
    letters = []
    for _ in range(26):
        value, digit = divmod(value, 32)
        letters.append(_ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(letters))}"
