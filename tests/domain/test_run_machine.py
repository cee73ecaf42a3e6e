"""A run under random and hostile commands: no act without authority, one live attempt, and ends that stay."""

from collections import Counter
from datetime import timedelta
from typing import Any, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from handrail.domain import run as runs
from handrail.domain.noun import Tick
from handrail.domain.run import (
    ENDED,
    FINAL,
    ActionAuthorised,
    ActionFinished,
    ActionOutcomeUnknown,
    ActionStarted,
    AuthoriseAction,
    Authority,
    BlockTask,
    CancelRun,
    ClaimTask,
    FailTask,
    FinishAction,
    FinishCheck,
    FinishTask,
    LinkMessage,
    ResolveUnknown,
    Run,
    SkipTask,
    StartAction,
    StartCheck,
    StartRun,
    Task,
    TaskBlocked,
    TaskOpened,
    TaskOverdue,
)
from handrail.domain.runbook import TaskKind, TaskPlan
from tests.domain.machines import START, minutes, step, words

IDS = ("t0", "t1", "t2", "t3", "t4")
KINDS: tuple[TaskKind, ...] = ("action", "human", "check", "message", "action")
DIGESTS = ("a" * 64, "b" * 64)
LEASE = timedelta(seconds=60)
tasks = st.sampled_from([*IDS, "t0", "t0", "t4", "unknown", ""])
people = st.sampled_from(["usr_anna", "usr_ben"])
nodes = st.sampled_from(["node-a", "node-b"])
digests = st.sampled_from([*DIGESTS, DIGESTS[0], ""])


@st.composite
def plans(draw: st.DrawFn) -> tuple[TaskPlan, ...]:
    """A graph without circles: a task needs only those before it."""
    return tuple(
        TaskPlan(
            name, f"Task {name}", kind, needs=tuple(draw(st.sets(st.sampled_from(IDS[:at]), max_size=1))) if at else (),
            due_minutes=draw(st.sampled_from([0, 5])), escalate_to=("role:manager",) if draw(st.booleans()) else (),
        )
        for at, (name, kind) in enumerate(zip(IDS, KINDS, strict=True))
    )  # fmt: skip


