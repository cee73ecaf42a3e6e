"""From the likely cause to a customer who can buy again: people choose and approve, machines act and check."""

from dataclasses import dataclass

import httpx2

from handrail.drills.demo import cards
from handrail.drills.demo.case import MACHINE_SECONDS, RECOVERY_SECONDS, Case
from handrail.drills.demo.client import Refusal
from handrail.drills.demo.journal import Step, StepFailed
from handrail.drills.demo.messaging import Messaging
from handrail.drills.demo.outbreak import BAD, GOOD, SERVICE
from handrail.drills.demo.stage import Human


@dataclass
class Handling:
    case: Case
    deploys_before: int = 0

    def play(self) -> None:
        self._decide()
        self._approve()
        self._recover()

    def _decide(self) -> None:
        stage, carol = self.case.stage, self.case.stage.cast["carol"]
        stage.do(Step("roles", "Carol", "gives out roles"), self._give_roles)
        stage.human(
            Human(
                Step("plan", "Carol", "chooses the plan"), carol,
                "Read the likely cause and the proposal, and press “Start this plan”.", self.case.path,
                lambda: carol.api.post(f"{self.case.path}/runs", {"proposal_id": self.case.proposal_id}),
                self._run_started,
            )
        )  # fmt: skip
        stage.human(
            Human(
                Step("impact", "Carol", "tries the customer's path"), carol,
                f"Press “Take it”, open {self.case.checkout_url} once, write down what you saw, and press “Done”.",
                f"/tasks/{self.case.run_id}/confirm-impact",
                lambda: self.case.do_task(carol, "confirm-impact", self.case.try_checkout()),
                lambda: self.case.task_result("confirm-impact"),
            )
        )  # fmt: skip

    def _give_roles(self) -> str:
        """Roles decide who owns which task. Done at once in hands-on too, so that the next steps find their people."""
        cast, held = self.case.stage.cast, self.case.incident()["roles"]
        for role, member in (("communications", cast["dora"]), ("expert", cast["paul"])):
            if role not in held:
                body = {"role": role, "account_id": member.account_id}
                self.case.commander().api.post(f"{self.case.path}/roles", body)
        return "Dora leads communications, Paul is the subject expert"

    def _run_started(self) -> str | None:
        runs = self.case.look.items(f"{self.case.path}/runs")
        if not runs:
            return None
        self.case.run_id = runs[0]["id"]
        self.deploys_before = self._deploys()
        return f"runbook {runs[0]['runbook']}: {len(self.case.tasks())} tasks with owners and due times"

    def _deploys(self) -> int:
        url = self.case.stage.world.estate.control_url(SERVICE)
        try:
            return int(httpx2.get(f"{url}/version", trust_env=False, timeout=10).json()["deploys"])
        except httpx2.HTTPError as error:
            raise StepFailed(f"{SERVICE} does not say what is deployed: {type(error).__name__}.") from error

    def _approve(self) -> None:
        stage, paul = self.case.stage, self.case.stage.cast["paul"]
        gate_id = str(self.case.tasks()["roll-back"]["gate_id"])
        stage.do(Step("self-approval", "Handrail", "refuses a self-approval"), lambda: self._try_self(gate_id))
        stage.view.card(cards.gate(paul.api.get(f"/gates/{gate_id}")))
        stage.human(
            Human(
                Step("approve", "Paul", "approves exactly this"), paul,
                "Read exactly what would be done, give a reason, and press “Approve”.", f"/gates/{gate_id}",
                lambda: self.case.vote(paul, gate_id, "The symptoms began with 2.4.1, and 2.4.0 ran clean."),
                lambda: self.case.consent(gate_id),
            )
        )  # fmt: skip
        stage.machine(Step("act", "Handrail", "rolls back"), "The rollback", self._acted, MACHINE_SECONDS)

    def _try_self(self, gate_id: str) -> str:
        """Whoever put the action into the run never approves it, and the commander is no exception."""
        self.case.stage.pause()
        who = self.case.commander()
        try:
            self.case.vote(who, gate_id, "I am in a hurry.")
        except Refusal as refusal:
            if refusal.code != "self_approval":
                raise
            return f"{who.role.first_name} tries to approve it herself: “{refusal}”"
        raise StepFailed(f"{who.role.first_name} could approve what she put forward herself.")

    def _acted(self) -> str | None:
        if self.case.task_result("roll-back") is None:
            return None
        times = self._deploys() - self.deploys_before
        if times != 1:
            raise StepFailed(f"{SERVICE} was deployed {times} times where one deploy was approved.")
        return f"{SERVICE} {BAD} -> {GOOD}, once, for real"

    def _recovered(self) -> str | None:
        if self.case.task_result("signal-recovers") is None:
            return None
        lines = self.case.look.items(f"{self.case.path}/timeline", {"limit": 200})
        return str(next(line["body"]["detail"] for line in reversed(lines) if line["type"] == "check.finished"))

    def _recover(self) -> None:
        stage, paul = self.case.stage, self.case.stage.cast["paul"]
        Messaging(self.case, "tell-teams", "teams", "internal teams").play()
        stage.machine(
            Step("recover", "Handrail", "sees the signal recover"), "Recovery by the service's own signal",
            self._recovered, RECOVERY_SECONDS,
        )  # fmt: skip
        stage.human(
            Human(
                Step("verify-journey", "Paul", "buys something himself"), paul,
                f"Press “Take it”, open {self.case.checkout_url} once, write down the result, and press “Done”.",
                f"/tasks/{self.case.run_id}/verify-journey",
                lambda: self.case.do_task(paul, "verify-journey", self.case.try_checkout(must_work=True)),
                lambda: self.case.task_result("verify-journey"),
            )
        )  # fmt: skip
