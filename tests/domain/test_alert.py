"""How one alert's state moves when its words come early, late, twice, or out of order."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.domain.alert import (
    Alert,
    AlertStatus,
    Occurrence,
    Severity,
    first,
    is_flapping,
    is_unknown_word,
    merge,
    severity_of,
)
from tests.domain.machines import START

FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus.FIRING, AlertStatus.ACKNOWLEDGED, AlertStatus.RESOLVED


def said(status: AlertStatus, seconds: float | None, title: str = "Errors are high", **more: object) -> Occurrence:
    occurred_at = None if seconds is None else START + timedelta(seconds=seconds)
    return Occurrence("payments", status, title, "critical", "payments", occurred_at=occurred_at, **more)  # type: ignore[arg-type]


def heard(*words: tuple[Occurrence, float]) -> Alert:
    """The alert after words that each became known so many seconds after the start."""
    alert = None
    for word, at in words:
        now = START + timedelta(seconds=at)
        alert = first("alr_1", "estate", word, "f", "token", now) if alert is None else merge(alert, word, now)
    assert alert is not None
    return alert


def test_resolve_before_trigger_ends_resolved() -> None:
    alert = heard((said(RESOLVED, 20), 21), (said(FIRING, 10), 25))
    assert alert.status == RESOLVED
    assert alert.starts_at == START + timedelta(seconds=10)
    assert alert.ends_at == START + timedelta(seconds=20)
    assert (alert.count, alert.late) == (2, 1)


def test_a_trigger_that_comes_after_its_resolve_gives_the_alert_its_name() -> None:
    nameless = Occurrence("payments", RESOLVED, "", None, None, occurred_at=START + timedelta(seconds=20))
    alert = heard((nameless, 21), (said(FIRING, 10, summary="A third of all payments"), 25))
    assert alert.status == RESOLVED
    assert (alert.title, alert.service, alert.severity) == ("Errors are high", "payments", Severity.CRITICAL)
    assert alert.summary == "A third of all payments"


def test_resolve_without_any_trigger_is_kept_resolved() -> None:
    alert = heard((said(RESOLVED, 20), 21))
    assert alert.status == RESOLVED
    assert alert.ends_at == START + timedelta(seconds=20)
    assert alert.count == 1


def test_an_older_trigger_after_a_newer_resolve_does_not_reopen() -> None:
    alert = heard((said(FIRING, 0), 1), (said(RESOLVED, 60), 61), (said(FIRING, 30), 70))
    assert alert.status == RESOLVED
    assert alert.ends_at == START + timedelta(seconds=60)
    assert alert.late == 1
    assert alert.last_at == START + timedelta(seconds=70)


def test_a_newer_trigger_after_a_resolve_reopens_with_its_own_start() -> None:
    alert = heard((said(FIRING, 0), 1), (said(RESOLVED, 60), 61), (said(FIRING, 90), 91))
    assert alert.status == FIRING
    assert alert.starts_at == START + timedelta(seconds=90)
    assert alert.ends_at is None
    assert alert.late == 0


def test_an_older_acknowledgement_does_not_undo_a_resolve() -> None:
    alert = heard((said(FIRING, 0), 1), (said(RESOLVED, 60), 61), (said(ACKNOWLEDGED, 30), 62))
    assert alert.status == RESOLVED


def test_an_acknowledged_alert_keeps_its_name_and_start() -> None:
    alert = heard((said(FIRING, 0), 1), (said(ACKNOWLEDGED, 30, title=""), 31))
    assert (alert.status, alert.title, alert.starts_at) == (ACKNOWLEDGED, "Errors are high", START)


def test_a_senders_fast_clock_does_not_block_its_later_words() -> None:
    alert = heard((said(FIRING, 86_400), 1), (said(RESOLVED, 60), 61))
    assert alert.status == RESOLVED


def test_a_start_in_the_future_is_not_believed() -> None:
    alert = heard((said(FIRING, 5, starts_at=START + timedelta(days=1)), 10))
    assert alert.starts_at == START + timedelta(seconds=10)


def test_an_alert_that_flaps_for_an_hour_is_one_alert_with_a_count() -> None:
    words = [(said(FIRING if at % 2 == 0 else RESOLVED, 20 * at), 20.0 * at + 1) for at in range(180)]
    alert = heard(*words)
    assert (alert.id, alert.count, alert.late, alert.turns) == ("alr_1", 180, 0, 179)
    assert is_flapping(alert, alert.last_at)
    assert not is_flapping(alert, alert.last_at + timedelta(hours=1))
    assert alert.status == RESOLVED
    assert alert.first_at == START + timedelta(seconds=1)
    assert alert.last_at == START + timedelta(seconds=20 * 179 + 1)


def test_an_alert_that_goes_on_and_off_a_few_times_in_an_hour_does_not_flap() -> None:
    alert = heard(*[(said(FIRING if at % 2 == 0 else RESOLVED, 900 * at), 900.0 * at + 1) for at in range(5)])
    assert alert.turns == 4
    assert not is_flapping(alert, alert.last_at)


def test_repeats_of_one_word_are_no_turns() -> None:
    alert = heard(*[(said(FIRING, at), float(at + 1)) for at in range(20)])
    assert alert.turns == 0 and not is_flapping(alert, alert.last_at)


def test_an_unknown_severity_is_medium_and_stays_as_it_was_said() -> None:
    assert severity_of("catastrophic") == Severity.MEDIUM
    assert severity_of(None) == Severity.MEDIUM
    assert severity_of(" P1 ") == Severity.CRITICAL
    assert heard((Occurrence("k", FIRING, "t", "catastrophic"), 0)).severity_raw == "catastrophic"


seconds = st.none() | st.floats(-100, 4000)
moments = st.none() | st.floats(-100, 8000).map(lambda at: START + timedelta(seconds=at))
words = st.builds(
    lambda status, at, starts, ends, title: said(status, at, title, starts_at=starts, ends_at=ends),
    st.sampled_from(list(AlertStatus)), seconds, moments, moments, st.sampled_from(["Errors", "Latency", ""]),
)  # fmt: skip


@given(st.lists(st.tuples(words, st.floats(0, 60)), min_size=1, max_size=12))
def test_whatever_is_said_in_any_order_the_alert_stays_sound(sequence: list[tuple[Occurrence, float]]) -> None:
    alert, now = None, START
    newest: datetime | None = None
    for word, wait in sequence:
        now += timedelta(seconds=wait)
        alert = first("alr_1", "estate", word, "f", "token", now) if alert is None else merge(alert, word, now)
        newest = max(newest or alert.last_said_at, alert.last_said_at)
        assert alert.last_said_at == newest <= now
        assert alert.starts_at <= now
        assert (alert.ends_at is not None) == (alert.status == RESOLVED)
        assert alert.ends_at is None or alert.starts_at <= alert.ends_at <= now
    assert alert is not None
    assert alert.count == len(sequence)
    assert alert.late <= alert.count


def test_what_a_table_says_of_a_word_goes_before_the_ladder_and_the_word_stays() -> None:
    low = Occurrence("disk", FIRING, "Disk", "Warning", severity=Severity.LOW)
    alert = heard((low, 1))
    assert (alert.severity, alert.severity_raw) == (Severity.LOW, "Warning")
    worse = heard((low, 1), (Occurrence("disk", FIRING, "Disk", "Warning", severity=Severity.HIGH), 2))
    assert (worse.severity, worse.severity_raw) == (Severity.HIGH, "Warning")


def test_a_word_that_no_table_and_no_ladder_knows_is_told_from_one_that_is_not_there() -> None:
    assert is_unknown_word(Occurrence("disk", FIRING, "Disk", "Oh no"))
    assert not is_unknown_word(Occurrence("disk", FIRING, "Disk", " CRITICAL "))
    assert not is_unknown_word(Occurrence("disk", FIRING, "Disk", "Oh no", severity=Severity.HIGH))
    assert not is_unknown_word(Occurrence("disk", FIRING, "Disk"))


@pytest.mark.parametrize(
    ("word", "rung"),
    [
        ("SEV-1", Severity.HIGH), ("Sev 0", Severity.CRITICAL), ("P1 - Critical", Severity.CRITICAL),
        ("1 - Critical", Severity.CRITICAL), ("Critical (P1)", Severity.CRITICAL), ("High / 2", Severity.HIGH),
        ("p_2", Severity.HIGH), ("5 – Info", Severity.INFO), ("P4: Low", Severity.LOW),
    ],
)  # fmt: skip
def test_a_severity_is_read_however_people_join_its_words(word: str, rung: Severity) -> None:
    assert severity_of(word) == rung
    assert not is_unknown_word(Occurrence("disk", FIRING, "Disk", word))


@pytest.mark.parametrize("word", ["non-critical", "not critical", "uncritical", "- / ()", "1", "7 - 8", "---"])
def test_a_word_that_only_holds_a_known_one_stays_unknown(word: str) -> None:
    assert severity_of(word) == Severity.MEDIUM
    assert is_unknown_word(Occurrence("disk", FIRING, "Disk", word))
