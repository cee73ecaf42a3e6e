"""One message: drafted by Handrail from facts, edited by Dora, approved by Carol, delivered over every channel."""

from dataclasses import dataclass
from typing import Any

from handrail.drills.demo import cards
from handrail.drills.demo.case import MACHINE_SECONDS, Case
from handrail.drills.demo.journal import Step, StepFailed, wait_for
from handrail.drills.demo.stage import Human

_DRAFT_SECONDS = 20.0
_ADDED = "Questions go to Dora Communications, not to the responders."


@dataclass
class Messaging:
    """`audience` names the steps, `words` tells people who is meant."""

    case: Case
    task_id: str
    audience: str
    words: str
    message_id: str = ""

    def play(self) -> None:
        stage, cast = self.case.stage, self.case.stage.cast
        self.message_id = wait_for(f"The draft to {self.words}", self._drafted, _DRAFT_SECONDS)
        where = f"/messages/{self.message_id}"
        stage.human(
            Human(
                Step(f"write-{self.audience}", "Dora", f"edits the message to {self.words}"), cast["dora"],
                "Read the draft, change and save what you like, and press “Put to approval”.", where,
                self._edit, self._submitted,
            )
        )  # fmt: skip
        stage.view.card(cards.message(self._message()))
        stage.human(
            Human(
                Step(f"approve-{self.audience}", "Carol", "approves the words"), cast["carol"],
                "Read the words, give a reason, and press “Approve”.", where,
                lambda: self.case.vote(cast["carol"], str(self._message()["gate_id"]), "True, complete and calm."),
                self._approved,
            )
        )  # fmt: skip
        stage.machine(
            Step(f"deliver-{self.audience}", "Handrail", f"delivers it to {self.words}"),
            "The delivery over every channel", self._delivered, MACHINE_SECONDS,
        )  # fmt: skip

    def _message(self) -> dict[str, Any]:
        found: dict[str, Any] = self.case.look.get(f"/messages/{self.message_id}")
        return found

    def _drafted(self) -> str | None:
        return self.case.tasks()[self.task_id]["message_id"] or None

    def _edit(self) -> None:
        """A person adds what no machine knows, then puts it to its gate."""
        dora, message = self.case.stage.cast["dora"].api, self._message()
        words = {"subject": message["subject"], "text": f"{message['text']}\n\n{_ADDED}"}
        dora.post(f"/messages/{self.message_id}/edit", words)
        dora.post(f"/messages/{self.message_id}/submit")

    def _submitted(self) -> str | None:
        message = self._message()
        if message["status"] in ("draft", "rejected"):
            return None
        stated = sum(fact["entry"] is not None for fact in message["facts"])
        return f"{stated} of its {len(message['facts'])} facts name their entry in the record"

    def _approved(self) -> str | None:
        status = self._message()["status"]
        if status == "rejected":
            raise StepFailed(f"The message to {self.words} was rejected at its gate.")
        return "for exactly these words" if status not in ("draft", "submitted") else None

    def _delivered(self) -> str | None:
        """Said by Handrail, and seen where it arrived."""
        message = self._message()
        if message["status"] == "failed":
            raise StepFailed("; ".join(f"{one['channel']}: {one['why']}" for one in message["deliveries"]))
        if message["status"] != "delivered":
            return None
        mails = [path for path in self.case.stage.world.mailbox.glob("*.eml") if self.message_id in path.read_text()]
        posts = [one for one in self.case.stage.world.receiver.deliveries() if one.message == self.message_id]
        if len(mails) != 1 or len(posts) != 1:
            raise StepFailed(f"It arrived {len(mails)} times in the mailbox and {len(posts)} times at the webhook.")
        return "one file in the mailbox, one webhook whose signature was checked"
