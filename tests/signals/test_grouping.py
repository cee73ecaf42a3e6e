import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.signals.grouping import Grouper, Placement, Setting

Alert = tuple[float, str, str]
SETTING = Setting(gap=4, lag=0, storm=20, share=0.1, signatures=50)


def place(alerts: list[Alert], setting: Setting = SETTING) -> list[Placement]:
    grouper = Grouper(setting)
    return [grouper.place(*alert) for alert in alerts]


def groups(alerts: list[Alert], setting: Setting = SETTING) -> list[int]:
    return [placed.group for placed in place(alerts, setting)]


def test_what_begins_together_on_a_host_is_one_group() -> None:
    assert (
        groups([(10, "shop", "Errors"), (10, "shop", "Slow"), (12, "shop", "Slow"), (13, "shop", "Errors")]) == [0] * 4
    )


def test_two_simultaneous_causes_stay_two() -> None:
    storm = [(10, "shop", "Errors"), (12, "shop", "Disk"), (13, "shop", "Errors"), (14, "shop", "Disk")]
    assert groups([*storm, (14, "mail", "Queue")]) == [0, 1, 0, 1, 2]


def test_a_late_alert_joins_its_signatures_group() -> None:
    assert (
        groups([(10, "shop", "Errors"), (13, "shop", "Errors"), (11, "shop", "Errors"), (15, "shop", "Errors")])
        == [0] * 4
    )


def test_a_signature_that_was_quiet_for_longer_than_the_gap_begins_anew() -> None:
    assert groups([(10, "shop", "Errors"), (15, "shop", "Errors")]) == [0, 1]


def test_everyday_noise_does_not_glue() -> None:
    noise: list[Alert] = [(at, "shop", "Login") for at in range(40)]
    found = groups(sorted([*noise, (11, "shop", "Errors"), (31, "shop", "Disk")]))
    assert len(set(found)) == 3
    assert max(found.count(group) for group in found) == len(noise)


def test_a_storm_lets_go_of_what_is_rare_in_it() -> None:
    storm: list[Alert] = [(10, "shop", "Errors"), (10, "shop", "Login"), *[(11.0, "shop", "Errors")] * 40]
    found = groups([*storm, (12, "shop", "Login"), (12, "shop", "Errors")])
    assert found[1] == 0
    assert found[-2:] == [1, 0]


def test_what_came_thick_and_then_paused_has_stopped() -> None:
    thick: list[Alert] = [(10.0, "shop", "Errors")] * 16
    assert groups([*thick, (12, "shop", "Errors")])[-1] == 1
    assert groups([*thick, (11, "shop", "Errors")])[-1] == 0


def test_a_common_signature_moves_over_to_several_that_begin_at_once() -> None:
    several: list[Alert] = [(12, "shop", "Errors"), (12, "shop", "Slow"), (12, "shop", "Disk")]
    assert groups([(10, "shop", "Login"), *several, (12, "shop", "Login")]) == [0, 1, 1, 1, 1]
    assert groups([(10, "shop", "Login"), *several[:2], (12, "shop", "Login")]) == [0, 1, 1, 0]


def test_every_alert_has_a_reason_and_a_score() -> None:
    first, second, third = place([(10, "shop", "Errors"), (10, "shop", "Slow"), (11, "shop", "Slow")])
    assert (first.reason, first.score) == ("nothing on this host began with it", 1.0)
    assert (second.reason, second.score) == ("began within 0 s of the group on the same host", 0.5)
    assert (third.reason, third.score) == ("its signature was at work in this group at most 4 s before", 1.0)


def test_no_more_signatures_are_kept_than_the_setting_allows() -> None:
    grouper = Grouper(SETTING)
    for number in range(500):
        grouper.place(number, f"host {number}", f"signature {number}")
        assert max(len(grouper._sessions), len(grouper._openings)) <= SETTING.signatures
    assert grouper.place(500, "host", "signature 499").group == 499


def test_a_setting_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Setting(gap=float("nan"))
    with pytest.raises(ValueError, match="share"):
        Setting(share=2)


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
