import random

from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.kernel.limits import LIMITS
from handrail.signals.log_findings import LogFinder, LogFinding, LogFindingKind

START = 1_767_600_000.0
USUAL = 20


def fed(windows: list[list[str]], finder: LogFinder | None = None) -> list[LogFinding]:
    """What is found when each list of lines comes in a window of its own."""
    finder = finder or LogFinder()
    findings: list[LogFinding] = []
    findings += finder.tick(START)
    for number, lines in enumerate(windows):
        for line in lines:
            findings += finder.take(START + 60 * number + 1, line)
    return findings + finder.tick(START + 60 * len(windows))


def quiet(count: int = 15) -> list[list[str]]:
    return [[f"served request {at} in {5 + at % 4} ms" for at in range(USUAL)] for _ in range(count)]


def test_a_steady_log_has_no_findings() -> None:
    assert fed(quiet(40)) == []


def test_a_message_never_seen_is_found_with_its_lines() -> None:
    (found,) = fed([*quiet(), [*quiet(1)[0], "disk 3 went away", "disk 4 went away"]])
    assert found.kind is LogFindingKind.NEW_TEMPLATE
    assert found.samples == ("disk 3 went away", "disk 4 went away")
    assert found.sentence == "A message never seen before came 2 times: disk <*> went away"
    assert found.at == START + 60 * 16


def test_nothing_is_said_while_the_first_windows_teach_what_is_usual() -> None:
    assert fed([*quiet(5), ["disk 3 went away"]]) == []


def test_a_message_that_falls_silent_is_told_once_with_its_last_lines() -> None:
    (found,) = fed([*quiet(), [], [], [], [], [], []])
    assert found.kind is LogFindingKind.VANISHED_TEMPLATE
    assert found.samples[0].startswith("served request 0 in")


def test_a_message_that_comes_now_and_then_is_not_missed() -> None:
    assert fed(([*quiet(1), [], [], [], [], []]) * 8) == []


def test_far_more_lines_than_usual_are_a_shift_told_when_it_begins() -> None:
    flood = [f"served request {at} in {5 + at % 4} ms" for at in range(200)]
    (found,) = fed([*quiet(), flood, flood])
    assert found.kind is LogFindingKind.RATE_SHIFT
    assert found.sentence.startswith("A message came more often than usual (200, usually about 20)")


def test_a_message_that_always_came_in_bursts_is_no_shift_when_it_does_so_again() -> None:
    low, high = quiet(1)[0][:5], quiet(1)[0] * 3
    assert fed([low, low, high] * 20) == []


def test_a_message_is_missed_only_after_twice_the_silence_it_ever_kept() -> None:
    paused = [*quiet(), [], [], [], [], *quiet(25)]
    assert len(fed(paused)) == 1
    assert len(fed([*paused, *[[]] * 7])) == 1
    assert len(fed([*paused, *[[]] * 8])) == 2


def test_many_lines_of_errors_are_a_burst() -> None:
    errors = [f"upstream refused: {word}" for word in ("a", "b", "c")] * 10
    found = fed([*quiet(), [*quiet(1)[0], *errors]])
    assert found[0].kind is LogFindingKind.ERROR_BURST
    assert found[0].sentence == "Lines that speak of errors came 30 times, usually about 0."
    assert len(found[0].samples) == 3


def test_a_number_far_from_those_in_its_place_is_found_with_its_line() -> None:
    (found,) = fed([*quiet(), [*quiet(1)[0][:-1], "served request 7 in 9000 ms"]])
    assert found.kind is LogFindingKind.PARAMETER_ANOMALY
    assert found.samples == ("served request 7 in 9000 ms",)
    assert "9000" in found.sentence


def test_a_steady_number_may_be_oddly_low_and_an_id_may_not() -> None:
    (found,) = fed([*quiet(), [*quiet(1)[0][:-1], "served request 7 in 0 ms"]])
    assert found.kind is LogFindingKind.PARAMETER_ANOMALY
    dice = random.Random(3)
    ids = [[f"posting {dice.randrange(40, 9999)} made" for _ in range(USUAL)] for _ in range(15)]
    assert fed([*ids, ["posting 0 made", *ids[0][1:]]]) == []


