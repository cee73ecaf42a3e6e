"""Server-made drawings: sparkline, time series with its marks, confidence bar. The run graph is in `run_graph`.

Pure: values in, markup out. Every text is escaped by `Markup.format`; looks come from classes in handrail.css only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor, isfinite, log10

from markupsafe import Markup

WIDTH, HEIGHT = 440, 164
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 22, 22
POINTS_MAX = 240
SECONDS_SHOWN_BELOW = 900


@dataclass(frozen=True)
class Point:
    """One measurement; `value` None is a gap."""

    at: datetime
    value: float | None


@dataclass(frozen=True)
class Threshold:
    value: float
    label: str


@dataclass(frozen=True)
class Window:
    """The part of the chart that a claim is about."""

    start: datetime
    end: datetime
    label: str


@dataclass(frozen=True)
class Marker:
    """A moment that matters, such as a release."""

    at: datetime
    label: str


@dataclass(frozen=True)
class Band:
    """What was expected of the points, one pair for each."""

    low: tuple[Point, ...]
    high: tuple[Point, ...]


@dataclass(frozen=True)
class Chart:
    """One series over time. `unit` stands at the top of the axis, for example `ms` or `% errors`.

    `bar_seconds`: each point is a count over so many seconds from its moment on, drawn as a bar.
    """

    title: str
    unit: str
    points: tuple[Point, ...]
    threshold: Threshold | None = None
    window: Window | None = None
    marker: Marker | None = None
    band: Band | None = None
    bar_seconds: float | None = None


@dataclass(frozen=True)
class _Frame:
    """Where values and moments fall on the drawing."""

    start: datetime
    seconds: float
    low: float
    high: float

    def x(self, at: datetime) -> float:
        share = (at - self.start).total_seconds() / self.seconds
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - min(max(share, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM), 1)


def time_series(chart: Chart) -> Markup:
    """The chart with axes, threshold line, marked window and change marker; a sentence instead when it is empty."""
    points = thin(chart.points)
    if not known(points):
        return Markup('<p class="chart-empty">No measurements in this window.</p>')
    frame = _frame(points, chart)
    parts = [
        _grid(frame),
        _window(frame, chart.window),
        _band(frame, chart.band, chart.bar_seconds),
        *(_lines(frame, points) if chart.bar_seconds is None else _bars(frame, points, chart)),
        _threshold(frame, chart.threshold),
        _marker(frame, chart.marker),
        Markup('<text class="chart-unit" x="{}" y="{}">{}</text>').format(2, 11, chart.unit),
    ]
    said = describe(chart)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}</svg>').format(
        WIDTH, HEIGHT, said, said, Markup("").join(parts)
    )


def describe(chart: Chart) -> str:
    """The chart in words, for who cannot see it."""
    measured = known(chart.points)
    if not measured:
        return f"{chart.title}: no measurements."
    peak = max(measured, key=lambda pair: pair[1])
    least = min(measured, key=lambda pair: pair[1])
    most = f"{number(peak[1])} {chart.unit}".rstrip()
    said = (
        f"{chart.title}, {measured[0][0]:%H:%M} to {measured[-1][0]:%H:%M} UTC: from {number(least[1])} to "
        f"{most}, highest at {peak[0]:%H:%M:%S}, last {number(measured[-1][1])}."
    )
    if chart.threshold:
        said += f" Threshold {number(chart.threshold.value)} ({chart.threshold.label})."
    if chart.marker:
        said += f" {chart.marker.label} at {chart.marker.at:%H:%M:%S}{_expected(chart)}."
    if chart.window:
        said += f" Marked: {chart.window.label}, {chart.window.start:%H:%M:%S} to {chart.window.end:%H:%M:%S}."
    return said


def sparkline(points: Sequence[Point], said: str) -> Markup:
    """A small line without axes; `said` is what it shows, in words."""
    thinned = thin(points)
    measured = known(thinned)
    if len(measured) < 2:
        return Markup("")
    low, high = min(v for _, v in measured), max(v for _, v in measured)
    start, seconds = measured[0][0], _span(measured[0][0], measured[-1][0])
    spread = (high - low) or 1.0
    pairs = (
        f"{1 + (at - start).total_seconds() / seconds * 94:.1f},{18 - (value - low) / spread * 16:.1f}"
        for at, value in measured
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 96 20" width="96" height="20" role="img" aria-label="{}">'
        '<polyline class="chart-line" points="{}"/></svg>'
    ).format(said, " ".join(pairs))


def confidence_bar(value: float) -> Markup:
    """A bar of ten steps: how sure, without pretending to be exact."""
    filled = min(max(round(value * 10), 0), 10)
    steps = [
        Markup('<rect class="{}" x="{}" y="0" width="9" height="8" rx="1"/>').format(
            "step on" if step < filled else "step", step * 11
        )
        for step in range(10)
    ]
    return Markup(
        '<svg class="confidence-bar" viewBox="0 0 108 8" width="108" height="8" aria-hidden="true">{}</svg>'
    ).format(Markup("").join(steps))


def thin(points: Sequence[Point]) -> tuple[Point, ...]:
    """At most POINTS_MAX points, keeping the least and the greatest of each bucket, so that no peak is lost."""
    if len(points) <= POINTS_MAX:
        return tuple(points)
    size = -(-len(points) * 2 // POINTS_MAX)
    kept: list[Point] = []
    for first in range(0, len(points), size):
        bucket = [p for p in points[first : first + size] if p.value is not None]
        if not bucket:
            kept.append(points[first])
            continue
        ends = {id(p): p for p in (min(bucket, key=_value), max(bucket, key=_value))}
        kept += sorted(ends.values(), key=lambda p: p.at)
    return tuple(kept)


def known(points: Sequence[Point]) -> list[tuple[datetime, float]]:
    """The points that have a number which can be drawn."""
    return [(p.at, p.value) for p in points if p.value is not None and isfinite(p.value)]


def number(value: float) -> str:
    """A number as short as it can be read: 1.2 k, 340, 0.05."""
    if abs(value) >= 1_000_000:
        return f"{value / 1_000_000:.3g} M"
    if abs(value) >= 10_000:
        return f"{value / 1000:.3g} k"
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2g}"


def ticks(low: float, high: float, wanted: int = 3) -> list[float]:
    """Round numbers from `low` to at least `high`, about `wanted` steps apart."""
    rough = (high - low) / wanted
    power: float = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first = floor(low / step)
    last = first
    while last * step < high - step * 1e-9:
        last += 1
    return [round(n * step, 10) for n in range(first, last + 1)]


def _expected(chart: Chart) -> str:
    """What came at the marked moment and what was expected, where that is drawn."""
    if chart.band is None or chart.marker is None:
        return ""
    for point, low, high in zip(chart.points, chart.band.low, chart.band.high, strict=True):
        known_all = point.value is not None and low.value is not None and high.value is not None
        if point.at == chart.marker.at and known_all:
            return f": {number(_value(point))}, expected {number(_value(low))} to {number(_value(high))}"
    return ""


def _value(point: Point) -> float:
    return point.value if point.value is not None else 0.0


def _span(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds(), 1.0)


def _frame(points: Sequence[Point], chart: Chart) -> _Frame:
    values = [value for _, value in known(points)] + ([chart.threshold.value] if chart.threshold else [])
    low, high = min(0.0, min(values)), max(values)
    if chart.band is not None:
        expected = [value for side in (chart.band.low, chart.band.high) for _, value in known(side)]
        # A band far wider than what came is cut: the drawing is about what came.
        reach = (max(values) - min(values)) or abs(high) or 1.0
        high = max([high, *(min(value, high + reach) for value in expected)])
        least = min([*values, *(max(value, min(values) - reach) for value in expected)])
        # A level far from zero is drawn around itself, or its band would be a line.
        low = least if chart.bar_seconds is None and (least < 0.0 or high - least < least) else min(0.0, min(values))
    scale = ticks(low, high if high > low else low + 1.0)
    seconds = _span(points[0].at, points[-1].at) + (chart.bar_seconds or 0.0)
    return _Frame(points[0].at, seconds, scale[0], scale[-1])


def _grid(frame: _Frame) -> Markup:
    parts = [
        Markup(
            '<line class="chart-grid" x1="{}" x2="{}" y1="{}" y2="{}"/>'
            '<text class="chart-tick end" x="{}" y="{}">{}</text>'
        ).format(LEFT, WIDTH - RIGHT, frame.y(v), frame.y(v), LEFT - 6, frame.y(v) + 3.5, number(v))
        for v in ticks(frame.low, frame.high)
    ]
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        at = frame.start + timedelta(seconds=frame.seconds * share)
        moment = f"{at:%H:%M:%S}" if frame.seconds < SECONDS_SHOWN_BELOW else f"{at:%H:%M}"
        parts.append(
            Markup('<text class="chart-tick {}" x="{}" y="{}">{}</text>').format(
                anchor, frame.x(at), HEIGHT - 6, moment
            )
        )
    return Markup("").join(parts)


def _window(frame: _Frame, window: Window | None) -> Markup:
    if window is None:
        return Markup("")
    left, right = frame.x(window.start), frame.x(window.end)
    return Markup('<rect class="chart-window" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
        left, TOP, max(round(right - left, 1), 2), HEIGHT - TOP - BOTTOM, window.label
    )


def _lines(frame: _Frame, points: Sequence[Point]) -> list[Markup]:
    """One path for each stretch without a gap, each with the area under it."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point.value is None or not isfinite(point.value):
            stretches.append([])
        else:
            stretches[-1].append((frame.x(point.at), frame.y(point.value)))
    drawn: list[Markup] = []
    for stretch in filter(None, stretches):
        line = "M" + "L".join(f"{x} {y}" for x, y in stretch)
        floor_y = HEIGHT - BOTTOM
        area = f"{line}L{stretch[-1][0]} {floor_y}L{stretch[0][0]} {floor_y}Z"
        drawn.append(Markup('<path class="chart-area" d="{}"/><path class="chart-line" d="{}"/>').format(area, line))
    return drawn


