"""Expected scores are worked by hand."""

import pytest

from handrail.evals.grouping import Grouping, score_grouping


def test_equal_groups_and_templates_score_one() -> None:
    assert score_grouping([1, 1, 2], ["a", "a", "b"], ["x", "x", "y"], ["x", "x", "y"]) == Grouping(1.0, 1.0, 1.0, 1.0)


def test_names_of_groups_do_not_matter() -> None:
    assert score_grouping(["q", "r"], [2, 1], ["x", "y"], ["x", "y"]).ga == 1.0


def test_a_split_group_counts_none_of_its_lines() -> None:
    # True: {0,1,2} and {3}. Ours: {0,1}, {2}, {3}. One of three groups is right, one of two is found.
    scored = score_grouping([1, 1, 2, 3], ["a", "a", "a", "b"], ["x"] * 4, ["x", "x", "x", "y"])
    assert scored.ga == 0.25
    assert scored.fga == pytest.approx(2 / 5)
    assert scored.pa == 0.75
    assert scored.fta == 0.0


def test_two_groups_taken_for_one_count_none_of_their_lines() -> None:
    scored = score_grouping([1, 1, 2], ["a", "b", "c"], ["x", "x", "z"], ["x", "y", "z"])
    assert scored.ga == pytest.approx(1 / 3)
    assert scored.fga == pytest.approx(2 / 5)
    assert scored.pa == pytest.approx(2 / 3)
    assert scored.fta == pytest.approx(2 / 5)


def test_no_lines_score_zero() -> None:
    assert score_grouping([], [], [], []) == Grouping(0.0, 0.0, 0.0, 0.0)
