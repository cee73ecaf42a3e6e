"""Runs: the report of an act is never lost, late reports do not count, and cancelling has two outcomes, not three."""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handrail.domain.document import AdoptDraft, ProposeDocument
from handrail.domain.run import FinishAction
from handrail.kernel.errors import Conflict, HandrailError, NotAllowed, Unprocessable
from handrail.operations import documents, runs
from handrail.operations.shell import HANDRAIL
from tests.worlds import RUNBOOK, World, look


def replace_audiences(world: World, text: str) -> None:
    """Audiences without those that the runbook speaks to, adopted as if their gate had been satisfied."""

    def operation(tx: Any) -> None:
        command = ProposeDocument("audience.default", "audience", "default", "e" * 64, text, "usr_x", "gat_x")
        tx.change("document", "audience.default", command)
        tx.change("document", "audience.default", AdoptDraft("gat_x", "e" * 64))

    world.shell.transact(HANDRAIL, operation, "test")


def report(world: World, attempt: int, output: dict[str, Any], detail: str = "Deployed.") -> None:
    command = FinishAction("roll-back", attempt, "done", detail, output)
    world.by_machine(lambda tx: runs.finish_action(tx, world.run_id, command))


def test_the_report_of_an_act_is_kept_when_what_follows_it_cannot_begin(world: World) -> None:
    world.to_consent()
    started = world.start_action()
    replace_audiences(world, "kind: audience\naudiences:\n  teams: {channels: [mailbox]}\n")
    world.finish_action(started.attempt)
    world.check()
    task = world.run.tasks["tell-executives"]
    assert world.run.tasks["roll-back"].status == "done"
    assert task.status == "blocked"
    assert task.why == "The message cannot be drafted: There is no audience “executives”."


@pytest.mark.parametrize(
    ("output", "kept"),
    [
        ({"id": 2**60}, {"id": str(2**60)}),
        ({"ratio": math.nan, "far": -math.inf}, {"ratio": "nan", "far": "-inf"}),
        ({"list": [1, 2**53], "text": "half \ud800"}, {"list": [1, str(2**53)], "text": "half ?"}),
        ({"nested": {"deep": {"n": -(2**70)}}}, {"nested": {"deep": {"n": str(-(2**70))}}}),
    ],
)
def test_the_report_of_an_act_is_kept_whatever_the_outside_answered(
    world: World, output: dict[str, Any], kept: dict[str, Any]
) -> None:
    world.to_consent()
    report(world, world.start_action().attempt, output, "It said \udcff")
    task = world.run.tasks["roll-back"]
    assert task.status == "done"
    assert task.output == kept
    assert task.why == ""


def test_an_unknown_outcome_asks_a_person_and_can_be_looked_at_by_any_node_at_once(world: World) -> None:
    world.to_consent()
    world.finish_action(world.start_action(node="node-a").attempt, "unknown")
    assert world.run.tasks["roll-back"].why == "Deployed."
    world.by(
        world.member,
        lambda tx: runs.resolve_unknown(tx, world.run_id, "roll-back", "look_again", "Ask the control.", world.member),
    )
    assert [work.key for work in world.engine.of_kind("perform")][-1] == f"perform:{world.run_id}:roll-back:again:1"
    started = world.start_action(node="node-b")
    assert (started.before, started.attempt) == (True, 2)
    with pytest.raises(Conflict, match="no longer counts"):
        world.finish_action(1)
    world.finish_action(2)
    assert world.run.tasks["roll-back"].status == "done"


def test_an_old_report_does_not_count_while_nobody_looks(world: World) -> None:
    world.to_consent()
    world.finish_action(world.start_action().attempt, "unknown")
    world.by(
        world.member,
        lambda tx: runs.resolve_unknown(tx, world.run_id, "roll-back", "look_again", "Ask the control.", world.member),
    )
    with pytest.raises(Conflict) as refusal:
        world.finish_action(1)
    assert refusal.value.code == "fenced"


def test_a_cancelled_run_looks_no_more_at_an_unknown_act(world: World) -> None:
    """Otherwise the task would be “running” for ever: nothing may start in a cancelled run."""
    world.to_consent()
    world.finish_action(world.start_action().attempt, "unknown")
    world.by(world.commander, lambda tx: runs.cancel(tx, world.run_id, "Enough.", world.commander))
    with pytest.raises(Conflict, match="say whether it happened"):
        world.by(
            world.member,
            lambda tx: runs.resolve_unknown(tx, world.run_id, "roll-back", "look_again", "Look.", world.member),
        )
    world.by(
        world.member,
        lambda tx: runs.resolve_unknown(tx, world.run_id, "roll-back", "happened", "It runs 2.4.0.", world.member),
    )
    assert world.run.tasks["roll-back"].status == "done"