class RunMachine(RuleBasedStateMachine):
    """`allowed` is the authority that stands for each task, kept here from the events alone."""

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.now = START
        self.allowed: dict[str, tuple[str, Authority, str]] = {}
        self.attempts: Counter[str] = Counter()
        self.live: dict[str, int] = {}
        self.told: dict[str, int] = {}
        self.before: Run | None = None

    @property
    def known(self) -> Run:
        assert self.run is not None
        return self.run

    def send(self, command: object) -> tuple[Any, ...]:
        """Send a command, and follow what its events say about acts."""
        self.before = self.run
        done = step(runs.NOUN, self.run, command, self.now)
        self.run = done.state
        for event in done.events:
            self.follow(event)
        return done.events

    def follow(self, event: object) -> None:
        match event:
            case ActionAuthorised():
                assert event.task_id not in self.live
                self.allowed[event.task_id] = (event.digest, event.authority, event.key)
            case ActionStarted():
                assert self.allowed.get(event.task_id) == (event.digest, event.authority, event.key)
                assert event.attempt > self.attempts[event.task_id]
                self.attempts[event.task_id] = self.live[event.task_id] = event.attempt
            case ActionFinished() | ActionOutcomeUnknown():
                assert self.live.pop(event.task_id) == event.attempt
            case TaskBlocked():
                self.allowed.pop(event.task_id, None)
            case TaskOverdue():
                assert event.rung == self.told.get(event.task_id, 0) + 1
                self.told[event.task_id] = event.rung
            case TaskOpened():
                plan = self.known.tasks[event.task_id].plan
                assert all(self.known.tasks[need].status in FINAL for need in plan.needs)

    @initialize(tasks=plans())
    def start(self, tasks: tuple[TaskPlan, ...]) -> None:
        self.run, self.allowed, self.live, self.told = None, {}, {}, {}
        self.attempts, self.before = Counter(), None
        assert self.send(StartRun("run_1", "inc_1", "book", "d" * 64, {}, tasks, None, "analyst", "usr_anna"))

    @precondition(lambda self: self.run is not None and self.run.status != "running" and not self.live)
    @rule(tasks=plans())
    def start_another(self, tasks: tuple[TaskPlan, ...]) -> None:
        """A new run, so that the rest of the steps has something to attack."""
        self.start(tasks)

    @rule(task=tasks, by=people, said=words)
    def person_works(self, task: str, by: str, said: str) -> None:
        self.send(ClaimTask(task, by))
        self.send(FinishTask(task, by, said))

    @rule(task=tasks, by=people)
    def claim(self, task: str, by: str) -> None:
        self.send(ClaimTask(task, by))

    @rule(task=tasks, by=people, said=words)
    def skip(self, task: str, by: str, said: str) -> None:
        if self.send(SkipTask(task, by, said)):
            assert task not in self.live

    @rule(task=tasks, said=words, gate=st.sampled_from([None, "gat_1"]))
    def block(self, task: str, said: str, gate: str | None) -> None:
        if self.send(BlockTask(task, said, gate)):
            assert task not in self.live

    @rule(task=tasks, said=words)
    def fail(self, task: str, said: str) -> None:
        if self.send(FailTask(task, said)):
            assert task not in self.live

    @rule(task=tasks, digest=digests, kind=st.sampled_from(["gate", "policy"]))
    def authorise(self, task: str, digest: str, kind: Literal["gate", "policy"]) -> None:
        self.send(AuthoriseAction(task, digest, Authority(kind, f"{kind}_1", "rule"), f"key:{task}:{digest[:4]}"))

    @rule(task=tasks, digest=digests, node=nodes, alive=st.booleans())
    def start_action(self, task: str, digest: str, node: str, alive: bool) -> None:
        before = self.known.tasks.get(task)
        was_live, lease_until = task in self.live, before.lease_until if before else None
        if self.send(StartAction(task, digest, node, LEASE, alive)) and was_live:
            assert before is not None and lease_until is not None
            assert self.now >= lease_until or not alive or before.node == node

    @precondition(lambda self: self.run is not None and self.open_actions())
    @rule(data=st.data(), begin=st.booleans())
    def consent_comes(self, data: st.DataObject, begin: bool) -> None:
        """The honest way, so that there is often something to attack."""
        task = data.draw(st.sampled_from(self.open_actions()))
        assert self.send(AuthoriseAction(task, DIGESTS[0], Authority("gate", "gat_1", "rule"), f"key:{task}"))
        if begin:
            assert self.send(StartAction(task, DIGESTS[0], "node-a", LEASE))

    def open_actions(self) -> list[str]:
        run = self.known
        return [
            name
            for name, task in run.tasks.items()
            if run.status == "running" and task.plan.kind == "action" and task.status in ("open", "blocked")
        ]

    @rule(task=tasks, attempt=st.integers(0, 6), status=st.sampled_from(["done", "failed", "unknown"]))
    def report(self, task: str, attempt: int, status: Literal["done", "failed", "unknown"]) -> None:
        expected = self.live.get(task)
        if self.send(FinishAction(task, attempt, status, "detail", {"version": "1"})):
            assert attempt == expected

    @precondition(lambda self: bool(self.live))
    @rule(status=st.sampled_from(["done", "failed", "unknown", "unknown"]), data=st.data())
    def report_truly(self, status: Literal["done", "failed", "unknown"], data: st.DataObject) -> None:
        """The live attempt is always heard, whatever else happened."""
        task = data.draw(st.sampled_from(sorted(self.live)))
        assert self.send(FinishAction(task, self.live[task], status, "detail", {}))

    @rule(task=tasks, choice=st.sampled_from(["happened", "did_not", "look_again"]), by=people, said=words)
    def resolve(self, task: str, choice: Literal["happened", "did_not", "look_again"], by: str, said: str) -> None:
        if self.send(ResolveUnknown(task, choice, by, said)) and choice == "look_again":
            # Somebody must be able to look at once: no dead end for an act that nobody can tell of.
            digest = str(self.known.tasks[task].digest)
            assert self.send(StartAction(task, digest, "node-c", LEASE, holder_alive=True))

    @rule(task=tasks, passed=st.booleans(), said=words)
    def check(self, task: str, passed: bool, said: str) -> None:
        self.send(StartCheck(task))
        self.send(FinishCheck(task, passed, said, None))

    @rule(task=tasks)
    def start_check(self, task: str) -> None:
        self.send(StartCheck(task))

    @rule(task=tasks)
    def link(self, task: str) -> None:
        self.send(LinkMessage(task, "msg_1"))

    @rule(span=st.sampled_from([timedelta(seconds=30), LEASE, minutes(5), timedelta(days=400)]))
    def time_passes(self, span: timedelta) -> None:
        self.now += span
        self.send(Tick())

    @rule(luck=st.integers(0, 5), by=people, said=words)
    def cancel(self, luck: int, by: str, said: str) -> None:
        if luck == 0 and self.send(CancelRun(by, said)):
            assert not self.live

    @rule(command=st.sampled_from(["nonsense", None]))
    def nonsense(self, command: object) -> None:
        assert not self.send(command)

    @invariant()
    def only_acts_with_authority_are_live(self) -> None:
        if self.run is None:
            return
        for name, task in self.run.tasks.items():
            if task.plan.kind == "action" and task.status in ("authorised", "running"):
                assert (task.digest, task.authority, task.key) == self.allowed[name]
            assert (name in self.live) <= (task.status == "running")

    @invariant()
    def ends_are_final(self) -> None:
        if self.run is None or self.before is None or self.before.id != self.run.id:
            return
        if self.before.status != "running":
            assert self.run.status == self.before.status
        for name, task in self.before.tasks.items():
            after = self.run.tasks[name]
            if task.status in FINAL:
                assert _standing(after) == _standing(task)
            if task.status == "failed":
                assert after.status in ENDED

    @invariant()
    def a_run_ends_when_every_task_has(self) -> None:
        if self.run is None:
            return
        if self.run.status == "finished":
            assert all(task.status in FINAL for task in self.run.tasks.values())
        if self.run.status == "running":
            assert any(task.status not in FINAL for task in self.run.tasks.values())
        else:
            assert runs.row(self.run).timers == ()


def _standing(task: Task) -> tuple[object, ...]:
    return task.status, task.ended_at, task.ended_by, task.attempt, task.digest


TestRunMachine: Any = RunMachine.TestCase
TestRunMachine.settings = settings(max_examples=120)
