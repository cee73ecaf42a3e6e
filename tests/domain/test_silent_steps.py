"""A machine step that never reports is not running for ever."""

from datetime import datetime, timedelta
from typing import Any

from handrail.domain import run as runs
from handrail.domain.noun import Tick
from handrail.domain.run import AuthoriseAction, Authority, Run, StartAction, StartCheck, StartRun
from handrail.domain.runbook import TaskKind, TaskPlan
from handrail.kernel.limits import LIMITS
from tests.domain.machines import START

LEASE = timedelta(seconds=60)


def started(kind: TaskKind) -> Run:
    plan = TaskPlan("step", "Step", kind, action="deploy.rollback", service="payments", timeout_seconds=60)
    return tell(None, StartRun("run_1", "inc_1", "book", "d" * 64, {}, (plan,), None, "usr_a", "usr_b"), START)


def tell(run: Run | None, command: Any, now: datetime) -> Run:
    decided = runs.decide(run, command, now)
    assert not isinstance(decided, Exception)
    for event in decided:
        run = runs.evolve(run, event)
    assert run is not None
    return run


def test_an_act_that_is_never_reported_goes_to_a_person() -> None:
    run = tell(started("action"), AuthoriseAction("step", "d" * 64, Authority("gate", "gat_1", "rule"), "key"), START)
    run = tell(run, StartAction("step", "d" * 64, "node", LEASE), START)
    due = START + LEASE + LIMITS.silence_after_lease
    assert tell(run, Tick(), due - timedelta(seconds=1)).tasks["step"].status == "running"
    assert tell(run, Tick(), due).tasks["step"].status == "outcome_unknown"
    assert due in [timer.due_at for timer in runs.row(run).timers]


def test_a_check_that_is_never_reported_fails_and_says_so() -> None:
    run = tell(started("check"), StartCheck("step"), START)
    task = tell(run, Tick(), START + timedelta(seconds=60) + LIMITS.silence_after_lease).tasks["step"]
    assert task.status == "failed"
    assert "never reported" in task.why
