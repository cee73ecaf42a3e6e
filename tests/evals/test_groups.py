"""Expected scores are worked by hand."""

import numpy as np
import pytest

from handrail.evals.groups import Score, macro, score_incidents

NAMES = ["-", "scan.0.1", "scan.0.2"]


def scores(groups: list[int], labels: list[int]) -> dict[str, Score]:
    return score_incidents(np.array(groups, dtype=np.int64), np.array(labels, dtype=np.int64), NAMES)


def test_an_incident_alone_in_its_group_scores_one() -> None:
    [score] = scores([7, 7, 9], [1, 1, 0]).values()
    assert (score.f1, score.recall, score.fall_out) == (1.0, 1.0, 0.0)
    assert score.mcc == pytest.approx(1.0)


def test_noise_in_the_group_costs_precision() -> None:
    # Sizes: group 3, incident 2, all 4. tp = 4, fp = 2 * 1, fn = 0, tn = 2 * (4 - 3 - 2 + 2) = 2.
    [score] = scores([0, 0, 0, 1], [1, 1, 0, 0]).values()
    assert score.f1 == pytest.approx(8 / 10)
    assert score.mcc == pytest.approx((4 * 2 - 0) / (6 * 4 * 4 * 2) ** 0.5)
    assert score.fall_out == 0.5


def test_a_split_incident_costs_recall() -> None:
    # Three alerts as 2 + 1: tp = 4 + 1, fn = 2 * 1 + 1 * 2.
    [score] = scores([0, 0, 1, 2], [1, 1, 1, 0]).values()
    assert score.recall == pytest.approx(5 / 9)
    assert score.f1 == pytest.approx(10 / 14)


def test_the_macro_weighs_steps_equally_however_many_incidents_each_has() -> None:
    one, none = Score(1.0, 1.0, 1.0, 0.0), Score(0.0, 0.0, 0.0, 1.0)
    assert macro([{"scan.0.1": one, "scan.1.2": none}, {"scan.0.3": one, "steal.0.1": none}]).f1 == 0.25


def test_noise_alone_scores_nothing() -> None:
    assert scores([1, 2], [0, 0]) == {}
    assert macro([{}]).f1 == 0.0
