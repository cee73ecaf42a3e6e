"""The page of a detector's alert shows what the detector saw; nobody else's alert does."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from handrail.domain.alert import Alert, AlertStatus, Occurrence, first
from handrail.signals.picture import Picture, written
from handrail.store.alerts import OccurrenceRow
from handrail.web.presenters.alerts import alert_view

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SERIES = Picture("latency", "ms", (1.0, 2.0), (10.0, 90.0), 2.0, (8.0, 8.0), (12.0, 12.0))
COUNTS = Picture("Errors", "lines", (60.0,), (7.0,), 60.0, (0.0,), (2.0,), is_count=True)


def alert(source: str = "handrail") -> Alert:
    said = Occurrence("k", AlertStatus.FIRING, "latency shows a spike")
    return first("alr_1", source, said, "f", "own", NOW)


def row(raw: object, batch: int = 1) -> OccurrenceRow:
    leaf = json.dumps({"received_at": "2026-01-05T09:00:00Z", "status": "firing"})
    return OccurrenceRow(batch, 0, "alr_1", leaf, raw if isinstance(raw, str) else json.dumps(raw))


def shown(*pictures: Picture) -> OccurrenceRow:
    return row({"pictures": [written(one) for one in pictures], "samples": ["<b>refused</b>"]})


def test_the_newest_words_that_hold_pictures_are_drawn() -> None:
    ended = row({"key": "k", "status": "resolved"}, 2)
    seen = alert_view(alert(), [ended, shown(SERIES, COUNTS)]).seen
    assert seen is not None and seen.lines == ("<b>refused</b>",)
    series, counts = seen.charts
    assert series.band is not None and series.bar_seconds is None
    assert series.marker is not None and series.marker.at == datetime.fromtimestamp(2.0, UTC)
    assert counts.bar_seconds == 60.0


def test_what_another_source_calls_a_picture_is_not_drawn() -> None:
    assert alert_view(alert("otel"), [shown(SERIES)]).seen is None


def test_moments_that_are_none_and_words_without_pictures_show_nothing() -> None:
    assert alert_view(alert(), [row("no json"), row({})]).seen is None
    odd = replace(SERIES, times=(1e300, 2e300))
    seen = alert_view(alert(), [row({"pictures": [written(odd)]})]).seen
    assert seen is None
