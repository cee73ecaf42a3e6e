"""What every step works with: the world, the people, the view; and the two kinds of steps, machines' and people's."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from handrail.drills.demo.cast import Cast, Member
from handrail.drills.demo.journal import Journal, Step, wait_for
from handrail.drills.demo.telling import Todo, View
from handrail.drills.demo.world import World

Look = Callable[[], str | None]

# People's own steps answer at once; this bounds only what a busy machine makes of it.
_ACT_SECONDS = 30.0


@dataclass(frozen=True)
class Human:
    """A step of a person: what it is, where the browser does it, and how the API does the same."""

    step: Step
    who: Member
    click: str
    where: str
    act: Callable[[], object]
    seen: Look


@dataclass(frozen=True)
class Stage:
    """`pace_seconds` lies between two acts of people; with `hands_on` the person at the browser does them instead."""

    world: World
    cast: Cast
    view: View
    journal: Journal
    url: str
    hands_on: bool
    pace_seconds: float

    def machine(self, step: Step, what: str, seen: Look, seconds: float) -> None:
        """A step that machines do by themselves: look until it is there, within a deadline."""
        self.journal.run(step, lambda: wait_for(what, self._watched(seen), seconds))

    def human(self, human: Human) -> None:
        """A step of a person: played through the API, or waited for."""
        self.journal.run(human.step, lambda: self._wait(human) if self.hands_on else self._play(human))

    def do(self, step: Step, work: Callable[[], str]) -> None:
        """A step that is one act."""
        self.world.check()
        self.journal.run(step, work)

    def pause(self) -> None:
        """Let people who watch read what is there."""
        if not self.hands_on:
            time.sleep(self.pace_seconds)

    def _play(self, human: Human) -> str:
        self.pause()
        human.act()
        return wait_for(f"“{human.step.title}”", self._watched(human.seen), _ACT_SECONDS)

    def _wait(self, human: Human) -> str:
        who = human.who
        self.view.todo(Todo(who.role.name, who.role.login, who.password, human.click, self.url + human.where))
        try:
            return wait_for(f"“{human.step.title}”", self._watched(human.seen), None)
        finally:
            self.view.todo(None)

    def _watched(self, seen: Look) -> Look:
        """Look, and fail at once when a process that must run has ended."""

        def look() -> str | None:
            self.world.check()
            return seen()

        return look