def test_findings_of_one_window_have_a_bound() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    strange = [f"{one}{two}ab stands alone" for one in letters for two in letters[:4]]
    assert len(fed([*quiet(), strange])) == LIMITS.log_window_findings


def test_samples_are_cut() -> None:
    (found,) = fed([*quiet(), [*quiet(1)[0], "huge " + "x" * 100_000]])
    assert len(found.samples[0]) == LIMITS.log_sample_chars


def test_a_long_pause_is_caught_up_in_bounded_steps() -> None:
    finder = LogFinder()
    fed(quiet(), finder)
    assert len(finder.tick(START + 1e12)) == 1
    assert finder.tick(START + 1e12) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.text(max_size=30), max_size=5), max_size=14))
def test_no_lines_crash_it_and_equal_lines_give_equal_findings(windows: list[list[str]]) -> None:
    assert fed(windows) == fed(windows)


def test_a_finding_has_the_counts_of_the_windows_before_and_what_was_expected() -> None:
    flood = [f"served request {at} in {5 + at % 4} ms" for at in range(200)]
    (found,) = fed([*quiet(), flood])
    assert found.counts == (*[USUAL] * 15, 200)
    assert found.usual == USUAL and 4 < found.spread < 5


def test_a_new_message_had_no_lines_before() -> None:
    (found,) = fed([*quiet(80), [*quiet(1)[0], "disk 3 went away"]])
    assert found.counts == (*[0] * (LIMITS.log_windows_shown - 1), 1)


def test_when_every_message_stops_that_is_one_finding_and_when_some_go_on_it_is_told_of_each() -> None:
    both = [[*lines, *["heartbeat ok"] * 8] for lines in quiet()]
    (found,) = fed([*both, *[[]] * 6])
    assert (found.kind, found.template) == (LogFindingKind.VANISHED_TEMPLATE, "")
    assert found.sentence == "Every message stopped; usually about 28 lines came in a window."
    (found,) = fed([*both, *[["heartbeat ok"] * 8] * 6])
    assert found.template == "served request <*> in <*> ms"


def test_a_message_that_is_an_alert_already_is_not_told_as_new() -> None:
    finder = LogFinder()
    fed(quiet(), finder)
    at = START + 60 * 15 + 1
    assert finder.take(at, "disk 3 went away", is_error=True, is_alert=True) == []
    assert finder.tick(at + 60) == []


def test_errors_are_those_that_their_sender_calls_so() -> None:
    finder = LogFinder()
    fed(quiet(), finder)
    at = START + 60 * 15 + 1
    for _ in range(30):
        finder.take(at, "posting 7 was not made", is_error=True)
    assert finder.tick(at + 60)[0].kind is LogFindingKind.ERROR_BURST


def test_a_window_of_which_lines_were_lost_is_not_judged_and_teaches_nothing() -> None:
    finder = LogFinder()
    fed(quiet(), finder)
    at = START + 60 * 15 + 1
    finder.take(at, "disk 3 went away")
    finder.miss()
    assert finder.tick(at + 60) == []
    for line in quiet(1)[0]:
        assert finder.take(at + 61, line) == []
    assert finder.tick(at + 60 * 2) == []


def test_what_lasts_is_known_until_it_is_over() -> None:
    finder = LogFinder()
    flood = [f"served request {at} in {5 + at % 4} ms" for at in range(200)]
    fed([*quiet(), flood], finder)
    told = (LogFindingKind.RATE_SHIFT, "served request <*> in <*> ms")
    assert finder.lasting == {told}
    finder.take(START + 60 * 16 + 1, "served request 1 in 5 ms")
    for _ in range(USUAL):
        finder.take(START + 60 * 16 + 2, "served request 1 in 5 ms")
    finder.tick(START + 60 * 17)
    assert finder.lasting == set()


def test_after_a_start_messages_are_news_only_once_new_ones_are_rare() -> None:
    letters = "bcdfghjklmnpqrstvwxz"
    rare = [[*quiet(1)[0], f"{one}{other}ant did a thing"] for one in letters[:10] for other in "aeiou"]
    assert fed(rare) == []
    # Errors are news whatever the day brings.
    (found,) = fed([*rare, [*quiet(1)[0], "ledger refused to answer"]])
    assert found.template == "ledger refused to answer"
