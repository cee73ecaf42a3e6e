"""The duty with a memory, on each database: corrections hold, incidents teach, slow alerts are looked at again."""

from datetime import timedelta
from typing import Any

from handrail.domain.alert import AlertStatus
from handrail.domain.candidate import Candidate
from handrail.domain.people import Person
from handrail.operations import candidates, incidents
from handrail.operations.shell import Tx
from handrail.store import candidates as store
from tests.signals.duty import FIRING, RESOLVED, Duty

CORA = Person("usr_cora", "person", frozenset({"responder"}))


def split(duty: Duty, candidate: Candidate, *alert_ids: str) -> Candidate:
    found: Candidate = duty.change(lambda tx: candidates.split(tx, candidate.id, alert_ids, "another matter", CORA))
    return found


def merge(duty: Duty, candidate: Candidate, into: Candidate) -> None:
    duty.change(lambda tx: candidates.merge(tx, candidate.id, into.id, "one cause", CORA))


def dismiss(duty: Duty, candidate: Candidate) -> None:
    duty.change(lambda tx: incidents.dismiss(tx, candidate.id, "over", CORA))


def forget_corrections(duty: Duty) -> None:
    def operation(tx: Tx) -> None:
        for correction in store.live_corrections(tx.connection):
            candidates.end_correction(tx, correction.id, CORA)

    duty.change(operation)


def reason(duty: Duty, alert_id: str) -> str:
    (found,) = [
        member.reason for one in duty.candidates() for member in one.members if member.alert_id == alert_id
    ]  # fmt: skip
    return found


def where(duty: Duty, key: str) -> Any:
    return duty.rows()[key][1]


def outage(duty: Duty, *keys: str) -> str:
    """A whole incident with these alerts, from the first to the closing."""
    for key in keys:
        duty.fire(key)
    duty.place()
    first, *others = [one for one in duty.candidates() if one.status == "open"]
    for other in others:
        merge(duty, other, first)
    incident = duty.change(lambda tx: incidents.declare(tx, CORA, "It fails", "SEV2", first.id))
    for key in keys:
        duty.fire(key, status=RESOLVED)
    duty.place()
    duty.close_incident(incident.id)
    duty.desk.clock.advance(hours=5)
    return str(incident.id)


def test_an_alert_that_fires_again_stays_where_a_person_put_it(duty: Duty) -> None:
    duty.fire("payments-1")
    moved = duty.fire("orders-1")
    duty.place()
    second = split(duty, duty.candidate(), moved)
    duty.fire("orders-1", status=RESOLVED)
    duty.fire("orders-1")
    assert duty.place() == 1
    assert where(duty, "orders-1") == second.id


def test_a_later_alert_of_the_same_kind_goes_where_a_person_put_the_first(duty: Duty) -> None:
    duty.fire("payments-1")
    moved = duty.fire("orders-1", labels={"alertname": "Door"})
    duty.place()
    second = split(duty, duty.candidate(), moved)
    later = duty.fire("orders-2", labels={"alertname": "Door"})
    duty.place()
    assert where(duty, "orders-2") == second.id
    today = duty.desk.clock.now()
    assert f"a person put such an alert here on {today.day} {today:%B %Y}" in reason(duty, later)
    other = duty.fire("orders-3", labels={"alertname": "Slow"})
    duty.place()
    assert "a person" not in reason(duty, other)


def test_the_next_storm_keeps_apart_what_a_person_took_apart(duty: Duty) -> None:
    duty.fire("payments-1")
    moved = duty.fire("orders-1", labels={"alertname": "Door"})
    duty.place()
    second = split(duty, duty.candidate(), moved)
    for one in duty.candidates():
        dismiss(duty, one)
    for key in ("payments-1", "orders-1"):
        duty.fire(key, status=RESOLVED)
    duty.desk.clock.advance(hours=3)
    duty.fire("payments-9")
    duty.fire("orders-9", labels={"alertname": "Door"})
    duty.place()
    assert second.id not in (where(duty, "payments-9"), where(duty, "orders-9"))
    assert where(duty, "payments-9") != where(duty, "orders-9")


