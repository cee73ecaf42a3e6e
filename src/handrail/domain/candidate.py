"""A candidate: alerts correlated into what may be an incident, each member with why it is there. People declare.

People correct it as well: they take alerts out, put alerts in, and merge one candidate into another. Which alert
belongs where stands in the alert's own row; a candidate keeps the first members with their reasons, and how many it
has.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Literal

from handrail.domain.alert import Alert
from handrail.domain.kind import Kind
from handrail.domain.noun import Decision, Noun, Row
from handrail.kernel.errors import Conflict, NotFound, Refused, Unprocessable
from handrail.kernel.limits import LIMITS

MEMBERS_SHOWN = 200
_PUT = "A person put it here."


@dataclass(frozen=True)
class Member:
    """One alert of a candidate. `reason` is a sentence, `score` 0 to 100 says how strongly it belongs."""

    alert_id: str
    service: str | None
    title: str
    reason: str
    score: int

    def put_by_a_person(self) -> "Member":
        """The member after a person put it elsewhere: nothing weighs more, and the machine's reason is kept."""
        before = self.reason.removeprefix(_PUT).removeprefix(" Before: ")
        return replace(self, reason=f"{_PUT} Before: {before}" if before else _PUT, score=100)


@dataclass(frozen=True)
class KindSeen:
    """A kind of alert among the members, and when the first of it came."""

    kind: Kind
    first_at: datetime


@dataclass(frozen=True)
class Outline:
    """What a candidate is as a whole, once alerts were taken out of it or put into it."""

    count: int
    services: tuple[str, ...]
    suggested_severity: str
    severity_reason: str
    title: str
    started_at: datetime
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class CandidateOpened:
    """`split_from` is the candidate that a person (`by`) split these alerts off; correlation opens the others."""

    id: str
    members: tuple[Member, ...]
    services: tuple[str, ...]
    suggested_severity: str
    severity_reason: str
    title: str
    started_at: datetime
    at: datetime
    trace: str | None = None
    kinds: tuple[Kind, ...] = ()
    split_from: str | None = None
    by: str | None = None
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
    kinds: tuple[Kind, ...] = ()
    TYPE: ClassVar[str] = "candidate.grown"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class AlertsTaken:
    """A person took alerts out, into another candidate or (`into` None) out of any. `left` is what remains."""

    alert_ids: tuple[str, ...]
    into: str | None
    left: Outline
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "candidate.alerts_taken"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class AlertsPut:
    """A person put alerts in, which were in `from_id` or in no candidate; `all_of_it`: that candidate was merged into
    this one. Of many, `members` are the first."""

    members: tuple[Member, ...]
    count: int
    from_id: str | None
    all_of_it: bool
    whole: Outline
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "candidate.alerts_put"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class CandidateMerged:
    """A person merged this candidate, with everything in it, into another."""

    into: str
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "candidate.merged"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


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
    status: Literal["open", "declared", "dismissed", "merged"] = "open"
    incident_id: str | None = None
    trace: str | None = None
    kinds: tuple[KindSeen, ...] = ()
    merged_into: str | None = None
    split_from: str | None = None


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
    kinds: tuple[Kind, ...] = ()
    split_from: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class GrowCandidate:
    members: tuple[Member, ...]
    services: tuple[str, ...]
    suggested_severity: str
    severity_reason: str
    title: str
    started_at: datetime
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True)
class TakeAlerts:
    alert_ids: tuple[str, ...]
    into: str | None
    left: Outline
    by: str
    words: str


@dataclass(frozen=True)
class PutAlerts:
    members: tuple[Member, ...]
    count: int
    from_id: str | None
    all_of_it: bool
    whole: Outline
    by: str
    words: str


@dataclass(frozen=True)
class MergeInto:
    into: str
    by: str
    words: str


@dataclass(frozen=True)
class DeclareCandidate:
    incident_id: str
    by: str


@dataclass(frozen=True)
class DismissCandidate:
    by: str
    words: str


def began(alert: Alert, now: datetime) -> datetime:
    """When an alert began, as far as it matters here: not before Handrail knew of it, and never in the future."""
    return max(alert.first_at, min(alert.starts_at, now))


