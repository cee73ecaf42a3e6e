"""The duty that places alerts, on each database: what it records, and that it goes on where it was left."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from handrail.domain.alert import ReportedChange
from handrail.domain.candidate import DismissCandidate
from handrail.domain.incident import Incident
from handrail.kernel.errors import BrokenInvariant
from handrail.kernel.limits import LIMITS
from handrail.operations.shell import Tx
from handrail.plugins.integrations.contract import Parsed
from handrail.signals.correlator import Correlator
from handrail.store import tables
from tests.signals.duty import FIRING, RESOLVED, SHOP, Duty
from tests.signals.intake import parsed, run, said


def entries(duty: Duty, kind: str) -> list[Any]:
    return [json.loads(row.body) for row in duty.desk.rows(tables.entry) if row.type == kind]


def test_a_storm_opens_one_candidate_with_a_reason_for_each_alert(duty: Duty) -> None:
    ids = [duty.fire(key) for key in ("payments-1", "orders-1", "storefront-1", "payments-2")]
    assert duty.place() == 4
    candidate = duty.candidate()
    assert [member.alert_id for member in candidate.members] == ids
    assert all(member.reason for member in candidate.members)
    assert candidate.services == ("orders", "payments", "storefront")
    assert (candidate.suggested_severity, candidate.count) == ("SEV1", 4)
    assert candidate.trace == "trace-payments-1"
    assert set(duty.rows().values()) == {(True, candidate.id)}


def test_nothing_new_is_nothing_done(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    before = len(duty.desk.rows(tables.entry))
    assert duty.place() == 0
    assert len(duty.desk.rows(tables.entry)) == before


def test_later_alerts_grow_the_candidate(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    duty.fire("orders-1", "info")
    duty.place()
    candidate = duty.candidate()
    assert (candidate.count, candidate.services) == (2, ("orders", "payments"))
    assert len(entries(duty, "candidate.grown")) == 1


def test_unrelated_services_make_two_candidates(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.fire("office-1")
    duty.place()
    assert len(duty.candidates()) == 2


def test_a_medium_alert_waits_for_a_second_one(duty: Duty) -> None:
    duty.fire("payments-1", "warning")
    assert duty.place() == 0
    assert duty.rows() == {"payments-1": (False, None)}
    duty.fire("orders-1", "warning")
    assert duty.place() == 2
    assert duty.candidate().count == 2


def test_an_alert_that_waited_in_vain_is_left_alone_and_stays_visible(duty: Duty) -> None:
    duty.fire("payments-1", "warning")
    duty.place()
    duty.desk.clock.advance(minutes=11)
    assert duty.place() == 1
    assert duty.rows() == {"payments-1": (True, None)}
    assert (duty.candidates(), duty.desk.alert().status) == ([], FIRING)


def test_alerts_that_wait_do_not_keep_out_the_others(duty: Duty) -> None:
    limits = replace(LIMITS, correlation_batch=4)
    duty.correlator = Correlator(duty.desk.shell, lambda _: SHOP, lambda *_: None, limits)
    for number in range(6):
        duty.fire(f"office-{number}", "info")
    duty.fire("payments-1")
    while duty.place():
        pass
    assert duty.candidate().services == ("payments",)


def test_a_resolve_without_a_trigger_makes_no_candidate(duty: Duty) -> None:
    duty.fire("payments-1", status=RESOLVED)
    assert duty.place() == 0
    assert duty.candidates() == []


def test_flapping_makes_one_candidate_that_grows_no_further(duty: Duty) -> None:
    for _ in range(30):
        duty.fire("payments-1")
        duty.place()
        duty.desk.clock.advance(seconds=19)
        duty.fire("payments-1", status=RESOLVED)
        duty.place()
        duty.desk.clock.advance(seconds=19)
    assert duty.candidate().count == 1
    assert duty.desk.alert().count == 60
    assert len(entries(duty, "candidate.opened")) + len(entries(duty, "candidate.grown")) == 1


def test_an_alert_of_a_live_incident_joins_it_and_names_new_services(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    incident_id = duty.declare(duty.candidate())
    duty.desk.clock.advance(hours=2)
    duty.fire("orders-1")
    duty.place()
    incident: Incident = duty.get("incident", incident_id)
    assert (duty.candidate().count, incident.services) == (2, ("payments", "orders"))


def test_an_incident_whose_alerts_all_resolved_is_told_once(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.fire("orders-1")
    duty.place()
    incident_id = duty.declare(duty.candidate())
    duty.fire("payments-1", status=RESOLVED)
    duty.place()
    assert duty.quiet == []
    duty.fire("orders-1", status=RESOLVED)
    duty.place()
    duty.place()
    assert duty.quiet == [incident_id]


def test_a_candidate_that_nobody_declared_is_never_told_quiet(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    duty.fire("payments-1", status=RESOLVED)
    duty.place()
    assert duty.quiet == []


def test_an_alert_that_fires_again_after_its_incident_closed_opens_a_new_candidate_and_says_so(duty: Duty) -> None:
    alert_id = duty.fire("payments-1")
    duty.place()
    first = duty.candidate()
    incident_id = duty.declare(first)
    duty.fire("payments-1", status=RESOLVED)
    duty.place()
    duty.close_incident(incident_id)
    duty.fire("payments-1")
    duty.place()
    _, second = duty.candidates()
    assert (second.members[0].alert_id, second.status) == (alert_id, "open")
    assert second.members[0].reason.endswith("it fired again after INC-1 was closed.")
    assert duty.rows() == {"payments-1": (True, second.id)}


def test_a_late_word_about_an_alert_of_a_closed_incident_stays_with_it(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    candidate = duty.candidate()
    incident_id = duty.declare(candidate)
    before = duty.desk.clock.now()
    duty.fire("payments-1", status=RESOLVED)
    duty.place()
    duty.close_incident(incident_id)
    late = said("payments-1", service="payments", severity_raw="critical", occurred_at=before, summary="late")
    (result,) = run(duty.desk.ingestor.ingest("plain", parsed(late), "token"))
    assert (str(result.outcome), duty.place()) == ("late", 0)
    assert duty.rows() == {"payments-1": (True, candidate.id)}


def test_an_alert_of_a_dismissed_candidate_is_no_news_while_it_flaps(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    first = duty.candidate()
    duty.change(lambda tx: tx.change("candidate", first.id, DismissCandidate("usr_1", "a test of the pager")))
    duty.fire("payments-1", status=RESOLVED)
    duty.fire("payments-1")
    assert duty.place() == 1
    assert len(duty.candidates()) == 1
    duty.fire("payments-1", status=RESOLVED)
    duty.desk.clock.advance(minutes=20)
    duty.fire("payments-1")
    duty.place()
    assert len(duty.candidates()) == 2


def test_a_recent_change_is_named_in_the_reasons(duty: Duty) -> None:
    change = ReportedChange("d1", "deploy", "payments", "Deploy of payments 2.5.0", raw=b"{}")
    run(duty.desk.ingestor.ingest("plain", Parsed(changes=(change,)), "token"))
    duty.fire("payments-1")
    duty.fire("orders-1")
    duty.place()
    assert "“Deploy of payments 2.5.0”" in duty.candidate().members[1].reason


def test_two_nodes_at_once_place_each_alert_once(duty: Duty) -> None:
    for number in range(20):
        duty.fire(f"payments-{number}")
    others = [duty.another() for _ in range(3)]
    threads = [threading.Thread(target=one.run_once) for one in (duty.correlator, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert duty.candidate().count == 20


def test_a_failed_commit_leaves_nothing_half_done(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    duty.fire("payments-1")

    def fails(self: Tx) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(Tx, "finish", fails)
        with pytest.raises(RuntimeError):
            duty.place()
    assert (duty.rows(), duty.candidates()) == ({"payments-1": (False, None)}, [])
    assert duty.place() == 1


def test_the_duty_wakes_by_a_commit_and_ends_when_told(duty: Duty) -> None:
    opened = threading.Event()

    def listener(committed: Any) -> None:
        if "candidate" in committed.topics:
            opened.set()

    duty.desk.shell.listeners += [duty.correlator.on_commit, listener]
    duty.correlator.start()
    duty.fire("payments-1")
    assert opened.wait(10)
    duty.correlator.stop()
    assert not duty.correlator.is_alive()


def test_a_broken_invariant_ends_the_duty_and_nothing_else_does(
    duty: Duty, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults: Iterator[Exception] = iter([RuntimeError("once"), BrokenInvariant("The stored tree cannot be read.")])
    over = threading.Event()

    def run_once() -> int:
        try:
            raise next(faults)
        except BrokenInvariant:
            over.set()
            raise

    monkeypatch.setattr(duty.correlator, "run_once", run_once)
    monkeypatch.setattr(duty.correlator, "_limits", replace(LIMITS, correlation_idle_seconds=0.01))
    duty.correlator.start()
    assert over.wait(10)
    duty.correlator.stop()
    assert "correlation stops" in caplog.text
    assert "tried again" in caplog.text


def test_the_record_says_when_the_first_symptom_began(duty: Duty) -> None:
    began: datetime = duty.desk.clock.now().replace(second=1)
    duty.fire("payments-1")
    duty.place()
    duty.fire("orders-1")
    duty.place()
    assert duty.candidate().started_at == began


def test_t3_an_incident_is_not_quiet_while_its_alert_flaps(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    duty.declare(duty.candidate())
    for _ in range(3):
        duty.fire("payments-1", status=RESOLVED)
        duty.fire("payments-1")
    duty.fire("payments-1", status=RESOLVED)
    duty.place()
    assert duty.quiet == []
    assert len(duty.candidates()) == 1
    duty.desk.clock.advance(minutes=20)
    duty.place()
    assert duty.quiet == ["inc_1"]
