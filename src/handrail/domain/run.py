"""A run: one execution of one version of a runbook. What waits for people is state here; machine steps report back.

A task opens when all that it needs is done or skipped. An action passes: open -> (blocked at its gate) -> authorised
-> running -> done, failed or outcome unknown. No act starts without the authority recorded in the same stream, and a
late report of a lost node is refused by its attempt number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from handrail.domain.noun import Decision, Noun, Row, Tick, Timer
from handrail.domain.runbook import TaskPlan
from handrail.kernel.errors import Conflict, NotFound
from handrail.kernel.limits import LIMITS

TaskStatus = Literal[
    "waiting", "open", "claimed", "blocked", "authorised", "running", "done", "skipped", "failed", "outcome_unknown"
]
FINAL: frozenset[str] = frozenset({"done", "skipped"})
ENDED: frozenset[str] = frozenset({"done", "skipped", "failed"})
UNDER_WAY: frozenset[str] = frozenset({"running", "outcome_unknown"})


@dataclass(frozen=True)
class Authority:
    """Why an act may happen: a satisfied gate (its id) or an `auto` verdict of a policy (its digest)."""

    kind: Literal["gate", "policy"]
    id: str
    rule: str


@dataclass(frozen=True)
class RunStarted:
    id: str
    incident_id: str
    runbook: str
    runbook_digest: str
    inputs: dict[str, str]
    tasks: tuple[TaskPlan, ...]
    proposal_id: str | None
    proposer: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "run.started"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class TaskOpened:
    task_id: str
    at: datetime
    due_at: datetime
    TYPE: ClassVar[str] = "task.opened"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class TaskClaimed:
    task_id: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "task.claimed"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class TaskBlocked:
    task_id: str
    why: str
    at: datetime
    gate_id: str | None = None
    TYPE: ClassVar[str] = "task.blocked"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class TaskDone:
    task_id: str
    by: str
    at: datetime
    result: str = ""
    TYPE: ClassVar[str] = "task.done"
    PERSONAL: ClassVar[tuple[str, ...]] = ("result",)


@dataclass(frozen=True)
class TaskSkipped:
    task_id: str
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "task.skipped"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class TaskFailed:
    task_id: str
    why: str
    at: datetime
    TYPE: ClassVar[str] = "task.failed"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class TaskOverdue:
    task_id: str
    rung: int
    told: str
    at: datetime
    TYPE: ClassVar[str] = "task.overdue"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class ActionAuthorised:
    task_id: str
    digest: str
    authority: Authority
    key: str
    at: datetime
    TYPE: ClassVar[str] = "action.authorised"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class ActionStarted:
    """Written before the effect. `attempt` is the fencing number, `lease_until` how long its node may act."""

    task_id: str
    digest: str
    authority: Authority
    key: str
    attempt: int
    node: str
    at: datetime
    lease_until: datetime
    TYPE: ClassVar[str] = "action.started"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class ActionFinished:
    task_id: str
    attempt: int
    status: Literal["done", "failed"]
    detail: str
    output: dict[str, Any]
    at: datetime
    found_by_probe: bool = False
    TYPE: ClassVar[str] = "action.finished"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class ActionOutcomeUnknown:
    task_id: str
    attempt: int
    detail: str
    at: datetime
    TYPE: ClassVar[str] = "action.outcome_unknown"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class UnknownResolved:
    task_id: str
    choice: Literal["happened", "did_not", "look_again"]
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "action.unknown_resolved"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class CheckStarted:
    task_id: str
    at: datetime
    until: datetime
    TYPE: ClassVar[str] = "check.started"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class CheckFinished:
    task_id: str
    passed: bool
    detail: str
    evidence: str | None
    at: datetime
    TYPE: ClassVar[str] = "check.finished"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class MessageLinked:
    task_id: str
    message_id: str
    at: datetime
    TYPE: ClassVar[str] = "task.message_drafted"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class RunFinished:
    at: datetime
    TYPE: ClassVar[str] = "run.finished"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class RunCancelled:
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "run.cancelled"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class Task:
    plan: TaskPlan
    status: TaskStatus = "waiting"
    opened_at: datetime | None = None
    due_at: datetime | None = None
    claimed_by: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    result: str = ""
    why: str = ""
    rungs_told: int = 0
    next_rung_at: datetime | None = None
    gate_id: str | None = None
    message_id: str | None = None
    digest: str | None = None
    authority: Authority | None = None
    key: str | None = None
    attempt: int = 0
    node: str | None = None
    lease_until: datetime | None = None
    output: dict[str, Any] = field(default_factory=dict)
    evidence: str | None = None


@dataclass(frozen=True)
class Run:
    id: str
    incident_id: str
    runbook: str
    runbook_digest: str
    inputs: dict[str, str]
    tasks: dict[str, Task]
    proposal_id: str | None
    proposer: str
    started_by: str
    started_at: datetime
    order: tuple[str, ...] = ()
    status: Literal["running", "finished", "cancelled"] = "running"
    ended_at: datetime | None = None

    def in_order(self) -> tuple[Task, ...]:
        """The tasks as the runbook writes them."""
        return tuple(self.tasks[name] for name in self.order)


@dataclass(frozen=True)
class StartRun:
    id: str
    incident_id: str
    runbook: str
    runbook_digest: str
    inputs: dict[str, str]
    tasks: tuple[TaskPlan, ...]
    proposal_id: str | None
    proposer: str
    by: str


@dataclass(frozen=True)
class ClaimTask:
    task_id: str
    by: str


@dataclass(frozen=True)
class FinishTask:
    """A person (or the delivery of its message) ends a task."""

    task_id: str
    by: str
    result: str = ""


@dataclass(frozen=True)
class SkipTask:
    task_id: str
    by: str
    words: str


@dataclass(frozen=True)
class BlockTask:
    task_id: str
    why: str
    gate_id: str | None = None


@dataclass(frozen=True)
class FailTask:
    task_id: str
    why: str


@dataclass(frozen=True)
class LinkMessage:
    task_id: str
    message_id: str


@dataclass(frozen=True)
class AuthoriseAction:
    task_id: str
    digest: str
    authority: Authority
    key: str


@dataclass(frozen=True)
class StartAction:
    """A node asks to act. `lease` is how long it may; a running attempt can be taken over once its lease is over, or
    when the node that holds it is known to be dead."""

    task_id: str
    digest: str
    node: str
    lease: timedelta
    holder_alive: bool = True


@dataclass(frozen=True)
class FinishAction:
    task_id: str
    attempt: int
    status: Literal["done", "failed", "unknown"]
    detail: str
    output: dict[str, Any]
    found_by_probe: bool = False


@dataclass(frozen=True)
class ResolveUnknown:
    task_id: str
    choice: Literal["happened", "did_not", "look_again"]
    by: str
    words: str


@dataclass(frozen=True)
class StartCheck:
    task_id: str


@dataclass(frozen=True)
class FinishCheck:
    task_id: str
    passed: bool
    detail: str
    evidence: str | None


@dataclass(frozen=True)
class CancelRun:
    by: str
    words: str


def decide(run: Run | None, command: object, now: datetime) -> Decision:
    if run is None:
        return _start(command, now) if isinstance(command, StartRun) else NotFound("There is no such run.")
    if isinstance(command, StartRun):
        return Conflict("This run has started already.")
    if isinstance(command, Tick):
        return _overdue(run, now)
    if isinstance(command, CancelRun):
        return _cancel(run, command, now)
    task = run.tasks.get(getattr(command, "task_id", ""))
    if task is None:
        return NotFound("The run has no such task.")
    if run.status != "running" and not isinstance(command, FinishAction | ResolveUnknown):
        return Conflict(f"The run is {run.status}.")
    decided = _task_command(run, task, command, now)
    return decided if isinstance(decided, Exception) else _with_consequences(run, list(decided), now)


def _start(command: StartRun, now: datetime) -> Decision:
    started = RunStarted(
        command.id, command.incident_id, command.runbook, command.runbook_digest, command.inputs, command.tasks,
        command.proposal_id, command.proposer, command.by, now,
    )  # fmt: skip
    return _with_consequences(None, [started], now)


def _with_consequences(run: Run | None, events: list[Any], now: datetime) -> list[Any]:
    """Open every task whose needs are met by these events, and end the run when nothing is left."""
    state = run
    for event in events:
        state = evolve(state, event)
    assert state is not None
    if state.status != "running":
        return events
    for task in state.tasks.values():
        if task.status == "waiting" and all(state.tasks[need].status in FINAL for need in task.plan.needs):
            opened = TaskOpened(task.plan.id, now, now + timedelta(minutes=task.plan.due_minutes))
            events.append(opened)
            state = evolve(state, opened)
    if all(task.status in FINAL for task in state.tasks.values()):
        events.append(RunFinished(now))
    return events


def _task_command(run: Run, task: Task, command: object, now: datetime) -> Decision:
    name = task.plan.id
    match command:
        case ClaimTask():
            return _claim(task, command, now)
        case FinishTask():
            return _finish(task, command, now)
        case SkipTask():
            if task.status in ("waiting", "open", "claimed", "blocked", "failed"):
                return [TaskSkipped(name, command.by, now, command.words)]
            return Conflict(f"The task is {task.status.replace('_', ' ')}; it cannot be skipped now.")
        case BlockTask():
            if task.status in ("open", "claimed", "blocked", "authorised"):
                return [TaskBlocked(name, command.why, now, command.gate_id)]
            return Conflict(f"The task is {task.status.replace('_', ' ')}.")
        case FailTask():
            if task.status in UNDER_WAY:
                return Conflict("What is being done is for its own report to end.", "act_under_way")
            return [TaskFailed(name, command.why, now)] if task.status not in ENDED else []
        case LinkMessage():
            return [MessageLinked(name, command.message_id, now)]
        case StartCheck():
            if task.plan.kind != "check" or task.status not in ("open", "running"):
                return Conflict("This check is not due.")
            return [CheckStarted(name, now, now + timedelta(seconds=task.plan.timeout_seconds))]
        case FinishCheck():
            if task.plan.kind != "check" or task.status != "running":
                return []
            checked = CheckFinished(name, command.passed, command.detail, command.evidence, now)
            after = TaskDone(name, "handrail", now) if command.passed else TaskFailed(name, command.detail, now)
            return [checked, after]
    return _action_command(run, task, command, now)


def _claim(task: Task, command: ClaimTask, now: datetime) -> Decision:
    if task.plan.kind != "human":
        return Conflict("Only a task for people can be claimed.")
    if task.status == "claimed" and task.claimed_by != command.by:
        return Conflict("Somebody else has claimed this task.", "already_claimed")
    if task.status == "claimed":
        return []
    if task.status != "open":
        return Conflict(f"The task is {task.status.replace('_', ' ')}; it cannot be claimed.")
    return [TaskClaimed(task.plan.id, command.by, now)]


def _finish(task: Task, command: FinishTask, now: datetime) -> Decision:
    if task.plan.kind not in ("human", "message"):
        return Conflict("A machine reports the end of this task; a person cannot.")
    if task.status == "done":
        return Conflict("The task is done already.", "already_done")
    if task.status not in ("open", "claimed", "blocked"):
        return Conflict(f"The task is {task.status.replace('_', ' ')}; it cannot be done now.")
    if task.plan.kind == "human" and task.claimed_by not in (None, command.by):
        return Conflict("Somebody else has claimed this task.", "already_claimed")
    return [TaskDone(task.plan.id, command.by, now, command.result)]


def _action_command(run: Run, task: Task, command: object, now: datetime) -> Decision:
    name = task.plan.id
    if task.plan.kind != "action":
        return Conflict("This task is not an action.")
    match command:
        case AuthoriseAction():
            if task.status not in ("open", "blocked"):
                return Conflict(f"The action is {task.status.replace('_', ' ')}.")
            return [ActionAuthorised(name, command.digest, command.authority, command.key, now)]
        case StartAction():
            return _start_action(task, command, now)
        case FinishAction():
            return _finish_action(task, command, now)
        case ResolveUnknown():
            if task.status != "outcome_unknown":
                return Conflict("The outcome of this action is known.")
            if command.choice == "look_again" and run.status != "running":
                return Conflict(f"The run is {run.status}, so nobody looks again; say whether it happened.")
            resolved = UnknownResolved(name, command.choice, command.by, now, command.words)
            after: dict[str, list[Any]] = {"happened": [TaskDone(name, command.by, now, command.words)],
                     "did_not": [TaskFailed(name, "A person found that it did not happen.", now)]}  # fmt: skip
            return [resolved, *after.get(command.choice, [])]
    return Conflict("The run does not know this command.")


def _start_action(task: Task, command: StartAction, now: datetime) -> Decision:
    lease_over = task.lease_until is not None and now >= task.lease_until
    takes_over = task.status == "running" and (lease_over or not command.holder_alive)
    same_node = task.status == "running" and task.node == command.node
    if task.status != "authorised" and not takes_over and not same_node:
        return Conflict(f"The action is {task.status.replace('_', ' ')}; it cannot start.", "not_startable")
    if task.authority is None or task.key is None:
        return Conflict("No authority is recorded for this action.", "no_authority")
    if task.digest != command.digest:
        return Conflict("What would be done is not what was authorised.", "authority_void")
    return [
        ActionStarted(
            task.plan.id, command.digest, task.authority, task.key, task.attempt + 1, command.node, now,
            now + command.lease,
        )
    ]  # fmt: skip


def _finish_action(task: Task, command: FinishAction, now: datetime) -> Decision:
    if task.status != "running" or command.attempt != task.attempt or task.node is None:
        return Conflict("This report is from an attempt that no longer counts.", "fenced")
    if command.status == "unknown":
        return [ActionOutcomeUnknown(task.plan.id, command.attempt, command.detail, now)]
    finished = ActionFinished(
        task.plan.id, command.attempt, command.status, command.detail, command.output, now, command.found_by_probe
    )
    if command.status == "done":
        return [finished, TaskDone(task.plan.id, "handrail", now)]
    return [finished, TaskFailed(task.plan.id, command.detail, now)]


def _cancel(run: Run, command: CancelRun, now: datetime) -> Decision:
    if run.status != "running":
        return Conflict(f"The run is {run.status} already.")
    if any(task.status == "running" and task.plan.kind == "action" for task in run.tasks.values()):
        return Conflict("An action is being carried out; cancel when it has ended.")
    return [RunCancelled(command.by, now, command.words)]


def _overdue(run: Run, now: datetime) -> Decision:
    if run.status != "running":
        return []
    events = []
    for task in run.tasks.values():
        if task.next_rung_at is None or task.status in ENDED or now < task.next_rung_at:
            continue
        ladder = (task.plan.owner, *task.plan.escalate_to)
        if task.rungs_told < len(ladder):
            events.append(TaskOverdue(task.plan.id, task.rungs_told + 1, ladder[task.rungs_told], now))
    return events + _silent(run, now)


def _silent(run: Run, now: datetime) -> list[Any]:
    """A machine step that never reported is not “running” for ever: a check fails, an act goes to a person."""
    events: list[Any] = []
    for task in run.tasks.values():
        silent_from = _silent_from(task)
        if silent_from is None or now < silent_from:
            continue
        if task.plan.kind == "check":
            why = "The check never reported; look at the signal yourself, or skip the task."
            events += [CheckFinished(task.plan.id, False, why, None, now), TaskFailed(task.plan.id, why, now)]
        else:
            why = "The machine that acted never reported; a person must find out what happened."
            events.append(ActionOutcomeUnknown(task.plan.id, task.attempt, why, now))
    return events


def _silent_from(task: Task) -> datetime | None:
    if task.status != "running" or task.lease_until is None:
        return None
    return task.lease_until + LIMITS.silence_after_lease


def evolve(run: Run | None, event: object) -> Run:
    if isinstance(event, RunStarted):
        return Run(
            event.id, event.incident_id, event.runbook, event.runbook_digest, event.inputs,
            {plan.id: Task(plan) for plan in event.tasks}, event.proposal_id, event.proposer, event.by, event.at,
            tuple(plan.id for plan in event.tasks),
        )  # fmt: skip
    assert run is not None
    match event:
        case RunFinished():
            return replace(run, status="finished", ended_at=event.at)
        case RunCancelled():
            return replace(run, status="cancelled", ended_at=event.at)
    name: str = getattr(event, "task_id")  # noqa: B009  every other event of a run names its task
    tasks = dict(run.tasks)
    tasks[name] = _evolve_task(tasks[name], event)
    return replace(run, tasks=tasks)


def _evolve_task(task: Task, event: object) -> Task:
    match event:
        case TaskOpened():
            return replace(task, status="open", opened_at=event.at, due_at=event.due_at, next_rung_at=event.due_at)
        case TaskClaimed():
            return replace(task, status="claimed", claimed_by=event.by)
        case TaskBlocked():
            return replace(task, status="blocked", why=event.why, gate_id=event.gate_id or task.gate_id)
        case TaskDone():
            return replace(
                task,
                status="done",
                ended_at=event.at,
                ended_by=event.by,
                result=event.result,
                next_rung_at=None,
                why="",
            )
        case TaskSkipped():
            return replace(
                task, status="skipped", ended_at=event.at, ended_by=event.by, why=event.words, next_rung_at=None
            )
        case TaskFailed():
            return replace(task, status="failed", ended_at=event.at, why=event.why, next_rung_at=None)
        case TaskOverdue():
            more = event.rung < 1 + len(task.plan.escalate_to)
            wait = timedelta(minutes=max(task.plan.due_minutes, 1))
            return replace(task, rungs_told=event.rung, next_rung_at=event.at + wait if more else None)
        case MessageLinked():
            return replace(task, message_id=event.message_id)
    return _evolve_machine_step(task, event)


def _evolve_machine_step(task: Task, event: object) -> Task:
    match event:
        case ActionAuthorised():
            return replace(task, status="authorised", digest=event.digest, authority=event.authority, key=event.key)
        case ActionStarted():
            return replace(
                task, status="running", attempt=event.attempt, node=event.node, lease_until=event.lease_until
            )
        case ActionFinished():
            return replace(task, output=event.output, why=event.detail)
        case ActionOutcomeUnknown():
            return replace(task, status="outcome_unknown", why=event.detail)
        case UnknownResolved():
            # Nobody holds the act now: any node may take it up at once, and no earlier report counts any more.
            free = replace(task, status="running", node=None, lease_until=event.at)
            return free if event.choice == "look_again" else task
        case CheckStarted():
            return replace(task, status="running", lease_until=event.until)
        case CheckFinished():
            return replace(task, evidence=event.evidence, why=event.detail)
    raise AssertionError(f"unknown run event {event!r}")


def row(run: Run) -> Row:
    timers: tuple[Timer, ...] = ()
    if run.status == "running":
        timers = tuple(
            Timer(f"overdue:{task.plan.id}", task.next_rung_at)
            for task in run.tasks.values()
            if task.next_rung_at is not None and task.status not in ENDED
        )
        timers += tuple(
            Timer(f"silent:{task.plan.id}", silent_from)
            for task in run.tasks.values()
            if (silent_from := _silent_from(task)) is not None
        )
    return Row(status=run.status, title=run.runbook, incident_id=run.incident_id, timers=timers)


def open_tasks(run: Run) -> Mapping[str, Task]:
    """Tasks that are neither waiting nor ended."""
    return {name: task for name, task in run.tasks.items() if task.status not in ENDED | {"waiting"}}


NOUN = Noun(
    kind="run",
    state=Run,
    events=(
        RunStarted, TaskOpened, TaskClaimed, TaskBlocked, TaskDone, TaskSkipped, TaskFailed, TaskOverdue,
        ActionAuthorised, ActionStarted, ActionFinished, ActionOutcomeUnknown, UnknownResolved, CheckStarted,
        CheckFinished, MessageLinked, RunFinished, RunCancelled,
    ),
    decide=decide,
    evolve=evolve,
    row=row,
)  # fmt: skip
