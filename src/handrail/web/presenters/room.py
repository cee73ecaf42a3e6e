"""The incident room: everything known about one incident, as one viewer sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from handrail.domain.alert import Alert
from handrail.domain.audience import Audience
from handrail.domain.catalog import Catalog
from handrail.domain.change import Change
from handrail.domain.finding import Finding
from handrail.domain.gate import Gate
from handrail.domain.incident import HALVES, SEVERITIES, STAGES, Incident, Stage
from handrail.domain.message import Message
from handrail.domain.people import IncidentRole, Permission, Person, permitted
from handrail.domain.policy import Ruling
from handrail.domain.proposal import Proposal
from handrail.domain.review import Review
from handrail.domain.run import Run, open_tasks
from handrail.store.queries import EntryView, Evidence, Found
from handrail.web import views as v
from handrail.web.presenters.alerts import alert_row
from handrail.web.presenters.causes import cause_card
from handrail.web.presenters.charts import Marks
from handrail.web.presenters.gates import gate_card
from handrail.web.presenters.messages import message_card
from handrail.web.presenters.names import Names, role_words
from handrail.web.presenters.needs import needs
from handrail.web.presenters.proposals import action_card, proposal_card
from handrail.web.presenters.sentences import Told
from handrail.web.presenters.stages import measures, stages
from handrail.web.presenters.tasks import run_view, task_row
from handrail.web.presenters.timeline import timeline

MESSAGE_STAGES = ("declared", "update", "mitigated", "resolved")
_BY_THEIR_OWN_ACT = {(Stage.RECOVER, "human"), (Stage.DETECT, "human"), (Stage.REVIEW, "human")}


@dataclass(frozen=True)
class Room:
    """What the store knows of one incident, read in one snapshot. Nouns stand by id, oldest first."""

    incident: Incident
    now: datetime
    viewer: Person
    names: Names
    runs: Mapping[str, Run] = field(default_factory=dict)
    gates: Mapping[str, Gate] = field(default_factory=dict)
    messages: Mapping[str, Found[Message]] = field(default_factory=dict)
    proposals: Mapping[str, Proposal] = field(default_factory=dict)
    finding: Finding | None = None
    change: Change | None = None
    review: Review | None = None
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    alerts_total: int = 0
    alerts_open: int = 0
    entries: tuple[EntryView, ...] = ()
    entries_total: int = 0
    catalog: Catalog = field(default_factory=Catalog)
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    rulings: Mapping[str, Ruling] = field(default_factory=dict)

    def may(self, permission: Permission) -> bool:
        return permitted(self.viewer, permission)

    @property
    def message_states(self) -> dict[str, Message]:
        return {message_id: found.state for message_id, found in self.messages.items()}

    @property
    def told(self) -> Told:
        return Told(self.names, self.runs, self.gates, self.message_states)

    @property
    def marks(self) -> Marks:
        return Marks(self.change, self.incident.started_at, self.incident.recovered_at)

    @property
    def open_tasks(self) -> int:
        return sum(len(open_tasks(run)) for run in self.runs.values() if run.status == "running")

    def gate_card(self, gate_id: str | None) -> v.GateCard | None:
        gate = self.gates.get(gate_id or "")
        return gate_card(gate, self.viewer, self.names, self.incident) if gate else None

    @property
    def readiness_gate(self) -> Gate | None:
        return self.gates.get(self.incident.readiness_gate_id or "")


def room_view(room: Room) -> v.IncidentView:
    incident, names = room.incident, room.names
    rows = {run.id: _rows(room, run) for run in room.runs.values()}
    latest = list(room.runs.values())[-1] if room.runs else None
    commander = incident.roles.get(IncidentRole.COMMANDER)
    return v.IncidentView(
        id=incident.id,
        number=incident.reference,
        title=incident.title,
        severity=incident.severity,
        stage=incident.stage,
        stages=stages(incident, names),
        declared_at=incident.declared_at,
        declared_by=names.known(incident.declared_by),
        commander=names.of(commander) if commander else None,
        services=incident.services,
        ended_at=incident.closed_at,
        measures=measures(incident),
        needs=needs(room, [row for each in rows.values() for row in each]),
        investigation=_investigation(room),
        cause=cause_card(room.finding, room.evidence, room.marks, names) if room.finding else None,
        proposals=proposals(room),
        tasks=tuple(row for run_id in reversed(list(rows)) for row in rows[run_id]),
        run=run_view(latest, rows[latest.id]) if latest else None,
        messages=tuple(
            message_card(found.state, found.seq, room.gate_card(found.state.gate_id), room.viewer, names)
            for found in reversed(list(room.messages.values()))
        ),
        alerts=tuple(alert_row(alert) for alert in room.alerts),
        alerts_total=room.alerts_total,
        timeline=timeline(room.entries, room.told),
        timeline_total=room.entries_total,
        roles=tuple(
            v.RoleRow(role_words(role), names.of(holder) if (holder := incident.roles.get(role)) else None)
            for role in IncidentRole
        ),
        role_options=tuple(v.Option(role, role_words(role)) for role in IncidentRole),
        people=tuple(v.Option(account.id, account.name) for account in names.people()),
        may=_may(room),
        readiness=readiness(room),
        closing=closing(room),
        review=f"/incidents/{incident.id}/review" if room.review else None,
        review_status=room.review.status if room.review else "",
        severities=tuple(v.Option(level, level, level == incident.severity) for level in SEVERITIES),
        halves=_open_halves(incident),
        audiences=tuple(v.Option(name, audience.title) for name, audience in room.audiences.items()),
        message_stages=tuple(v.Option(stage, stage, stage == "update") for stage in MESSAGE_STAGES),
        candidate_id=incident.candidate_id,
    )


def _rows(room: Room, run: Run) -> tuple[v.TaskRow, ...]:
    return tuple(
        task_row(run, task, room.viewer, room.now, room.names, room.gates, room.message_states)
        for task in run.in_order()
    )


def proposals(room: Room) -> tuple[v.ProposalCard, ...]:
    """Actions of the runs with their gates first, then proposals that nobody has chosen yet; newest first."""
    why = _why(room)
    found = []
    for run in reversed(list(room.runs.values())):
        proposal = room.proposals.get(run.proposal_id or "")
        for task in run.in_order():
            if task.plan.kind != "action":
                continue
            gate = room.gates.get(task.gate_id or "")
            card = action_card(run, task, gate, room.gate_card(task.gate_id), room.names, room.evidence, proposal, why)
            found += [card] if card else []
    may_start = room.may(Permission.COMMAND) and room.incident.closed_at is None
    found += [
        proposal_card(proposal, room.names, room.rulings.get(proposal.id), why, may_start)
        for proposal in reversed(list(room.proposals.values()))
        if proposal.status == "open"
    ]
    return tuple(found)


def _why(room: Room) -> str:
    if room.finding is None or room.finding.cause_kind == "inconclusive":
        return ""
    return f"It takes back what the finding names as the cause, with confidence {room.finding.confidence} of 100."


def _investigation(room: Room) -> str:
    if room.finding is not None:
        return ""
    services = ", ".join(room.incident.services) or "the services"
    return f"The analyst reads alerts, changes, dependencies and signals of {services}. Its finding comes up here."


def _may(room: Room) -> frozenset[str]:
    live = room.incident.closed_at is None
    granted = {
        "note": room.may(Permission.WORK),
        "assign": live and room.may(Permission.COMMAND),
        "severity": live and room.may(Permission.COMMAND),
        "investigate": live and room.may(Permission.COMMAND),
        "halves": live and room.may(Permission.COMMAND) and bool(_open_halves(room.incident)),
        "message": live and room.may(Permission.WRITE_MESSAGE),
    }
    return frozenset(name for name, held in granted.items() if held)


def _open_halves(incident: Incident) -> tuple[v.Option, ...]:
    """Halves that a person can do by hand, those of the present stage first; those with an act of their own are not."""
    at = STAGES.index(incident.stage)
    ordered = sorted(HALVES, key=lambda key: (STAGES.index(key[0]) != at, STAGES.index(key[0])))
    return tuple(
        v.Option(f"{stage}.{half}", f"{stage}, {half} half: {HALVES[stage, half].lower()}")
        for stage, half in ordered
        if incident.half(stage, half) is None and (stage, half) not in _BY_THEIR_OWN_ACT and stage != Stage.REVIEW
    )


def service_in_question(room: Room) -> str | None:
    """The service that its owner signs off: the one of the cause, else the first that is named."""
    if room.finding is not None and room.finding.service:
        return room.finding.service
    return room.incident.services[0] if room.incident.services else None


def _state_checks(room: Room) -> tuple[v.Check, ...]:
    firing, tasks = room.alerts_open, room.open_tasks
    return (
        v.Check("The signal has recovered", room.incident.recovered_at is not None),
        v.Check(f"{_count(firing, 'alert')} of the incident not resolved", not firing),
        v.Check(f"{_count(tasks, 'task')} open", not tasks),
    )


def _count(number: int, one: str) -> str:
    return f"{number or 'No'} {one if number < 2 else one + 's'}"


def readiness(room: Room) -> v.SignOff | None:
    """Shown once something has recovered, or the incident has come to that stage."""
    incident = room.incident
    due = incident.recovered_at is not None or incident.stage in (Stage.RECOVER, Stage.REVIEW)
    if not due or incident.closed_at is not None:
        return None
    name = service_in_question(room)
    service = room.catalog.services.get(name or "")
    owner = service.owner if service else ""
    said = v.SignOff(
        checks=_state_checks(room),
        may=False,
        service=name or "the services",
        owner=owner,
        gate=room.gate_card(incident.readiness_gate_id),
    )
    gate = room.readiness_gate
    if gate is not None and gate.status == "satisfied":
        signed = f"{room.names.all(gate.approvers())} signed off that {said.service} is ready."
        return replace(said, done=signed, gate=None)
    if gate is not None and gate.status == "open":
        return said
    if not room.may(Permission.COMMAND):
        return replace(said, why_not="The commander asks the service's owner to sign readiness off.")
    return replace(said, may=True)


def closing(room: Room) -> v.SignOff | None:
    """Shown once readiness is signed off."""
    incident = room.incident
    if incident.half(Stage.RECOVER, "human") is None or incident.closed_at is not None:
        return None
    reached = incident.stage == Stage.REVIEW
    checks = (
        v.Check("Readiness is signed off", True),
        v.Check("All alerts of the incident are resolved", incident.half(Stage.RECOVER, "machine") is not None),
        v.Check(f"{_count(room.open_tasks, 'task')} open", not room.open_tasks),
    )
    if not room.may(Permission.COMMAND):
        return v.SignOff(checks, False, "The commander closes the incident.")
    if room.open_tasks:
        return v.SignOff(checks, False, "Do or skip the open tasks first.")
    if not reached:
        return v.SignOff(checks, False, f"The incident is in the stage {incident.stage}; complete it first.")
    return v.SignOff(checks, True)
