"""Several series judged together: what each says beyond the others, and who moved."""

import random

import numpy as np

from handrail.kernel.limits import LIMITS
from handrail.signals.detect.joint import Joint, Moved, distance_of
from handrail.signals.detect.one import Detector
from handrail.signals.detect.setting import Setting

START, STEP = 1_767_600_000.0, 300.0


def judged(rows: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> list[tuple[int, Moved]]:
    """What is found in rows of one value per member, each with a detector of its own."""
    joint, detectors = Joint(), [Detector() for _ in rows[0]]
    places = [joint.join() for _ in rows[0]]
    found = []
    for number, row in enumerate(rows):
        for place, detector, value in zip(places, detectors, row, strict=True):
            at = START + STEP * number
            detector.score(at, float(value))
            assert place is not None
            moved = joint.put(place, at, distance_of(float(value), detector))
            if moved is not None:
                found.append((number, moved))
    return found


def related(count: int, members: int, own: float = 0.3) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Members that follow one thing in common, each with some noise of its own, around 100."""
    dice = np.random.default_rng(11)
    common = dice.normal(0, 1, (count, 1))
    rows: np.ndarray[tuple[int, int], np.dtype[np.float64]] = (
        100 + common + dice.normal(0, own, (count, members))
    )  # fmt: skip
    return rows


def test_members_that_move_as_they_always_do_are_no_news() -> None:
    assert judged(related(800, 6)) == []


def test_members_that_part_company_are_found_though_each_is_ordinary() -> None:
    rows = related(800, 6)
    rows[700:710, 0] = 100 - 1.3
    rows[700:710, 1:] = 100 + 1.3
    (number, moved), *_ = judged(rows)
    assert 700 <= number < 710
    assert moved.distance > 3 * moved.usual
    assert 0 in dict(moved.members)


def test_a_move_of_all_names_who_moved_the_farthest_first() -> None:
    rows = related(800, 6)
    rows[700:, 2] += 40
    rows[700:, 4] -= 20
    (number, moved), *_ = judged(rows)
    assert number == 700 and moved.is_move
    assert [place for place, _ in moved.members][:2] == [2, 4]
    assert moved.members[0][1] > 0 > moved.members[1][1]


def test_a_member_that_is_young_or_silent_holds_up_nobody() -> None:
    joint = Joint(of_series=Setting(learning_points=20))
    first, second, silent = joint.join(), joint.join(), joint.join()
    assert (first, second, silent) == (0, 1, 2)
    dice, told = random.Random(5), []
    for number in range(400):
        at = START + STEP * number
        far = 9.0 if number == 399 else 0.0
        for place in (0, 1):
            told.append(joint.put(place, at, dice.gauss(0, 1) + far))
        told.append(joint.put(2, at, None))
    told.append(joint.put(0, START + STEP * 400, 0.0))
    assert [moved.at for moved in told if moved] == [START + STEP * 399]


def test_a_distance_is_told_once_the_series_is_known() -> None:
    detector = Detector()
    for number in range(101):
        detector.score(START + number, 5.0)
        assert (distance_of(5.0, detector) is None) == (number < 100)
    # A constant that is left is as far off as can be said, and no division by nothing.
    detector.score(START + 101, 6.0)
    distance = distance_of(6.0, detector)
    assert distance is not None and distance > 10


def test_a_group_has_a_bound() -> None:
    joint = Joint()
    assert [joint.join() for _ in range(LIMITS.joint_members + 2)][-3:] == [LIMITS.joint_members - 1, None, None]
