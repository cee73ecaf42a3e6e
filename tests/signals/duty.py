"""The correlator over the intake, driven by hand: alerts are fired, placed, and looked at where they ended."""

from collections.abc import Callable
from typing import Any

from handrail.domain.alert import AlertStatus
from handrail.domain.candidate import Candidate, DeclareCandidate
from handrail.domain.catalog import Catalog, Service
from handrail.domain.incident import Close, CompleteHalf, Declare, Stage
from handrail.operations.shell import HANDRAIL, Tx
from handrail.signals.correlator import Correlator
from handrail.store import tables
from tests.signals.intake import Intake, parsed, run, said

FIRING, RESOLVED = AlertStatus.FIRING, AlertStatus.RESOLVED
SHOP = Catalog({
    name: Service(name, name, "team", 1, calls)
    for name, calls in (("storefront", ("orders",)), ("orders", ("payments",)), ("payments", ()), ("office", ()))
})  # fmt: skip


class Duty:
    """The correlator over the intake's shell, with the calls about quiet incidents written down."""

    def __init__(self, desk: Intake) -> None:
        self.desk = desk
        self.quiet: list[str] = []
        self.correlator = self.another()

    def another(self) -> Correlator:
        return Correlator(self.desk.shell, lambda _: SHOP, self._note_quiet)

    def _note_quiet(self, tx: Tx, incident_id: str) -> None:
        self.quiet.append(incident_id)
        tx.change("incident", incident_id, CompleteHalf(Stage.RECOVER, "machine", HANDRAIL.id, "All resolved"))

    def fire(self, key: str, severity: str = "critical", status: AlertStatus = FIRING, **more: Any) -> str:
        """One alert whose key begins with its service."""
        self.desk.clock.advance(seconds=1)
        service = key.partition("-")[0]
        what = said(key, status, service=service, severity_raw=severity, occurred_at=self.desk.clock.now(), **more)
        (result,) = run(self.desk.ingestor.ingest("plain", parsed(what), "token", f"trace-{key}"))
        return str(result.id)

    def place(self) -> int:
        return self.correlator.run_once()

    def candidates(self) -> list[Candidate]:
        ids = sorted(row.id for row in self.desk.rows(tables.noun) if row.kind == "candidate")
        return [self.get("candidate", candidate_id) for candidate_id in ids]

    def candidate(self) -> Candidate:
        (found,) = self.candidates()
        return found

    def get(self, kind: str, noun_id: str) -> Any:
        return self.change(lambda tx: tx.get(kind, noun_id))

    def change(self, operation: Callable[[Tx], Any]) -> Any:
        return self.desk.shell.transact(HANDRAIL, operation)

    def rows(self) -> dict[str, tuple[bool, str | None]]:
        return {row.dedup_key: (bool(row.correlated), row.candidate_id) for row in self.desk.rows(tables.alert)}

    def declare(self, candidate: Candidate) -> str:
        def operation(tx: Tx) -> None:
            tx.change("candidate", candidate.id, DeclareCandidate("inc_1", "usr_1"))
            tx.change("incident", "inc_1", Declare(
                "inc_1", 1, candidate.title, "SEV1", None, candidate.services, candidate.id, "usr_1", tx.now, tx.now,
            ))  # fmt: skip

        self.change(operation)
        return "inc_1"

    def close_incident(self, incident_id: str) -> None:
        def operation(tx: Tx) -> None:
            for stage in (Stage.TRIAGE, Stage.CONTAIN, Stage.REMEDIATE, Stage.RECOVER):
                for half in ("machine", "human"):
                    tx.change("incident", incident_id, CompleteHalf(stage, half, "usr_1", "done"))
            tx.change("incident", incident_id, Close("usr_1", 0))

        self.change(operation)
