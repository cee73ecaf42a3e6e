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