def test_a_node_that_comes_back_after_its_lease_is_not_heard(world: World) -> None:
    world.to_consent()
    first = world.start_action(node="node-a")
    with pytest.raises(Conflict, match="cannot start"):
        world.start_action(node="node-b")
    world.clock.advance(seconds=61)
    second = world.start_action(node="node-b")
    assert (second.attempt, second.key, second.before) == (first.attempt + 1, first.key, True)
    with pytest.raises(Conflict) as refusal:
        world.finish_action(first.attempt)
    assert refusal.value.code == "fenced"
    world.finish_action(second.attempt)
    assert world.run.tasks["roll-back"].attempt == 2


def test_the_work_of_a_dead_node_is_taken_over_before_its_lease_ends(world: World) -> None:
    world.to_consent()
    world.start_action(node="node-a")
    assert world.start_action(node="node-b", holder_alive=False).before


def test_a_cancelled_run_is_left_alone_by_late_work(world: World) -> None:
    gate = world.to_consent()
    world.by(world.commander, lambda tx: runs.cancel(tx, world.run_id, "Enough.", world.commander))
    assert world.gate(gate.id).status == "voided"
    with pytest.raises(Conflict):
        world.start_action()
    world.by_machine(lambda tx: runs.void_action(tx, world.run_id, "roll-back", "No consent."))
    assert world.run.tasks["roll-back"].status == "authorised"
    assert world.run.status == "cancelled"


def test_cancel_and_start_at_once_have_one_winner(world: World) -> None:
    world.to_consent()

    def tried(operation: Any) -> HandrailError | None:
        try:
            operation()
        except HandrailError as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(2) as pool:
        started, cancelled = pool.map(
            tried,
            (
                world.start_action,
                lambda: world.by(world.commander, lambda tx: runs.cancel(tx, world.run_id, "Enough.", world.commander)),
            ),
        )
    run = world.run
    if cancelled is None:
        assert started is not None
        assert (run.status, run.tasks["roll-back"].status) == ("cancelled", "authorised")
    else:
        assert started is None
        assert cancelled.detail == "An action is being carried out; cancel when it has ended."
        assert (run.status, run.tasks["roll-back"].status) == ("running", "running")


def test_cancelling_while_a_task_is_being_finished_leaves_one_of_two_states(world: World) -> None:
    world.to_consent()
    started = world.start_action()

    def cancel() -> str:
        try:
            world.by(world.commander, lambda tx: runs.cancel(tx, world.run_id, "Enough.", world.commander))
        except Conflict as refusal:
            return refusal.detail
        return "cancelled"

    with ThreadPoolExecutor(2) as pool:
        finished, said = pool.submit(world.finish_action, started.attempt), pool.submit(cancel)
        finished.result()
    assert world.run.tasks["roll-back"].status == "done"
    assert said.result() in ("cancelled", "An action is being carried out; cancel when it has ended.")
    assert world.run.status == ("cancelled" if said.result() == "cancelled" else "running")


def test_a_skipped_action_is_not_done_and_its_gate_is_void(world: World) -> None:
    gate = world.to_gate()
    world.by(world.commander, lambda tx: runs.skip(tx, world.run_id, "roll-back", "Not needed.", world.commander))
    assert world.gate(gate.id).status == "voided"
    with pytest.raises(Conflict):
        world.vote(gate.id)
    with pytest.raises(Conflict):
        world.start_action()
    assert world.run.tasks["signal-recovers"].status == "running"


def test_a_proposal_is_chosen_once(world: World) -> None:
    world.to_gate()
    with pytest.raises(Conflict, match="chosen already"):
        world.start_run()


def test_a_run_with_wrong_inputs_names_all_of_them_and_changes_nothing(world: World) -> None:
    world.declare()
    with pytest.raises(Unprocessable) as refusal:
        world.by(
            world.commander,
            lambda tx: runs.start(tx, world.incident_id, RUNBOOK, {"service": "x", "wat": "1"}, None, world.commander),
        )
    assert {fault.where for fault in refusal.value.faults} == {
        "/inputs/version", "/inputs/previous_version", "/inputs/owner_team", "/inputs/wat",
    }  # fmt: skip
    assert look(world.shell, lambda tx: documents.load_runbook(tx, RUNBOOK))


def test_an_observer_moves_nothing(world: World) -> None:
    world.to_gate()
    for operation in (
        lambda tx: runs.claim(tx, world.run_id, "confirm-impact", world.outsider),
        lambda tx: runs.finish(tx, world.run_id, "confirm-impact", "done", world.outsider),
        lambda tx: runs.skip(tx, world.run_id, "roll-back", "no", world.outsider),
        lambda tx: runs.cancel(tx, world.run_id, "no", world.outsider),
        lambda tx: runs.ask_again(tx, world.run_id, "roll-back", world.outsider),
        lambda tx: runs.start(tx, world.incident_id, RUNBOOK, {}, None, world.outsider),
    ):
        with pytest.raises(NotAllowed):
            world.by(world.outsider, operation)
    assert world.run.tasks["confirm-impact"].status == "open"
