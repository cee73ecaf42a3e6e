"""What the terminal shows: readable, in order, and deaf to what text from outside would make of it."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from handrail.drills.demo.journal import Broken, Journal, Outcome, Step, StepFailed, wait_for
from handrail.drills.demo.live import LiveView
from handrail.drills.demo.signals import Reading, reading, spark
from handrail.drills.demo.telling import Card, PlainView, Score, SignIn, Todo, clean
from handrail.kernel.clock import ManualClock
from handrail.kernel.errors import Unavailable

NINE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
STEP = Step("declare", "Carol", "declares the incident")
CARD = Card("gate", "What Paul reads", (("digest", "ab" * 32), ("", "payments 2.4.1 -> 2.4.0")))
SIGN_IN = SignIn("Carol Commander", "carol", "carol-1234abcd", "commands")
TODO = Todo("Carol Commander", "carol", "carol-1234abcd", "Press “Declare”", "http://127.0.0.1:1/")
SCORE = Score((("To detect", "4.2 s"),), (("Votes", 5),), (("Acts", 1),), (("Size", "112 entries"),))
SIGNAL = {
    "service": "payments", "version": "2.4.1", "symptoms": ["HighErrorRate"], "error_rate": 0.5, "p95_seconds": None,
    "series": {"error_rate": [0.0, 0.25], "p95_seconds": [0.02, None]},
}  # fmt: skip


def plain() -> tuple[PlainView, io.StringIO]:
    out = io.StringIO()
    return PlainView(out), out


def test_the_bars_stand_under_one_top_and_unknown_is_a_gap() -> None:
    assert spark([0.0, 0.5, 1.0, None, 9.0], 1.0, width=6) == " ▁▅█ █"


def test_a_reading_ends_with_what_the_monitor_says_now() -> None:
    one = reading(SIGNAL)
    assert one == Reading("payments", "2.4.1", ("HighErrorRate",), (0.0, 0.25, 0.5), (0.02, None, None))
    assert not one.healthy


def test_text_from_outside_cannot_command_the_terminal() -> None:
    assert clean("\x1b[2Jgone\r\nnext\u202e") == "[2Jgone next"


def test_moments_count_from_the_release() -> None:
    view, out = plain()
    view.end(Outcome(STEP, True, NINE, 1.0, "before"))
    view.zero()
    view.end(Outcome(STEP, True, NINE, 1.0, "released"))
    view.end(Outcome(STEP, False, NINE + timedelta(seconds=12.34), 1.0, "too late"))
    assert out.getvalue().splitlines() == [
        "           ok    Carol    declares the incident: before",
        "   +0.0 s  ok    Carol    declares the incident: released",
        "  +12.3 s  FAIL  Carol    declares the incident: too late",
    ]


def test_plain_lines_name_the_sign_ins_the_cards_and_what_to_do() -> None:
    view, out = plain()
    view.welcome("http://127.0.0.1:1", [SIGN_IN])
    view.card(CARD)
    view.todo(TODO)
    view.todo(None)
    view.score(SCORE)
    said = out.getvalue()
    for words in ("http://127.0.0.1:1", "carol-1234abcd", "payments 2.4.1 -> 2.4.0", "Press “Declare”", "112 entries"):
        assert words in said


def test_the_live_view_keeps_on_screen_what_the_plain_one_says() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=40)
    view = LiveView(console)
    view.welcome("http://127.0.0.1:1", [SIGN_IN])
    view.signals([reading(SIGNAL)])
    view.begin(STEP)
    view.zero()
    view.end(Outcome(STEP, True, NINE, 1.0, "INC-1 \x1b[2J as SEV1"))
    view.card(CARD)
    view.todo(TODO)
    view.score(SCORE)
    view.close()
    said = console.file.getvalue()  # type: ignore[attr-defined]
    for words in ("INC-1 [2J as SEV1", "What Paul reads", "payments 2.4.1 -> 2.4.0", "112 entries", "payments"):
        assert words in said


def test_the_first_step_that_does_not_hold_ends_the_story_and_is_named() -> None:
    clock, (view, _) = ManualClock(), plain()
    journal = Journal(clock, view)
    journal.run(STEP, lambda: "done")

    def fail() -> str:
        clock.advance(seconds=3)
        raise Unavailable("The estate does not answer.")

    with pytest.raises(StepFailed, match=r"^The estate does not answer\.$"):
        journal.run(Step("recover", "Handrail", "checks"), fail)
    assert journal.failed is not None
    assert journal.failed.as_json() == {
        "name": "recover", "ok": False, "at": "2026-01-05T09:00:03.000000Z", "seconds": 3.0,
        "detail": "The estate does not answer.", "who": "Handrail", "title": "checks",
    }  # fmt: skip


def test_waiting_ends_with_what_was_awaited() -> None:
    assert wait_for("It", lambda: "there", 0) == "there"
    with pytest.raises(StepFailed, match=r"^Recovery did not happen within 0 s\.$"):
        wait_for("Recovery", lambda: None, 0)


def test_a_fault_of_ours_is_told_with_its_step() -> None:
    view, out = plain()
    journal = Journal(ManualClock(), view)
    answer: dict[str, str] = {}
    with pytest.raises(Broken):
        journal.run(STEP, lambda: answer["missing"])
    assert "FAIL  Carol    declares the incident: It broke: KeyError('missing')" in out.getvalue()
