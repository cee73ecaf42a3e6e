"""A message goes over the channels that this installation has, and says so where it has none."""

import pytest

from handrail.kernel.errors import Unprocessable
from handrail.operations import messages
from handrail.operations.shell import Ports
from tests.worlds import World


def test_a_channel_that_is_not_set_up_is_left_out_of_a_draft(world: World) -> None:
    incident_id = world.declare()
    world.shell.ports = Ports(world.shell.ports.actions, frozenset({"mailbox"}))
    message_id = world.by(
        world.commander, lambda tx: messages.write(tx, incident_id, "teams", "update", world.commander)
    )
    assert world.message(message_id).channels == ("mailbox",)


def test_an_audience_without_any_channel_here_is_refused_in_words(world: World) -> None:
    incident_id = world.declare()
    world.shell.ports = Ports(world.shell.ports.actions, frozenset())
    with pytest.raises(Unprocessable, match="has no channel"):
        world.by(world.commander, lambda tx: messages.write(tx, incident_id, "teams", "update", world.commander))


def test_a_run_starts_although_a_message_of_it_has_no_channel_here(world: World) -> None:
    world.shell.ports = Ports(world.shell.ports.actions, frozenset())
    world.to_gate()
    task = world.run.tasks["tell-teams"]
    assert task.status == "blocked"
    assert "has no channel" in task.why
