"""The incident: severity, stage, roles and links to everything else. Each stage has a machine half and a human half.

A stage is passed when both halves are done; people can always do the machine's half by hand, so that every stage can
be completed with everything else unreachable.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal

from handrail.domain.noun import Decision, Noun, Row
from handrail.domain.people import IncidentRole
from handrail.kernel.errors import Conflict, NotFound, Unprocessable

Half = Literal["machine", "human"]


class Stage(StrEnum):
    DETECT = "detect"
    TRIAGE = "triage"
    CONTAIN = "contain"
    REMEDIATE = "remediate"
    RECOVER = "recover"
    REVIEW = "review"
    CLOSED = "closed"


STAGES: tuple[Stage, ...] = tuple(Stage)
SEVERITIES: tuple[str, ...] = ("SEV1", "SEV2", "SEV3", "SEV4")

HALVES: dict[tuple[Stage, Half], str] = {
    (Stage.DETECT, "machine"): "Alerts correlated into a candidate",
    (Stage.DETECT, "human"): "Declared, with its severity confirmed",
    (Stage.TRIAGE, "machine"): "Likely cause named, one action proposed",
    (Stage.TRIAGE, "human"): "Plan chosen by the commander",
    (Stage.CONTAIN, "machine"): "Approved action carried out",
    (Stage.CONTAIN, "human"): "Action approved at its gate",
    (Stage.REMEDIATE, "machine"): "Signal of the service recovered",
    (Stage.REMEDIATE, "human"): "Tasks for people done",
    (Stage.RECOVER, "machine"): "All alerts of the incident resolved",
    (Stage.RECOVER, "human"): "Readiness signed off by the service's owner",
    (Stage.REVIEW, "machine"): "Review drafted from the record",
    (Stage.REVIEW, "human"): "Review accepted",
}


@dataclass(frozen=True)
class IncidentDeclared:
    id: str
    number: int
    title: str
    severity: str
    suggested_severity: str | None
    services: tuple[str, ...]
    candidate_id: str | None
    by: str
    at: datetime
    started_at: datetime
    detected_at: datetime
    trace: str | None = None
    TYPE: ClassVar[str] = "incident.declared"
    PERSONAL: ClassVar[tuple[str, ...]] = ("title",)


@dataclass(frozen=True)
class RoleGiven:
    role: str
    account_id: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "incident.role_given"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SeverityChanged:
    severity: str
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "incident.severity_changed"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class HalfDone:
    stage: str
    half: Half
    by: str
    what: str
    at: datetime
    TYPE: ClassVar[str] = "incident.half_done"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class StageReached:
    stage: str
    at: datetime
    TYPE: ClassVar[str] = "incident.stage_reached"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class NoteAdded:
    by: str
    at: datetime
    happened_at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "incident.note_added"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class ServicesAdded:
    services: tuple[str, ...]
    at: datetime
    TYPE: ClassVar[str] = "incident.services_added"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class ReadinessAsked:
    gate_id: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "incident.readiness_asked"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Mitigated:
    at: datetime
    TYPE: ClassVar[str] = "incident.mitigated"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Recovered:
    at: datetime
    TYPE: ClassVar[str] = "incident.recovered"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class IncidentClosed:
    by: str
    at: datetime
    TYPE: ClassVar[str] = "incident.closed"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class HalfState:
    by: str
    what: str
    at: datetime


@dataclass(frozen=True)
class Incident:
    id: str
    number: int
    title: str
    severity: str
    suggested_severity: str | None
    services: tuple[str, ...]
    candidate_id: str | None
    declared_by: str
    declared_at: datetime
    started_at: datetime
    detected_at: datetime
    trace: str | None = None
    stage: Stage = Stage.DETECT
    halves: dict[str, HalfState] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    readiness_gate_id: str | None = None
    mitigated_at: datetime | None = None
    recovered_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def reference(self) -> str:
        return f"INC-{self.number}"

    def half(self, stage: Stage, half: Half) -> HalfState | None:
        return self.halves.get(f"{stage}.{half}")

    def roles_of(self, account_id: str) -> frozenset[str]:
        return frozenset(role for role, holder in self.roles.items() if holder == account_id)


@dataclass(frozen=True)
class Declare:
    """`started_at` is when the first symptom began, `detected_at` when Handrail knew. The declarer commands."""

    id: str
    number: int
    title: str
    severity: str
    suggested_severity: str | None
    services: tuple[str, ...]
    candidate_id: str | None
    by: str
    started_at: datetime
    detected_at: datetime
    trace: str | None = None


@dataclass(frozen=True)
class GiveRole:
    role: str
    account_id: str
    by: str


@dataclass(frozen=True)
class ChangeSeverity:
    severity: str
    by: str
    words: str


@dataclass(frozen=True)
class CompleteHalf:
    stage: Stage
    half: Half
    by: str
    what: str


@dataclass(frozen=True)
class AddNote:
    by: str
    words: str
    happened_at: datetime | None = None


@dataclass(frozen=True)
class AddServices:
    services: tuple[str, ...]


@dataclass(frozen=True)
class AskReadiness:
    gate_id: str
    by: str


@dataclass(frozen=True)
class MarkMitigated:
    pass


@dataclass(frozen=True)
class MarkRecovered:
    pass


@dataclass(frozen=True)
class Close:
    by: str
    open_tasks: int


def decide(incident: Incident | None, command: object, now: datetime) -> Decision:
    if incident is None:
        return _declare(command, now) if isinstance(command, Declare) else NotFound("There is no such incident.")
    match command:
        case Declare():
            return Conflict("This incident is declared already.")
        case CompleteHalf():
            return _complete(incident, command, now)
        case AddNote():
            if not command.words.strip():
                return Unprocessable("An empty note says nothing; write what you saw or did.")
            return [NoteAdded(command.by, now, min(command.happened_at or now, now), command.words)]
    if incident.closed_at is not None:
        return Conflict(f"{incident.reference} was closed at {incident.closed_at:%Y-%m-%d %H:%M:%S} UTC.", "closed")
    match command:
        case GiveRole():
            if command.role not in set(IncidentRole):
                return Unprocessable(f"“{command.role}” is no incident role; use {', '.join(IncidentRole)}.")
            if incident.roles.get(command.role) == command.account_id:
                return []
            return [RoleGiven(command.role, command.account_id, command.by, now)]
        case ChangeSeverity():
            if command.severity not in SEVERITIES:
                return Unprocessable(f"“{command.severity}” is no severity; use {', '.join(SEVERITIES)}.")
            if command.severity == incident.severity:
                return []
            return [SeverityChanged(command.severity, command.by, now, command.words)]
        case AddServices():
            fresh = tuple(name for name in command.services if name not in incident.services)
            return [ServicesAdded(fresh, now)] if fresh else []
        case AskReadiness():
            return [ReadinessAsked(command.gate_id, command.by, now)]
        case MarkMitigated():
            return [] if incident.mitigated_at else [Mitigated(now)]
        case MarkRecovered():
            return [] if incident.recovered_at else [Recovered(now)]
        case Close():
            return _close(incident, command, now)
    return Conflict("The incident does not know this command.")


def _declare(command: Declare, now: datetime) -> Decision:
    if command.severity not in SEVERITIES:
        return Unprocessable(f"“{command.severity}” is no severity; use {', '.join(SEVERITIES)}.", "unknown_severity")
    if not command.title.strip():
        return Unprocessable("Give the incident a title that a colleague understands.", "title_missing")
    declared = IncidentDeclared(
        command.id, command.number, command.title.strip(), command.severity, command.suggested_severity,
        command.services, command.candidate_id, command.by, now, min(command.started_at, now),
        min(command.detected_at, now), command.trace,
    )  # fmt: skip
    detector = "handrail" if command.candidate_id else command.by
    detected = HALVES[Stage.DETECT, "machine"] if command.candidate_id else "Noticed by a person, without a candidate"
    halves = [
        HalfDone(Stage.DETECT, "machine", detector, detected, now),
        HalfDone(Stage.DETECT, "human", command.by, HALVES[Stage.DETECT, "human"], now),
    ]
    return [
        declared,
        RoleGiven(IncidentRole.COMMANDER, command.by, command.by, now),
        *halves,
        StageReached(Stage.TRIAGE, now),
    ]


def _complete(incident: Incident, command: CompleteHalf, now: datetime) -> Decision:
    if (command.stage, command.half) not in HALVES:
        return Unprocessable(f"The stage {command.stage} has no {command.half} half.")
    if incident.half(command.stage, command.half):
        return []
    if incident.closed_at is not None and command.stage != Stage.REVIEW:
        return Conflict(f"{incident.reference} is closed.", "closed")
    if command.stage == Stage.REVIEW and incident.closed_at is None:
        return Conflict("The review belongs to a closed incident.", "not_closed")
    events: list[object] = [HalfDone(command.stage, command.half, command.by, command.what, now)]
    state = evolve(incident, events[0])
    while (following := _next_stage(state)) is not None:
        events.append(StageReached(following, now))
        state = evolve(state, events[-1])
    return events


def _next_stage(incident: Incident) -> Stage | None:
    """The stage that follows when both halves of the present one are done; stages are never skipped."""
    stage = incident.stage
    if stage == Stage.CLOSED or not (incident.half(stage, "machine") and incident.half(stage, "human")):
        return None
    following = STAGES[STAGES.index(stage) + 1]
    return None if following == Stage.CLOSED and incident.closed_at is None else following


def _close(incident: Incident, command: Close, now: datetime) -> Decision:
    if incident.half(Stage.RECOVER, "human") is None:
        return Conflict("Readiness is not signed off yet; ask the service's owner for it first.", "not_ready")
    if command.open_tasks:
        return Conflict(f"{command.open_tasks} task(s) are still open; do or skip them first.", "tasks_open")
    if incident.stage != Stage.REVIEW:
        return Conflict(f"The incident is in the stage {incident.stage}; complete it first.", "stage_open")
    return [IncidentClosed(command.by, now)]


def evolve(incident: Incident | None, event: object) -> Incident:
    if isinstance(event, IncidentDeclared):
        return Incident(
            event.id, event.number, event.title, event.severity, event.suggested_severity, event.services,
            event.candidate_id, event.by, event.at, event.started_at, event.detected_at, event.trace,
        )  # fmt: skip
    assert incident is not None
    match event:
        case RoleGiven():
            return replace(incident, roles={**incident.roles, event.role: event.account_id})
        case SeverityChanged():
            return replace(incident, severity=event.severity)
        case HalfDone():
            done = HalfState(event.by, event.what, event.at)
            return replace(incident, halves={**incident.halves, f"{event.stage}.{event.half}": done})
        case StageReached():
            return replace(incident, stage=Stage(event.stage))
        case NoteAdded():
            return incident
        case ServicesAdded():
            return replace(incident, services=incident.services + event.services)
        case ReadinessAsked():
            return replace(incident, readiness_gate_id=event.gate_id)
        case Mitigated():
            return replace(incident, mitigated_at=event.at)
        case Recovered():
            return replace(incident, recovered_at=event.at)
        case IncidentClosed():
            return replace(incident, closed_at=event.at)
    raise AssertionError(f"unknown incident event {event!r}")


def row(incident: Incident) -> Row:
    return Row(
        status="closed" if incident.closed_at else "live",
        title=incident.title,
        incident_id=incident.id,
        keys=(("reference", incident.reference),),
    )


NOUN = Noun(
    kind="incident",
    state=Incident,
    events=(
        IncidentDeclared, RoleGiven, SeverityChanged, HalfDone, StageReached, NoteAdded, ServicesAdded,
        ReadinessAsked, Mitigated, Recovered, IncidentClosed,
    ),
    decide=decide,
    evolve=evolve,
    row=row,
)  # fmt: skip
