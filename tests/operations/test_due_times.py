"""Tasks that nobody does and gates that nobody decides: due, overdue, escalated, also across a restart."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from handrail.domain.run import TaskOverdue
from handrail.engine.duties import Timers
from handrail.kernel.clock import to_text
from handrail.operations.reviews import lines_of
from handrail.store import tables
from tests.worlds import World, look


@pytest.fixture
def restarts(world: World) -> Iterator[list[World]]:
    """Worlds made by restarting; their databases are let go at the end."""
    made: list[World] = []
    yield made
    for each in made:
        each.shell.database.dispose()


def told(world: World, task_id: str) -> list[str]:
    """Who was told that the task is overdue, in order, with the time."""
    lines = look(world.shell, lambda tx: lines_of(tx, world.incident_id))
    return [
        f"{line.recorded_at:%H:%M} {line.body['told']}"
        for line in lines
        if line.type == TaskOverdue.TYPE and line.body["task_id"] == task_id
    ]


def test_a_task_that_nobody_does_climbs_its_ladder_at_the_set_times(world: World) -> None:
    world.to_gate()
    timers = Timers(world.shell)
    for _ in range(20):
        world.clock.advance(minutes=1)
        timers()
        timers()
    assert told(world, "confirm-impact") == ["09:05 role:commander", "09:10 role:deputy", "09:15 role:manager"]
    assert world.run.tasks["confirm-impact"].status == "open"


def test_a_task_that_was_done_in_time_is_never_overdue(world: World) -> None:
    world.to_gate()
    world.do_task("confirm-impact")
    world.clock.advance(hours=3)
    Timers(world.shell)()
    assert told(world, "confirm-impact") == []


def test_what_came_due_while_the_process_was_down_is_told_after_the_restart(
    world: World, restarts: list[World]
) -> None:
    world.to_gate()
    world.clock.advance(minutes=6)
    Timers(world.shell)()
    world.clock.advance(hours=2)
    restarts.append(world.restarted())
    timers = Timers(restarts[0].shell)
    timers()
    timers()
    assert told(world, "confirm-impact") == ["09:06 role:commander", "11:06 role:deputy"]
    world.clock.advance(minutes=5)
    restarts.append(world.restarted())
    Timers(restarts[1].shell)()
    assert told(world, "confirm-impact")[-1] == "11:11 role:manager"


def test_a_gate_climbs_and_expires_across_a_restart_and_never_becomes_consent(
    world: World, restarts: list[World]
) -> None:
    gate = world.to_gate()
    assert "owner" not in gate.eligible.roles
    world.clock.advance(minutes=15)
    restarts.append(world.restarted())
    Timers(restarts[0].shell)()
    climbed = world.gate(gate.id)
    assert (climbed.status, climbed.rung) == ("open", 1)
    assert "owner" in climbed.eligible.roles
    world.clock.advance(days=3)
    restarts.append(world.restarted())
    Timers(restarts[1].shell)()
    assert world.gate(gate.id).status == "expired"
    assert world.engine.of_kind("perform") == []
    assert Timers(restarts[1].shell)() == 0 or world.gate(gate.id).status == "expired"


def test_who_is_reached_by_the_ladder_may_decide(world: World) -> None:
    gate = world.to_gate()
    world.clock.advance(minutes=15)
    Timers(world.shell)()
    assert world.vote(gate.id, world.owner).status == "satisfied"


def test_a_failed_delivery_is_put_in_line_again_after_its_wait(world: World) -> None:
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id)
    world.vote(world.submit(message_id).id, world.commander)
    world.deliver(message_id, "mailbox", delivered=False)
    world.engine.take("deliver")
    Timers(world.shell)()
    assert world.engine.of_kind("deliver") == []
    world.clock.advance(seconds=1)
    Timers(world.shell)()
    Timers(world.shell)()
    assert [work.key for work in world.engine.of_kind("deliver")] == [f"deliver:{message_id}:mailbox:2"]


def test_nothing_is_due_after_the_incident_closed(world: World) -> None:
    world.to_readiness()
    world.close()
    with world.shell.database.read() as connection:
        left = connection.execute(sa.select(tables.timer)).all()
    assert [row for row in left if row.kind in ("run", "gate", "message")] == []
    assert to_text(world.clock.now()).endswith("Z")
