"""Incidents: declared, led through their stages, signed ready, closed; and everything that belongs to one."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from handrail.domain.finding import Finding
from handrail.domain.gate import Gate
from handrail.domain.incident import Incident
from handrail.domain.message import Message
from handrail.domain.outcome import outcome
from handrail.domain.proposal import Proposal
from handrail.domain.review import Review
from handrail.domain.run import Run
from handrail.kernel.errors import NotFound
from handrail.kernel.limits import LIMITS
from handrail.operations import incidents, messages, runs
from handrail.store import queries
from handrail.store.alerts import Filter
from handrail.store.queries import Found, Wanted
from handrail.web.api import shapes
from handrail.web.api.alerts import alert_page
from handrail.web.api.candidates import Reason, Severity, Title
from handrail.web.api.desk import ApiRoute, Asked, Desk, Nothing, Noun, Pages, Reader, Writer, answer

router = APIRouter(prefix="/api/v1", tags=["incidents"], route_class=ApiRoute)

Service = Annotated[str, Field(min_length=1, max_length=256)]
Input = Annotated[str, Field(max_length=1024)]


class Declare(Asked):
    title: Annotated[Title, Field(min_length=1)]
    severity: Severity
    services: Annotated[tuple[Service, ...], Field(max_length=50, examples=[["payments"]])] = ()
    started_at: Annotated[AwareDatetime | None, Field(description="When the first symptom began; null: now.")] = None


class GiveRole(Asked):
    role: Annotated[str, Field(max_length=32, examples=["deputy"])]
    account_id: Annotated[str, Field(max_length=80)]


class ChangeSeverity(Asked):
    severity: Severity
    reason: Reason


class AddNote(Asked):
    words: Annotated[str, Field(min_length=1, max_length=LIMITS.note_chars, examples=["Cards fail, transfers work."])]
    happened_at: Annotated[AwareDatetime | None, Field(description="When it happened; null: now.")] = None


class CompleteHalf(Asked):
    reason: Reason


class StartRun(Asked):
    """Either a proposal, whose exact inputs are used, or a runbook with inputs of your own."""

    proposal_id: Annotated[str | None, Field(max_length=80)] = None
    runbook: Annotated[str | None, Field(max_length=64, examples=["bad-release-rollback"])] = None
    inputs: Annotated[dict[str, Input], Field(max_length=50, default_factory=dict)]


class WriteMessage(Asked):
    """`stage` is declared, update, mitigated or resolved."""

    audience: Annotated[str, Field(max_length=64, examples=["executives"])]
    stage: Annotated[str, Field(max_length=32, examples=["update"])]


class Outcome(shapes.Shape):
    """Times in seconds, acts of people and machines, gates with their waits, messages, and the timeline."""

    incident: str
    severity: str
    services: list[str]
    times: dict[str, Any]
    acts: dict[str, dict[str, int]]
    gates: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    timeline: list[dict[str, Any]]


def _incident(connection: sa.Connection, incident_id: str) -> Found[Incident]:
    return queries.incident(connection, incident_id)


def _id(desk: Desk, incident_id: str) -> str:
    """An incident's id; a reference such as INC-7 is looked up."""
    if incident_id.startswith("inc_"):
        return incident_id
    with desk.read() as connection:
        return _incident(connection, incident_id).id


@router.get("/incidents", response_model=shapes.Page[shapes.Incident], summary="List incidents, newest first")
def list_incidents(desk: Reader, asked: Pages, status: Literal["live", "closed"] | None = None) -> Response:
    with desk.read() as connection:
        found = queries.page(connection, Incident, Wanted(status), asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.Incident.of(item.state), lambda item: (item.id,))


@router.get("/incidents/{incident_id}", response_model=shapes.Incident, summary="Get an incident")
def get_incident(desk: Reader, incident_id: str) -> Response:
    """By its id, or by its reference such as INC-7."""
    with desk.read() as connection:
        found = _incident(connection, incident_id)
    return answer(shapes.Incident.of(found.state), seq=found.seq)


@router.post("/incidents", response_model=shapes.Incident, status_code=201, summary="Declare an incident by hand")
def declare_incident(desk: Writer, said: Declare) -> Response:
    started_at = said.started_at.astimezone(UTC) if said.started_at else None
    return desk.write(
        lambda tx, person: incidents.declare(
            tx, person, said.title, said.severity, None, tuple(dict.fromkeys(said.services)), started_at
        ),
        lambda tx, incident: shapes.Incident.of(incident),
        made=lambda incident: Noun("incident", incident.id),
        status=201,
    )


@router.post("/incidents/{incident_id}/roles", response_model=shapes.Incident, summary="Give a role in the incident")
def give_role(desk: Writer, incident_id: str, said: GiveRole) -> Response:
    """commander, deputy, scribe, communications or expert; who held it before hands it over."""
    found = _id(desk, incident_id)
    return desk.write(
        lambda tx, person: incidents.give_role(tx, found, said.role, said.account_id, person),
        lambda tx, _: shapes.Incident.of(tx.get("incident", found)),
        about=Noun("incident", found),
    )


