"""From a quiet estate to an accepted review."""

from dataclasses import dataclass

from handrail.drills.demo.case import RECOVERY_SECONDS, Case
from handrail.drills.demo.journal import Step
from handrail.drills.demo.messaging import Messaging
from handrail.drills.demo.stage import Human


@dataclass(frozen=True)
class Closing:
    case: Case

    def play(self) -> None:
        stage, cast = self.case.stage, self.case.stage.cast
        Messaging(self.case, "tell-executives", "executives", "executives").play()
        stage.machine(
            Step("quiet", "Estate", "ends every alert"), "The end of every alert", self._quiet, RECOVERY_SECONDS
        )
        stage.human(
            Human(
                Step("ask-readiness", "Carol", "asks whether payments is ready"), cast["carol"],
                "Press “Ask team-payments to sign off that payments is ready”.", self.case.path,
                lambda: cast["carol"].api.post(f"{self.case.path}/readiness"),
                self._readiness_asked,
            )
        )  # fmt: skip
        gate_id = str(self.case.incident()["readiness_gate_id"])
        stage.human(
            Human(
                Step("sign-readiness", "Paul", "signs payments ready"), cast["paul"],
                "Read what state payments is in, give a reason, and press “Approve”.", f"/gates/{gate_id}",
                lambda: self.case.vote(cast["paul"], gate_id, "Signals are quiet, and I bought something myself."),
                lambda: self.case.consent(gate_id),
            )
        )  # fmt: skip
        stage.human(
            Human(
                Step("close", "Carol", "closes the incident"), cast["carol"],
                "Say why it is over, and press “Close”.", self.case.path,
                lambda: cast["carol"].api.post(f"{self.case.path}/close"), self._closed,
            )
        )  # fmt: skip
        stage.human(
            Human(
                Step("review", "Carol", "reads the review draft and accepts it"), cast["carol"],
                "Read the review, add and save what you know, and press “Accept the review”.",
                f"{self.case.path}/review",
                self._read_and_accept, self._accepted,
            )
        )  # fmt: skip

    def _quiet(self) -> str | None:
        """Handrail says it of the incident once all of its alerts are resolved."""
        recover = next(one for one in self.case.incident()["stages"] if one["stage"] == "recover")
        return "all resolved" if recover["machine"] else None

    def _readiness_asked(self) -> str | None:
        asked = self.case.incident()["readiness_gate_id"]
        return "a gate for the team that owns it" if asked else None

    def _closed(self) -> str | None:
        if self.case.incident()["status"] != "closed":
            return None
        self.case.review_id = self.case.look.get(f"{self.case.path}/review")["id"]
        return "every task is done; the review is drafted from the record"

    def _read_and_accept(self) -> None:
        carol, where = self.case.stage.cast["carol"].api, f"/reviews/{self.case.review_id}"
        words = "Release and symptoms could be told apart within seconds, because every deploy is reported."
        carol.post(f"{where}/edit", {"section": "helped", "words": words})
        carol.post(f"{where}/accept")

    def _accepted(self) -> str | None:
        review = self.case.look.get(f"/reviews/{self.case.review_id}")
        lines = len(review["compiled"]["timeline"])
        return f"a timeline of {lines} lines, each an entry of the record" if review["status"] == "accepted" else None
