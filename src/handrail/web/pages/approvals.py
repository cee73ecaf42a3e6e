"""My approvals, each gate, and the vote."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from handrail.domain.finding import Finding
from handrail.domain.gate import Gate
from handrail.domain.incident import Incident
from handrail.domain.message import Message
from handrail.domain.people import Person
from handrail.domain.proposal import Proposal
from handrail.domain.run import Run
from handrail.kernel.errors import Conflict, Unprocessable
from handrail.operations import decisions
from handrail.operations.shell import Tx
from handrail.store import queries, rooms
from handrail.store.queries import Evidence, Found, Wanted
from handrail.web import views as v
from handrail.web.pages.rooms import cause_change
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters.approvals import approval_item, card
from handrail.web.presenters.causes import cause_card
from handrail.web.presenters.charts import Marks
from handrail.web.presenters.gates import subject
from handrail.web.presenters.sentences import Told
from handrail.web.presenters.timeline import timeline

_DECIDED_SHOWN = 8
_DECIDED = ("satisfied", "rejected", "expired")


@dataclass(frozen=True)
class Around:
    """What gates are about."""

    incidents: dict[str, Incident] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    messages: dict[str, Found[Message]] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)


def approvals(visit: Visit) -> Screen:
    """Soonest to expire first."""
    mine = [found.state for found in queries.gates_of(visit.connection, visit.person)]
    mine.sort(key=lambda gate: (gate.expires_at, gate.id))
    known = {gate.id for gate in mine}
    others = [found.state for found in queries.page(visit.connection, Gate, Wanted("open")) if found.id not in known]
    decided = _decided(visit)
    around = _around(visit, [*mine, *others, *decided])
    view = v.ApprovalsView(
        tuple(_item(visit, gate, around) for gate in mine),
        tuple(card(gate, visit.person, visit.names, around.incidents) for gate in others),
        tuple(card(gate, visit.person, visit.names, around.incidents) for gate in decided),
    )
    return Screen("approvals.html", "My approvals", view, "approvals", ("approvals",))


def _decided(visit: Visit) -> list[Gate]:
    found = [
        each.state
        for status in _DECIDED
        for each in queries.page(visit.connection, Gate, Wanted(status), _DECIDED_SHOWN)
    ]
    found.sort(key=lambda gate: gate.decided_at or gate.opened_at, reverse=True)
    return found[:_DECIDED_SHOWN]


def gate(visit: Visit) -> Screen:
    found = queries.get(visit.connection, Gate, visit.where["gate_id"]).state
    around = _around(visit, [found])
    history = queries.entries(visit.connection, f"gate/{found.id}")
    view = v.GateView(
        _item(visit, found, around),
        _cause(visit, found),
        timeline(history, Told(visit.names, around.runs, {found.id: found})),
    )
    topics = (f"gate:{found.id}", *([f"incident:{found.incident_id}"] if found.incident_id else []))
    return Screen("gate.html", f"Gate: {subject(found)}", view, "approvals", topics)


def _cause(visit: Visit, found: Gate) -> v.CauseCard | None:
    """The finding that an action rests on, as it stands now."""
    if found.subject.kind != "action" or found.incident_id is None:
        return None
    current = queries.page(visit.connection, Finding, Wanted("current", found.incident_id), 1)
    if not current:
        return None
    finding = current[0].state
    incident = queries.get(visit.connection, Incident, found.incident_id).state
    kept = rooms.evidence_of(visit.connection, [citation.evidence for citation in finding.citations])
    marks = Marks(cause_change(visit, finding), incident.started_at, incident.recovered_at)
    return cause_card(finding, kept, marks, visit.names)


def _item(visit: Visit, found: Gate, around: Around) -> v.ApprovalItem:
    incident = around.incidents.get(found.incident_id or "")
    return approval_item(
        found, visit.within(incident), visit.names, around.incidents, around.runs, around.messages, around.proposals,
        around.evidence,
    )  # fmt: skip


def _around(visit: Visit, gates: Iterable[Gate]) -> Around:
    """Everything that these gates are about, one query for each kind."""
    wanted = tuple(gates)
    connection = visit.connection
    incidents = queries.many(connection, Incident, [each.incident_id for each in wanted if each.incident_id])
    runs = queries.many(
        connection, Run, [each.subject.id.partition("/")[0] for each in wanted if each.subject.kind == "action"]
    )
    message_ids = [each.subject.id for each in wanted if each.subject.kind == "message"]
    messages = {found.id: found for name in message_ids if (found := queries.find(connection, Message, name))}
    proposals = queries.many(connection, Proposal, [run.proposal_id for run in runs.values() if run.proposal_id])
    measured = [task.evidence for run in runs.values() for task in run.tasks.values() if task.evidence]
    return Around(incidents, runs, messages, proposals, rooms.evidence_of(connection, measured))


def vote(post: Post) -> Done:
    """One person's vote on what they were shown. A second click of the same choice finds the vote recorded."""
    gate_id, choice = post.where["gate_id"], post.text("vote")
    if choice not in ("approve", "reject"):
        raise Unprocessable("Choose whether to approve or to reject.", "vote_missing")
    chosen: Literal["approve", "reject"] = "approve" if choice == "approve" else "reject"

    def operation(tx: Tx, person: Person) -> Gate:
        return decisions.vote(tx, gate_id, chosen, post.text("digest"), post.text("reason"), person)

    try:
        return Done(_said(post.act(operation), chosen))
    except Conflict:
        if _has_voted(post, gate_id, chosen):
            return Done("Your vote is recorded already; it counts once.", kind="note")
        raise


def _has_voted(post: Post, gate_id: str, choice: str) -> bool:
    with post.context.shell.database.read() as connection:
        found = queries.find(connection, Gate, gate_id)
    return found is not None and any(each.by == post.person.id and each.vote == choice for each in found.state.votes)


def _said(decided: Gate, choice: str) -> str:
    about = subject(decided)
    if choice == "reject":
        return f"You rejected: {about}. Nothing of it happens."
    if decided.status == "satisfied":
        return f"You approved: {about}. It goes ahead now."
    missing = decided.quorum - len(decided.approvers())
    return f"You approved: {about}. {missing} more approval{'' if missing == 1 else 's'} needed."


def count(visit: Visit) -> Screen:
    """How many wait, as every page shows it beside its menu: nothing but the count is read."""
    return Screen("parts/approvals/count.html", "", None)


PAGES = (
    At("/approvals/parts/count", count),
    At("/approvals", approvals, {"list": "parts/approvals/list.html"}),
    At("/gates/{gate_id}", gate, {"body": "parts/approvals/gate_body.html"}),
)
FORMS = (On("/gates/{gate_id}/vote", vote, {"reason": "reason-{gate_id}"}),)
