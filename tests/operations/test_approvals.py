"""Approval at a gate, attacked: twice, late, by the wrong people, and with something changed in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from handrail.domain.people import Permission, Person
from handrail.kernel.errors import Conflict, Gone, HandrailError, NotAllowed, Refused, Stale, Unprocessable
from handrail.operations import accounts, decisions, documents, incidents, messages, runs
from tests.worlds import World, add_person, catalog_text, narrowed

POLICY = """kind: policy
name: default
rules:
  - name: everything-by-managers
    when: {act: [action, message, readiness, document]}
    verdict: approve
    approvers: {roles: [owner, manager], teams: [$service_owner]}
"""


def adopt(world: World, text: str) -> None:
    """Bring a new version into force through its gate."""
    document = world.by(world.owner, lambda tx: documents.propose(tx, text, world.owner))
    assert document.draft is not None and document.draft.gate_id is not None
    manager = add_person(world.shell, f"manager{document.draft.version}-{document.kind}", ("manager",))
    world.vote(document.draft.gate_id, manager)


def in_parallel(tasks: list[Callable[[], object]]) -> list[HandrailError | None]:
    """The refusal of each of the tasks, all begun at once, or None."""

    def tried(task: Callable[[], object]) -> HandrailError | None:
        try:
            task()
        except HandrailError as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(tried, tasks))


def test_a_second_vote_of_one_person_is_refused_and_the_act_is_put_in_line_once(world: World) -> None:
    gate = world.to_gate()
    refusals = in_parallel([lambda: world.vote(gate.id)] * 2)
    assert sorted(type(each).__name__ for each in refusals) == ["Conflict", "NoneType"]
    assert world.gate(gate.id).approvers() == (world.approver.id,)
    assert len(world.engine.of_kind("perform")) == 1


def test_two_people_who_approve_at_once_make_one_decision(world: World) -> None:
    other = add_person(world.shell, "other", ("responder",), ("team-payments",))
    gate = world.to_gate()
    refusals = in_parallel([lambda: world.vote(gate.id), lambda: world.vote(gate.id, other)])
    assert [each.code for each in refusals if each] == ["gate_decided"]
    assert len(world.gate(gate.id).votes) == 1
    assert len(world.engine.of_kind("perform")) == 1


def test_a_quorum_of_two_needs_two_people(world: World) -> None:
    adopt(world, POLICY + "    quorum: 2\n")
    other = add_person(world.shell, "other", ("responder",), ("team-payments",))
    gate = world.to_gate()
    world.vote(gate.id)
    with pytest.raises(Conflict, match="one person is one vote"):
        world.vote(gate.id)
    assert world.gate(gate.id).status == "open"
    assert world.engine.of_kind("perform") == []
    world.vote(gate.id, other)
    assert world.gate(gate.id).status == "satisfied"
    assert len(world.engine.of_kind("perform")) == 1


def test_a_vote_for_content_that_was_not_shown_does_not_count(world: World) -> None:
    gate = world.to_gate()
    with pytest.raises(Stale, match="not what you were shown"):
        world.vote(gate.id, digest="0" * 64)
    assert world.gate(gate.id).votes == ()


def test_consent_is_void_when_the_catalogue_changes_what_would_happen(world: World) -> None:
    gate = world.to_consent()
    changed = catalog_text().replace("dependsOn: [component:default/orders]", "dependsOn: [component:default/payments]")
    adopt(world, changed.replace("dependsOn: [component:default/payments]", "dependsOn: []", 1))
    with pytest.raises(Stale, match="not what was approved"):
        world.start_action()
    world.by_machine(lambda tx: runs.void_action(tx, world.run_id, "roll-back", "The catalogue changed."))
    asked = world.gate_of("roll-back")
    assert world.gate(gate.id).status == "voided"
    assert asked.id != gate.id
    assert asked.status == "open"
    assert asked.content["preview"]["blast_radius"] == ["payments", "orders"]
    assert world.run.tasks["roll-back"].status == "blocked"


def test_consent_is_void_when_the_policy_is_replaced(world: World) -> None:
    world.to_consent()
    adopt(world, POLICY)
    with pytest.raises(Stale, match="not what was approved"):
        world.start_action()
    assert world.run.tasks["roll-back"].status == "authorised"


def test_consent_is_void_when_the_message_is_edited(world: World) -> None:
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id)
    gate = world.submit(message_id)
    world.edit_message(message_id, text="Other words.")
    assert world.gate(gate.id).status == "voided"
    with pytest.raises(Conflict, match="already voided"):
        world.vote(gate.id, world.commander)
    assert world.message(message_id).status == "draft"


def test_an_approved_message_cannot_be_edited(world: World) -> None:
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id)
    world.vote(world.submit(message_id).id, world.commander)
    with pytest.raises(Conflict, match="cannot be changed any more"):
        world.edit_message(message_id, text="Words that nobody approved.")
    assert world.message(message_id).text == "Edited words."


@pytest.mark.parametrize(("who", "code"), [("commander", "self_approval"), ("outsider", "not_allowed"),
                                           ("member", "not_eligible")])  # fmt: skip
def test_who_started_the_run_and_who_is_not_asked_cannot_approve(world: World, who: str, code: str) -> None:
    gate = world.to_gate()
    person: Person = getattr(world, who)
    with pytest.raises(NotAllowed) as refusal:
        world.vote(gate.id, person)
    assert refusal.value.code == code
    assert world.gate(gate.id).votes == ()


def test_who_starts_a_run_by_hand_is_its_proposer_and_cannot_approve(world: World) -> None:
    world.declare()
    inputs = {"service": "payments", "version": "2.5.0", "previous_version": "2.4.0", "owner_team": "team-payments"}
    started = world.by(
        world.approver,
        lambda tx: runs.start(tx, world.incident_id, "bad-release-rollback", inputs, None, world.approver),
    )
    world.run_id = started.id
    with pytest.raises(NotAllowed, match="You proposed this"):
        world.vote(world.gate_of("roll-back").id)


def test_the_last_editor_cannot_approve_the_message(world: World) -> None:
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id, world.commander)
    gate = world.submit(message_id)
    with pytest.raises(NotAllowed) as refusal:
        world.vote(gate.id, world.commander)
    assert refusal.value.code == "self_approval"


def test_who_puts_a_message_forward_cannot_approve_it_even_when_another_edited_it(world: World) -> None:
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id, world.member)
    gate = world.submit(message_id, world.commander)
    with pytest.raises(NotAllowed) as refusal:
        world.vote(gate.id, world.commander)
    assert refusal.value.code == "self_approval"


def test_a_machine_account_cannot_approve_although_its_team_may(world: World) -> None:
    robot = add_person(world.shell, "robot", ("machine",), ("team-payments",))
    gate = world.to_gate()
    for pretended in (robot, replace(robot, roles=frozenset({"responder"}))):
        with pytest.raises(NotAllowed):
            world.vote(gate.id, pretended)
    assert world.gate(gate.id).votes == ()


def test_a_token_that_may_only_read_can_neither_vote_nor_withdraw(world: World) -> None:
    gate = world.to_gate()
    with pytest.raises(NotAllowed, match="vote"):
        world.vote(gate.id, narrowed(world.approver, Permission.READ))
    reader = narrowed(world.commander, Permission.READ)
    with pytest.raises(NotAllowed):
        world.by(reader, lambda tx: decisions.withdraw(tx, gate.id, "No reason.", reader))
    assert world.gate(gate.id).status == "open"


def test_a_vote_needs_a_reason(world: World) -> None:
    gate = world.to_gate()
    with pytest.raises(Unprocessable, match="reason"):
        world.by(
            world.approver, lambda tx: decisions.vote(tx, gate.id, "approve", gate.subject.digest, " ", world.approver)
        )


def test_approval_after_expiry_is_refused_and_says_when_it_expired(world: World) -> None:
    gate = world.to_gate()
    world.clock.advance(minutes=15)
    world.by_machine(lambda tx: decisions.tick_gate(tx, gate.id))
    assert world.gate(gate.id).status == "open"
    world.clock.advance(minutes=15)
    with pytest.raises(Gone, match=r"expired at 09:30:00 UTC"):
        world.vote(gate.id)
    world.by_machine(lambda tx: decisions.tick_gate(tx, gate.id))
    assert world.gate(gate.id).status == "expired"
    with pytest.raises(Gone, match=r"expired at 09:30:00 UTC"):
        world.vote(gate.id)
    assert world.engine.of_kind("perform") == []
    assert world.run.tasks["roll-back"].why == "The gate expired with no decision; ask again or skip the task."
    world.by(world.commander, lambda tx: runs.ask_again(tx, world.run_id, "roll-back", world.commander))
    assert world.gate_of("roll-back").id != gate.id
    world.vote(world.gate_of("roll-back").id)
    assert len(world.engine.of_kind("perform")) == 1


def test_consent_that_was_not_used_in_time_is_no_consent(world: World) -> None:
    world.to_consent()
    world.clock.advance(hours=5)
    with pytest.raises(Gone, match="could be used until"):
        world.start_action()


def test_approval_after_the_incident_closed_is_refused(world: World) -> None:
    world.to_readiness()
    message_id = world.write_message()
    world.edit_message(message_id)
    gate = world.submit(message_id)
    world.close()
    with pytest.raises(Conflict, match="voided"):
        world.vote(gate.id, world.commander)
    assert world.gate(gate.id).why == "The incident was closed."
    assert world.message(message_id).status == "rejected"


def test_nothing_acts_in_a_closed_incident(world: World) -> None:
    """A check failed, its followers wait, and the incident is completed by hand and closed over them."""
    world.to_consent()
    world.act()
    world.check(passed=False)
    for task_id in ("confirm-impact",):
        world.do_task(task_id)
    world.send(world.message_of("tell-teams").id)
    by_hand = [("contain", "machine"), ("remediate", "machine"), ("remediate", "human"), ("recover", "machine")]
    for stage, half in by_hand:
        if world.incident.half(stage, half) is None:  # type: ignore[arg-type]
            world.by(
                world.commander,
                lambda tx, s=stage, h=half: incidents.complete_half(  # type: ignore[misc]
                    tx, world.incident_id, s, h, "By hand.", world.commander
                ),
            )
    world.vote(world.ask_readiness().id)
    world.close()
    assert world.run.status == "cancelled"
    with pytest.raises(Conflict, match="cancelled"):
        world.by(
            world.commander,
            lambda tx: runs.skip(tx, world.run_id, "signal-recovers", "Go on.", world.commander),
        )


Loss = Callable[[World], None]


def leaves_the_team(world: World) -> None:
    world.by(
        world.owner, lambda tx: accounts.set_roles(tx, world.approver.id, ("responder",), ("team-x",), world.owner)
    )


def becomes_an_observer(world: World) -> None:
    world.by(
        world.owner,
        lambda tx: accounts.set_roles(tx, world.approver.id, ("observer",), ("team-payments",), world.owner),
    )


def is_deactivated(world: World) -> None:
    world.by(world.owner, lambda tx: accounts.deactivate(tx, world.approver.id, world.owner))


@pytest.mark.parametrize("loss", [leaves_the_team, becomes_an_observer, is_deactivated])
def test_an_approver_who_lost_the_role_since_the_vote_stops_the_act(world: World, loss: Loss) -> None:
    world.to_consent()
    loss(world)
    with pytest.raises(NotAllowed, match="lost the role"):
        world.start_action()
    assert world.run.tasks["roll-back"].status == "authorised"
    assert world.action.acts == []


def test_an_approver_who_handed_the_command_over_stops_the_message(world: World) -> None:
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id)
    world.vote(world.submit(message_id).id, world.commander)
    world.by(
        world.commander,
        lambda tx: incidents.give_role(tx, world.incident_id, "commander", world.member.id, world.commander),
    )
    with pytest.raises(NotAllowed, match="lost the role"):
        world.deliver(message_id, "mailbox")
    world.by_machine(lambda tx: messages.void_message(tx, message_id, "An approver has lost the role."))
    message = world.message(message_id)
    assert (message.status, message.authority, message.deliveries) == ("rejected", None, {})
    assert world.gate(str(message.gate_id)).status == "voided"
    again = world.submit(message_id)
    assert again.status == "open"


def test_every_channel_is_checked_before_its_first_try(world: World) -> None:
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id)
    world.vote(world.submit(message_id).id, world.commander)
    world.deliver(message_id, "mailbox")
    world.by(
        world.commander,
        lambda tx: incidents.give_role(tx, world.incident_id, "commander", world.member.id, world.commander),
    )
    with pytest.raises(NotAllowed, match="lost the role"):
        world.deliver(message_id, "webhook")
    world.by_machine(lambda tx: messages.void_message(tx, message_id, "An approver has lost the role."))
    message = world.message(message_id)
    assert message.status == "failed"
    assert message.deliveries["mailbox"].status == "delivered"
    assert message.deliveries["webhook"].why == "An approver has lost the role."


def test_a_message_approved_under_another_policy_is_not_sent(world: World) -> None:
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id)
    world.vote(world.submit(message_id).id, world.commander)
    adopt(world, POLICY)
    with pytest.raises(Stale, match="policy"):
        world.deliver(message_id, "mailbox")


def test_a_message_allowed_by_a_policy_is_not_sent_under_another(world: World) -> None:
    adopt(world, POLICY.replace("[action, message, readiness", "[action, readiness") + AUTO)
    world.to_gate()
    message_id = world.write_message()
    message = world.by(world.member, lambda tx: messages.submit(tx, message_id, world.member))
    assert message.status == "approved"
    adopt(world, POLICY)
    with pytest.raises(NotAllowed, match="no longer in force"):
        world.deliver(message_id, "mailbox")


AUTO = """  - name: messages-by-themselves
    when: {act: message}
    verdict: auto