@router.post("/incidents/{incident_id}/severity", response_model=shapes.Incident, summary="Change the severity")
def change_severity(desk: Writer, incident_id: str, said: ChangeSeverity) -> Response:
    found = _id(desk, incident_id)
    return desk.write(
        lambda tx, person: incidents.change_severity(tx, found, said.severity, said.reason, person),
        lambda tx, _: shapes.Incident.of(tx.get("incident", found)),
        about=Noun("incident", found),
    )


@router.post("/incidents/{incident_id}/notes", response_model=shapes.Incident, summary="Write into the timeline")
def add_note(desk: Writer, incident_id: str, said: AddNote) -> Response:
    found, happened_at = _id(desk, incident_id), said.happened_at.astimezone(UTC) if said.happened_at else None
    return desk.write(
        lambda tx, person: incidents.add_note(tx, found, said.words, person, _not_later(happened_at, tx.now)),
        lambda tx, _: shapes.Incident.of(tx.get("incident", found)),
        about=Noun("incident", found),
    )


def _not_later(moment: datetime | None, now: datetime) -> datetime | None:
    return min(moment, now) if moment else None


@router.post(
    "/incidents/{incident_id}/stages/{stage}/{half}", response_model=shapes.Incident,
    summary="Do a half of a stage by hand",
)  # fmt: skip
def complete_half(
    desk: Writer, incident_id: str, stage: str, half: Literal["machine", "human"], said: CompleteHalf
) -> Response:
    """The machine's half too, so that no stage depends on a machine."""
    found = _id(desk, incident_id)
    return desk.write(
        lambda tx, person: incidents.complete_half(tx, found, stage, half, said.reason, person),
        lambda tx, _: shapes.Incident.of(tx.get("incident", found)),
        about=Noun("incident", found),
    )


@router.post(
    "/incidents/{incident_id}/investigate", response_model=shapes.Incident, status_code=202,
    summary="Ask the analyst to look again",
)  # fmt: skip
def investigate(desk: Writer, incident_id: str, said: Nothing | None = None) -> Response:
    """Findings and proposals appear under the incident."""
    found = _id(desk, incident_id)
    return desk.write(
        lambda tx, person: incidents.investigate(tx, found, person),
        lambda tx, _: shapes.Incident.of(tx.get("incident", found)),
        about=Noun("incident", found),
        status=202,
    )


@router.post(
    "/incidents/{incident_id}/readiness", response_model=shapes.GateAsked, status_code=201,
    summary="Ask the service's owner to sign readiness off",
)  # fmt: skip
def ask_readiness(desk: Writer, incident_id: str, said: Nothing | None = None) -> Response:
    """Answers with the gate at which it is decided."""
    found = _id(desk, incident_id)
    return desk.write(
        lambda tx, person: incidents.ask_readiness(tx, found, person),
        lambda tx, gate_id: shapes.GateAsked(gate_id=gate_id),
        about=Noun("incident", found),
        made=lambda gate_id: Noun("gate", gate_id),
        status=201,
    )


@router.post("/incidents/{incident_id}/close", response_model=shapes.Closed, summary="Close the incident")
def close_incident(desk: Writer, incident_id: str, said: Nothing | None = None) -> Response:
    """Answers with the review that was drafted from the record."""
    found = _id(desk, incident_id)
    return desk.write(
        lambda tx, person: incidents.close(tx, found, person),
        lambda tx, review_id: shapes.Closed(incident_id=found, review_id=review_id),
        about=Noun("incident", found),
    )


@router.get(
    "/incidents/{incident_id}/timeline", response_model=shapes.Page[shapes.EntryLine],
    summary="The incident's entries, oldest first",
)  # fmt: skip
def get_timeline(
    desk: Reader,
    incident_id: str,
    asked: Pages,
    after: Annotated[int, Query(ge=-1, le=2**53, description="Only entries beyond this index.")] = -1,
) -> Response:
    with desk.read() as connection:
        found = _incident(connection, incident_id)
        began = asked.before_number if asked.cursor else after
        lines = queries.timeline(connection, found.id, after if began is None else began, asked.size)
    return desk.page(lines, asked, shapes.EntryLine.model_validate, lambda line: (str(line.index),))


@router.get("/incidents/{incident_id}/outcome", response_model=Outcome, summary="What came of it, in numbers")
def get_outcome(desk: Reader, incident_id: str) -> Response:
    with desk.read() as connection:
        found = _incident(connection, incident_id)
        computed = outcome(found.state, queries.lines_of(connection, found.id))
    return answer(Outcome.model_validate(computed))


