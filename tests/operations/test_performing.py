"""The engine's step over an action, with a plugin that breaks, goes away, or was carried out before a crash."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handrail.engine.steps.perform import Perform
from handrail.kernel import points
from handrail.operations import runs
from handrail.operations.shell import Ports
from handrail.plugins.actions.contract import Outcome
from tests.worlds import NODE, World


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    points.disarm()


def killed_at(name: str) -> None:
    def kill() -> None:
        points.disarm()
        raise Killed

    points.arm(name, kill)


def perform(world: World, node: str = NODE) -> None:
    step = Perform(world.shell, world.clock, world.shell.ports.actions, node)
    step({"run_id": world.run_id, "task_id": "roll-back"})


POINTS = ("perform.before_authority", "perform.after_authority", "perform.after_effect", "perform.after_entry")


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_ends_in_one_act(world: World, point: str) -> None:
    world.to_consent()
    killed_at(point)
    with pytest.raises(Killed):
        perform(world)
    perform(world)
    perform(world)
    assert len(world.action.acts) == 1
    assert world.run.tasks["roll-back"].status == "done"


@pytest.mark.parametrize("error", [KeyError("x"), ZeroDivisionError(), RuntimeError("boom"), TypeError()])
def test_a_plugin_that_breaks_leaves_an_unknown_outcome_and_nothing_running(
    world: World, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Outcome:
        raise error

    monkeypatch.setattr(world.action, "execute", broken)
    world.to_consent()
    perform(world)
    assert world.run.tasks["roll-back"].status == "outcome_unknown"
    assert type(error).__name__ in world.run.tasks["roll-back"].why


def test_a_plugin_that_is_gone_blocks_what_it_has_not_begun(world: World) -> None:
    world.to_consent()
    world.shell.ports = Ports({})
    perform(world)
    assert world.run.tasks["roll-back"].status == "blocked"
    assert "no action “deploy.rollback”" in world.run.tasks["roll-back"].why


def test_a_plugin_that_is_gone_leaves_what_it_began_to_a_person(world: World) -> None:
    world.to_consent()
    world.start_action()
    world.shell.ports = Ports({})
    perform(world)
    assert world.run.tasks["roll-back"].status == "outcome_unknown"


Between = Callable[[World], Any]


@pytest.mark.parametrize(
    "between",
    [
        lambda w: w.by(w.commander, lambda tx: runs.cancel(tx, w.run_id, "Enough.", w.commander)),
        lambda w: w.start_action(node="node-b"),
    ],
)
def test_consent_that_is_void_is_left_alone_when_somebody_was_quicker(world: World, between: Between) -> None:
    world.to_consent()
    between(world)
    before = world.run
    world.by_machine(lambda tx: runs.void_action(tx, world.run_id, "roll-back", "No consent."))
    assert world.run == before