def test_an_alert_that_was_taken_out_of_everything_stays_out_for_a_day(duty: Duty) -> None:
    duty.fire("payments-1")
    moved = duty.fire("orders-1")
    duty.place()
    first = duty.candidate()
    duty.change(lambda tx: candidates.move(tx, first.id, [moved], None, "a test of ours", CORA))
    for _ in range(2):
        duty.fire("orders-1", status=RESOLVED)
        duty.fire("orders-1")
        duty.place()
        assert where(duty, "orders-1") is None
    duty.fire("orders-1", status=RESOLVED)
    duty.desk.clock.advance(hours=25)
    duty.fire("orders-1")
    duty.place()
    assert where(duty, "orders-1") not in (None, first.id)


def test_what_is_merged_stays_together_when_it_fires_again(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.fire("office-1")
    duty.place()
    first, second = duty.candidates()
    merge(duty, second, first)
    duty.fire("office-1", status=RESOLVED)
    duty.fire("office-1")
    duty.place()
    assert where(duty, "office-1") == first.id
    later = duty.fire("office-2")
    duty.place()
    assert where(duty, "office-2") == first.id
    assert reason(duty, later)


def test_incidents_teach_what_comes_together_and_the_reason_tells_how_often(duty: Duty) -> None:
    for _ in range(3):
        outage(duty, "payments-1", "office-1")
    forget_corrections(duty)
    duty.fire("payments-1")
    alert_id = duty.fire("office-1")
    duty.place()
    assert where(duty, "payments-1") == where(duty, "office-1")
    member = next(one for one in duty.candidates()[-1].members if one.alert_id == alert_id)
    assert member.reason.startswith("In 3 of 3 earlier incidents both came together; 1 s apart; it fired again after")


def test_incidents_that_are_open_teach_nothing_yet(duty: Duty) -> None:
    outage(duty, "payments-1", "office-1")
    outage(duty, "payments-1", "office-1")
    forget_corrections(duty)
    duty.fire("payments-1")
    duty.fire("office-1")
    duty.place()
    assert where(duty, "payments-1") != where(duty, "office-1")


def test_a_slow_alert_that_had_no_company_joins_the_candidate_that_it_led_to(duty: Duty) -> None:
    slow = duty.fire("payments-disk", "medium")
    duty.place()
    duty.desk.clock.advance(minutes=11)
    assert duty.place() == 1
    assert where(duty, "payments-disk") is None
    duty.desk.clock.advance(minutes=29)
    duty.fire("orders-1")
    assert duty.place() == 1
    assert duty.place() == 1
    assert where(duty, "payments-disk") == duty.candidate().id
    assert "it had been firing for 40 min by then and still is" in reason(duty, slow)
    assert duty.place() == 0


def test_a_slow_alert_of_another_matter_or_that_is_over_is_left_where_it_is(duty: Duty) -> None:
    duty.fire("office-disk", "medium")
    duty.fire("payments-disk", "medium")
    duty.desk.clock.advance(minutes=11)
    duty.place()
    duty.fire("payments-disk", status=AlertStatus.RESOLVED)
    duty.fire("orders-1")
    while duty.place():
        pass
    assert (where(duty, "office-disk"), where(duty, "payments-disk")) == (None, None)
    assert duty.candidate().count == 1


def test_kinds_are_remembered_with_when_each_came(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    began = duty.desk.clock.now()
    duty.desk.clock.advance(minutes=2)
    duty.fire("orders-1", status=FIRING)
    duty.place()
    seen = duty.candidate().kinds
    assert [one.kind.service for one in seen] == ["payments", "orders"]
    assert seen[1].first_at - seen[0].first_at == timedelta(minutes=2, seconds=1) and seen[0].first_at == began
