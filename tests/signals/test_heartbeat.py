"""Matrix I18: a heartbeat source that goes silent is an alert after its period, which resolves itself on return."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from handrail.domain.alert import AlertStatus
from handrail.domain.metric import MetricPoint
from handrail.domain.source import AddSource, SetHeartbeat, Source, decide
from handrail.kernel.clock import to_text
from handrail.kernel.errors import Unprocessable
from handrail.operations.shell import HANDRAIL
from handrail.plugins.integrations.contract import Parsed
from handrail.signals.heartbeat import Heartbeats, due
from tests.signals.intake import Intake, run

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PROM = Source("src_1", "prom", "alertmanager", NOW, heartbeat_seconds=60, heartbeat_set_at=NOW)
NOBODY: frozenset[str] = frozenset()


def test_silence_for_its_period_is_an_alert_and_a_second_less_is_not() -> None:
    seen = {"prom": NOW + MINUTE}
    assert due([PROM], seen, NOBODY, NOW, NOW + 2 * MINUTE) == ()
    (said,) = due([PROM], seen, NOBODY, NOW, NOW + 2 * MINUTE + timedelta(seconds=1))
    assert said.status == AlertStatus.FIRING
    assert "expected every 60 s" in said.summary and "last heard 2026-11-24T03:01" in said.summary


def test_a_source_that_was_never_heard_counts_from_when_it_was_expected() -> None:
    (said,) = due([PROM], {}, NOBODY, NOW, NOW + 2 * MINUTE)
    assert "never heard" in said.summary


def test_time_during_which_this_program_was_down_is_nobody_s_silence() -> None:
    assert due([PROM], {"prom": NOW}, NOBODY, NOW + 60 * MINUTE, NOW + 60.5 * MINUTE) == ()


def test_on_return_the_alert_ends_and_so_it_does_when_no_heartbeat_is_expected_any_more() -> None:
    silent = frozenset({"prom"})
    later = NOW + 9 * MINUTE
    (back,) = due([PROM], {"prom": later}, silent, NOW, later)
    assert back.status == AlertStatus.RESOLVED
    for ended in (replace(PROM, heartbeat_seconds=None), replace(PROM, removed_at=later)):
        (said,) = due([ended], {}, silent, NOW, later)
        assert said.status == AlertStatus.RESOLVED


def test_what_is_said_already_is_not_said_again() -> None:
    assert due([PROM], {}, frozenset({"prom"}), NOW, NOW + 9 * MINUTE) == ()


@pytest.mark.parametrize("seconds", [0, -1, 9, 604_801])
def test_a_period_out_of_bounds_is_refused(seconds: int) -> None:
    assert isinstance(decide(PROM, SetHeartbeat(seconds, "usr_1"), NOW), Unprocessable)


@pytest.mark.parametrize("name", ["handrail", "open"])
def test_nobody_takes_a_name_of_our_own(name: str) -> None:
    refused = decide(None, AddSource("src_2", name, "generic", frozenset({"generic"}), "usr_1"), NOW)
    assert isinstance(refused, Unprocessable) and refused.code == "bad_name"


def test_a_source_that_only_pushes_metrics_is_heard(desk: Intake) -> None:
    point = MetricPoint({"service": "payments"}, "up", 1.0, desk.clock.now())
    assert run(desk.ingestor.ingest("plain", Parsed(points=(point,)), "token")) == []
    assert desk.stat("plain").last_seen == to_text(desk.clock.now())
    assert desk.stat("plain").accepted == 0


def test_i18_a_source_that_goes_silent_is_an_alert_that_ends_itself_on_return(desk: Intake) -> None:
    source_id = desk.tokens["plain"][0]
    desk.shell.transact(HANDRAIL, lambda tx: tx.change("source", source_id, SetHeartbeat(60, "usr_1")))
    duty = Heartbeats(desk.shell.database, desk.ingestor, desk.clock, desk.clock.now())
    assert run(duty.once()) == 0
    desk.clock.advance(seconds=61)
    assert run(duty.once()) == 1
    assert run(duty.once()) == 0
    silent = desk.alert()
    assert (silent.source, silent.status, silent.title) == ("handrail", "firing", "Source plain is silent")
    assert desk.post("/in/plain", {"title": "x"}, "plain").status == 202
    assert run(duty.once()) == 1
    assert {alert.title: alert.status for alert in desk.alerts()}["Source plain is silent"] == "resolved"
