"""Rows of the fault matrix where the store matters, through the door and on each database: I1 to I9, I14, I15, I17, T3,
T5 and T6. Reading alone decides the rest of I5 to I9 and I17 (`test_ingest_matrix.py`); signatures, I10 to I13 and I16,
stand in `test_signed.py` and `test_each_signature.py`, heartbeats, I18, in `test_heartbeat.py`.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from handrail.domain.alert import AlertStatus, is_flapping
from handrail.domain.people import Person
from handrail.domain.silence import Kind
from handrail.kernel.clock import ManualClock, to_text
from handrail.kernel.limits import LIMITS
from handrail.operations import decisions, silences
from handrail.operations.shell import Shell
from handrail.signals import metrics
from handrail.store import tables
from tests.signals.duty import Duty
from tests.signals.intake import Intake, Reply, opened, run, together

FIRING, RESOLVED = AlertStatus.FIRING, AlertStatus.RESOLVED
ALERT = {"title": "Disk nearly full", "dedup_key": "db-1/disk", "severity": "critical", "service": "payments"}
TOKEN = {"authorization": "Bearer token-plain"}
RESPONDER = Person("usr_1", "person", frozenset({"responder"}))
ROWS = [f"i{number}" for number in range(1, 19)] + ["t3", "t5", "t6"]


@pytest.fixture
def duty(desk: Intake) -> Iterator[Duty]:
    made = Duty(desk)
    yield made
    made.correlator.stop()


def at(desk: Intake, minutes: float) -> str:
    return to_text(desk.clock.now() + timedelta(minutes=minutes))


def post(desk: Intake, **fields: Any) -> dict[str, Any]:
    reply = desk.post("/in/plain", {**ALERT, **fields}, "plain")
    assert reply.status == 202, reply.body
    found: dict[str, Any] = reply.json
    return found


def test_every_row_has_a_test_that_names_it() -> None:
    homes = (Path(__file__).parent, Path(__file__).parents[1] / "plugins" / "integrations")
    texts = [file.read_text() for home in homes for file in sorted(home.glob("test_*.py"))]
    named = {row for text in texts for row in re.findall(r"^def test_([it]\d+)_", text, re.MULTILINE)}
    assert [row for row in ROWS if row not in named] == []


def test_i1_the_same_payload_on_two_connections_at_once_is_one_alert_and_one_duplicate(desk: Intake) -> None:
    counted = metrics.DUPLICATE.labels("plain")
    before, body = counted._value.get(), json.dumps(ALERT).encode()

    async def story() -> list[Reply]:
        return await together(*(desk.call("POST", "/in/plain", [body], TOKEN) for _ in range(2)))

    one, other = run(story())
    assert (one.status, other.status) == (202, 202)
    assert one.json["alerts"] == other.json["alerts"] == [desk.alert().id]
    assert sorted((one.json["duplicate"], other.json["duplicate"])) == [0, 1]
    assert len(desk.rows(tables.occurrence)) == 1
    assert desk.stat("plain").duplicate == 1
    assert counted._value.get() == before + 1


def test_i2_a_resolve_before_its_trigger_ends_resolved_and_shows_both_times(desk: Intake) -> None:
    ended, began = at(desk, -1), at(desk, -5)
    post(desk, status="resolved", ends_at=ended)
    assert desk.alert().status == RESOLVED
    post(desk, status="firing", starts_at=began)
    alert = desk.alert()
    assert (alert.status, to_text(alert.starts_at)) == (RESOLVED, began)
    assert alert.ends_at is not None and to_text(alert.ends_at) == ended
    assert len(desk.rows(tables.occurrence)) == 2


def test_i3_a_resolve_without_any_trigger_is_stored_and_makes_no_incident(duty: Duty) -> None:
    post(duty.desk, status="resolved")
    assert (duty.place(), duty.candidates()) == (0, [])
    (alert,) = duty.desk.alerts(source="plain")
    assert alert.status == RESOLVED
    assert duty.desk.stat("plain").accepted == 1


def test_i4_a_trigger_older_than_the_resolve_does_not_reopen_and_is_recorded_as_late(duty: Duty) -> None:
    desk = duty.desk
    post(desk, status="firing", starts_at=at(desk, -9))
    post(desk, status="resolved", ends_at=at(desk, -2))
    duty.place()
    post(desk, status="firing", starts_at=at(desk, -5), summary="sent again by a slow relay")
    alert = desk.alert()
    assert (alert.status, alert.late) == (RESOLVED, 1)
    assert len(desk.rows(tables.occurrence)) == 3
    assert duty.place() == 0


def test_i5_of_five_hundred_the_malformed_one_is_named_by_index_and_nothing_is_lost(desk: Intake) -> None:
    batch: list[Any] = [{**ALERT, "dedup_key": f"k{number}"} for number in range(500)]
    batch[249] = {"severity": "critical"}
    reply = desk.post("/in/plain", {"alerts": batch}, "plain")
    assert (reply.status, reply.json["accepted"]) == (202, 499)
    (bad,) = reply.json["rejected"]
    assert (bad["index"], bad["code"]) == (249, "alert_title_missing") and bad["reason"]
    assert len(desk.rows(tables.alert)) == len(set(reply.json["alerts"])) == 499
    (kept,) = desk.rows(tables.quarantine)
    assert json.loads(kept.body) == [{"severity": "critical"}]


@pytest.mark.parametrize("declared", [str(LIMITS.inbound_batch_body_bytes + 1), "10", None])
def test_i6_a_body_over_the_limit_is_refused_before_it_is_held_and_counted(desk: Intake, declared: str | None) -> None:
    counted = metrics.REFUSED.labels("body_too_large")
    before, taken = counted._value.get(), 0
    headers = TOKEN | ({"content-length": declared} if declared else {})
    part = b"x" * 64 * 1024
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += len(part)
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/in/plain", "client": None,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    run(desk.app(scope, receive, send))
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert taken <= LIMITS.inbound_batch_body_bytes + len(part)
    assert (counted._value.get() - before, desk.stat("plain").refused) == (1, 1)
    assert desk.rows(tables.alert) == []


def test_i7_what_is_no_json_is_kept_as_it_came_up_to_the_bound(shell: Shell, clock: ManualClock) -> None:
    limits = replace(LIMITS, quarantine_item_bytes=64)
    with opened(shell, clock, limits=limits) as desk:
        for body, code in (
            (b'{"title": "\xff"}', "json_encoding"),
            (b'{"a": 1, "a": 2}' + b" " * 99, "json_duplicate_key"),
        ):
            reply = desk.post("/in/plain", body, "plain")
            assert (reply.status, reply.json["code"]) == (400, code)
        assert sorted(bytes(row.body) for row in desk.rows(tables.quarantine)) == sorted(
            [b'{"title": "\xff"}', b'{"a": 1, "a": 2}' + b" " * 48]
        )


def test_i8_unknown_fields_and_large_ids_stay_exact_from_the_door_to_the_store(desk: Intake) -> None:
    body = b'{"title": 404, "dedup_key": 9007199254740993, "labels": {"id": 9007199254740993}, "new": {"n": 1e300}}'
    assert desk.post("/in/plain", body, "plain").status == 202
    alert = desk.alert()
    assert (alert.title, alert.dedup_key, alert.labels) == ("404", "9007199254740993", {"id": "9007199254740993"})
    assert json.loads(desk.rows(tables.occurrence)[0].raw) == json.loads(body)


def test_i9_a_bomb_of_labels_is_capped_and_the_metrics_have_no_more_of_them_than_before(desk: Intake) -> None:
    post(desk)
    before = _series()
    for number in range(20):
        labels = {f"bomb_{number}_{at}": "x" * 5000 for at in range(200)}
        post(desk, title="t" * 1_000_000, dedup_key=f"k{number}", labels={**labels, "service": "payments"})
    alerts = [alert for alert in desk.alerts() if alert.dedup_key != ALERT["dedup_key"]]
    assert len(alerts) == 20
    assert all(len(alert.labels) == LIMITS.labels_per_alert for alert in alerts)
    assert all(len(alert.title) == LIMITS.title_chars and alert.title.endswith("[truncated]") for alert in alerts)
    assert _series() == before


def _series() -> int:
    return sum(len(metric.samples) for metric in REGISTRY.collect() if metric.name.startswith("handrail_"))


def test_i14_a_storm_is_taken_whole_or_told_to_come_back_and_makes_one_candidate(
    shell: Shell, clock: ManualClock
) -> None:
    limits = replace(LIMITS, source_alerts_per_second=200, source_alerts_burst=1000)
    with opened(shell, clock, limits=limits) as desk:
        replies = []
        for number in range(60):
            batch = [{**ALERT, "dedup_key": f"{number}-{at}"} for at in range(25)]
            replies.append(desk.post("/in/plain", batch, "plain"))
            clock.advance(seconds=0.01)
        quiet = desk.post("/in/events", {"specversion": "1.0", "id": "1", "source": "s", "type": "x.deploy"}, "events")
        duty = Duty(desk)
        while duty.place():
            pass
        taken = sum(reply.json["accepted"] for reply in replies if reply.status == 202)
        told = [reply for reply in replies if reply.status == 429]
        assert len(desk.rows(tables.alert)) == taken == duty.candidate().count > 900
        assert told and all(int(reply.headers["retry-after"]) >= 1 for reply in told)
        assert {reply.status for reply in replies} == {202, 429}
        assert quiet.status == 202
        assert len(duty.candidate().members) < 1000


def test_i15_a_sender_that_leaves_before_the_answer_finds_its_event_stored_once(desk: Intake) -> None:
    body = json.dumps(ALERT).encode()

    async def gone() -> None:
        task = asyncio.create_task(desk.call("POST", "/in/plain", [body], TOKEN))
        while not desk.ingestor._handed_in:
            await asyncio.sleep(0)
        task.cancel()

    run(gone())
    again = desk.post("/in/plain", body, "plain")
    assert (again.status, again.json["duplicate"]) == (202, 1)
    assert (desk.alert().count, len(desk.rows(tables.occurrence))) == (1, 1)


def test_i17_another_vendors_payload_is_refused_in_words_and_kept_and_not_guessed(desk: Intake) -> None:
    grafana = {"receiver": "x", "orgId": 1, "version": "1", "alerts": [{"status": "firing", "labels": {"a": "b"}}]}
    reply = desk.post("/in/prom", grafana, "prom")
    assert (reply.status, reply.json["code"]) == (422, "unexpected_format")
    assert "Grafana" in reply.json["detail"] and "Alertmanager" in reply.json["detail"]
    assert [row.code for row in desk.rows(tables.quarantine)] == ["unexpected_format"]
    assert desk.alerts() == []


def test_t3_an_hour_of_flapping_is_one_incident_damped_with_its_count(duty: Duty) -> None:
    for turn in range(180):
        duty.fire("payments-1", status=FIRING if turn % 2 == 0 else RESOLVED)
        duty.desk.clock.advance(seconds=19)
        if turn % 10 == 0:
            duty.place()
    duty.place()
    alert = duty.desk.alert()
    assert (alert.count, alert.turns, alert.late) == (180, 179, 0)
    assert is_flapping(alert, duty.desk.clock.now())
    assert duty.candidate().count == 1
    duty.desk.clock.advance(hours=1)
    assert not is_flapping(alert, duty.desk.clock.now())


@pytest.mark.parametrize("kind", ["silence", "maintenance"])
def test_t5_an_alert_of_a_silenced_or_maintained_service_is_recorded_and_opens_nothing(duty: Duty, kind: Kind) -> None:
    ends_at = duty.desk.clock.now() + timedelta(hours=1)
    made = duty.change(
        lambda tx: silences.add(tx, kind, ["service=payments"], None, ends_at, "planned work", RESPONDER)
    )
    duty.fire("payments-1")
    duty.fire("office-1")
    while duty.place():
        pass
    assert duty.candidate().services == ("office",)
    assert duty.rows()["payments-1"] == (True, None)
    assert len(duty.desk.rows(tables.occurrence)) == 2
    duty.desk.clock.advance(hours=1, seconds=1)
    duty.change(lambda tx: decisions.tick(tx, "silence", made.id))
    while duty.place():
        pass
    assert {one.services for one in duty.candidates()} == {("office",), ("payments",)}


def test_t6_an_alert_that_fires_again_after_its_incident_closed_starts_anew_and_says_which(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    incident_id = duty.declare(duty.candidate())
    duty.fire("payments-1", status=RESOLVED)
    duty.place()
    duty.close_incident(incident_id)
    duty.fire("payments-1")
    duty.place()
    first, second = duty.candidates()
    assert (first.status, second.status) == ("declared", "open")
    assert "it fired again after INC-1 was closed" in second.members[0].reason
    assert duty.get("incident", incident_id).closed_at is not None


def test_t6_a_late_word_about_an_alert_of_a_closed_incident_is_attached_to_it_and_reopens_nothing(duty: Duty) -> None:
    duty.fire("payments-1")
    duty.place()
    candidate, before = duty.candidate(), duty.desk.clock.now()
    incident_id = duty.declare(candidate)
    duty.fire("payments-1", status=RESOLVED)
    duty.place()
    duty.close_incident(incident_id)
    late = {"title": "payments-1 fails", "dedup_key": "payments-1", "status": "firing", "summary": "from a slow relay"}
    reply = duty.desk.post("/in/plain", {**late, "occurred_at": to_text(before)}, "plain")
    assert (reply.status, duty.place()) == (202, 0)
    alert = duty.desk.alert()
    assert (alert.status, alert.late) == (RESOLVED, 1)
    assert duty.rows() == {"payments-1": (True, candidate.id)}
    assert len(duty.candidates()) == 1