def decide(candidate: Candidate | None, command: object, now: datetime) -> Decision:
    if candidate is None:
        if isinstance(command, OpenCandidate):
            return [
                CandidateOpened(
                    command.id, command.members, command.services, command.suggested_severity,
                    command.severity_reason, command.title, command.started_at, now, command.trace, command.kinds,
                    command.split_from, command.by,
                )
            ]  # fmt: skip
        return NotFound("There is no such candidate.")
    match command:
        case GrowCandidate():
            if candidate.status in ("dismissed", "merged"):
                return Conflict(f"This candidate was {candidate.status}.")
            return [
                CandidateGrown(
                    command.members, command.services, command.suggested_severity, command.severity_reason,
                    command.title, command.started_at, now, command.kinds,
                )
            ]  # fmt: skip
        case DeclareCandidate():
            return _decided(candidate) or [CandidateDeclared(command.incident_id, command.by, now)]
        case DismissCandidate():
            return _decided(candidate) or [CandidateDismissed(command.by, now, command.words)]
        case TakeAlerts() | PutAlerts() | MergeInto():
            return _correct(candidate, command, now)
    return Conflict("The candidate does not know this command.")


def _decided(candidate: Candidate) -> Refused | None:
    """The refusal of what only an open candidate allows."""
    if candidate.status == "open":
        return None
    return Conflict(f"This candidate is {candidate.status} already.", "candidate_decided")


def _correct(candidate: Candidate, command: TakeAlerts | PutAlerts | MergeInto, now: datetime) -> Decision:
    """What people correct. Of a declared candidate alerts are taken and put, but it never ends in another."""
    if isinstance(command, MergeInto):
        return _decided(candidate) or [CandidateMerged(command.into, command.by, now, command.words)]
    if candidate.status not in ("open", "declared"):
        return _decided(candidate) or []
    if isinstance(command, PutAlerts):
        put = (command.members, command.count, command.from_id, command.all_of_it, command.whole)
        return [AlertsPut(*put, command.by, now, command.words)]
    if command.left.count < 1:
        return Unprocessable(
            "That would leave no alert in the candidate. Merge it into the other one, or dismiss it.",
            "nothing_left",
        )
    return [AlertsTaken(command.alert_ids, command.into, command.left, command.by, now, command.words)]


def evolve(candidate: Candidate | None, event: object) -> Candidate:
    if isinstance(event, CandidateOpened):
        return Candidate(
            event.id, event.title, event.services, event.suggested_severity, event.severity_reason, event.started_at,
            event.at, event.at, len(event.members), event.members[:MEMBERS_SHOWN], trace=event.trace,
            kinds=_seen((), event.kinds, event.at), split_from=event.split_from,
        )  # fmt: skip
    assert candidate is not None
    match event:
        case CandidateGrown():
            return replace(
                candidate, members=(*candidate.members, *event.members)[:MEMBERS_SHOWN], services=event.services,
                suggested_severity=event.suggested_severity, severity_reason=event.severity_reason,
                title=event.title, grown_at=event.at, count=candidate.count + len(event.members),
                started_at=min(candidate.started_at, event.started_at),
                kinds=_seen(candidate.kinds, event.kinds, event.at),
            )  # fmt: skip
        case AlertsTaken():
            gone = set(event.alert_ids)
            members = tuple(member for member in candidate.members if member.alert_id not in gone)
            return _outlined(replace(candidate, members=members), event.left, event.at)
        case AlertsPut():
            members = (*candidate.members, *event.members)[:MEMBERS_SHOWN]
            return _outlined(replace(candidate, members=members, grown_at=event.at), event.whole, event.at)
        case CandidateMerged():
            return replace(candidate, status="merged", merged_into=event.into, members=(), count=0)
        case CandidateDeclared():
            return replace(candidate, status="declared", incident_id=event.incident_id)
        case CandidateDismissed():
            return replace(candidate, status="dismissed")
    raise AssertionError(f"unknown candidate event {event!r}")


def _seen(known: tuple[KindSeen, ...], kinds: Iterable[Kind], at: datetime) -> tuple[KindSeen, ...]:
    """The kinds known with the new ones, first come first, within the bound."""
    before = {one.kind for one in known}
    fresh = tuple(KindSeen(kind, at) for kind in kinds if kind not in before)
    return (*known, *fresh)[: LIMITS.candidate_kinds] if fresh else known


def _outlined(candidate: Candidate, outline: Outline, at: datetime) -> Candidate:
    still = tuple(one for one in candidate.kinds if one.kind in outline.kinds)
    return replace(
        candidate, count=outline.count, services=outline.services, suggested_severity=outline.suggested_severity,
        severity_reason=outline.severity_reason, title=outline.title, started_at=outline.started_at,
        kinds=_seen(still, outline.kinds, at),
    )  # fmt: skip


def row(candidate: Candidate) -> Row:
    return Row(status=candidate.status, title=candidate.title, incident_id=candidate.incident_id)


NOUN = Noun(
    "candidate",
    Candidate,
    (
        CandidateOpened, CandidateGrown, AlertsTaken, AlertsPut, CandidateMerged, CandidateDeclared,
        CandidateDismissed,
    ),
    decide,
    evolve,
    row,
)  # fmt: skip
