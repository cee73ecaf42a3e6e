from handrail.kernel.limits import LIMITS
from handrail.signals.detect.trail import Trail


def test_the_last_points_are_drawn_in_order_with_what_was_expected() -> None:
    trail = Trail()
    for number in range(2 * LIMITS.picture_points + 7):
        trail.add(float(number), number + 1.0, 10.0, 2.0)
    picture = trail.picture("latency", 246.0)
    assert len(picture.times) == LIMITS.picture_points
    assert (picture.times[0], picture.times[-1]) == (127.0, 246.0)
    assert list(picture.times) == sorted(picture.times)
    assert (picture.values[-1], picture.low[-1], picture.high[-1]) == (247.0, 4.0, 16.0)


def test_a_young_trail_is_as_long_as_it_is() -> None:
    trail = Trail()
    assert trail.picture("latency", 0.0).times == ()
    trail.add(1.0, 2.0, 3.0, 0.0)
    assert trail.picture("latency", 1.0).values == (2.0,)
