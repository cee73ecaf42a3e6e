"""Documents change through their gate; incidents are declared, signed ready, closed and reviewed by those who may."""

from datetime import timedelta

import pytest

from handrail.domain.document import Document
from handrail.domain.incident import Stage
from handrail.domain.review import Review
from handrail.kernel.errors import Conflict, NotAllowed, NotFound, Unprocessable
from handrail.operations import decisions, documents, incidents, reviews
from tests.worlds import World, add_person, catalog_text, look


def document(world: World, name: str) -> Document:
    found: Document = look(world.shell, lambda tx: tx.get("document", name))
    return found


def test_a_changed_document_waits_for_a_second_person(world: World) -> None:
    manager = add_person(world.shell, "manager", ("manager",))
    changed = catalog_text(owner="team-other")
    proposed = world.by(world.owner, lambda tx: documents.propose(tx, changed, world.owner))
    assert proposed.draft is not None and proposed.draft.gate_id is not None
    assert (proposed.version, proposed.draft.version) == (1, 2)
    gate_id = proposed.draft.gate_id
    for person in (world.owner, world.commander, world.outsider):
        with pytest.raises(NotAllowed):
            world.vote(gate_id, person)
    assert look(world.shell, documents.load_catalog).services["payments"].owner == "team-payments"
    world.vote(gate_id, manager)
    assert document(world, "catalog.default").version == 2
    assert look(world.shell, documents.load_catalog).services["payments"].owner == "team-other"


def test_a_rejected_or_withdrawn_draft_changes_nothing_and_leaves_room_for_the_next(world: World) -> None:
    manager = add_person(world.shell, "manager", ("manager",))
    for text, ending in ((catalog_text(owner="a"), "reject"), (catalog_text(owner="b"), "withdraw")):
        proposed = world.by(world.owner, lambda tx, said=text: documents.propose(tx, said, world.owner))  # type: ignore[misc]
        assert proposed.draft is not None and proposed.draft.gate_id is not None
        gate_id = proposed.draft.gate_id
        with pytest.raises(Conflict, match="already waits"):
            world.by(world.owner, lambda tx: documents.propose(tx, catalog_text(owner="c"), world.owner))
        if ending == "reject":
            world.vote(gate_id, manager, "reject")
        else:
            world.by(world.owner, lambda tx, at=gate_id: decisions.withdraw(tx, at, "A mistake.", world.owner))  # type: ignore[misc]
        held = document(world, "catalog.default")
        assert (held.version, held.draft) == (1, None)


def test_a_document_with_faults_changes_nothing_and_opens_no_gate(world: World) -> None:
    with pytest.raises(Unprocessable) as refusal:
        world.by(world.owner, lambda tx: documents.propose(tx, "kind: policy\nrules: [{name: a}, 5]", world.owner))
    assert len(refusal.value.faults) >= 2
    assert document(world, "policy.default").draft is None


def test_the_same_text_again_is_no_change(world: World) -> None:
    again = world.by(world.owner, lambda tx: documents.propose(tx, catalog_text(), world.owner))
    assert (again.version, again.draft) == (1, None)


def test_without_the_permission_no_document_is_proposed(world: World) -> None:
    for person in (world.commander, world.outsider):
        with pytest.raises(NotAllowed):
            world.by(person, lambda tx, who=person: documents.propose(tx, catalog_text(owner="x"), who))  # type: ignore[misc]


def test_who_declares_commands_and_an_observer_cannot_declare(world: World) -> None:
    world.open_candidate()
    with pytest.raises(NotAllowed):
        world.by(world.outsider, lambda tx: incidents.declare(tx, world.outsider, "x", "SEV1", world.candidate_id))
    world.declare()
    incident = world.incident
    assert incident.roles == {"commander": world.commander.id}
    assert incident.started_at == world.clock.now() - timedelta(minutes=2)
    assert (incident.suggested_severity, incident.services) == ("SEV1", ("orders", "payments", "storefront"))
    assert world.candidate().status == "declared"


