"""The analyst's one operation: look at an incident, name the likely cause with its evidence, propose one action.

Everything that decides is pure and stands in the other modules; here is only the order of effects: read in one
transaction, read signals outside of any, think, and write the outcome in one transaction together with its evidence.
Looking again at the same facts changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from handrail.analyst import explain, facts, rank
from handrail.analyst.claims import Checked, check
from handrail.analyst.explain import Case
from handrail.analyst.gather import Gathered, Known, gather
from handrail.analyst.propose import RUNBOOK, Plan, propose
from handrail.analyst.rank import Cause
from handrail.domain.alert import Severity
from handrail.domain.catalog import Catalog
from handrail.domain.finding import FindingMade, MakeFinding, Provenance, Supersede
from handrail.domain.incident import HALVES, CompleteHalf, Incident, Stage
from handrail.domain.people import Actor
from handrail.domain.proposal import DeclineProposal, MakeProposal, ProposalMade
from handrail.domain.signal import ReadSignal
from handrail.kernel.canonical import digest
from handrail.kernel.clock import Clock
from handrail.kernel.errors import NotFound
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.kernel.trace import span
from handrail.operations import documents
from handrail.operations.shell import Shell, Tx
from handrail.store import investigation

ANALYST = Actor("machine", "analyst")
_METHOD = "rules"
_REASON = "investigation"


@dataclass(frozen=True)
class Investigated:
    """What came of it. `made` is False when the finding in force already rests on the same facts."""

    finding_id: str | None
    proposal_id: str | None
    made: bool


@dataclass(frozen=True)
class Outcome:
    """What will be written."""

    case: Case
    checked: Checked
    cause: Cause | None


class Analyst:
    """Investigates incidents. `load_catalog` and `policy_digest` are read in the transaction that reads the rest."""

    def __init__(
        self,
        shell: Shell,
        probe: ReadSignal,
        load_catalog: Callable[[Tx], Catalog],
        policy_digest: Callable[[Tx], str],
        clock: Clock,
    ) -> None:
        self._shell = shell
        self._probe = probe
        self._load_catalog = load_catalog
        self._policy_digest = policy_digest
        self._clock = clock

    def __call__(self, arguments: Mapping[str, str]) -> None:
        """As a machine step of the engine."""
        self.investigate(arguments["incident_id"])

    def investigate(self, incident_id: str) -> Investigated:
        """Look at the incident as it is now. Raises NotFound when there is none; a closed one is left as it is."""
        known = self._shell.transact(ANALYST, lambda tx: self._read(tx, incident_id), _REASON)
        if known.incident.closed_at is not None:
            return Investigated(None, None, made=False)
        with span("investigate", known.incident.trace, incident=incident_id):
            gathered = gather(known, self._probe, self._clock.now())
            outcome = think(known, gathered)
            return self._shell.transact(ANALYST, lambda tx: _write(tx, known, gathered, outcome), _REASON)

    def _read(self, tx: Tx, incident_id: str) -> Known:
        incident: Incident = tx.get("incident", incident_id)
        catalog, policy = self._load_catalog(tx), self._policy_digest(tx)
        alerts, total = (
            investigation.alerts_of(tx.connection, incident.candidate_id, LIMITS.investigation_alerts)
            if incident.candidate_id
            else ([], 0)
        )
        since = _first_at(incident, [alert.starts_at for alert in alerts if alert.severity != Severity.INFO])
        since -= LIMITS.change_window
        changes = investigation.changes_since(tx.connection, since, LIMITS.investigation_changes)
        return Known(incident, catalog, policy, tuple(alerts), total, tuple(changes), since)


def think(known: Known, gathered: Gathered) -> Outcome:
    """From evidence to a checked case. Pure."""
    seen = facts.build(known.incident.started_at, known.alerts, known.changes, gathered.readings, known.catalog)
    case = Case(seen, gathered, rank.rank(seen))
    evidence = {item.digest: item.content for item in gathered.snapshots()}
    checked = check(explain.claims(case), evidence)
    best = case.ranking.best
    if case.ranking.unclear is None and best is not None and not _is_supported(best, gathered, checked):
        unclear = "The evidence for the best lead did not hold when it was checked."
        case = replace(case, ranking=replace(case.ranking, unclear=unclear))
    return Outcome(case, checked, best if case.ranking.unclear is None else None)


def _first_at(incident: Incident, starts: list[datetime]) -> datetime:
    return min(starts, default=incident.started_at)


def _is_supported(best: Cause, gathered: Gathered, checked: Checked) -> bool:
    """A change needs the citation that shows it, a service any."""
    if best.change is None or gathered.changes is None:
        return bool(checked.kept)
    return any(citation.evidence == gathered.changes.digest for citation in checked.kept)


def _write(tx: Tx, known: Known, gathered: Gathered, outcome: Outcome) -> Investigated:
    """Store the evidence, the finding and the proposal, and complete the machine's half of triage."""
    incident: Incident = tx.get("incident", known.incident.id)
    current = investigation.current_finding(tx.connection, incident.id)
    if incident.closed_at is not None:
        return Investigated(current.id if current else None, None, made=False)
    planned = _plan(tx, known, gathered, outcome)
    inputs_digest = _inputs_digest(known, outcome, planned)
    if current is not None and current.provenance.inputs_digest == inputs_digest:
        return Investigated(current.id, None, made=False)
    for item in gathered.snapshots():
        tx.keep_json_evidence(item.value, item.about)
    provenance = Provenance(_METHOD, rank.VERSION, inputs_digest, known.policy)
    finding = _finding(incident.id, gathered, outcome, planned, provenance, tx.now)
    tx.change("finding", finding.id, MakeFinding(finding))
    if current is not None:
        tx.change("finding", current.id, Supersede(finding.id))
    proposal_id = _propose(tx, incident.id, finding, planned)
    tx.change("incident", incident.id, CompleteHalf(Stage.TRIAGE, "machine", ANALYST.id, _half(outcome, planned)))
    return Investigated(finding.id, proposal_id, made=True)


