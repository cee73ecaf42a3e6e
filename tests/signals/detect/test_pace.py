"""Points that come close together are looked at as means, others one by one."""

from handrail.signals.detect.pace import Looked, Pace
from handrail.signals.detect.reach import Reach


def taken(pace: Pace, *points: tuple[float, float]) -> list[Looked]:
    return [looked for at, value in points for looked in pace.take(at, value)]


def test_points_far_apart_are_looked_at_at_once() -> None:
    assert taken(Pace(), (0, 1.0), (60, 2.0), (90, 3.0)) == [(0, 1.0, 1), (60, 2.0, 1), (90, 3.0, 1)]


def test_close_points_are_one_mean_per_half_minute() -> None:
    pace = Pace()
    taken(pace, (0, 0.0), (5, 0.0))
    close = [(float(at), float(at)) for at in range(10, 95, 5)]
    assert taken(pace, *close) == [(25, 14.0, 5), (55, 42.5, 6), (85, 72.5, 6)]


def test_the_mean_of_equal_values_is_that_value() -> None:
    pace = Pace()
    (looked,) = taken(pace, *((float(at), 0.1) for at in range(1205, 1235, 5)))[1:]
    assert looked[1] == 0.1


def test_the_first_points_behind_a_pause_are_no_mean_of_their_own() -> None:
    pace = Pace()
    taken(pace, *((float(at), 1.0) for at in range(0, 60, 5)))
    assert taken(pace, (355.0, 9.0), (360.0, 1.0)) == [(55.0, 1.0, 6)]


def test_points_that_go_on_far_apart_are_looked_at_one_by_one_again() -> None:
    pace = Pace()
    taken(pace, *((float(at), 1.0) for at in range(0, 60, 5)))
    assert taken(pace, (120, 2.0), (180, 3.0), (240, 4.0), (300, 5.0))[-2:] == [(240, 4.0, 1), (300, 5.0, 1)]


def test_after_means_of_history_close_points_are_gathered_from_the_first() -> None:
    pace = Pace()
    assert pace.take_mean(30.0, 7.0) == [(30.0, 7.0, 1)]
    assert taken(pace, (65.0, 9.0), (70.0, 9.0)) == []


def test_how_far_beyond_its_reach_a_value_is() -> None:
    reach = Reach()
    assert reach.beyond(5.0) == float("-inf")
    for value in (2.0, 4.0, 3.0, 2.0, 4.0):
        reach.add(value)
    assert reach.beyond(3.0) < 0
    assert 0 < reach.beyond(4.2) < 0.2
    assert reach.beyond(0.0) > 0.5 and reach.beyond(12.0) > 0.5


def test_an_old_excursion_does_not_hide_the_next_for_ever() -> None:
    reach = Reach()
    for value in [2.0, 4.0] * 50 + [100.0] + [2.0, 4.0] * 15_000:
        reach.add(value)
    assert reach.beyond(20.0) > 0.5
