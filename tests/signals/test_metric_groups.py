"""Metrics of one service: what is out of the ordinary at once is one alert that names who moved."""

import json
import random
from collections.abc import Mapping
from datetime import timedelta

from handrail.domain.metric import MetricPoint
from handrail.signals.metric_groups import Found, MetricGroups, Series
from handrail.signals.picture import read
from handrail.signals.watching import Watcher, Watching
from handrail.store import tables
from tests.signals.intake import Intake, run

MINUTE = timedelta(minutes=1)
PAYMENTS = {"service": "payments", "pod": "p-1"}
NAMES = ("errors", "latency", "queue", "cpu")


def minutes(
    desk: Intake, count: int, last: Mapping[str, float], labels: Mapping[str, str] | None = None
) -> list[MetricPoint]:
    """`count` minutes up to now of four metrics around 100, of which some move in the last one."""
    dice, points = random.Random(7), []
    for at in range(count):
        for name in NAMES:
            moved = last.get(name, 0.0) if at == count - 1 else 0.0
            moment = desk.clock.now() - MINUTE * (count - 1 - at)
            points.append(MetricPoint(labels or PAYMENTS, name, 100 + dice.gauss(0, 2) + moved, moment))
    return points


def watcher(desk: Intake, watching: Watching) -> Watcher:
    return Watcher(watching, desk.shell.database, desk.ingestor, desk.clock)


def test_metrics_that_move_at_once_are_one_alert_with_a_picture_of_each(desk: Intake) -> None:
    run(watcher(desk, Watching()).on_points("otel", minutes(desk, 600, {"errors": 200.0, "latency": 300.0})))
    alert = desk.alert()
    assert alert.title == "2 metrics of payments moved together: errors, latency"
    assert (alert.service, alert.resource, alert.severity) == ("payments", "p-1", "high")
    assert alert.summary.count("Expected about") == 2
    (occurrence,) = desk.rows(tables.occurrence)
    assert [picture.title for picture in read(occurrence.raw).pictures] == ["errors", "latency"]
    assert [member["name"] for member in json.loads(occurrence.raw)["members"]] == ["errors", "latency"]


def test_a_metric_that_follows_joins_the_alert_and_that_of_the_first_ends(desk: Intake) -> None:
    watch = watcher(desk, Watching())
    run(watch.on_points("otel", minutes(desk, 600, {"errors": 200.0})))
    assert desk.alert().title == "errors shows a spike"
    desk.clock.advance(seconds=60)
    later = [MetricPoint(PAYMENTS, name, 300.0 if name == "queue" else 100.0, desk.clock.now()) for name in NAMES]
    run(watch.on_points("otel", later))
    status = {alert.title: alert.status.value for alert in desk.alerts()}
    assert status.pop("errors shows a spike") == "resolved"
    ((title, of_group),) = status.items()
    assert of_group == "firing" and "errors" in title and "queue" in title


def test_metrics_that_are_a_little_off_together_are_found_though_none_is_alone(desk: Intake) -> None:
    together = dict.fromkeys(NAMES, 10.0)
    points = minutes(desk, 900, together)
    assert len(Watching().take("otel", [one for one in points if one.name == "cpu"], desk.clock.now())) == 0
    run(watcher(desk, Watching()).on_points("otel", points))
    alert = desk.alert()
    assert alert.title.startswith("4 metrics of payments moved together")
    assert "usual errors above what was expected" in alert.summary
    assert alert.severity == "medium"


def test_services_are_apart_and_series_without_one_go_by_equal_labels(desk: Intake) -> None:
    watch = watcher(desk, Watching())
    run(watch.on_points("otel", minutes(desk, 600, {"errors": 200.0})))
    run(watch.on_points("otel", minutes(desk, 600, {"errors": 200.0}, {"service": "ledger"})))
    assert sorted(alert.title for alert in desk.alerts()) == ["errors shows a spike"] * 2
    run(watch.on_points("otel", minutes(desk, 600, {"cpu": 200.0, "queue": 200.0}, {"rack": "7"})))
    assert "2 metrics of otel moved together: cpu, queue" in {alert.title for alert in desk.alerts()}


def test_what_comes_in_one_batch_but_hours_apart_is_not_together() -> None:
    groups = MetricGroups()

    def found(name: str, at: float) -> Found:
        series: Series = ("otel", name, (("service", "payments"),))
        return Found(series, at, "x")

    alone, together = groups.sort_out([found("a", 0.0), found("b", 7200.0), found("c", 7260.0)])
    assert [one.series[1] for one in alone] == ["a"]
    assert [[one.series[1] for one in members] for members in together.values()] == [["b", "c"]]
    alone, together = groups.sort_out([found("a", 90_000.0)])
    assert [one.series[1] for one in alone] == ["a"] and not together