def test_a_candidate_is_dismissed_with_a_reason_and_then_no_longer_declared(world: World) -> None:
    world.open_candidate()
    with pytest.raises(Unprocessable):
        world.by(world.commander, lambda tx: incidents.dismiss(tx, world.candidate_id, " ", world.commander))
    world.by(world.commander, lambda tx: incidents.dismiss(tx, world.candidate_id, "A test.", world.commander))
    with pytest.raises(Conflict, match="dismissed already"):
        world.declare()


def test_every_stage_can_be_completed_by_hand(world: World) -> None:
    """Without analyst, engine, channels and alerts: people do the machine's halves too."""
    world.declare()
    for stage in ("triage", "contain", "remediate", "recover"):
        for half in ("machine", "human"):
            if (stage, half) == ("recover", "human"):
                continue
            world.by(
                world.commander,
                lambda tx, s=stage, h=half: incidents.complete_half(  # type: ignore[misc]
                    tx, world.incident_id, s, h, "Done by hand.", world.commander
                ),
            )
    assert world.incident.half(Stage.RECOVER, "human") is None
    world.vote(world.ask_readiness().id)
    world.close()
    world.accept_review()
    assert world.incident.stage == Stage.CLOSED


@pytest.mark.parametrize("half", [("recover", "human"), ("detect", "human"), ("review", "human")])
def test_a_half_that_has_its_own_act_is_not_passed_by_hand(world: World, half: tuple[str, str]) -> None:
    world.declare()
    with pytest.raises(Conflict, match="its own act"):
        world.by(
            world.commander,
            lambda tx: incidents.complete_half(tx, world.incident_id, half[0], half[1], "x", world.commander),  # type: ignore[arg-type]
        )


def test_an_incident_is_not_closed_before_its_readiness_its_tasks_and_its_stages(world: World) -> None:
    world.to_gate()
    with pytest.raises(Conflict, match="not signed off"):
        world.close()
    world.vote(world.ask_readiness().id)
    with pytest.raises(Conflict, match="still open"):
        world.close()
    assert world.incident.closed_at is None


def test_readiness_is_asked_once_and_signed_by_the_services_owner_alone(world: World) -> None:
    world.to_gate()
    gate = world.ask_readiness()
    assert gate.content["service"] == "payments"
    with pytest.raises(Conflict, match="asked for already"):
        world.ask_readiness()
    for person in (world.commander, world.member, world.outsider):
        with pytest.raises(NotAllowed):
            world.vote(gate.id, person)
    world.vote(gate.id)
    assert world.incident.half(Stage.RECOVER, "human") is not None


def test_the_review_is_compiled_from_the_record_and_stays_once_accepted(world: World) -> None:
    world.whole()
    review: Review = look(world.shell, lambda tx: tx.get("review", world.review_id))
    assert review.status == "accepted"
    assert [gate["ended"] for gate in review.compiled["gates"]] == ["satisfied"] * 4
    assert review.compiled["times"]["mitigate_seconds"] == 127
    assert review.compiled["acts"]["person"]["gate.voted"] == 4
    assert {message["audience"] for message in review.compiled["messages"]} == {"teams", "executives"}
    with pytest.raises(Conflict, match="accepted"):
        world.by(world.member, lambda tx: reviews.edit(tx, world.review_id, "summary", "Other.", world.member))


def test_notes_can_be_added_to_a_closed_incident_and_nothing_else(world: World) -> None:
    world.whole()
    world.by(world.member, lambda tx: incidents.add_note(tx, world.incident_id, "A correction.", world.member))
    with pytest.raises(Conflict, match="was closed"):
        world.by(
            world.commander,
            lambda tx: incidents.change_severity(tx, world.incident_id, "SEV2", "x", world.commander),
        )


def test_a_role_is_given_to_active_people_alone(world: World) -> None:
    world.declare()
    robot = add_person(world.shell, "robot", ("machine",))
    for account_id in (robot.id, "usr_nobody"):
        with pytest.raises(NotFound):
            world.by(
                world.commander,
                lambda tx, who=account_id: incidents.give_role(tx, world.incident_id, "scribe", who, world.commander),  # type: ignore[misc]
            )
    with pytest.raises(Unprocessable):
        world.by(
            world.commander,
            lambda tx: incidents.give_role(tx, world.incident_id, "king", world.member.id, world.commander),
        )
