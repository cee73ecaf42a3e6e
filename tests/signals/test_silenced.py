"""Matrix T5: what a silence or a maintenance window covers is recorded and does not page; what still fires is placed
when it ends. On each database."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from handrail.domain.people import Person
from handrail.domain.silence import Silence
from handrail.operations import decisions, silences
from handrail.operations.shell import Tx
from handrail.store import tables
from tests.signals.duty import RESOLVED, Duty
from tests.signals.intake import Intake
from tests.signals.test_correlator import entries

RESPONDER = Person("usr_1", "person", frozenset({"responder"}))


@pytest.fixture
def duty(desk: Intake) -> Iterator[Duty]:
    made = Duty(desk)
    yield made
    made.correlator.stop()


def silence(duty: Duty, *conditions: str, minutes: int = 60) -> Silence:
    def operation(tx: Tx) -> Silence:
        return silences.add(
            tx, "silence", conditions, None, tx.now + timedelta(minutes=minutes), "planned work", RESPONDER
        )

    made: Silence = duty.change(operation)
    return made


def test_a_silenced_alert_is_stored_and_opens_no_candidate(duty: Duty) -> None:
    silence(duty, "service=payments")
    duty.fire("payments-1")
    assert duty.place() == 1
    assert duty.candidates() == []
    assert duty.rows() == {"payments-1": (True, None)}
    assert duty.place() == 0


def test_other_alerts_are_not_held_back(duty: Duty) -> None:
    silence(duty, "service=payments")
    duty.fire("payments-1")
    duty.fire("office-1")
    duty.place()
    assert duty.candidate().services == ("office",)


def test_what_still_fires_when_it_ends_is_placed_and_what_is_quiet_is_not(duty: Duty) -> None:
    made = silence(duty, "service=payments")
    duty.fire("payments-1")
    duty.fire("payments-2")
    duty.place()
    duty.fire("payments-2", status=RESOLVED)
    duty.desk.clock.advance(minutes=61)
    duty.change(lambda tx: decisions.tick(tx, "silence", made.id))
    assert duty.place() > 0
    while duty.place():
        pass
    assert [member.title for member in duty.candidate().members] == ["payments-1 fails"]
    assert duty.candidate().count == 1
    assert duty.get("silence", made.id).status == "over"
    (released,) = entries(duty, "silence.released")
    assert released["alerts"] == 1


def test_a_person_ends_it_early(duty: Duty) -> None:
    made = silence(duty, "service=payments")
    duty.fire("payments-1")
    duty.place()
    duty.change(lambda tx: silences.end(tx, made.id, RESPONDER))
    duty.place()
    assert duty.candidate().count == 1


def test_a_silence_takes_nothing_out_of_what_people_look_at(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    silence(duty, "service=payments")
    duty.fire("payments-1", status=RESOLVED)
    duty.fire("payments-1")
    duty.place()
    assert duty.rows()["payments-1"] == (True, duty.candidate().id)


def test_shelving_holds_one_alert_alone(duty: Duty) -> None:
    first = duty.fire("payments-1")
    duty.change(lambda tx: silences.shelve(tx, first, timedelta(minutes=30), "vendor", RESPONDER))
    second = duty.fire("payments-2")
    duty.place()
    assert [member.alert_id for member in duty.candidate().members] == [second]


def test_who_silenced_it_and_until_when_is_in_the_record(duty: Duty) -> None:
    made = silence(duty, "service=payments")
    (body,) = entries(duty, "silence.added")
    assert (body["by"], body["what"]) == ("usr_1", "silence")
    assert "reason" not in body
    rows = duty.desk.rows(tables.timer)
    assert [row.id for row in rows if row.kind == "silence"] == [made.id]
