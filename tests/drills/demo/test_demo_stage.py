"""Steps of people: played through the API, or waited for; both end with what Handrail shows."""

import io
from collections.abc import Callable
from typing import Any, cast

import pytest

from handrail.drills.demo.cast import CAROL, Cast, Member
from handrail.drills.demo.client import Client
from handrail.drills.demo.journal import Journal, Step, StepFailed, Usage
from handrail.drills.demo.stage import Human, Stage
from handrail.drills.demo.telling import PlainView
from handrail.drills.demo.world import World, check_database, check_port
from handrail.kernel.clock import ManualClock


class FakeWorld:
    """A world whose processes run, until `ended` says otherwise."""

    ended = ""

    def check(self) -> None:
        if self.ended:
            raise StepFailed(self.ended)


def stage(hands_on: bool, world: FakeWorld) -> tuple[Stage, io.StringIO]:
    out = io.StringIO()
    view = PlainView(out)
    journal = Journal(ManualClock(), view)
    url = "http://127.0.0.1:1"
    return Stage(cast(World, world), Cast(url), view, journal, url, hands_on, 0.0), out


def human(act: Callable[[], Any], seen: Callable[[], str | None]) -> Human:
    carol = Member(CAROL, "usr_1", "carol-1234abcd", Client("http://127.0.0.1:1"))
    return Human(Step("declare", "Carol", "declares"), carol, "Press “Declare”.", "/", act, seen)


def test_a_played_step_acts_and_then_looks() -> None:
    done: list[str] = []
    playing, out = stage(False, FakeWorld())
    playing.human(human(lambda: done.append("declared"), lambda: "INC-1" if done else None))
    assert "ok    Carol    declares: INC-1" in out.getvalue()


def test_hands_on_says_what_to_do_and_never_acts_itself() -> None:
    looks = iter([None, "INC-1"])

    def act() -> None:
        raise AssertionError("the person acts, not the demonstration")

    playing, out = stage(True, FakeWorld())
    playing.human(human(act, lambda: next(looks)))
    said = out.getvalue()
    assert "YOU: sign in as carol (carol-1234abcd), open http://127.0.0.1:1/: Press “Declare”." in said
    assert "ok    Carol    declares: INC-1" in said


def test_waiting_for_a_person_ends_when_a_process_has_ended() -> None:
    world = FakeWorld()
    world.ended = "Handrail ended with status 1."
    playing, out = stage(True, world)
    with pytest.raises(StepFailed, match="Handrail ended with status 1"):
        playing.human(human(lambda: None, lambda: None))
    assert "FAIL  Carol    declares: Handrail ended with status 1." in out.getvalue()


def test_a_database_that_is_none_or_does_not_answer_is_said_without_its_password() -> None:
    with pytest.raises(Usage, match="is no database: write postgresql://USER@HOST/NAME or sqlite:///FILE"):
        check_database("mysql://root@localhost/x")
    with pytest.raises(Usage, match="cannot be used") as refused:
        check_database("postgresql://somebody:hunter2hunter2@127.0.0.1:1/nothing")
    assert "hunter2" not in str(refused.value)


def test_any_free_port_will_do() -> None:
    check_port(0)
