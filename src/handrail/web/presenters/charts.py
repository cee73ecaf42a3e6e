"""Evidence as it is drawn: series become charts with the change and the symptoms marked, the rest becomes lines."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from handrail.domain.change import Change
from handrail.signals.picture import Picture
from handrail.web.svg import Band, Chart, Marker, Point, Window

_FIRST_SHOWN = 6
_BAR_SECONDS = 60.0


@dataclass(frozen=True)
class Measure:
    """One list of a signal's series and how it is drawn."""

    series: str
    title: str
    unit: str
    factor: float = 1.0


MEASURES: tuple[Measure, ...] = (
    Measure("error_rate", "Failed requests", "% of requests", 100.0),
    Measure("p95_seconds", "p95 latency", "ms", 1000.0),
    Measure("pool_in_use", "Connections in use", "connections"),
)


@dataclass(frozen=True)
class Figure:
    """What a snapshot holds, as far as it can be drawn. `series` has one tuple of points for each measure."""

    kind: str
    source: str
    service: str | None = None
    series: tuple[tuple[Measure, tuple[Point, ...]], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Marks:
    """What is marked on every chart of an incident."""

    change: Change | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None


@lru_cache(maxsize=512)
def read_figure(digest: str, content: bytes) -> Figure:
    """A snapshot read. Snapshots never change, so that each is read once."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return Figure("document", "as it was kept", lines=tuple(content.decode("utf-8", "replace").splitlines()))
    if not isinstance(value, dict):
        return Figure("document", "as it was kept", lines=(json.dumps(value, ensure_ascii=False),))
    told = value.get("signal")
    signal: dict[str, Any] = told if isinstance(told, dict) else value
    series = _series(signal.get("series"))
    if series or isinstance(signal.get("healthy"), bool):
        service = str(signal.get("service") or "")
        return Figure("signal", f"signal of {service}", service, series)
    return _listed(value)


def _listed(value: Mapping[str, Any]) -> Figure:
    rows = [row for row in value.get("rows") or () if isinstance(row, dict)]
    kind = str(value.get("kind") or "document")
    if kind == "alerts":
        return Figure(kind, "alerts as received", lines=tuple(_row_line(row, "starts_at") for row in rows))
    if kind == "changes":
        return Figure(kind, "changes as reported", lines=tuple(_row_line(row, "at") for row in rows))
    if kind == "topology":
        lines = value.get("lines") or ()
        return Figure(kind, "catalogue in force", lines=tuple(str(line) for line in lines))
    return Figure(kind, "as it was kept", lines=(json.dumps(value, ensure_ascii=False)[:400],))


def _row_line(row: Mapping[str, Any], moment: str) -> str:
    return f"{str(row.get(moment, ''))[11:19]}  {row.get('service') or '–'}  {row.get('title', '')}"


def _series(told: Any) -> tuple[tuple[Measure, tuple[Point, ...]], ...]:
    if not isinstance(told, dict) or not isinstance(told.get("t"), list):
        return ()
    try:
        moments = [datetime.fromtimestamp(float(second), UTC) for second in told["t"]]
    except (TypeError, ValueError, OverflowError, OSError):
        return ()
    found = []
    for measure in MEASURES:
        values = told.get(measure.series)
        if not isinstance(values, list) or len(values) != len(moments):
            continue
        points = tuple(
            Point(at, value * measure.factor if isinstance(value, int | float) else None)
            for at, value in zip(moments, values, strict=True)
        )
        if any(point.value for point in points):
            found.append((measure, points))
    return tuple(found)


def charts(figure: Figure, marks: Marks, only: Iterable[str] | None = None) -> tuple[Chart, ...]:
    """A chart for each measured series; `only` names those that are wanted."""
    wanted = None if only is None else set(only)
    return tuple(
        _chart(figure, measure, points, marks)
        for measure, points in figure.series
        if points and (wanted is None or measure.series in wanted)
    )


def _chart(figure: Figure, measure: Measure, points: tuple[Point, ...], marks: Marks) -> Chart:
    title = f"{measure.title} of {figure.service}" if figure.service else measure.title
    return Chart(title, measure.unit, points, None, _window(points, marks), _marker(points, marks.change))


def _window(points: tuple[Point, ...], marks: Marks) -> Window | None:
    first, last = points[0].at, points[-1].at
    if marks.began_at is None or marks.began_at >= last:
        return None
    start, end = max(marks.began_at, first), min(marks.ended_at or last, last)
    return Window(start, end, "symptoms") if end > start else None


def _marker(points: tuple[Point, ...], change: Change | None) -> Marker | None:
    if change is None or not points[0].at <= change.at <= points[-1].at:
        return None
    return Marker(change.at, " ".join(filter(None, [change.service, change.version])) or change.title)


def drawn(picture: Picture) -> Chart | None:
    """A detector's picture as a chart; None where its moments are none."""
    try:
        moments = [datetime.fromtimestamp(second, UTC) for second in picture.times]
        at = datetime.fromtimestamp(picture.at, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    points, low, high = (
        tuple(map(Point, moments, side)) for side in (picture.values, picture.low, picture.high)
    )  # fmt: skip
    step = picture.times[-1] - picture.times[0]
    bar = (step / (len(moments) - 1) if len(moments) > 1 else _BAR_SECONDS) if picture.is_count else None
    return Chart(
        picture.title, picture.unit, points, marker=Marker(at, "found"), band=Band(low, high) if low and high else None,
        bar_seconds=bar,
    )  # fmt: skip


def shown_lines(figure: Figure, quotes: Iterable[str]) -> tuple[tuple[str, bool], ...]:
    """The lines around what is quoted, each with whether it is what is quoted; the first ones where nothing is."""
    cited = [quote for quote in quotes if quote]
    marked = [any(quote in line for quote in cited) for line in figure.lines]
    wanted = {at for at, is_marked in enumerate(marked) if is_marked}
    nearest = sorted(range(len(figure.lines)), key=lambda at: (min((abs(at - w) for w in wanted), default=at), at))
    kept = sorted(wanted | set(nearest[: max(_FIRST_SHOWN - len(wanted), 0)]))
    return tuple((figure.lines[at], marked[at]) for at in kept[: 2 * _FIRST_SHOWN])
