"""A proposal: one exact action put to people. It becomes a run when the commander chooses it; consent is the gate's."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from handrail.domain.noun import Decision, Noun, Row
from handrail.kernel.errors import Conflict, NotFound


@dataclass(frozen=True)
class ProposalMade:
    """`preview` is the action's own preview as plain data: summary, changes, blast_radius, undo, signal."""

    id: str
    incident_id: str
    finding_id: str | None
    action: str
    parameters: dict[str, str]
    preview: dict[str, Any]
    evidence: tuple[str, ...]
    runbook: str
    inputs: dict[str, str]
    proposer: str
    at: datetime
    TYPE: ClassVar[str] = "proposal.made"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class ProposalChosen:
    by: str
    run_id: str
    at: datetime
    TYPE: ClassVar[str] = "proposal.chosen"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class ProposalDeclined:
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "proposal.declined"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class Proposal:
    id: str
    incident_id: str
    finding_id: str | None
    action: str
    parameters: dict[str, str]
    preview: dict[str, Any]
    evidence: tuple[str, ...]
    runbook: str
    inputs: dict[str, str]
    proposer: str
    made_at: datetime
    status: Literal["open", "chosen", "declined"] = "open"
    run_id: str | None = None


@dataclass(frozen=True)
class MakeProposal:
    proposal: ProposalMade


@dataclass(frozen=True)
class ChooseProposal:
    by: str
    run_id: str


@dataclass(frozen=True)
class DeclineProposal:
    by: str
    words: str


def decide(proposal: Proposal | None, command: object, now: datetime) -> Decision:
    match command, proposal:
        case MakeProposal(), None:
            return [replace(command.proposal, at=now)]
        case _, None:
            return NotFound("There is no such proposal.")
        case ((ChooseProposal() | DeclineProposal()), Proposal()) if proposal.status != "open":
            return Conflict(f"This proposal is {proposal.status} already.", "proposal_decided")
        case ChooseProposal(), Proposal():
            return [ProposalChosen(command.by, command.run_id, now)]
        case DeclineProposal(), Proposal():
            return [ProposalDeclined(command.by, now, command.words)]
    return Conflict("The proposal does not know this command.")


def evolve(proposal: Proposal | None, event: object) -> Proposal:
    if isinstance(event, ProposalMade):
        return Proposal(
            event.id, event.incident_id, event.finding_id, event.action, event.parameters, event.preview,
            event.evidence, event.runbook, event.inputs, event.proposer, event.at,
        )  # fmt: skip
    assert proposal is not None
    if isinstance(event, ProposalChosen):
        return replace(proposal, status="chosen", run_id=event.run_id)
    assert isinstance(event, ProposalDeclined)
    return replace(proposal, status="declined")


def row(proposal: Proposal) -> Row:
    return Row(proposal.status, str(proposal.preview.get("summary", proposal.action)), proposal.incident_id)


NOUN = Noun("proposal", Proposal, (ProposalMade, ProposalChosen, ProposalDeclined), decide, evolve, row)
