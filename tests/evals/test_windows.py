"""The window score, held to examples worked by hand and to what its authors promise."""

import numpy as np
import pytest

from handrail.evals.windows import (
    PROFILES,
    Scored,
    best_threshold,
    cross_validated,
    final_score,
    probation_points,
    raw_sum,
)

STANDARD = PROFILES["standard"]


def file_with(*detections: int, windows: tuple[tuple[int, int], ...] = ((50, 59),), n: int = 100) -> Scored:
    scores = np.zeros(n)
    scores[list(detections)] = 1.0
    return Scored(scores, windows)


def test_silence_scores_nothing() -> None:
    assert final_score([file_with()], STANDARD, 0.5) == 0.0


def test_the_first_point_of_every_window_scores_a_hundred() -> None:
    assert final_score([file_with(50, 80, windows=((50, 59), (80, 89)))], STANDARD, 0.5) == pytest.approx(100.0)


def test_a_second_detection_in_a_window_changes_nothing() -> None:
    assert raw_sum([file_with(50, 55)], STANDARD, 0.5) == pytest.approx(1.0)


def test_a_late_detection_earns_what_the_curve_says() -> None:
    # sig(-1/10) / sig(-1) = 0.244919 / 0.986614
    assert raw_sum([file_with(59)], STANDARD, 0.5) == pytest.approx(0.248242, abs=1e-5)


def test_a_false_alarm_before_any_window_costs_its_full_weight() -> None:
    assert raw_sum([file_with(20)], STANDARD, 0.5) == pytest.approx(-1.11)
    assert raw_sum([file_with(20)], PROFILES["low_fp"], 0.5) == pytest.approx(-1.22)


def test_a_false_alarm_soon_after_a_window_is_half_forgiven() -> None:
    # One point behind a window of ten: sig(1/9) = -0.270781
    assert raw_sum([file_with(60)], STANDARD, 0.5) == pytest.approx(-1 - 0.11 * 0.270781, abs=1e-5)


def test_a_false_alarm_far_behind_a_window_costs_its_full_weight() -> None:
    assert raw_sum([file_with(99)], STANDARD, 0.5) == pytest.approx(-1.11)


def test_a_miss_costs_twice_where_misses_are_dear() -> None:
    assert raw_sum([file_with()], PROFILES["low_fn"], 0.5) == -2.0


def test_points_of_the_learning_time_are_not_scored() -> None:
    assert probation_points(100) == 15
    assert probation_points(100_000) == 750
    assert raw_sum([file_with(3, 14)], STANDARD, 0.5) == -1.0


def test_a_file_without_windows_can_only_lose() -> None:
    quiet = file_with(windows=())
    assert raw_sum([quiet], STANDARD, 0.5) == 0.0
    assert raw_sum([file_with(20, 30, windows=())], STANDARD, 0.5) == pytest.approx(-0.22)


def test_the_best_threshold_keeps_the_hit_and_drops_the_noise() -> None:
    scores = np.full(100, 0.1)
    scores[50] = 0.7
    assert best_threshold([Scored(scores, ((50, 59),))], STANDARD) == 0.7


def test_when_every_alarm_loses_the_best_threshold_is_silence() -> None:
    assert final_score([file_with(20, 21, 22)], STANDARD) == 0.0


def test_a_threshold_is_carried_to_the_other_half_unchanged() -> None:
    loud, soft = np.zeros(100), np.zeros(100)
    loud[50], soft[50] = 0.9, 0.4
    files = [Scored(loud, ((50, 59),)), Scored(soft, ((50, 59),))]
    found = cross_validated(files, STANDARD)
    assert found["first_to_second"] == pytest.approx(0.0)
    assert found["second_to_first"] == pytest.approx(100.0)
    assert found["pooled"] == pytest.approx(50.0)