def _plan(tx: Tx, known: Known, gathered: Gathered, outcome: Outcome) -> Plan | str:
    cause = outcome.cause
    if cause is None:
        return "The cause is not clear enough to propose an action."
    try:
        runbook, _ = documents.load_runbook(tx, RUNBOOK)
    except NotFound:
        runbook = None
    reading = gathered.readings.get(cause.service or "")
    return propose(cause, known.catalog, tx.ports.actions, runbook, reading.version if reading else None)


def _inputs_digest(known: Known, outcome: Outcome, planned: Plan | str) -> str:
    """What the finding and its proposal follow from; readings that differ without meaning are not part of it."""
    plan = planned if isinstance(planned, str) else [planned.action, planned.parameters, planned.inputs]
    return digest(
        {
            "version": rank.VERSION, "incident": known.incident.id, "policy": known.policy,
            "facts": outcome.case.facts.as_json(), "plan": plan,
        }
    )  # fmt: skip


def _finding(
    incident_id: str, gathered: Gathered, outcome: Outcome, planned: Plan | str, provenance: Provenance, now: datetime
) -> FindingMade:
    case, cause = outcome.case, outcome.cause
    no_action = (f"Action: none is proposed. {planned}",) if isinstance(planned, str) else ()
    return FindingMade(
        id=new_id("fnd"),
        incident_id=incident_id,
        claim=explain.claim(case),
        cause_kind="inconclusive" if cause is None else "change" if cause.change else "service",
        cause_id=cause.change.id if cause and cause.change else None,
        service=cause.service if cause else None,
        confidence=explain.confidence(case.ranking),
        meaning=explain.meaning(case),
        citations=outcome.checked.kept,
        alternatives=explain.alternatives(case),
        looked_at=(*gathered.looked_at, *no_action),
        would_change=explain.would_change(case),
        dropped=outcome.checked.dropped,
        provenance=provenance,
        at=now,
    )


def _propose(tx: Tx, incident_id: str, finding: FindingMade, planned: Plan | str) -> str | None:
    """Put the plan to people, unless just this was put to them before; an open proposal of another plan is over."""
    earlier = investigation.proposals_of(tx.connection, incident_id)
    wanted = None if isinstance(planned, str) else (planned.action, planned.parameters)
    standing = [item for item in earlier if (item.action, item.parameters) == wanted and item.status != "declined"]
    for item in earlier:
        if item.status == "open" and item not in standing and item.proposer == ANALYST.id:
            tx.change("proposal", item.id, DeclineProposal(ANALYST.id, "A newer finding does not support it any more."))
    if isinstance(planned, str) or standing:
        return standing[0].id if standing else None
    made = ProposalMade(
        id=new_id("prp"), incident_id=incident_id, finding_id=finding.id, action=planned.action,
        parameters=planned.parameters, preview=planned.preview,
        evidence=tuple(dict.fromkeys(citation.evidence for citation in finding.citations)),
        runbook=planned.runbook, inputs=planned.inputs, proposer=ANALYST.id, at=tx.now,
    )  # fmt: skip
    tx.change("proposal", made.id, MakeProposal(made))
    return made.id


def _half(outcome: Outcome, planned: Plan | str) -> str:
    """What the machine's half of triage came to, said as it is."""
    if isinstance(planned, Plan):
        return HALVES[Stage.TRIAGE, "machine"]
    return "Cause looked for and not clear" if outcome.cause is None else "Likely cause named, no action to propose"
