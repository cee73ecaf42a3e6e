"""Ids: a prefix that tells the noun, then 26 characters that sort by the time they were made (ULID layout)."""

import secrets
import time
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
    value = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    letters = []
    for _ in range(26):
        value, digit = divmod(value, 32)
        letters.append(_ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(letters))}"
