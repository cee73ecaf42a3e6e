"""Gates: what waits for consent, its exact content, votes on it, and taking the question back."""

from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from handrail.domain.gate import Gate
from handrail.domain.incident import Incident
from handrail.operations import decisions
from handrail.operations.shell import Tx
from handrail.store import queries
from handrail.store.queries import Found, Wanted
from handrail.web.api import shapes
from handrail.web.api.candidates import Reason
from handrail.web.api.desk import ApiRoute, Asked, Desk, Noun, Pages, Reader, Writer, answer

router = APIRouter(prefix="/api/v1/gates", tags=["gates"], route_class=ApiRoute)

Status = Literal["open", "satisfied", "rejected", "expired", "withdrawn", "voided"]


class Vote(Asked):
    """`digest` is the gate's `subject.digest` as you read it: a vote on other content is refused."""

    vote: Literal["approve", "reject"]
    digest: Annotated[str, Field(min_length=64, max_length=64, examples=["8f2c41d0a97be6c3514e0b7d92f6a8c1" * 2])]
    reason: Reason


class Withdraw(Asked):
    reason: Reason


@router.get("", response_model=shapes.Page[shapes.GateLine], summary="List gates, newest first")
def list_gates(
    desk: Reader,
    asked: Pages,
    mine: Annotated[bool, Query(description="Only those that you may decide and have not voted on.")] = False,
    status: Status | None = None,
    incident: Annotated[str | None, Query(max_length=80)] = None,
) -> Response:
    with desk.read() as connection:
        incident_id = queries.incident(connection, incident).id if incident else None
        if mine:
            found = queries.gates_of(connection, desk.person, status or "open", asked.size, asked.before)
            found = [item for item in found if incident_id in (None, item.state.incident_id)]
        else:
            found = queries.page(connection, Gate, Wanted(status, incident_id), asked.size, asked.before)
        held = _incidents(connection, found)
    return desk.page(
        found,
        asked,
        lambda item: shapes.gate_of(
            shapes.GateLine, item.state, queries.in_incident(desk.person, held.get(item.state.incident_id or ""))
        ),
        lambda item: (item.id,),
    )


def _incidents(connection: sa.Connection, found: list[Found[Gate]]) -> dict[str, Incident]:
    return queries.many(connection, Incident, [item.state.incident_id for item in found if item.state.incident_id])


@router.get("/{gate_id}", response_model=shapes.Gate, summary="Get a gate with exactly what is approved")
def get_gate(desk: Reader, gate_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Gate, gate_id)
        held = _incidents(connection, [found]).get(found.state.incident_id or "")
    return answer(shapes.gate_of(shapes.Gate, found.state, queries.in_incident(desk.person, held)), seq=found.seq)


@router.post("/{gate_id}/vote", response_model=shapes.Gate, summary="Approve or reject")
def vote(desk: Writer, gate_id: str, said: Vote) -> Response:
    """One person is one vote; the proposer and the last editor never vote, and neither does a machine."""
    return desk.write(
        lambda tx, person: decisions.vote(tx, gate_id, said.vote, said.digest, said.reason, person),
        lambda tx, gate: _shape(desk, tx, gate),
        about=Noun("gate", gate_id),
    )


@router.post("/{gate_id}/withdraw", response_model=shapes.Gate, summary="Take the question back")
def withdraw(desk: Writer, gate_id: str, said: Withdraw) -> Response:
    return desk.write(
        lambda tx, person: decisions.withdraw(tx, gate_id, said.reason, person),
        lambda tx, gate: _shape(desk, tx, gate),
        about=Noun("gate", gate_id),
    )


def _shape(desk: Desk, tx: Tx, gate: Gate) -> shapes.Gate:
    held = tx.load("incident", gate.incident_id) if gate.incident_id else None
    return shapes.gate_of(shapes.Gate, gate, queries.in_incident(desk.person, held))
