"""Votes and the passing of time at gates, with what follows from a decided gate."""

from collections.abc import Callable
from typing import Literal

from handrail.domain.gate import CastVote, Gate, Withdraw
from handrail.domain.noun import Tick
from handrail.domain.people import Permission, Person, require
from handrail.kernel.errors import Conflict, NotAllowed, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.operations import documents, incidents, messages, runs
from handrail.operations.shell import Tx

FOLLOWS: dict[str, Callable[[Tx, Gate], None]] = {
    "action": runs.on_gate,
    "message": messages.on_gate,
    "readiness": incidents.on_gate,
    "document": documents.on_gate,
}

# Consent over anything else is used in the moment in which it is given.
USED: dict[str, Callable[[Tx, Gate], bool]] = {"action": runs.is_used, "message": messages.is_used}


def vote(tx: Tx, gate_id: str, choice: Literal["approve", "reject"], digest: str, words: str, person: Person) -> Gate:
    """Cast one person's vote on exactly the content with this digest."""
    require(person, Permission.VOTE)
    gate: Gate = tx.get("gate", gate_id)
    if not words.strip():
        raise Unprocessable("Give a reason for your vote; it stands in the record.", "reason_missing")
    voter = tx.person(person.id, gate.incident_id) or person
    tx.change("gate", gate_id, CastVote(voter, choice, digest, words.strip()[: LIMITS.reason_chars]))
    return _follow(tx, gate_id, before=gate)


def withdraw(tx: Tx, gate_id: str, words: str, person: Person) -> Gate:
    """The proposer, or the one who put it forward, takes the question back, or the consent before it is used."""
    require(person, Permission.PROPOSE)
    gate: Gate = tx.get("gate", gate_id)
    if person.id not in (gate.proposer, gate.last_editor):
        raise NotAllowed("Only who asked can withdraw the question.", "not_proposer")
    if not words.strip():
        raise Unprocessable("Give a reason; it stands in the record.", "reason_missing")
    if gate.status == "satisfied" and (gate.subject.kind not in USED or USED[gate.subject.kind](tx, gate)):
        raise Conflict("This consent was used already; it cannot be withdrawn any more.", "consent_used")
    tx.change("gate", gate_id, Withdraw(person.id, words.strip()[: LIMITS.reason_chars]))
    return _follow(tx, gate_id, before=gate)


def tick_gate(tx: Tx, gate_id: str) -> None:
    gate: Gate = tx.get("gate", gate_id)
    tx.change("gate", gate_id, Tick())
    _follow(tx, gate_id, before=gate)


def _follow(tx: Tx, gate_id: str, before: Gate) -> Gate:
    gate: Gate = tx.get("gate", gate_id)
    if gate.status != before.status and gate.subject.kind in FOLLOWS:
        FOLLOWS[gate.subject.kind](tx, gate)
    return gate


def tick(tx: Tx, kind: str, noun_id: str) -> None:
    """A timer of a noun is due: let it see the time."""
    if kind == "gate":
        tick_gate(tx, noun_id)
    elif kind == "message":
        messages.retry_due(tx, noun_id)
    else:
        tx.change(kind, noun_id, Tick())
