"""From a bad release to a declared incident with a likely cause."""

from dataclasses import dataclass

from handrail.drills.demo import cards
from handrail.drills.demo.case import MACHINE_SECONDS, Case
from handrail.drills.demo.journal import Step, StepFailed
from handrail.drills.demo.stage import Human
from handrail.drills.estate.topology import SERVICES

SERVICE, GOOD, BAD = "payments", "2.4.0", "2.4.1"
_ALERT_SECONDS = 60.0


@dataclass(frozen=True)
class Outbreak:
    case: Case

    def play(self) -> None:
        stage = self.case.stage
        stage.view.zero()
        stage.do(Step("release", "Estate", f"ships {SERVICE} {BAD}"), self._release)
        stage.machine(
            Step("alerts", "Estate", "raises alerts"), "Alerts from all three services", self._alerts, _ALERT_SECONDS
        )
        stage.machine(
            Step("candidate", "Handrail", "makes one candidate of the storm"), "One candidate over all three services",
            self._candidate, MACHINE_SECONDS,
        )  # fmt: skip
        stage.human(
            Human(
                Step("declare", "Carol", "declares the incident"), stage.cast["carol"],
                "Read the candidate's reasons, keep the suggested severity, and press “Declare the incident”.", "/",
                self._declare, self._declared,
            )
        )  # fmt: skip
        stage.machine(
            Step("finding", "Handrail", "names the likely cause"), "A finding with a proposal", self._found,
            MACHINE_SECONDS,
        )  # fmt: skip

    def _release(self) -> str:
        released = self.case.stage.world.estate.release(SERVICE, BAD)
        return f"over {released.previous_version}; it leaks connections. Its change event reaches Handrail"

    def _alerts(self) -> str | None:
        alerts = self.case.look.items("/alerts", {"status": "firing", "limit": 200})
        services = {alert["service"] for alert in alerts}
        return f"{len(alerts)} from {len(services)} services" if services >= set(SERVICES) else None

    def _candidate(self) -> str | None:
        found = self.case.look.items("/candidates", {"status": "open"})
        if len(found) > 1:
            raise StepFailed(f"{len(found)} candidates stand where one outage is: the storm was not collapsed.")
        if not found or not set(found[0]["services"]) >= set(SERVICES):
            return None
        candidate = self.case.look.get(f"/candidates/{found[0]['id']}")
        self.case.candidate_id = candidate["id"]
        self.case.stage.view.card(cards.candidate(candidate))
        return f"{candidate['count']} alerts, {candidate['suggested_severity']} suggested"

    def _declare(self) -> None:
        api = self.case.stage.cast["carol"].api
        where = f"/candidates/{self.case.candidate_id}"
        api.post(f"{where}/declare", {"severity": api.get(where)["suggested_severity"]})

    def _declared(self) -> str | None:
        found = self.case.look.items("/incidents")
        if not found:
            return None
        incident = found[0]
        self.case.incident_id = incident["id"]
        confirmed = "as suggested" if incident["severity"] == incident["suggested_severity"] else "by choice"
        room = f"{self.case.stage.url}{self.case.path}"
        return f"{incident['reference']}, {incident['severity']} {confirmed}; its room is {room}"

    def _found(self) -> str | None:
        findings = self.case.look.items(f"{self.case.path}/findings")
        proposals = self.case.look.items(f"{self.case.path}/proposals")
        finding = next((one for one in findings if one["status"] == "current"), None)
        proposal = next((one for one in proposals if one["status"] == "open"), None)
        if finding is None or proposal is None:
            return None
        if proposal["parameters"] != {"service": SERVICE, "from_version": BAD, "to_version": GOOD}:
            raise StepFailed(f"The analyst proposes something else: {proposal['parameters']}.")
        self.case.proposal_id = proposal["id"]
        self.case.stage.view.card(cards.finding(finding, proposal))
        return f"confidence {finding['confidence']} of 100, {len(finding['citations'])} citations, no language model"
