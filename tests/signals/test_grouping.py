from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.signals.grouping import Grouper, Placement, Setting

Alert = tuple[float, str, str]
SETTING = Setting(gap=8, floor=2, lag=3, storm=20, loose=0.1, main=0.3, habit=3, memory=600, pairs=50)


def place(alerts: list[Alert], setting: Setting = SETTING) -> list[Placement]:
    grouper = Grouper(setting)
    return [grouper.place(*alert) for alert in alerts]


def groups(alerts: list[Alert], setting: Setting = SETTING) -> list[int]:
    return [placed.group for placed in place(alerts, setting)]


def flood(first: int, last: int, signature: str = "Errors", each: int = 10) -> list[Alert]:
    return [(float(at), "shop", signature) for at in range(first, last) for _ in range(each)]


def test_what_begins_together_on_a_host_is_one_group() -> None:
    assert (
        groups([(10, "shop", "Errors"), (10, "shop", "Slow"), (12, "shop", "Slow"), (13, "shop", "Errors")]) == [0] * 4
    )


def test_fractions_of_a_second_make_one_moment() -> None:
    assert groups([(10.1, "shop", "Errors"), (10.9, "shop", "Slow")], Setting(lag=0)) == [0, 0]


def test_a_short_lag_on_a_host_where_nothing_else_happens_joins() -> None:
    assert groups([(10, "shop", "Errors"), (12, "shop", "Slow")]) == [0, 0]
    assert groups([(10, "shop", "Errors"), (14, "shop", "Slow")]) == [0, 1]


def test_with_several_groups_at_work_on_a_host_only_the_same_moment_joins() -> None:
    busy: list[Alert] = [(10, "shop", "Errors"), (14, "shop", "Slow"), (14, "shop", "Errors")]
    assert groups([*busy, (15, "shop", "Disk")]) == [0, 1, 0, 2]


def test_one_signature_on_several_hosts_is_one_group() -> None:
    assert groups([(10, "shop", "Scan"), (11, "mail", "Scan"), (12, "mail", "Broken")]) == [0, 0, 0]


def test_different_signatures_on_different_hosts_stay_apart() -> None:
    assert groups([(10, "shop", "Errors"), (10, "mail", "Queue")]) == [0, 1]


def test_a_late_alert_joins_its_group() -> None:
    assert groups([(10, "shop", "Errors"), (13, "shop", "Errors"), (11, "shop", "Errors")]) == [0] * 3


def test_one_clock_far_ahead_holds_nothing_up() -> None:
    found = groups([(10, "shop", "Errors"), (1e9, "shop", "Errors"), (11, "shop", "Errors"), (30, "shop", "Errors")])
    assert found == [0, 1, 2, 3]


def test_a_pair_that_was_quiet_for_longer_than_the_gap_begins_anew() -> None:
    assert groups([(10, "shop", "Errors"), (18, "shop", "Errors")]) == [0, 0]
    assert groups([(10, "shop", "Errors"), (19, "shop", "Errors")]) == [0, 1]


def test_what_came_thick_and_then_paused_has_stopped() -> None:
    thick: list[Alert] = [(10.0, "shop", "Errors")] * 16
    assert groups([*thick, (12, "shop", "Errors")])[-1] == 0
    assert groups([*thick, (13, "shop", "Errors")])[-1] == 1


def test_a_habit_neither_joins_nor_gathers() -> None:
    habit: list[Alert] = [(at, "shop", "Login") for at in range(0, 100, 20)]
    assert groups([*habit, (100, "shop", "Errors"), (100, "shop", "Login"), (101, "shop", "Slow")])[-3:] == [5, 6, 5]
    assert groups([*habit, (100, "shop", "Login"), (100, "shop", "Errors")])[-2:] == [5, 6]


def test_a_habit_is_forgotten_with_time() -> None:
    habit: list[Alert] = [(at, "shop", "Login") for at in range(0, 100, 20)]
    assert groups([*habit, (5000, "shop", "Errors"), (5000, "shop", "Login")])[-2:] == [5, 5]


