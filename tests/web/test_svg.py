"""The drawings: well formed, true to their values, harmless whatever the text, and never without an end."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.web.run_graph import GraphTask, RunGraph, arrange, crossings, layers_of, run_graph
from handrail.web.svg import (
    POINTS_MAX,
    Band,
    Chart,
    Marker,
    Point,
    Threshold,
    Window,
    confidence_bar,
    describe,
    known,
    number,
    sparkline,
    thin,
    ticks,
    time_series,
)

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
HOSTILE = "</title><script>alert(1)</script>\"'&"
numbers = st.floats(-1e12, 1e12, allow_nan=False)


def points(*values: float | None) -> tuple[Point, ...]:
    return tuple(Point(START + timedelta(seconds=10 * n), value) for n, value in enumerate(values))


def parse(drawn: str) -> ET.Element:
    """Our own drawing, so that the plain parser does: what is tested is that it is well formed."""
    return ET.fromstring(drawn)  # noqa: S314


def task(name: str, *needs: str, title: str = "", status: str = "ready", kind: str = "person") -> GraphTask:
    return GraphTask(name, title or name, status, kind, f"/tasks/run_1/{name}", None, False, needs)


def test_what_was_expected_is_drawn_as_a_band_and_said_in_words() -> None:
    values = points(100, 101, 140)
    band = Band(points(95, 95, 95), points(105, 105, 105))
    chart = Chart("latency", "ms", values, marker=Marker(values[-1].at, "found"), band=band)
    assert describe(chart).endswith("found at 09:00:20: 140, expected 95 to 105.")
    drawn = parse(time_series(chart))
    (found,) = [part for part in drawn.iter("path") if part.get("class") == "chart-band"]
    assert found.get("d", "").count("L") == 5
    # A level far from zero is drawn around itself: the axis does not begin at 0.
    assert "0" not in [part.text for part in drawn.iter("text") if "chart-tick end" in part.get("class", "")]


def test_a_band_far_wider_than_what_came_does_not_hide_it() -> None:
    wide = Band(points(-1e9, -1e9, -1e9), points(1e9, 1e9, 1e9))
    drawn = time_series(Chart("latency", "ms", points(100, 101, 140), band=wide))
    assert "200" in drawn and "1e" not in drawn


def test_counts_are_bars_of_which_the_found_one_stands_out() -> None:
    values = points(0, 2, 3, 60)
    flat = Band(points(0, 0, 0, 0), points(4, 4, 4, 4))
    chart = Chart("errors", "lines", values, marker=Marker(values[-1].at, "found"), band=flat, bar_seconds=10.0)
    bars = [part for part in parse(time_series(chart)).iter("rect") if "chart-bar" in part.get("class", "")]
    assert [part.get("class") for part in bars] == ["chart-bar", "chart-bar", "chart-bar on"]
    heights = [float(part.get("height", "")) for part in bars]
    assert heights[2] == pytest.approx(20 * heights[1], rel=0.05)


def test_a_chart_says_in_words_what_it_shows() -> None:
    chart = Chart(
        "p99 latency",
        "ms",
        points(80, 2000, 90),
        Threshold(500, "alert above 500 ms"),
        None,
        Marker(START, "payments 2.4.1"),
    )
    assert describe(chart) == (
        "p99 latency, 09:00 to 09:00 UTC: from 80 to 2000 ms, highest at 09:00:10, last 90. "
        "Threshold 500 (alert above 500 ms). payments 2.4.1 at 09:00:00."
    )


def test_a_chart_has_threshold_window_and_marker_as_separate_marks() -> None:
    chart = Chart(
        "x",
        "ms",
        points(1, 2, 3),
        Threshold(2, "two"),
        Window(START, START + timedelta(seconds=9), "here"),
        Marker(START, "release"),
    )
    drawn = time_series(chart)
    for mark in ("chart-line", "chart-threshold", "chart-window", "chart-marker"):
        assert f'class="{mark}"' in drawn


def test_a_gap_breaks_the_line_in_two() -> None:
    assert time_series(Chart("x", "ms", points(1, 2, None, 3, 4))).count('class="chart-line"') == 2


def test_a_chart_without_measurements_is_a_sentence() -> None:
    assert "<svg" not in time_series(Chart("x", "ms", points(None, None)))
    assert "<svg" not in time_series(Chart("x", "ms", ()))


def test_hostile_text_stays_text_in_every_drawing() -> None:
    chart = Chart(
        HOSTILE, HOSTILE, points(1, 2), Threshold(1, HOSTILE), Window(START, START, HOSTILE), Marker(START, HOSTILE)
    )
    graph = RunGraph(HOSTILE, (task("a", title=HOSTILE, status=HOSTILE),))
    for drawn in (time_series(chart), run_graph(graph), sparkline(points(1, 2), HOSTILE)):
        assert "<script" not in drawn
        parse(drawn)


@given(st.lists(st.one_of(st.none(), numbers), max_size=40))
def test_any_series_gives_a_well_formed_drawing(values: list[float | None]) -> None:
    drawn = time_series(Chart("x", "ms", points(*values), Threshold(5, "five")))
    assert "nan" not in drawn and "inf" not in drawn
    parse(drawn)


@given(numbers, st.floats(1e-3, 1e12))
def test_ticks_rise_and_cover_the_values(low: float, spread: float) -> None:
    marks = ticks(low, low + spread) if low + spread > low + spread * 0.5 else [0.0, 1.0]
    assert 2 <= len(marks) <= 12
    assert all(a < b for a, b in pairwise(marks)) or abs(low) > spread * 1e9


def test_thinning_keeps_the_greatest_and_the_least() -> None:
    values = [10.0] * 5000
    values[3141], values[1717] = 99.0, -7.0
    kept = [value for _, value in known(thin(points(*values)))]
    assert len(kept) <= POINTS_MAX
    assert max(kept) == 99.0 and min(kept) == -7.0


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.05, "0.05"), (12.5, "12"), (340.4, "340"), (12_300, "12.3 k"), (4_200_000, "4.2 M")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_the_confidence_bar_fills_by_tenths_and_never_over() -> None:
    assert confidence_bar(0.86).count("step on") == 9
    assert confidence_bar(7).count("step on") == 10
    assert confidence_bar(-1).count("step on") == 0


def test_a_task_stands_one_layer_after_the_deepest_that_it_needs() -> None:
    assert layers_of({"a": [], "b": ["a"], "c": ["a", "b"], "d": ["a"]}) == {"a": 0, "b": 1, "c": 2, "d": 1}


def test_a_circle_and_an_unknown_need_do_not_hang_the_drawing() -> None:
    graph = RunGraph("x", (task("a", "b"), task("b", "a"), task("c", "c", "nowhere")))
    assert run_graph(graph).count('class="node node-') == 3


def test_barycentre_order_takes_a_needless_crossing_away() -> None:
    assert crossings(arrange({"a": [], "b": [], "c": ["b"], "d": ["a"]})) == 0


def test_a_long_edge_passes_beside_the_tasks_between() -> None:
    layout = arrange({"a": [], "b": ["a"], "c": ["b"], "d": ["c", "a"]})
    assert [len(route) for route in layout.routes if route[0] == "a" and route[-1] == "d"] == [4]


@given(st.lists(st.lists(st.integers(0, 59), max_size=3), min_size=1, max_size=60))
def test_no_two_tasks_of_one_layer_overlap(wanted: list[list[int]]) -> None:
    needs = {f"t{n}": [f"t{m}" for m in before] for n, before in enumerate(wanted)}
    layout = arrange(needs)
    for layer in layout.layers:
        for above, below in pairwise(layer):
            height = 56 if above in needs else 12
            assert layout.y[below] - layout.y[above] >= height


def test_every_status_is_a_word_and_a_shape_and_a_class() -> None:
    drawn = run_graph(RunGraph("x", (task("a", status="outcome_unknown"), task("b", status="done", kind="machine"))))
    assert "Outcome unknown" in drawn and "node-unknown" in drawn and "by-machine" in drawn


def test_each_task_links_to_its_page_and_says_itself_in_full() -> None:
    title = "A very long title of a task that cannot possibly fit into its box in the drawing"
    drawn = run_graph(RunGraph("x", (task("a", title=title),)))
    assert 'href="/tasks/run_1/a"' in drawn and f"<title>{title}. Ready. Person: nobody yet.</title>" in drawn