"""


def test_consent_can_be_withdrawn_until_the_act_begins(world: World) -> None:
    gate = world.to_consent()
    world.by(world.commander, lambda tx: decisions.withdraw(tx, gate.id, "Not now.", world.commander))
    assert world.run.tasks["roll-back"].status == "failed"
    with pytest.raises(Conflict):
        world.start_action()


def test_consent_that_was_used_cannot_be_withdrawn(world: World) -> None:
    gate = world.to_consent()
    started = world.start_action()
    with pytest.raises(Conflict, match="used"):
        world.by(world.commander, lambda tx: decisions.withdraw(tx, gate.id, "Too late.", world.commander))
    world.finish_action(started.attempt)
    assert world.run.tasks["roll-back"].status == "done"


def test_a_message_under_way_cannot_be_withdrawn(world: World) -> None:
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id)
    gate = world.vote(world.submit(message_id).id, world.commander)
    world.deliver(message_id, "mailbox", delivered=False)
    with pytest.raises(Conflict, match="used"):
        world.by(world.member, lambda tx: decisions.withdraw(tx, gate.id, "Too late.", world.member))


def test_a_withdrawn_message_is_not_sent(world: World) -> None:
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id)
    gate = world.vote(world.submit(message_id).id, world.commander)
    world.by(world.member, lambda tx: decisions.withdraw(tx, gate.id, "Not now.", world.member))
    assert world.message(message_id).status == "rejected"
    with pytest.raises(Refused):
        world.deliver(message_id, "mailbox")


def test_a_rejected_action_does_not_happen(world: World) -> None:
    gate = world.to_gate()
    world.vote(gate.id, choice="reject")
    assert world.run.tasks["roll-back"].status == "failed"
    assert world.engine.of_kind("perform") == []
    with pytest.raises(Conflict):
        world.start_action()
