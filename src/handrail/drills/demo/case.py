"""One incident as the demonstration follows it: what Handrail made so far, looked at through the public API."""

import time
from dataclasses import dataclass
from typing import Any

import httpx2

from handrail.drills.demo.cast import Member
from handrail.drills.demo.client import Client
from handrail.drills.demo.journal import StepFailed
from handrail.drills.demo.stage import Stage
from handrail.kernel.canonical import digest

MACHINE_SECONDS = 45.0
RECOVERY_SECONDS = 120.0
_CHECKOUT_SECONDS = 5.0


@dataclass
class Case:
    """Ids are filled in as what they name comes about."""

    stage: Stage
    candidate_id: str = ""
    incident_id: str = ""
    proposal_id: str = ""
    run_id: str = ""
    review_id: str = ""

    @property
    def look(self) -> Client:
        """Looking needs no duty in the incident; the owner's account does it, and decides nothing."""
        return self.stage.cast["owner"].api

    @property
    def path(self) -> str:
        return f"/incidents/{self.incident_id}"

    def incident(self) -> dict[str, Any]:
        found: dict[str, Any] = self.look.get(self.path)
        return found

    def commander(self) -> Member:
        """Whoever declared; with a person at the browser that may be another one than Carol."""
        holder = self.incident()["roles"].get("commander")
        return self.stage.cast.by_account(holder) or self.stage.cast["carol"]

    def tasks(self) -> dict[str, dict[str, Any]]:
        """The run's tasks by id."""
        return {task["id"]: task for task in self.look.get(f"/runs/{self.run_id}")["tasks"]}

    def task_result(self, task_id: str) -> str | None:
        """What a person wrote down at the end of a task; None while it is open."""
        task = self.tasks()[task_id]
        if task["status"] in ("failed", "outcome_unknown"):
            raise StepFailed(f"{task['title']}: {task['status'].replace('_', ' ')}. {task['why'] or task['result']}")
        return str(task["result"] or task["status"]) if task["status"] in ("done", "skipped") else None

    def do_task(self, who: Member, task_id: str, result: str) -> None:
        where = f"/runs/{self.run_id}/tasks/{task_id}"
        who.api.post(f"{where}/claim")
        self.stage.pause()
        who.api.post(f"{where}/done", {"result": result})

    def vote(self, who: Member, gate_id: str, reason: str) -> None:
        """Approve exactly what is read here: the digest sent is computed from the content, not copied."""
        gate = who.api.get(f"/gates/{gate_id}")
        computed = digest(gate["content"])
        if computed != gate["subject"]["digest"]:
            raise StepFailed("The digest at the gate is not that of the content shown.")
        who.api.post(f"/gates/{gate_id}/vote", {"vote": "approve", "digest": computed, "reason": reason})

    def consent(self, gate_id: str) -> str | None:
        """What a satisfied gate is bound to; None while it is open. Raises StepFailed when people said no."""
        gate = self.look.get(f"/gates/{gate_id}")
        if gate["status"] == "open":
            return None
        if gate["status"] != "satisfied":
            raise StepFailed(f"The gate is {gate['status']}. {gate['why']}".strip())
        return f"bound to the digest {gate['subject']['digest'][:12]}…, by the rule {gate['rule']}"

    @property
    def checkout_url(self) -> str:
        return self.stage.world.estate.control_url("storefront") + "/checkout"

    def try_checkout(self, must_work: bool = False) -> str:
        """One real purchase, as a customer would make it."""
        began = time.monotonic()
        try:
            status = httpx2.get(self.checkout_url, trust_env=False, timeout=_CHECKOUT_SECONDS).status_code
            words = "worked" if status == 200 else f"failed with status {status}"
        except httpx2.HTTPError as error:
            status, words = 0, f"failed ({type(error).__name__})"
        if must_work and status != 200:
            raise StepFailed(f"A purchase {words} although the signal had recovered.")
        return f"One purchase {words} after {time.monotonic() - began:.1f} s."