@router.get("/incidents/{incident_id}/alerts", response_model=shapes.Page[shapes.Alert], summary="Its alerts")
def list_incident_alerts(desk: Reader, incident_id: str, asked: Pages) -> Response:
    with desk.read() as connection:
        candidate_id = _incident(connection, incident_id).state.candidate_id
    return alert_page(desk, asked, Filter(candidate_id=candidate_id or "none"))


@router.get("/incidents/{incident_id}/runs", response_model=shapes.Page[shapes.RunLine], summary="Its runs")
def list_incident_runs(desk: Reader, incident_id: str, asked: Pages) -> Response:
    with desk.read() as connection:
        found = _of(connection, incident_id, Run, asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.RunLine.model_validate(item.state), lambda item: (item.id,))


@router.post("/incidents/{incident_id}/runs", response_model=shapes.Run, status_code=201, summary="Start a run")
def start_run(desk: Writer, incident_id: str, said: StartRun) -> Response:
    """Its tasks name the gates and messages that opened with it."""
    found = _id(desk, incident_id)
    return desk.write(
        lambda tx, person: runs.start(tx, found, said.runbook or "", said.inputs, said.proposal_id, person),
        lambda tx, run: shapes.Run.of(run, tx.now),
        about=Noun("incident", found),
        made=lambda run: Noun("run", run.id),
        status=201,
    )


@router.get("/incidents/{incident_id}/tasks", response_model=shapes.Page[shapes.Task], summary="Tasks of all its runs")
def list_incident_tasks(desk: Reader, incident_id: str, asked: Pages) -> Response:
    """Ended ones too; those due first at the front."""
    with desk.read() as connection:
        found = queries.tasks(connection, _incident(connection, incident_id).id, running=False)
    skipped = asked.before_number or 0
    some = list(enumerate(found, start=1))[skipped : skipped + asked.size]
    return desk.page(
        some,
        asked,
        lambda item: shapes.Task.of(item[1].run, item[1].task, desk.now),
        lambda item: (str(item[0]),),
    )


@router.get("/incidents/{incident_id}/gates", response_model=shapes.Page[shapes.GateLine], summary="Its gates")
def list_incident_gates(desk: Reader, incident_id: str, asked: Pages) -> Response:
    with desk.read() as connection:
        incident = _incident(connection, incident_id)
        found = queries.page(connection, Gate, Wanted(None, incident.id), asked.size, asked.before)
    viewer = queries.in_incident(desk.person, incident.state)
    return desk.page(
        found, asked, lambda item: shapes.gate_of(shapes.GateLine, item.state, viewer), lambda item: (item.id,)
    )


@router.get("/incidents/{incident_id}/messages", response_model=shapes.Page[shapes.Message], summary="Its messages")
def list_incident_messages(desk: Reader, incident_id: str, asked: Pages) -> Response:
    with desk.read() as connection:
        found = _of(connection, incident_id, Message, asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.Message.of(item.state), lambda item: (item.id,))


@router.post(
    "/incidents/{incident_id}/messages", response_model=shapes.Message, status_code=201,
    summary="Draft a message from the facts",
)  # fmt: skip
def write_message(desk: Writer, incident_id: str, said: WriteMessage) -> Response:
    found = _id(desk, incident_id)
    return desk.write(
        lambda tx, person: messages.write(tx, found, said.audience, said.stage, person),
        lambda tx, message_id: shapes.Message.of(tx.get("message", message_id)),
        about=Noun("incident", found),
        made=lambda message_id: Noun("message", message_id),
        status=201,
    )


@router.get("/incidents/{incident_id}/findings", response_model=shapes.Page[shapes.Finding], summary="Its findings")
def list_incident_findings(desk: Reader, incident_id: str, asked: Pages) -> Response:
    with desk.read() as connection:
        found = _of(connection, incident_id, Finding, asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.Finding.model_validate(item.state), lambda item: (item.id,))


@router.get("/incidents/{incident_id}/proposals", response_model=shapes.Page[shapes.Proposal], summary="Its proposals")
def list_incident_proposals(desk: Reader, incident_id: str, asked: Pages) -> Response:
    with desk.read() as connection:
        found = _of(connection, incident_id, Proposal, asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.Proposal.model_validate(item.state), lambda item: (item.id,))


@router.get("/incidents/{incident_id}/review", response_model=shapes.Review, summary="Its review")
def get_incident_review(desk: Reader, incident_id: str) -> Response:
    with desk.read() as connection:
        found = _of(connection, incident_id, Review, 1, None)
    if not found:
        raise NotFound("This incident has no review yet; it is drafted when the incident is closed.", "no_review")
    return answer(shapes.Review.model_validate(found[0].state), seq=found[0].seq)


def _of(connection: sa.Connection, incident_id: str, cls: type[Any], size: int, before: str | None) -> list[Found[Any]]:
    return queries.page(connection, cls, Wanted(None, _incident(connection, incident_id).id), size, before)
