"""The gate: the one object through which anything that needs authority passes.

A gate binds to the digest of exact content. Votes count only for that digest, from people who are eligible, and are
neither proposer nor last editor. Expiry climbs a ladder and never turns into consent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from handrail.domain.noun import ERASED_CONTENT, Decision, Noun, Row, Tick, Timer
from handrail.domain.people import Eligible, Permission, Person, permitted
from handrail.kernel.errors import Conflict, Gone, NotAllowed, Refused, Stale, Unprocessable

Status = Literal["open", "satisfied", "rejected", "expired", "withdrawn", "voided"]


@dataclass(frozen=True)
class Subject:
    """What is put to people. `digest` is that of the content shown; `kind` and `id` tell what happens on consent."""

    kind: str
    id: str
    digest: str
    title: str


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: who becomes eligible as well, and for how long the gate then stays open."""

    eligible: Eligible
    open_for_seconds: int


@dataclass(frozen=True)
class GateOpened:
    id: str
    incident_id: str | None
    subject: Subject
    content: dict[str, Any]
    proposer: str
    last_editor: str | None
    eligible: Eligible
    quorum: int
    policy: str
    rule: str
    at: datetime
    expires_at: datetime
    usable_for_seconds: int
    ladder: tuple[Rung, ...] = ()
    TYPE: ClassVar[str] = "gate.opened"
    PERSONAL: ClassVar[tuple[str, ...]] = ("content",)


@dataclass(frozen=True)
class GateVoted:
    by: str
    vote: Literal["approve", "reject"]
    digest: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "gate.voted"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class GateSatisfied:
    digest: str
    approvers: tuple[str, ...]
    at: datetime
    usable_until: datetime
    TYPE: ClassVar[str] = "gate.satisfied"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class GateRejected:
    by: str
    at: datetime
    TYPE: ClassVar[str] = "gate.rejected"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class GateEscalated:
    rung: int
    eligible: Eligible
    at: datetime
    expires_at: datetime
    TYPE: ClassVar[str] = "gate.escalated"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class GateExpired:
    at: datetime
    TYPE: ClassVar[str] = "gate.expired"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class GateWithdrawn:
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "gate.withdrawn"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class GateVoided:
    why: str
    at: datetime
    TYPE: ClassVar[str] = "gate.voided"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Vote:
    by: str
    vote: str
    at: datetime
    words: str = ""


@dataclass(frozen=True)
class Gate:
    id: str
    incident_id: str | None
    subject: Subject
    content: dict[str, Any]
    proposer: str
    last_editor: str | None
    eligible: Eligible
    quorum: int
    policy: str
    rule: str
    opened_at: datetime
    expires_at: datetime
    usable_for_seconds: int
    ladder: tuple[Rung, ...] = ()
    rung: int = 0
    status: Status = "open"
    votes: tuple[Vote, ...] = ()
    decided_at: datetime | None = None
    usable_until: datetime | None = None
    why: str = ""
    escalations: tuple[datetime, ...] = field(default=())

    def approvers(self) -> tuple[str, ...]:
        return tuple(vote.by for vote in self.votes if vote.vote == "approve")


@dataclass(frozen=True)
class OpenGate:
    id: str
    incident_id: str | None
    subject: Subject
    content: dict[str, Any]
    proposer: str
    last_editor: str | None
    eligible: Eligible
    quorum: int
    policy: str
    rule: str
    open_for: timedelta
    usable_for: timedelta
    ladder: tuple[Rung, ...] = ()


@dataclass(frozen=True)
class CastVote:
    """`digest` is what the voter saw: a vote for other content does not count."""

    voter: Person
    vote: Literal["approve", "reject"]
    digest: str
    words: str = ""


@dataclass(frozen=True)
class Withdraw:
    by: str
    words: str


@dataclass(frozen=True)
class Void:
    why: str


def decide(gate: Gate | None, command: object, now: datetime) -> Decision:
    match command, gate:
        case OpenGate(), None:
            return _open(command, now)
        case _, None:
            return Conflict("There is no such gate.")
        case CastVote(), Gate():
            return _vote(gate, command, now)
        case Withdraw(), Gate():
            if gate.status not in ("open", "satisfied"):
                return Conflict(f"The gate is {gate.status}; it cannot be withdrawn.")
            return [GateWithdrawn(command.by, now, command.words)]
        case Void(), Gate():
            return [GateVoided(command.why, now)] if gate.status in ("open", "satisfied") else []
        case Tick(), Gate():
            return _tick(gate, now)
    return Conflict("The gate does not know this command.")


def _open(command: OpenGate, now: datetime) -> Decision:
    if command.quorum < 1:
        return Unprocessable("A gate needs at least one approver.")
    if not (command.eligible.roles or command.eligible.teams or command.eligible.people):
        return Unprocessable("Nobody is eligible to approve: the policy names no approver.", "nobody_eligible")
    return [
        GateOpened(
            id=command.id, incident_id=command.incident_id, subject=command.subject, content=command.content,
            proposer=command.proposer, last_editor=command.last_editor, eligible=command.eligible,
            quorum=command.quorum, policy=command.policy, rule=command.rule, at=now, expires_at=now + command.open_for,
            usable_for_seconds=int(command.usable_for.total_seconds()), ladder=command.ladder,
        )
    ]  # fmt: skip


