"""People correct candidates: split, merge, move, put in. Rows, entries and counts stand together or not at all."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from handrail.domain.alert import AlertStatus
from handrail.domain.candidate import Candidate, Member, OpenCandidate
from handrail.domain.correction import Correction
from handrail.domain.incident import Close, CompleteHalf, Incident, Stage
from handrail.domain.kind import kind_of
from handrail.domain.noun import Tick
from handrail.kernel.errors import Conflict, NotAllowed, NotFound, Refused, Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.operations import candidates, incidents
from handrail.operations.shell import Tx
from handrail.store import alerts, rooms
from handrail.store import candidates as store
from handrail.store.projections import dump, entries, rebuild
from tests.worlds import World, look

WHY = "The mail server is another matter."


def opened(world: World, *keys: str) -> str:
    """A candidate of alerts with these keys, as correlation makes it; each key begins with its service."""
    world.alerts = keys
    world.receive()

    def operation(tx: Tx) -> str:
        known = alerts.load_known(tx.connection, [("estate", key) for key in keys])
        placed = [known["estate", key].alert for key in keys]
        candidate_id = new_id("can")
        members = tuple(
            Member(alert.id, alert.service, alert.title, f"{alert.dedup_key} is near.", 70) for alert in placed
        )
        services = tuple(sorted({alert.service or "" for alert in placed}))
        command = OpenCandidate(
            candidate_id, members, services, "SEV2", "So it seems.", "They fail", world.clock.now(), "trace-1",
            tuple(dict.fromkeys(kind_of(alert) for alert in placed)),
        )  # fmt: skip
        tx.change("candidate", candidate_id, command)
        alerts.mark_correlated(tx.connection, {alert.id: candidate_id for alert in placed})
        return candidate_id

    return world.by_machine(operation)


def get(world: World, candidate_id: str) -> Candidate:
    found: Candidate = look(world.shell, lambda tx: tx.get("candidate", candidate_id))
    return found


def ids(world: World, *keys: str) -> list[str]:
    known = look(world.shell, lambda tx: alerts.load_known(tx.connection, [("estate", key) for key in keys]))
    return [known["estate", key].alert.id for key in keys]


def where(world: World, *keys: str) -> list[str | None]:
    known = look(world.shell, lambda tx: alerts.load_known(tx.connection, [("estate", key) for key in keys]))
    return [known["estate", key].candidate_id for key in keys]


def split(world: World, candidate_id: str, *keys: str) -> Candidate:
    chosen = ids(world, *keys)
    return world.by(
        world.commander, lambda tx: candidates.split(tx, candidate_id, chosen, WHY, world.commander)
    )  # fmt: skip


def move(world: World, candidate_id: str, to: str | None, *keys: str) -> Candidate:
    chosen = ids(world, *keys)
    return world.by(
        world.commander, lambda tx: candidates.move(tx, candidate_id, chosen, to, WHY, world.commander)
    )  # fmt: skip


def merge(world: World, candidate_id: str, into: str) -> Candidate:
    return world.by(
        world.commander, lambda tx: candidates.merge(tx, candidate_id, into, WHY, world.commander)
    )  # fmt: skip


def live(world: World) -> list[Correction]:
    return look(world.shell, lambda tx: store.live_corrections(tx.connection))


def refused(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value


def rebuilt_is_the_same(world: World) -> bool:
    with world.shell.database.write() as connection:
        before = dump(connection)
        rebuild(world.shell.database, connection)
        return dump(connection) == before


def declared(world: World, candidate_id: str) -> Incident:
    return world.by(
        world.commander, lambda tx: incidents.declare(tx, world.commander, "It fails", "SEV1", candidate_id)
    )  # fmt: skip


# Split


def test_chosen_alerts_become_a_candidate_of_their_own(world: World) -> None:
    first = opened(world, "payments-errors", "orders-errors", "mail-queue")
    second = split(world, first, "mail-queue")
    left = get(world, first)
    assert (left.count, left.services, left.status) == (2, ("orders", "payments"), "open")
    assert left.title == "payments and orders: errors (2 alerts)"
    assert "(1 alert)" in second.title and second.services == ("mail",)
    assert (second.status, second.split_from, second.count, second.trace) == ("open", first, 1, None)
    assert where(world, "payments-errors", "orders-errors", "mail-queue") == [first, first, second.id]
    assert [member.title for member in left.members] == ["payments is failing", "orders is failing"]


def test_the_suggested_severity_is_that_of_the_alerts_that_are_left(world: World) -> None:
    first = opened(world, "payments-errors", "mail-queue")
    second = split(world, first, "payments-errors")
    assert second.suggested_severity == "SEV2"
    assert get(world, first).suggested_severity == "SEV3"
    assert get(world, first).severity_reason == "mail has a critical alert and 1 service is hit."


def test_a_member_that_a_person_put_somewhere_says_so_and_keeps_what_the_machine_said(world: World) -> None:
    first = opened(world, "payments-errors", "orders-errors")
    second = split(world, first, "orders-errors")
    (member,) = second.members
    assert (member.reason, member.score) == ("A person put it here. Before: orders-errors is near.", 100)
    merge(world, second.id, first)
    assert get(world, first).members[-1].reason == "A person put it here. Before: orders-errors is near."


def test_who_split_when_and_why_stands_in_the_record_and_can_be_erased(world: World) -> None:
    first = opened(world, "payments-errors", "orders-errors")
    split(world, first, "orders-errors")
    with world.shell.database.read() as connection:
        (entry,) = [one for one in entries(connection, f"candidate/{first}") if one.type == "candidate.alerts_taken"]
    assert (entry.body["by"], entry.personal) == (world.commander.id, {"words": WHY})


def test_splitting_everything_off_is_refused(world: World) -> None:
    first = opened(world, "payments-errors", "orders-errors")
    refusal = refused(lambda: split(world, first, "payments-errors", "orders-errors"))
    assert (refusal.code, where(world, "payments-errors")) == ("nothing_left", [first])


def test_splitting_the_same_alerts_again_is_a_conflict_in_words(world: World) -> None:
    first = opened(world, "payments-errors", "orders-errors", "mail-queue")
    split(world, first, "mail-queue")
    refusal = refused(lambda: split(world, first, "mail-queue"))
    assert refusal.code == "alert_elsewhere"
    assert refusal.detail.startswith("“mail is failing” is not in this candidate any more")


def test_two_people_who_split_at_once_get_one_candidate_and_one_conflict(world: World) -> None:
    first = opened(world, "payments-errors", "orders-errors", "mail-queue")

    def act(_: int) -> str:
        try:
            split(world, first, "mail-queue")
        except Conflict as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        assert Counter(pool.map(act, range(4))) == {"done": 1, "alert_elsewhere": 3}
    assert get(world, first).count == 2


# Move


def test_alerts_move_to_another_candidate(world: World) -> None:
    first, second = opened(world, "payments-errors", "mail-queue"), opened(world, "office-door")
    left = move(world, first, second, "mail-queue")
    there = get(world, second)
    assert (left.id, left.count, left.services) == (first, 1, ("payments",))
    assert (there.count, there.services) == (2, ("mail", "office"))
    assert where(world, "mail-queue") == [second]
    assert there.members[-1].reason.startswith("A person put it here.")
    assert rebuilt_is_the_same(world)


def test_moving_again_what_is_there_already_changes_nothing(world: World) -> None:
    first, second = opened(world, "payments-errors", "mail-queue"), opened(world, "office-door")
    move(world, first, second, "mail-queue")
    size = look(world.shell, lambda tx: tx.writer.size)
    move(world, first, second, "mail-queue")
    assert look(world.shell, lambda tx: tx.writer.size) == size


def test_an_alert_moves_out_of_every_candidate(world: World) -> None:
    first = opened(world, "payments-errors", "mail-queue")
    left = move(world, first, None, "mail-queue")
    assert (left.count, where(world, "mail-queue")) == (1, [None])
    (correction,) = live(world)
    assert (correction.alone, correction.into) == (tuple(ids(world, "mail-queue")), None)


def test_an_alert_that_belongs_to_no_candidate_is_put_into_one(world: World) -> None:
    first = opened(world, "payments-errors", "mail-queue")
    move(world, first, None, "mail-queue")
    chosen = ids(world, "mail-queue", "payments-errors")
    there = world.by(world.commander, lambda tx: candidates.add(tx, first, chosen, WHY, world.commander))
    assert (there.count, there.members[-1].reason, where(world, "mail-queue")) == (2, "A person put it here.", [first])


def test_alerts_move_out_of_a_live_incident_and_from_one_to_another(world: World) -> None:
    first, second = opened(world, "payments-errors", "mail-queue"), opened(world, "office-door")
    declared(world, first)
    incident = declared(world, second)
    move(world, first, second, "mail-queue")
    now: Incident = look(world.shell, lambda tx: tx.get("incident", incident.id))
    assert now.services == ("office", "mail")


@pytest.mark.parametrize("status", ["dismissed", "merged"])
def test_nothing_moves_in_or_out_of_a_candidate_that_is_over(world: World, status: str) -> None:
    first, second = opened(world, "payments-errors", "mail-queue"), opened(world, "office-door")
    third = opened(world, "wiki-slow")
    if status == "dismissed":
        world.by(world.commander, lambda tx: incidents.dismiss(tx, second, WHY, world.commander))
    else:
        merge(world, second, third)
    refusal = refused(lambda: move(world, first, second, "mail-queue"))
    assert (refusal.code, f"is {status} already" in refusal.detail) == ("candidate_decided", True)
    assert refused(lambda: merge(world, first, second)).code == "candidate_decided"
    assert refused(lambda: split(world, second, "office-door")).code == "candidate_decided"


def test_the_alerts_of_a_closed_incident_stay_with_it(world: World) -> None:
    first, second = opened(world, "payments-errors", "mail-queue"), opened(world, "office-door")
    incident = declared(world, second)
    world.by(world.commander, lambda tx: _close(tx, incident.id))
    refusal = refused(lambda: merge(world, first, second))
    assert (refusal.code, refusal.detail) == ("closed", "INC-1 was closed; its alerts stay with it.")


def _close(tx: Tx, incident_id: str) -> None:
    for stage in (Stage.TRIAGE, Stage.CONTAIN, Stage.REMEDIATE, Stage.RECOVER):
        tx.change("incident", incident_id, CompleteHalf(stage, "machine", "usr_x", "by hand"))
        tx.change("incident", incident_id, CompleteHalf(stage, "human", "usr_x", "by hand"))
    tx.change("incident", incident_id, Close("usr_x", 0))


# Merge


def test_a_candidate_is_merged_into_another_with_everything_in_it(world: World) -> None:
    first, second = opened(world, "payments-errors", "orders-errors"), opened(world, "mail-queue")
    target = merge(world, second, first)
    source = get(world, second)
    assert (target.id, target.count, target.services) == (first, 3, ("mail", "orders", "payments"))
    assert (source.status, source.merged_into, source.count) == ("merged", first, 0)
    assert where(world, "mail-queue", "payments-errors") == [first, first]
    assert merge(world, second, first) == target
    assert rebuilt_is_the_same(world)


def test_an_open_candidate_merged_into_an_incident_names_its_services_there(world: World) -> None:
    first, second = opened(world, "payments-errors"), opened(world, "mail-queue")
    incident = declared(world, first)
    merge(world, second, first)
    now: Incident = look(world.shell, lambda tx: tx.get("incident", incident.id))
    assert now.services == ("payments", "mail")
    with world.shell.database.read() as connection:
        assert "candidate.alerts_put" in {one.type for one in rooms.timeline_before(connection, incident.id, None)}


def test_an_incident_is_merged_into_nothing(world: World) -> None:
    first, second = opened(world, "payments-errors"), opened(world, "mail-queue")
    declared(world, first)
    other_way = refused(lambda: merge(world, first, second))
    assert (other_way.code, "INC-1" in other_way.detail) == ("other_way_round", True)
    declared(world, second)
    two = refused(lambda: merge(world, first, second))
    assert two.code == "two_incidents"
    assert two.detail.startswith("INC-1 and INC-2 are two incidents.")
    assert refused(lambda: merge(world, first, first)).code == "into_itself"


# What is refused before anything is looked at


def test_who_may_not_declare_corrects_nothing_and_a_reason_is_always_given(world: World) -> None:
    first = opened(world, "payments-errors", "mail-queue")
    chosen = ids(world, "mail-queue")
    with pytest.raises(NotAllowed):
        world.by(world.outsider, lambda tx: candidates.split(tx, first, chosen, WHY, world.outsider))
    with pytest.raises(Unprocessable, match="Say why"):
        world.by(world.commander, lambda tx: candidates.split(tx, first, chosen, " ", world.commander))


def test_alerts_that_are_none_or_too_many_or_unknown_are_refused(world: World) -> None:
    first = opened(world, "payments-errors", "mail-queue")
    by = world.commander
    for chosen, code in (([], "no_alerts"), ([f"alr_{n}" for n in range(501)], "too_many_alerts")):
        refusal = refused(lambda: world.by(by, lambda tx: candidates.split(tx, first, chosen, WHY, by)))  # noqa: B023
        assert refusal.code == code
    with pytest.raises(NotFound):
        world.by(by, lambda tx: candidates.split(tx, first, ["alr_x"], WHY, by))
    with pytest.raises(NotFound):
        world.by(by, lambda tx: candidates.move(tx, first, ["alr_x"], "can_x", WHY, by))


# What a correction teaches


def test_a_split_teaches_that_these_kinds_belong_apart_for_a_while(world: World) -> None:
    first = opened(world, "payments-errors", "orders-errors", "mail-queue")
    second = split(world, first, "mail-queue")
    (correction,) = live(world)
    assert [kind.words for kind in correction.kinds] == ["“mail is failing” on mail"]
    assert [kind.service for kind in correction.apart_from] == ["payments", "orders"]
    assert (correction.from_id, correction.into, correction.by) == (first, second.id, world.commander.id)
    world.clock.advance(days=91)
    world.by_machine(lambda tx: tx.change("correction", correction.id, Tick()))
    assert live(world) == []


def test_a_merge_teaches_that_these_kinds_belong_together(world: World) -> None:
    first, second = opened(world, "payments-errors"), opened(world, "mail-queue")
    merge(world, second, first)
    (correction,) = live(world)
    assert [kind.service for kind in (*correction.kinds, *correction.together_with)] == ["mail", "payments"]
    assert correction.apart_from == ()


def test_a_kind_on_both_sides_teaches_nothing(world: World) -> None:
    first = opened(world, "payments-1", "payments-2", "payments-3")
    split(world, first, "payments-2")
    assert live(world) == []


def test_a_person_ends_what_a_correction_teaches(world: World) -> None:
    first, second = opened(world, "payments-errors"), opened(world, "mail-queue")
    merge(world, second, first)
    (correction,) = live(world)
    world.by(world.commander, lambda tx: candidates.end_correction(tx, correction.id, world.commander))
    assert live(world) == []
    refusal = refused(
        lambda: world.by(world.commander, lambda tx: candidates.end_correction(tx, correction.id, world.commander))
    )
    assert refusal.code == "correction_ended"


def test_the_oldest_correction_gives_way_when_there_are_as_many_as_may_be(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "LIMITS", replace(LIMITS, corrections_live=2))
    for n in range(4):
        first, second = opened(world, f"a{n}-x"), opened(world, f"b{n}-x")
        merge(world, second, first)
        world.clock.advance(seconds=1)
    assert [one.kinds[0].service for one in live(world)] == ["b2", "b3"]


# Members beyond those that the state holds


def test_the_reason_of_each_member_is_found_however_many_there_are(world: World) -> None:
    keys = [f"payments-{n}" for n in range(230)]
    first, second = opened(world, *keys), opened(world, "office-door")
    last = ids(world, "payments-229")
    with world.shell.database.read() as connection:
        found = store.members(connection, get(world, first), last)
    assert found[last[0]].reason == "payments-229 is near."
    merge(world, first, second)
    with world.shell.database.read() as connection:
        found = store.members(connection, get(world, second), last)
    assert found[last[0]].reason == "A person put it here. Before: payments-229 is near."


def test_a_resolved_alert_moves_as_well_and_the_start_is_that_of_what_is_left(world: World) -> None:
    first = opened(world, "payments-errors")
    began = world.clock.now()
    world.clock.advance(minutes=5)
    second = opened(world, "mail-queue")
    world.receive(AlertStatus.RESOLVED)
    target = merge(world, second, first)
    assert target.started_at == began
    again = split(world, first, "payments-errors")
    assert (again.started_at, get(world, first).started_at) == (began, began + timedelta(minutes=5))
