"""The outage as it is handled: from a bad release to an accepted review. Machines and people take turns."""

import time
from dataclasses import dataclass, field
from typing import Any

import httpx2

from handrail.drills.demo import cards
from handrail.drills.demo.cast import Member
from handrail.drills.demo.client import Refusal
from handrail.drills.demo.journal import Step, StepFailed
from handrail.drills.demo.stage import Human, Stage
from handrail.drills.estate.topology import SERVICES
from handrail.kernel.canonical import digest

SERVICE, GOOD, BAD = "payments", "2.4.0", "2.4.1"
_ALERT_SECONDS = 60.0
_MACHINE_SECONDS = 45.0
_RECOVERY_SECONDS = 120.0


@dataclass
class Handling:
    """What is learnt on the way: ids of what Handrail made."""

    stage: Stage
    candidate_id: str = ""
    incident_id: str = ""
    proposal_id: str = ""
    run_id: str = ""
    review_id: str = ""
    deploys_before: int = 0
    _carol: Member = field(init=False)
    _paul: Member = field(init=False)
    _dora: Member = field(init=False)

    def __post_init__(self) -> None:
        cast = self.stage.cast
        self._carol, self._paul, self._dora = cast["carol"], cast["paul"], cast["dora"]
        self._look = cast["owner"].api

    def play(self) -> None:
        self._break()
        self._declare()
        self._decide()
        self._mitigate()
        self._finish()

    # From the release to the candidate

    def _break(self) -> None:
        stage = self.stage
        stage.view.zero()
        stage.do(Step("release", "Estate", f"ships {SERVICE} {BAD}"), self._release)
        stage.machine(
            Step("alerts", "Estate", "raises alerts"), "Alerts from all three services", self._alerts, _ALERT_SECONDS
        )
        stage.machine(
            Step("candidate", "Handrail", "makes one candidate of them"), "One candidate over all three services",
            self._candidate, _MACHINE_SECONDS,
        )  # fmt: skip

    def _release(self) -> str:
        released = self.stage.world.estate.release(SERVICE, BAD)
        self.deploys_before = self._deploys()
        return f"over {released.previous_version}; the change event reaches Handrail. It leaks connections"

    def _deploys(self) -> int:
        url = self.stage.world.estate.control_url(SERVICE)
        return int(httpx2.get(f"{url}/version", trust_env=False, timeout=10).json()["deploys"])

    def _alerts(self) -> str | None:
        alerts = self._look.items("/alerts", {"status": "firing"})
        services = {alert["service"] for alert in alerts}
        return f"{len(alerts)} firing, from {', '.join(sorted(services))}" if services >= set(SERVICES) else None

    def _candidate(self) -> str | None:
        found = self._look.items("/candidates", {"status": "open"})
        if len(found) > 1:
            raise StepFailed(f"{len(found)} candidates stand where one outage is: the storm was not collapsed.")
        if not found or not set(found[0]["services"]) >= set(SERVICES):
            return None
        candidate = self._look.get(f"/candidates/{found[0]['id']}")
        self.candidate_id = candidate["id"]
        self.stage.view.card(cards.candidate(candidate))
        return f"{candidate['count']} alerts, {candidate['suggested_severity']} suggested"

    # From the declaration to the plan

    def _declare(self) -> None:
        self.stage.human(
            Human(
                Step("declare", "Carol", "declares the incident"), self._carol,
                "On the board, read the candidate's reasons and declare it with the suggested severity.", "/",
                self._declare_by_api, self._declared,
            )
        )  # fmt: skip
        self.stage.machine(
            Step("finding", "Handrail", "names the likely cause"), "A finding with a proposal", self._found,
            _MACHINE_SECONDS,
        )  # fmt: skip
        self.stage.do(Step("roles", "Carol", "gives out roles"), self._give_roles)

    def _declare_by_api(self) -> None:
        candidate = self._carol.api.get(f"/candidates/{self.candidate_id}")
        self._carol.api.post(
            "/incidents", {"candidate_id": self.candidate_id, "severity": candidate["suggested_severity"]}
        )

    def _declared(self) -> str | None:
        found = self._look.items("/incidents")
        if not found:
            return None
        incident = found[0]
        self.incident_id = incident["id"]
        confirmed = "as suggested" if incident["severity"] == incident["suggested_severity"] else "changed by a person"
        return f"{incident['reference']}, {incident['severity']} {confirmed}"

    def _found(self) -> str | None:
        findings = self._look.items(f"/incidents/{self.incident_id}/findings")
        current = [one for one in findings if one["status"] == "current"]
        proposals = self._look.items(f"/incidents/{self.incident_id}/proposals")
        open_ones = [one for one in proposals if one["status"] == "open"]
        if not current or not open_ones:
            return None
        wanted = {"service": SERVICE, "from_version": BAD, "to_version": GOOD}
        if open_ones[0]["parameters"] != wanted:
            raise StepFailed(f"The analyst proposes something else: {open_ones[0]['parameters']}.")
        self.proposal_id = open_ones[0]["id"]
        self.stage.view.card(cards.finding(current[0], open_ones[0]))
        return f"confidence {current[0]['confidence']} of 100, {len(current[0]['citations'])} pieces of evidence"

    def _give_roles(self) -> str:
        roles = self._look.get(f"/incidents/{self.incident_id}")["roles"]
        api = self.stage.cast["carol"].api
        for role, member in (("communications", self._dora), ("expert", self._paul)):
            if role not in roles:
                api.post(f"/incidents/{self.incident_id}/roles", {"role": role, "account_id": member.account_id})
        return "Dora communicates, Paul is the subject expert"

    def _decide(self) -> None:
        where = f"/incidents/{self.incident_id}"
        self.stage.human(
            Human(
                Step("plan", "Carol", "chooses the plan"), self._carol,
                "In the incident, read the cause and the proposal, and start the run from it.", where,
                self._start_run, self._run_started,
            )
        )  # fmt: skip
        self.stage.human(
            Human(
                Step("impact", "Carol", "tries the customer's path"), self._carol,
                f"Claim “Confirm what customers feel”, open {self._checkout_url()} once, write down what you see.", where,
                lambda: self._do_task(self._carol, "confirm-impact", self._try_checkout()),
                lambda: self._task_done("confirm-impact"),
            )
        )  # fmt: skip

    def _start_run(self) -> None:
        self._carol.api.post(f"/incidents/{self.incident_id}/runs", {"proposal_id": self.proposal_id})

    def _run_started(self) -> str | None:
        runs = self._look.items(f"/incidents/{self.incident_id}/runs")
        if not runs:
            return None
        self.run_id = runs[0]["id"]
        tasks = self._tasks()
        return f"runbook {runs[0]['runbook']}, {len(tasks)} tasks with owners and due times"

    # From the gate to recovery

    def _mitigate(self) -> None:
        gate_id = str(self._tasks()["roll-back"]["gate_id"])
        self.stage.do(Step("self-approval", "Handrail", "refuses a self-approval"), lambda: self._try_self(gate_id))
        gate = self._paul.api.get(f"/gates/{gate_id}")
        self.stage.view.card(cards.gate(gate))
        self.stage.human(
            Human(
                Step("approve", "Paul", "approves exactly this"), self._paul,
                "Under “My approvals”, read what would be done, give a reason, approve.", f"/gates/{gate_id}",
                lambda: self._approve(self._paul, gate_id, "The leak began with 2.4.1; 2.4.0 ran clean for days."),
                lambda: self._gate_satisfied(gate_id),
            )
        )  # fmt: skip
        self.stage.machine(
            Step("act", "Handrail", "rolls back"), "The rollback", self._acted, _MACHINE_SECONDS
        )  # fmt: skip
        self._tell("tell-teams", "teams", "internal teams")
        self.stage.machine(
            Step("recover", "Handrail", "sees the signal recover"), "Recovery of the signal", self._recovered,
            _RECOVERY_SECONDS,
        )  # fmt: skip
        self.stage.human(
            Human(
                Step("verify-journey", "Paul", "buys something"), self._paul,
                f"Claim “Verify the customer's path”, open {self._checkout_url()} once, write down the result.",
                f"/incidents/{self.incident_id}",
                lambda: self._do_task(self._paul, "verify-journey", self._try_checkout(must_work=True)),
                lambda: self._task_done("verify-journey"),
            )
        )  # fmt: skip

    def _try_self(self, gate_id: str) -> str:
        """Carol put the action into the run; the rule that nobody approves their own proposal holds for her too."""
        self.stage.pause()
        gate = self._carol.api.get(f"/gates/{gate_id}")
        try:
            self._vote(self._carol, gate, "I am in a hurry.")
        except Refusal as refusal:
            if refusal.code == "self_approval":
                return f"Carol tries to approve: “{refusal}”"
            raise
        raise StepFailed("Carol approved what she put forward herself.")

    def _approve(self, who: Member, gate_id: str, reason: str) -> None:
        gate = who.api.get(f"/gates/{gate_id}")
        if digest(gate["content"]) != gate["subject"]["digest"]:
            raise StepFailed("The digest at the gate is not that of the content shown.")
        self._vote(who, gate, reason)

    def _vote(self, who: Member, gate: dict[str, Any], reason: str) -> None:
        who.api.post(
            f"/gates/{gate['id']}/votes",
            {"vote": "approve", "digest": gate["subject"]["digest"], "reason": reason},
        )

    def _gate_satisfied(self, gate_id: str) -> str | None:
        gate = self._look.get(f"/gates/{gate_id}")
        if gate["status"] == "open":
            return None
        if gate["status"] != "satisfied":
            raise StepFailed(f"The gate is {gate['status']}: {gate['why'] or 'a person decided so'}.")
        return f"bound to {gate['subject']['digest'][:16]}…, under the rule {gate['rule']}"

    def _acted(self) -> str | None:
        task = self._tasks()["roll-back"]
        if task["status"] in ("failed", "outcome_unknown"):
            raise StepFailed(f"The rollback is {task['status'].replace('_', ' ')}: {task['why'] or task['result']}.")
        if task["status"] != "done":
            return None
        times = self._deploys() - self.deploys_before
        if times != 1:
            raise StepFailed(f"{SERVICE} was deployed {times} times where once was approved.")
        return f"{SERVICE} {BAD} -> {GOOD}, once"

    def _recovered(self) -> str | None:
        task = self._tasks()["signal-recovers"]
        if task["status"] == "failed":
            raise StepFailed(f"The check by signal failed: {task['why'] or task['result']}.")
        return task["result"] or "healthy" if task["status"] == "done" else None

    # Messages

    def _tell(self, task_id: str, audience: str, words: str) -> None:
        message_id = str(self._tasks()[task_id]["message_id"])
        where = f"/messages/{message_id}"
        self.stage.human(
            Human(
                Step(f"write-{audience}", "Dora", f"edits and submits the message to {words}"), self._dora,
                "Read the draft, change what you like, and submit it.", where,
                lambda: self._edit_and_submit(message_id), lambda: self._submitted(message_id),
            )
        )  # fmt: skip
        self.stage.view.card(cards.message(self._look.get(where)))
        self.stage.human(
            Human(
                Step(f"approve-{audience}", "Carol", "approves the words"), self._carol,
                "Under “My approvals”, read the words, give a reason, approve.", where,
                lambda: self._approve(self._carol, str(self._look.get(where)["gate_id"]), "True, and calm."),
                lambda: self._words_approved(message_id),
            )
        )  # fmt: skip
        self.stage.machine(
            Step(f"deliver-{audience}", "Handrail", f"delivers to {words}"), "The delivery over every channel",
            lambda: self._delivered(message_id), _MACHINE_SECONDS,
        )  # fmt: skip

    def _edit_and_submit(self, message_id: str) -> None:
        message = self._dora.api.get(f"/messages/{message_id}")
        text = message["text"] + "\n\nQuestions to Dora in the incident channel, please."
        self._dora.api.put(f"/messages/{message_id}", {"subject": message["subject"], "text": text})
        self._dora.api.post(f"/messages/{message_id}/submit")

    def _submitted(self, message_id: str) -> str | None:
        message = self._look.get(f"/messages/{message_id}")
        if message["status"] in ("draft", "rejected"):
            return None
        stated = sum(1 for fact in message["facts"] if fact["entry"] is not None)
        return f"{stated} facts, each with its entry in the record"

    def _words_approved(self, message_id: str) -> str | None:
        message = self._look.get(f"/messages/{message_id}")
        if message["status"] == "rejected":
            raise StepFailed("The message was rejected at its gate.")
        return "for exactly these words" if message["status"] not in ("draft", "submitted") else None

    def _delivered(self, message_id: str) -> str | None:
        message = self._look.get(f"/messages/{message_id}")
        if message["status"] == "failed":
            raise StepFailed("; ".join(f"{one['channel']}: {one['why']}" for one in message["deliveries"]))
        mails = [path for path in self.stage.world.mailbox.glob("*.eml") if message_id in path.read_text()]
        posts = [one for one in self.stage.world.receiver.deliveries() if one.message == message_id]
        if message["status"] != "delivered" or not mails or not posts:
            return None
        return f"mailbox ({mails[0].name}) and webhook (signature checked)"

    # To the end

    def _finish(self) -> None:
        stage, incident = self.stage, f"/incidents/{self.incident_id}"
        self._tell("tell-executives", "executives", "executives")
        stage.machine(
            Step("quiet", "Estate", "ends every alert"), "The end of all alerts", self._quiet, _RECOVERY_SECONDS
        )  # fmt: skip
        stage.human(
            Human(
                Step("ask-readiness", "Carol", "asks for readiness"), self._carol,
                "In the incident, ask for readiness.", incident,
                lambda: self._carol.api.post(f"{incident}/readiness"), self._readiness_asked,
            )
        )  # fmt: skip
        gate_id = str(self._look.get(incident)["readiness_gate_id"])
        stage.human(
            Human(
                Step("sign-readiness", "Paul", "signs payments ready"), self._paul,
                "Under “My approvals”, read the state of payments, and sign it.", f"/gates/{gate_id}",
                lambda: self._approve(self._paul, gate_id, "Signals are quiet and the customer's path works."),
                lambda: self._gate_satisfied(gate_id),
            )
        )  # fmt: skip
        stage.human(
            Human(
                Step("close", "Carol", "closes the incident"), self._carol, "In the incident, close it.", incident,
                lambda: self._carol.api.post(f"{incident}/close"), self._closed,
            )
        )  # fmt: skip
        stage.human(
            Human(
                Step("review", "Carol", "reads the review and accepts it"), self._carol,
                "Open the review, read it, complete it if you like, accept it.", f"/reviews/{self.review_id}",
                lambda: self._carol.api.post(f"/reviews/{self.review_id}/accept"), self._accepted,
            )
        )  # fmt: skip

    def _quiet(self) -> str | None:
        stages = {one["stage"]: one for one in self._look.get(f"/incidents/{self.incident_id}")["stages"]}
        return "all resolved" if stages["recover"]["machine"] else None

    def _readiness_asked(self) -> str | None:
        asked = self._look.get(f"/incidents/{self.incident_id}")["readiness_gate_id"]
        return "of the team that owns payments" if asked else None

    def _closed(self) -> str | None:
        incident = self._look.get(f"/incidents/{self.incident_id}")
        if incident["status"] != "closed":
            return None
        self.review_id = self._look.get(f"/incidents/{self.incident_id}/review")["id"]
        return "the review is drafted from the record"

    def _accepted(self) -> str | None:
        review = self._look.get(f"/reviews/{self.review_id}")
        lines = len(review["compiled"]["timeline"])
        return f"a timeline of {lines} lines, each an entry of the record" if review["status"] == "accepted" else None

    # Tasks

    def _tasks(self) -> dict[str, dict[str, Any]]:
        return {task["id"]: task for task in self._look.get(f"/runs/{self.run_id}")["tasks"]}

    def _do_task(self, who: Member, task_id: str, result: str) -> None:
        where = f"/runs/{self.run_id}/tasks/{task_id}"
        who.api.post(f"{where}/claim")
        self.stage.pause()
        who.api.post(f"{where}/done", {"result": result})

    def _task_done(self, task_id: str) -> str | None:
        task = self._tasks()[task_id]
        return task["result"] or task["status"] if task["status"] in ("done", "skipped") else None

    def _checkout_url(self) -> str:
        return self.stage.world.estate.control_url("storefront") + "/checkout"

    def _try_checkout(self, must_work: bool = False) -> str:
        """One real purchase, as a customer would make it."""
        began = time.monotonic()
        try:
            status = httpx2.get(self._checkout_url(), trust_env=False, timeout=5).status_code
            words = "worked" if status == 200 else f"failed with status {status}"
        except httpx2.HTTPError as error:
            status, words = 0, f"failed: {type(error).__name__}"
        if must_work and status != 200:
            raise StepFailed(f"The purchase {words} although the signal had recovered.")
        return f"One purchase {words} after {time.monotonic() - began:.1f} s."
