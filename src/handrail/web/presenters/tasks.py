"""Tasks and the run that they belong to."""

from collections.abc import Mapping
from datetime import datetime

from handrail.domain.gate import Gate
from handrail.domain.message import Message
from handrail.domain.people import Permission, Person, permitted
from handrail.domain.run import ENDED, FINAL, Run, Task
from handrail.web import views as v
from handrail.web.presenters.names import Names
from handrail.web.run_graph import GraphTask, RunGraph

_SKIPPABLE = frozenset({"open", "claimed", "blocked", "failed"})


def task_row(
    run: Run, task: Task, viewer: Person, now: datetime, names: Names,
    gates: Mapping[str, Gate], messages: Mapping[str, Message],
) -> v.TaskRow:  # fmt: skip
    """One task with what this viewer may do to it."""
    gate = gates.get(task.gate_id or "")
    message = messages.get(task.message_id or "")
    works, commands = permitted(viewer, Permission.WORK), permitted(viewer, Permission.COMMAND)
    live = run.status == "running"
    is_human = task.plan.kind == "human"
    return v.TaskRow(
        run_id=run.id,
        id=task.plan.id,
        title=task.plan.title,
        kind="person" if task.plan.kind in ("human", "message") else "machine",
        status=status_of(task, gate, message),
        instruction=task.plan.instructions,
        owner=_owner(task, names),
        owner_role=names.owner(task.plan.owner),
        due_at=task.due_at if task.status not in ENDED else None,
        done_at=task.ended_at,
        result=_result(task, message),
        overdue=is_overdue(task, now),
        escalated_to=_escalated_to(task, names),
        may_claim=live and works and is_human and task.status == "open",
        may_finish=live and works and is_human and task.status == "claimed" and task.claimed_by == viewer.id,
        may_skip=live and commands and task.status in _SKIPPABLE,
        may_ask_again=live and commands and task.plan.kind == "action" and may_ask_again(task, gate),
        may_resolve=works and task.status == "outcome_unknown",
        links=_links(task, gate, message),
    )


def status_of(task: Task, gate: Gate | None, message: Message | None) -> str:
    """The word of `run_graph.STATUSES` for a task."""
    if task.plan.kind == "message" and task.status not in ENDED | {"waiting"} and message is not None:
        waits = {"submitted": "waiting_for_gate", "approved": "running", "sending": "running"}
        return waits.get(message.status, "ready")
    if task.status == "blocked":
        return "waiting_for_gate" if gate is not None and gate.status == "open" else "blocked"
    return {"open": "ready"}.get(task.status, task.status)


def is_overdue(task: Task, now: datetime) -> bool:
    return task.due_at is not None and task.status not in ENDED and task.due_at < now


def may_ask_again(task: Task, gate: Gate | None) -> bool:
    return task.status == "blocked" and (gate is None or gate.status != "open")


def _owner(task: Task, names: Names) -> str | None:
    if task.ended_by:
        return names.of(task.ended_by)
    if task.claimed_by:
        return names.of(task.claimed_by)
    return names.of("handrail") if task.plan.kind in ("action", "check") else None


def _result(task: Task, message: Message | None) -> str:
    if task.status in ("blocked", "failed", "outcome_unknown", "skipped"):
        return task.why
    if task.plan.kind == "message" and message is not None and task.status != "done":
        return {
            "draft": "A draft is ready: read it, then put it to approval.",
            "rejected": "The words were not approved; change them and ask again.",
            "failed": "A delivery failed for good; see the message.",
        }.get(message.status, "")
    return task.result or task.why


def _escalated_to(task: Task, names: Names) -> str | None:
    """The last who was told, once it went past the owner."""
    if task.status in ENDED or task.rungs_told < 2:
        return None
    return names.owner(task.plan.escalate_to[min(task.rungs_told, 1 + len(task.plan.escalate_to)) - 2])


def _links(task: Task, gate: Gate | None, message: Message | None) -> tuple[tuple[str, str], ...]:
    found = []
    if gate is not None:
        found.append((f"/gates/{gate.id}", "its gate"))
    if message is not None:
        found.append((f"/messages/{message.id}", "its message"))
    if task.evidence is not None:
        found.append((f"/evidence/{task.evidence}", "what was measured"))
    return tuple(found)


def run_view(run: Run, rows: tuple[v.TaskRow, ...]) -> v.RunView:
    """The run as a drawn graph; `rows` are its tasks in order."""
    needs = {task.plan.id: task.plan.needs for task in run.in_order()}
    drawn = tuple(
        GraphTask(
            row.id, row.title, row.status, row.kind, f"/tasks/{run.id}/{row.id}",
            row.owner or row.owner_role, row.overdue, needs[row.id],
        )
        for row in rows
    )  # fmt: skip
    title = run_title(run)
    done = sum(task.status in FINAL for task in run.tasks.values())
    return v.RunView(
        run.id, title, run.runbook_digest[:8], RunGraph(title, drawn), run.started_at, done, len(run.tasks)
    )


def run_title(run: Run) -> str:
    return run.runbook.replace("-", " ").capitalize()
