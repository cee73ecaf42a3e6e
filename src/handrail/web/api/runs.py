"""Runs and their tasks: what people claim, do, skip and decide; what machines do is read here."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from handrail.domain.proposal import Proposal
from handrail.domain.run import Run
from handrail.kernel.errors import NotFound
from handrail.kernel.limits import LIMITS
from handrail.operations import runs
from handrail.operations.shell import Tx
from handrail.store import queries
from handrail.store.queries import Wanted
from handrail.web.api import shapes
from handrail.web.api.candidates import Reason
from handrail.web.api.desk import ApiRoute, Asked, Nothing, Noun, Pages, Reader, Writer, answer

router = APIRouter(prefix="/api/v1", tags=["runs"], route_class=ApiRoute)


class Cancel(Asked):
    reason: Reason


class Done(Asked):
    result: Annotated[str, Field(max_length=LIMITS.note_chars, examples=["One purchase went through."])] = ""


class Skip(Asked):
    reason: Reason


class ResolveUnknown(Asked):
    """What became of an act that nobody could tell: it happened, it did not, or the machine looks again."""

    choice: Literal["happened", "did_not", "look_again"]
    reason: Reason


@router.get("/runs", response_model=shapes.Page[shapes.RunLine], summary="List runs, newest first")
def list_runs(
    desk: Reader, asked: Pages, status: Literal["running", "finished", "cancelled"] | None = None
) -> Response:
    with desk.read() as connection:
        found = queries.page(connection, Run, Wanted(status), asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.RunLine.model_validate(item.state), lambda item: (item.id,))


@router.get("/runs/{run_id}", response_model=shapes.Run, summary="Get a run with its tasks")
def get_run(desk: Reader, run_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Run, run_id)
    return answer(shapes.Run.of(found.state, desk.now), seq=found.seq)


@router.post("/runs/{run_id}/cancel", response_model=shapes.Run, summary="Cancel a run")
def cancel_run(desk: Writer, run_id: str, said: Cancel) -> Response:
    """Its open gates become void."""
    return desk.write(
        lambda tx, person: runs.cancel(tx, run_id, said.reason, person),
        lambda tx, _: shapes.Run.of(tx.get("run", run_id), tx.now),
        about=Noun("run", run_id),
    )


@router.get("/tasks", response_model=shapes.Page[shapes.Task], summary="List open tasks, due first")
def list_tasks(
    desk: Reader,
    asked: Pages,
    mine: Annotated[bool, Query(description="Only yours: claimed, or owned by you, your role or your team.")] = False,
    incident: Annotated[str | None, Query(max_length=80)] = None,
) -> Response:
    with desk.read() as connection:
        incident_id = queries.incident(connection, incident).id if incident else None
        find = (
            queries.tasks_of(connection, desk.person, incident_id) if mine else queries.tasks(connection, incident_id)
        )
    begin = asked.before_number or 0
    some = list(enumerate(find, start=1))[begin : begin + asked.size]
    now = desk.now
    return desk.page(
        some, asked, lambda item: shapes.Task.of(item[1].run, item[1].task, now), lambda item: (str(item[0]),)
    )


@router.get("/runs/{run_id}/tasks/{task_id}", response_model=shapes.Task, summary="Get a task")
def get_task(desk: Reader, run_id: str, task_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Run, run_id)
    return answer(_shape(found.state, task_id, desk), seq=found.seq)


def _shape(run: Run, task_id: str, at: Reader | Tx) -> shapes.Task:
    task = run.tasks.get(task_id)
    if task is None:
        raise NotFound(f"The run has no task “{task_id[:64]}”.")
    return shapes.Task.of(run, task, at.now)


@router.post("/runs/{run_id}/tasks/{task_id}/claim", response_model=shapes.Task, summary="Take a task")
def claim_task(desk: Writer, run_id: str, task_id: str, said: Nothing | None = None) -> Response:
    return desk.write(
        lambda tx, person: runs.claim(tx, run_id, task_id, person),
        lambda tx, _: _shape(tx.get("run", run_id), task_id, tx),
        about=Noun("run", run_id),
    )


@router.post("/runs/{run_id}/tasks/{task_id}/done", response_model=shapes.Task, summary="Say that a task is done")
def finish_task(desk: Writer, run_id: str, task_id: str, said: Done | None = None) -> Response:
    result = said.result if said else ""
    return desk.write(
        lambda tx, person: runs.finish(tx, run_id, task_id, result, person),
        lambda tx, _: _shape(tx.get("run", run_id), task_id, tx),
        about=Noun("run", run_id),
    )


@router.post("/runs/{run_id}/tasks/{task_id}/skip", response_model=shapes.Task, summary="Pass over a task")
def skip_task(desk: Writer, run_id: str, task_id: str, said: Skip) -> Response:
    """A gate that waits for it becomes void."""
    return desk.write(
        lambda tx, person: runs.skip(tx, run_id, task_id, said.reason, person),
        lambda tx, _: _shape(tx.get("run", run_id), task_id, tx),
        about=Noun("run", run_id),
    )


@router.post(
    "/runs/{run_id}/tasks/{task_id}/ask-again", response_model=shapes.Task, summary="Open a new gate for an action"
)
def ask_again(desk: Writer, run_id: str, task_id: str, said: Nothing | None = None) -> Response:
    """After its gate expired, was rejected or became void; the answer names the new gate."""
    return desk.write(
        lambda tx, person: runs.ask_again(tx, run_id, task_id, person),
        lambda tx, _: _shape(tx.get("run", run_id), task_id, tx),
        about=Noun("run", run_id),
    )


@router.post(
    "/runs/{run_id}/tasks/{task_id}/resolve-unknown", response_model=shapes.Task,
    summary="Say what became of an act that nobody could tell",
)  # fmt: skip
def resolve_unknown(desk: Writer, run_id: str, task_id: str, said: ResolveUnknown) -> Response:
    return desk.write(
        lambda tx, person: runs.resolve_unknown(tx, run_id, task_id, said.choice, said.reason, person),
        lambda tx, _: _shape(tx.get("run", run_id), task_id, tx),
        about=Noun("run", run_id),
    )


@router.get("/proposals/{proposal_id}", response_model=shapes.Proposal, summary="Get a proposal")
def get_proposal(desk: Reader, proposal_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Proposal, proposal_id)
    return answer(shapes.Proposal.model_validate(found.state), seq=found.seq)
