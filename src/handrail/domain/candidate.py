"""A candidate: alerts correlated into what may be an incident, each member with why it is there. People declare."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Literal

from handrail.domain.noun import Decision, Noun, Row
from handrail.kernel.errors import Conflict, NotFound

MEMBERS_SHOWN = 200


@dataclass(frozen=True)
class Member:
    """One alert of a candidate. `reason` is a sentence, `score` 0 to 100 says how strongly it belongs."""

    alert_id: str
    service: str | None
    title: str
    reason: str
    score: int


@dataclass(frozen=True)
class CandidateOpened:
    id: str
    members: tuple[Member, ...]
    services: tuple[str, ...]
    suggested_severity: str
    severity_reason: str
    title: str
    started_at: datetime
    at: datetime
    trace: str | None = None
    TYPE: ClassVar[str] = "candidate.opened"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class CandidateGrown:
    members: tuple[Member, ...]
    services: tuple[str, ...]
    suggested_severity: str
    severity_reason: str
    title: str
    started_at: datetime
    at: datetime
    TYPE: ClassVar[str] = "candidate.grown"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class CandidateDeclared:
    incident_id: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "candidate.declared"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class CandidateDismissed:
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "candidate.dismissed"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class Candidate:
    id: str
    title: str
    services: tuple[str, ...]
    suggested_severity: str
    severity_reason: str
    started_at: datetime
    opened_at: datetime
    grown_at: datetime
    count: int
    members: tuple[Member, ...] = field(default=())
    status: Literal["open", "declared", "dismissed"] = "open"
    incident_id: str | None = None
    trace: str | None = None


@dataclass(frozen=True)
class OpenCandidate:
    id: str
    members: tuple[Member, ...]
    services: tuple[str, ...]
    suggested_severity: str
    severity_reason: str
    title: str
    started_at: datetime
    trace: str | None = None


@dataclass(frozen=True)
class GrowCandidate:
    members: tuple[Member, ...]
    services: tuple[str, ...]
    suggested_severity: str
    severity_reason: str
    title: str
    started_at: datetime


@dataclass(frozen=True)
class DeclareCandidate:
    incident_id: str
    by: str


@dataclass(frozen=True)
class DismissCandidate:
    by: str
    words: str


def decide(candidate: Candidate | None, command: object, now: datetime) -> Decision:
    if candidate is None:
        if isinstance(command, OpenCandidate):
            return [
                CandidateOpened(
                    command.id, command.members, command.services, command.suggested_severity,
                    command.severity_reason, command.title, command.started_at, now, command.trace,
                )
            ]  # fmt: skip
        return NotFound("There is no such candidate.")
    match command:
        case GrowCandidate():
            if candidate.status == "dismissed":
                return Conflict("This candidate was dismissed.")
            return [
                CandidateGrown(
                    command.members, command.services, command.suggested_severity, command.severity_reason,
                    command.title, command.started_at, now,
                )
            ]  # fmt: skip
        case DeclareCandidate():
            if candidate.status != "open":
                return Conflict(f"This candidate is {candidate.status} already.", "candidate_decided")
            return [CandidateDeclared(command.incident_id, command.by, now)]
        case DismissCandidate():
            if candidate.status != "open":
                return Conflict(f"This candidate is {candidate.status} already.", "candidate_decided")
            return [CandidateDismissed(command.by, now, command.words)]
    return Conflict("The candidate does not know this command.")


def evolve(candidate: Candidate | None, event: object) -> Candidate:
    if isinstance(event, CandidateOpened):
        return Candidate(
            event.id, event.title, event.services, event.suggested_severity, event.severity_reason, event.started_at,
            event.at, event.at, len(event.members), event.members[:MEMBERS_SHOWN], trace=event.trace,
        )  # fmt: skip
    assert candidate is not None
    match event:
        case CandidateGrown():
            return replace(
                candidate, members=(*candidate.members, *event.members)[:MEMBERS_SHOWN], services=event.services,
                suggested_severity=event.suggested_severity, severity_reason=event.severity_reason,
                title=event.title, grown_at=event.at, count=candidate.count + len(event.members),
                started_at=min(candidate.started_at, event.started_at),
            )  # fmt: skip
        case CandidateDeclared():
            return replace(candidate, status="declared", incident_id=event.incident_id)
        case CandidateDismissed():
            return replace(candidate, status="dismissed")
    raise AssertionError(f"unknown candidate event {event!r}")


def row(candidate: Candidate) -> Row:
    return Row(status=candidate.status, title=candidate.title, incident_id=candidate.incident_id)


NOUN = Noun(
    "candidate",
    Candidate,
    (CandidateOpened, CandidateGrown, CandidateDeclared, CandidateDismissed),
    decide,
    evolve,
    row,
)