def test_what_is_rare_in_a_storm_stands_alone_and_the_storm_goes_on() -> None:
    storm = [(10.0, "shop", "Errors"), (10.0, "shop", "Login"), *flood(11, 15)]
    placed = place([*storm, (15, "shop", "Login"), (15, "shop", "Errors")], replace(SETTING, gap=1000))
    assert [one.group for one in placed[-2:]] == [1, 0]
    assert placed[-2].reason == "is rare in the storm on its host, so it stands alone"


def test_a_newer_group_is_lent_what_brings_little() -> None:
    storm = [(10.0, "shop", "Errors"), (10.0, "shop", "Login"), *flood(11, 15)]
    newer: list[Alert] = [(15, "shop", "Disk"), (15, "shop", "Queue"), (15, "shop", "Login"), (15, "shop", "Errors")]
    placed = place([*storm, *newer, (17, "shop", "Errors")], replace(SETTING, gap=1000))
    assert [one.group for one in placed[-5:]] == [1, 1, 1, 0, 0]
    assert placed[-3] == Placement(1, "came while this newer group was active on its host", 0.25)


def test_a_second_storm_on_a_host_is_lent_the_signature_of_the_first_until_it_ends() -> None:
    both = [alert for at in range(13, 16) for alert in (*flood(at, at + 1), *flood(at, at + 1, "Slow", 15))]
    placed = place([*flood(10, 13), *both, *flood(16, 22)])
    last = [
        one.group for one, alert in zip(placed, [*flood(10, 13), *both, *flood(16, 22)], strict=True) if alert[0] > 14
    ]
    assert set(last[:25]) == {1}
    assert set(last[-10:]) == {0}


def test_a_storm_is_over_when_a_main_part_of_it_fell_silent() -> None:
    both = [alert for at in range(10, 13) for alert in (*flood(at, at + 1), *flood(at, at + 1, "Slow"))]
    found = groups([*both, *flood(13, 17)])
    assert set(found[: len(both)]) == {0}
    assert [found[index] for index in (-20, -1)] == [1, 1]


def test_every_alert_has_a_reason_and_a_score() -> None:
    placed = place([(10, "shop", "Errors"), (10, "shop", "Slow"), (12, "shop", "Slow"), (14, "mail", "Slow")])
    assert [(one.reason, round(one.score, 2)) for one in placed] == [
        ("nothing that came lately goes with it", 1.0),
        ("began on this host, where this group was active 0 s before", 0.5),
        ("came on this host 2 s before", 0.62),
        ("nothing that came lately goes with it", 1.0),
    ]


def test_no_more_pairs_are_kept_than_the_setting_allows() -> None:
    grouper = Grouper(SETTING)
    for number in range(500):
        grouper.place(10 * number, f"host {number}", f"signature {number}")
        assert max(len(grouper._pairs), len(grouper._hosts), len(grouper._signatures)) <= SETTING.pairs
    assert grouper.place(4995, "host 499", "signature 499").group == 499


def test_pairs_are_lent_whatever_the_order_of_their_times() -> None:
    storm = [(10.0, "shop", "Login"), *flood(11, 15)]
    newer: list[Alert] = [(15, "shop", "Disk"), (15, "shop", "Queue"), (9, "shop", "Login"), (9, "shop", "Disk")]
    assert len(place([*storm, *newer, (9, "shop", "Login"), (15, "shop", "Login")])) == len(storm) + 6


def test_a_setting_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Setting(gap=float("nan"))
    with pytest.raises(ValueError, match="memory"):
        Setting(memory=0)
    with pytest.raises(ValueError, match="shares"):
        Setting(loose=0.5, main=0.2)


ALERTS = st.lists(
    st.tuples(st.integers(0, 40).map(float), st.sampled_from(["a", "b"]), st.sampled_from(["x", "y", "z"])), max_size=80
)


@given(ALERTS, st.integers(0, 80))
def test_what_comes_later_changes_nothing_that_was_placed_and_equal_input_gives_equal_output(
    alerts: list[Alert], cut: int
) -> None:
    whole = place(alerts)
    assert place(alerts[:cut]) == whole[:cut]
    assert place(alerts) == whole


@given(ALERTS)
def test_every_score_lies_between_none_and_one_and_groups_are_counted_from_zero(alerts: list[Alert]) -> None:
    placed = place(alerts)
    assert all(0 < one.score <= 1 and one.reason for one in placed)
    assert {one.group for one in placed} == set(range(len({one.group for one in placed})))
