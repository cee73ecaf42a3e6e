"""Gates as a person's list, and one gate with what it is about."""

from collections.abc import Mapping

from handrail.domain.gate import Gate
from handrail.domain.incident import Incident
from handrail.domain.message import Message
from handrail.domain.people import Person
from handrail.domain.proposal import Proposal
from handrail.domain.run import Run
from handrail.store.queries import Evidence, Found, in_incident
from handrail.web import views as v
from handrail.web.presenters.gates import gate_card
from handrail.web.presenters.messages import message_card
from handrail.web.presenters.names import Names
from handrail.web.presenters.proposals import action_card


def card(gate: Gate, viewer: Person, names: Names, incidents: Mapping[str, Incident]) -> v.GateCard:
    incident = incidents.get(gate.incident_id or "")
    return gate_card(gate, in_incident(viewer, incident), names, incident)


def approval_item(
    gate: Gate, viewer: Person, names: Names, incidents: Mapping[str, Incident], runs: Mapping[str, Run],
    messages: Mapping[str, Found[Message]], proposals: Mapping[str, Proposal], evidence: Mapping[str, Evidence],
) -> v.ApprovalItem:  # fmt: skip
    """A gate with the action or the message that it is about."""
    shown = card(gate, viewer, names, incidents)
    incident = incidents.get(gate.incident_id or "")
    severity = incident.severity if incident else None
    if gate.subject.kind == "message" and (found := messages.get(gate.subject.id)) is not None:
        return v.ApprovalItem(
            shown, message=message_card(found.state, found.seq, shown, viewer, names), severity=severity
        )
    if gate.subject.kind == "action":
        run_id, _, task_id = gate.subject.id.partition("/")
        run = runs.get(run_id)
        task = run.tasks.get(task_id) if run else None
        if run is not None and task is not None and task.gate_id == gate.id:
            proposal = proposals.get(run.proposal_id or "")
            made = action_card(run, task, gate, shown, names, evidence, proposal)
            return v.ApprovalItem(shown, proposal=made, severity=severity)
    return v.ApprovalItem(shown, severity=severity)
