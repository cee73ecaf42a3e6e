"""Pushed metrics: what is out of the ordinary becomes an alert with a sentence, and ends when it is over."""

import math
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from handrail.domain.metric import MetricKind, MetricPoint
from handrail.kernel.limits import LIMITS
from handrail.signals.watching import Watcher, Watching
from tests.signals.intake import Intake, run

MINUTE = timedelta(minutes=1)


def steady(desk: Intake, count: int, jump: float = 0.0, kind: MetricKind = MetricKind.GAUGE) -> list[MetricPoint]:
    """`count` minutes up to now of a value around 100, the last of it off by `jump`."""
    dice, total, points = random.Random(7), 0.0, []
    for at in range(count):
        value = 100 + dice.gauss(0, 2) + (jump if at == count - 1 else 0.0)
        total += value * 60
        moment = desk.clock.now() - MINUTE * (count - 1 - at)
        said = total if kind is MetricKind.COUNTER else value
        points.append(MetricPoint({"service": "payments", "pod": "p-1"}, "request_seconds", said, moment, kind))
    return points


def watcher(desk: Intake, watching: Watching | None = None) -> Watcher:
    return Watcher(watching or Watching(), desk.shell.database, desk.ingestor, desk.clock)


def test_a_spike_becomes_an_alert_that_says_what_was_expected_and_what_came(desk: Intake) -> None:
    run(watcher(desk).on_points("otel", steady(desk, 600, jump=200.0)))
    alert = desk.alert()
    assert (alert.source, alert.service, alert.severity, alert.status) == ("handrail", "payments", "medium", "firing")
    assert "request_seconds" in alert.title
    assert "Expected about" in alert.summary and "got" in alert.summary
    assert alert.labels["pod"] == "p-1"


def test_steady_values_say_nothing(desk: Intake) -> None:
    run(watcher(desk).on_points("otel", steady(desk, 600)))
    assert desk.alerts() == []


def test_a_counter_is_watched_by_its_rate_and_a_new_beginning_is_no_news(desk: Intake) -> None:
    points = steady(desk, 600, kind=MetricKind.COUNTER)
    again = replace(points[-1], value=3.0, at=points[-1].at + MINUTE)
    desk.clock.advance(seconds=60)
    run(watcher(desk).on_points("otel", [*points, again]))
    assert desk.alerts() == []


def test_the_first_points_of_a_series_say_nothing(desk: Intake) -> None:
    run(watcher(desk).on_points("otel", steady(desk, LIMITS.series_learning_points, jump=500.0)))
    assert desk.alerts() == []


def test_what_is_not_found_again_ends_by_itself_also_after_a_restart(desk: Intake) -> None:
    run(watcher(desk).on_points("otel", steady(desk, 600, jump=200.0)))
    after = Watching()
    after.remember(watcher(desk)._open_before(), desk.clock.now())
    assert after.ended(desk.clock.now()) == ()
    desk.clock.advance(minutes=16)
    (over,) = after.ended(desk.clock.now())
    assert over.dedup_key == desk.alert().dedup_key and over.status == "resolved"
    assert after.ended(desk.clock.now()) == ()


def test_points_that_come_twice_late_or_from_the_future_teach_nothing(desk: Intake) -> None:
    watching = Watching()
    points = steady(desk, 300)
    now = desk.clock.now()
    wild = [replace(points[150], value=1e9), replace(points[-1], value=-1e9)]
    future = replace(points[-1], value=1e9, at=now + timedelta(days=1))
    assert watching.take("otel", points, now) == ()
    assert watching.take("otel", [*wild, future], now) == ()


def test_a_fault_of_a_detector_fails_no_request_that_was_committed(
    desk: Intake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Watching, "take", broken)
    run(watcher(desk).on_points("otel", steady(desk, 3)))
    assert "points of source otel could not be looked at" in caplog.text


def test_too_many_series_are_not_watched_and_those_known_stay(desk: Intake) -> None:
    watching = Watching(replace(LIMITS, series_watched=3))
    now = desk.clock.now()
    points = [MetricPoint({"n": str(n)}, "m", math.pi, now) for n in range(10)]
    watching.take("otel", points, now)
    assert len(watching._series) == 3
    later = now + timedelta(seconds=LIMITS.series_forgotten_seconds)
    watching.take("otel", [MetricPoint({"n": "new"}, "m", 1.0, later)], later)
    assert len(watching._series) == 3 and any(("n", "new") in series[2] for series in watching._series)