def _bars(frame: _Frame, points: Sequence[Point], chart: Chart) -> list[Markup]:
    """A bar for each count; that of the marked moment stands out."""
    width = (WIDTH - LEFT - RIGHT) * (chart.bar_seconds or 0.0) / frame.seconds
    marked = chart.marker.at if chart.marker else None
    return [
        Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
            "chart-bar on" if at == marked else "chart-bar", frame.x(at), frame.y(value),
            max(round(width - 1, 1), 1), round(HEIGHT - BOTTOM - frame.y(value), 1),
        )
        for at, value in known(points)
        if value > 0
    ]  # fmt: skip


def _band(frame: _Frame, band: Band | None, bar_seconds: float | None) -> Markup:
    """The band of what was expected; it reaches to the end of the last bar."""
    low, high = (known(side) for side in ((band.low, band.high) if band else ((), ())))
    if not low or not high:
        return Markup("")
    if bar_seconds is not None:
        low, high = ([*side, (side[-1][0] + timedelta(seconds=bar_seconds), side[-1][1])] for side in (low, high))
    there = [f"{frame.x(at)} {frame.y(value)}" for at, value in high]
    back = [f"{frame.x(at)} {frame.y(value)}" for at, value in reversed(low)]
    return Markup('<path class="chart-band" d="M{}Z"><title>expected</title></path>').format("L".join(there + back))


def _threshold(frame: _Frame, threshold: Threshold | None) -> Markup:
    if threshold is None:
        return Markup("")
    y = frame.y(threshold.value)
    return Markup(
        '<line class="chart-threshold" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text class="chart-threshold-label start" x="{}" y="{}">{}</text>'
    ).format(LEFT, WIDTH - RIGHT, y, y, LEFT + 4, y - 4, threshold.label)


def _marker(frame: _Frame, marker: Marker | None) -> Markup:
    if marker is None:
        return Markup("")
    x = frame.x(marker.at)
    anchor, text_x = ("end", x - 7) if x > WIDTH * 0.62 else ("start", x + 7)
    return Markup(
        '<line class="chart-marker" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<path class="chart-flag" d="M{} {}l5 -5l-5 -5l-5 5z"/>'
        '<text class="chart-marker-label {}" x="{}" y="{}">{}</text>'
    ).format(x, x, 14, HEIGHT - BOTTOM, x, 16, anchor, text_x, 14, marker.label)
