"""What in an incident waits for the one who looks."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from handrail.domain.incident import Stage
from handrail.domain.people import IncidentRole, Permission
from handrail.domain.proposal import Proposal
from handrail.store.queries import TaskView, owns
from handrail.web import views as v
from handrail.web.presenters.gates import subject, why_not_vote
from handrail.web.presenters.proposals import first_sentence

if TYPE_CHECKING:
    from handrail.web.presenters.room import Room

_COMMANDS = (IncidentRole.COMMANDER, IncidentRole.DEPUTY)
_SPEAKS = (*_COMMANDS, IncidentRole.COMMUNICATIONS)


def needs(room: "Room", rows: Iterable[v.TaskRow]) -> tuple[v.Need, ...]:
    """Decisions first, then what blocks the incident, then tasks and words."""
    return (*_decisions(room), *_commands(room, tuple(rows)), *_tasks(room, tuple(rows)), *_messages(room))


def _holds(room: "Room", roles: Iterable[str]) -> bool:
    return bool(room.viewer.incident_roles & set(roles))


def _decisions(room: "Room") -> Iterable[v.Need]:
    for gate in room.gates.values():
        if gate.status == "open" and not why_not_vote(gate, room.viewer):
            title = subject(gate)
            yield v.Need("decide", title[0].upper() + title[1:], f"#gate-{gate.id}", "Decide", gate.expires_at)


def _commands(room: "Room", rows: tuple[v.TaskRow, ...]) -> Iterable[v.Need]:
    """What the commander is there for."""
    incident = room.incident
    for row in rows:
        if row.may_resolve:
            yield v.Need("outcome", f"Say what became of: {row.title}", f"#task-{row.run_id}-{row.id}", "Say it")
    if not (_holds(room, _COMMANDS) and room.may(Permission.COMMAND)):
        return
    if incident.closed_at is None:
        yield from (
            v.Need("plan", first_sentence(_summary(proposal))[0], f"#proposal-{proposal.id}", "Look")
            for proposal in room.proposals.values()
            if proposal.status == "open"
        )
        yield from (
            v.Need("blocked", row.title, f"#task-{row.run_id}-{row.id}", "Ask again")
            for row in rows
            if row.may_ask_again
        )
        gate = room.readiness_gate
        asked = gate is not None and gate.status in ("open", "satisfied")
        if incident.recovered_at is not None and not asked:
            yield v.Need("readiness", "Ask the service's owner to sign readiness off", "#readiness", "Ask")
        if incident.stage == Stage.REVIEW and not room.open_tasks:
            yield v.Need("close", f"Close {incident.reference}", "#closing", "Close")
    if room.review is not None and room.review.status == "draft":
        yield v.Need("review", "Complete and accept the review", f"/incidents/{incident.id}/review", "Open")


def _summary(proposal: Proposal) -> str:
    return str(proposal.preview.get("summary", proposal.action))


def _tasks(room: "Room", rows: tuple[v.TaskRow, ...]) -> Iterable[v.Need]:
    for row in rows:
        view = TaskView(room.runs[row.run_id], room.runs[row.run_id].tasks[row.id])
        if row.may_finish or (row.may_claim and owns(view, room.viewer, room.incident)):
            verb = "Finish" if row.may_finish else "Take it"
            yield v.Need("task", row.title, f"#task-{row.run_id}-{row.id}", verb, row.due_at)


def _messages(room: "Room") -> Iterable[v.Need]:
    if not (_holds(room, _SPEAKS) and room.may(Permission.WRITE_MESSAGE)) or room.incident.closed_at is not None:
        return
    for message in room.message_states.values():
        if message.status in ("draft", "rejected"):
            yield v.Need("words", f"Message to {message.audience}", f"#message-{message.id}", "Read")