def may_vote(gate: Gate, voter: Person) -> Refused | None:
    """Why this person may not decide here, or None."""
    if voter.kind != "person":
        return NotAllowed("A machine account never approves.", "machine_vote")
    if not voter.active:
        return NotAllowed("This account is not active.", "inactive")
    if not permitted(voter, Permission.VOTE):
        return NotAllowed("This needs the permission “vote”, which this person's roles do not grant.", "not_allowed")
    if voter.id == gate.proposer:
        return NotAllowed("You proposed this, so somebody else must decide.", "self_approval")
    if voter.id == gate.last_editor:
        return NotAllowed("You edited this last, so somebody else must decide.", "self_approval")
    if not gate.eligible.admits(voter):
        return NotAllowed(f"Only {gate.eligible.words()} may decide this.", "not_eligible")
    return None


def _vote(gate: Gate, command: CastVote, now: datetime) -> Decision:
    if refusal := may_vote(gate, command.voter):
        return refusal
    if gate.status == "expired" or (gate.status == "open" and now >= gate.expires_at and not _next_rung(gate)):
        return Gone(f"This gate expired at {gate.expires_at:%H:%M:%S} UTC. It must be asked again.")
    if gate.status != "open":
        return Conflict(f"This gate is already {gate.status}.", "gate_decided")
    if command.digest != gate.subject.digest:
        return Stale("The content is not what you were shown. Read it again before you decide.", "content_changed")
    if gate.content == ERASED_CONTENT:
        return Stale("The content was erased, so nobody can read what this is about; ask again.", "content_changed")
    if any(vote.by == command.voter.id for vote in gate.votes):
        return Conflict("You have voted already: one person is one vote.", "already_voted")
    voted = GateVoted(command.voter.id, command.vote, command.digest, now, command.words)
    if command.vote == "reject":
        return [voted, GateRejected(command.voter.id, now)]
    approvers = (*gate.approvers(), command.voter.id)
    if len(approvers) < gate.quorum:
        return [voted]
    usable_until = now + timedelta(seconds=gate.usable_for_seconds)
    return [voted, GateSatisfied(command.digest, approvers, now, usable_until)]


def _next_rung(gate: Gate) -> Rung | None:
    return gate.ladder[gate.rung] if gate.rung < len(gate.ladder) else None


def _tick(gate: Gate, now: datetime) -> Decision:
    if gate.status != "open" or now < gate.expires_at:
        return []
    rung = _next_rung(gate)
    if rung is None:
        return [GateExpired(now)]
    eligible = Eligible(
        roles=tuple(dict.fromkeys(gate.eligible.roles + rung.eligible.roles)),
        teams=tuple(dict.fromkeys(gate.eligible.teams + rung.eligible.teams)),
        people=tuple(dict.fromkeys(gate.eligible.people + rung.eligible.people)),
    )
    return [GateEscalated(gate.rung + 1, eligible, now, now + timedelta(seconds=rung.open_for_seconds))]


def authority(gate: Gate | None, digest: str, approvers: Mapping[str, Person], now: datetime) -> Refused | None:
    """Why this gate does not authorise the act with this digest now, or None when it does.

    `approvers` are the approvers' accounts as they are now: a role lost since the vote no longer counts.
    """
    if gate is None or gate.status != "satisfied":
        return Conflict(f"There is no consent: the gate is {gate.status if gate else 'missing'}.", "no_authority")
    if gate.subject.digest != digest:
        return Stale("What would be done is not what was approved.", "authority_void")
    if gate.usable_until is not None and now > gate.usable_until:
        return Gone(f"The consent could be used until {gate.usable_until:%H:%M:%S} UTC.", "authority_expired")
    valid = [who for who in set(gate.approvers()) if who in approvers and may_vote(gate, approvers[who]) is None]
    if len(valid) < gate.quorum:
        return NotAllowed("An approver has lost the role since the vote; it must be asked again.", "approver_lost_role")
    return None


def evolve(gate: Gate | None, event: object) -> Gate:
    if isinstance(event, GateOpened):
        return Gate(
            id=event.id, incident_id=event.incident_id, subject=event.subject, content=event.content,
            proposer=event.proposer, last_editor=event.last_editor, eligible=event.eligible, quorum=event.quorum,
            policy=event.policy, rule=event.rule, opened_at=event.at, expires_at=event.expires_at,
            usable_for_seconds=event.usable_for_seconds, ladder=event.ladder,
        )  # fmt: skip
    assert gate is not None
    match event:
        case GateVoted():
            return replace(gate, votes=(*gate.votes, Vote(event.by, event.vote, event.at, event.words)))
        case GateSatisfied():
            return replace(gate, status="satisfied", decided_at=event.at, usable_until=event.usable_until)
        case GateRejected():
            return replace(gate, status="rejected", decided_at=event.at)
        case GateEscalated():
            return replace(
                gate, rung=event.rung, eligible=event.eligible, expires_at=event.expires_at,
                escalations=(*gate.escalations, event.at),
            )  # fmt: skip
        case GateExpired():
            return replace(gate, status="expired", decided_at=event.at, why="Nobody decided in time.")
        case GateWithdrawn():
            return replace(gate, status="withdrawn", decided_at=event.at, why=event.words)
        case GateVoided():
            return replace(gate, status="voided", decided_at=event.at, why=event.why)
    raise AssertionError(f"unknown gate event {event!r}")


def row(gate: Gate) -> Row:
    timers = (Timer("expiry", gate.expires_at),) if gate.status == "open" else ()
    return Row(status=gate.status, title=gate.subject.title, incident_id=gate.incident_id, timers=timers)


NOUN = Noun(
    kind="gate",
    state=Gate,
    events=(
        GateOpened,
        GateVoted,
        GateSatisfied,
        GateRejected,
        GateEscalated,
        GateExpired,
        GateWithdrawn,
        GateVoided,
    ),
    decide=decide,
    evolve=evolve,
    row=row,
)
