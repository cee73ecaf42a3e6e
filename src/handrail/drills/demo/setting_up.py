"""Before the outage: people with accounts of their own, sources, the estate and its catalogue, a moment of quiet."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handrail.drills.demo.cast import OWNER, PEOPLE, Cast
from handrail.drills.demo.journal import Step, StepFailed, wait_for
from handrail.drills.demo.stage import Stage
from handrail.drills.demo.world import Sources, World
from handrail.drills.estate.topology import SERVICES

QUIET_SECONDS = 4.0
_QUIET_WITHIN = 60.0


@dataclass(frozen=True)
class SettingUp:
    """`on_estate_up` is called once there are signals to watch."""

    stage: Stage
    first_password: str
    on_estate_up: Callable[[], None]

    def play(self) -> None:
        stage = self.stage
        stage.do(Step("owner", "Owner", "signs in with the one-time password"), self._enter_owner)
        stage.do(Step("sources", "Owner", "adds two sources"), self._add_sources)
        stage.do(Step("people", "Owner", "lets people in"), self._let_people_in)
        stage.view.welcome(stage.url, [one for one in stage.cast.sign_ins() if one.login != OWNER.login])
        stage.do(Step("estate", "Estate", "is up"), self._await_estate)
        stage.do(Step("catalogue", "Owner", "puts the catalogue in force"), self._propose_catalogue)
        stage.do(Step("baseline", "Estate", "runs without a symptom"), self._watch_quiet)

    def _enter_owner(self) -> str:
        self.stage.cast.enter_owner(self.first_password)
        return "and sets one of their own"

    def _add_sources(self) -> str:
        sources = add_sources(self.stage.cast, self.stage.url)
        self.stage.world.begin_estate(sources)
        return "“estate” sends alerts as Alertmanager does, “delivery” sends CloudEvents"

    def _let_people_in(self) -> str:
        members = [self.stage.cast.let_in(role) for role in PEOPLE]
        return ", ".join(f"{member.role.first_name} ({member.role.duty})" for member in members)

    def _await_estate(self) -> str:
        self.stage.world.await_estate()
        self.on_estate_up()
        return "storefront, orders and payments answer real requests"

    def _propose_catalogue(self) -> str:
        text = self.stage.world.estate.catalog_path.read_text(encoding="utf-8")
        owner = self.stage.cast["owner"].api
        owner.put_forward(text)
        known = {service["name"]: service for service in owner.get("/catalog")["services"]}
        if set(known) != set(SERVICES):
            raise StepFailed(f"The catalogue in force names {', '.join(known) or 'no service'}.")
        return f"{len(known)} services with owners, dependencies and signals"

    def _watch_quiet(self) -> str:
        """A busy machine may stall a service as it starts; the story begins from a quiet that has lasted."""
        seen = wait_for(f"A quiet of {QUIET_SECONDS:g} s before the release", Quiet(self.stage.world), _QUIET_WITHIN)
        owner = self.stage.cast[OWNER.login].api
        stray = owner.items("/candidates", {"status": "open"})
        for one in stray:
            reason = "A service was slow as it started on a busy machine; nothing has been released yet."
            owner.post(f"/candidates/{one['id']}/dismiss", {"reason": reason})
        rate = seen["storefront"]["requests_per_second"]
        dismissed = "; noise of the start was dismissed" if stray else ""
        return f"about {rate or 0:.0f} requests a second, all answered{dismissed}"


class Quiet:
    """Asked again and again: the signals of all services once none has had a symptom for a while."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._since: float | None = None

    def __call__(self) -> dict[str, dict[str, Any]] | None:
        self._world.check()
        signals = {name: self._world.estate.signal(name) for name in SERVICES}
        now = time.monotonic()
        if not all(one["healthy"] for one in signals.values()):
            self._since = None
            return None
        self._since = now if self._since is None else self._since
        return signals if now - self._since >= QUIET_SECONDS else None


def add_sources(cast: Cast, url: str) -> Sources:
    """The two senders of the estate, each with a token of its own."""
    owner = cast["owner"].api
    alerts = owner.post("/sources", {"name": "estate", "integration": "alertmanager"})
    changes = owner.post("/sources", {"name": "delivery", "integration": "cloudevents"})
    return Sources(
        url + alerts["source"]["address"], alerts["token"], url + changes["source"]["address"], changes["token"]
    )
