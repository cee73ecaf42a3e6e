"""Incidents: declared by people, moved through their stages, signed ready by the service's owner, closed."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handrail.domain.candidate import Candidate, DeclareCandidate, DismissCandidate
from handrail.domain.gate import Gate, Void
from handrail.domain.incident import (
    HALVES,
    AddNote,
    AddServices,
    AskReadiness,
    ChangeSeverity,
    Close,
    CompleteHalf,
    Declare,
    GiveRole,
    Half,
    Incident,
    Stage,
)
from handrail.domain.people import Permission, Person, require
from handrail.domain.policy import Act
from handrail.domain.run import Run, open_tasks
from handrail.kernel.errors import Conflict, NotFound, Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.operations import documents, gates, messages, reviews, runs
from handrail.operations.shell import HANDRAIL, Tx, Work
from handrail.store import tables


def declare(
    tx: Tx,
    person: Person,
    title: str,
    severity: str,
    candidate_id: str | None = None,
    services: tuple[str, ...] = (),
    started_at: datetime | None = None,
) -> Incident:
    """Declare an incident, from a candidate or by hand. Who declares commands until the role is handed over."""
    require(person, Permission.DECLARE)
    candidate: Candidate | None = tx.get("candidate", candidate_id) if candidate_id else None
    incident_id = new_id("inc")
    if candidate is not None:
        tx.change("candidate", candidate.id, DeclareCandidate(incident_id, person.id))
    named = title or (candidate.title if candidate else "")
    tx.change(
        "incident",
        incident_id,
        Declare(
            id=incident_id, number=_next_number(tx), title=named[: LIMITS.title_chars],
            severity=severity, suggested_severity=candidate.suggested_severity if candidate else None,
            services=candidate.services if candidate else services, candidate_id=candidate_id, by=person.id,
            started_at=candidate.started_at if candidate else (started_at or tx.now),
            detected_at=candidate.opened_at if candidate else tx.now, trace=candidate.trace if candidate else None,
        ),
    )  # fmt: skip
    incident: Incident = tx.get("incident", incident_id)
    tx.enqueue(_investigation(incident, 1))
    tx.topics |= {"board"}
    return incident


def _investigation(incident: Incident, number: int) -> Work:
    arguments = {"incident_id": incident.id} | ({"trace": incident.trace} if incident.trace else {})
    return Work("investigate", f"investigate:{incident.id}:{number}", arguments)


def dismiss(tx: Tx, candidate_id: str, words: str, person: Person) -> None:
    """Say that a candidate is no incident, and why."""
    require(person, Permission.DECLARE)
    if not words.strip():
        raise Unprocessable("Say why this is no incident; it stands in the record.", "reason_missing")
    tx.change("candidate", candidate_id, DismissCandidate(person.id, words))
    tx.topics |= {"board"}


def _next_number(tx: Tx) -> int:
    count = tx.connection.execute(
        sa.select(sa.func.count()).select_from(tables.noun).where(tables.noun.c.kind == "incident")
    ).scalar()
    return int(count or 0) + 1


def give_role(tx: Tx, incident_id: str, role: str, account_id: str, person: Person) -> None:
    require(person, Permission.COMMAND)
    holder = tx.person(account_id)
    if holder is None or not holder.active or holder.kind != "person":
        raise NotFound("There is no active person with this account.", "no_person")
    tx.change("incident", incident_id, GiveRole(role, account_id, person.id))


def change_severity(tx: Tx, incident_id: str, severity: str, words: str, person: Person) -> None:
    require(person, Permission.COMMAND)
    if not words.strip():
        raise Unprocessable("Say why the severity changes; it stands in the record.", "reason_missing")
    tx.change("incident", incident_id, ChangeSeverity(severity, person.id, words))


def add_note(tx: Tx, incident_id: str, words: str, person: Person, happened_at: datetime | None = None) -> None:
    """Write into the timeline. `happened_at` is when it happened, where that is not now."""
    require(person, Permission.WORK)
    if len(words) > LIMITS.note_chars:
        raise Unprocessable(f"A note has at most {LIMITS.note_chars} characters.", "note_too_long")
    tx.change("incident", incident_id, AddNote(person.id, words, happened_at), happened_at)


def add_services(tx: Tx, incident_id: str, services: tuple[str, ...]) -> None:
    tx.change("incident", incident_id, AddServices(services))


def investigate(tx: Tx, incident_id: str, person: Person) -> None:
    """Ask the analyst to look again."""
    require(person, Permission.COMMAND)
    tx.enqueue(_investigation(tx.get("incident", incident_id), tx.writer.size))
    tx.append_plain(
        f"incident-requests/{incident_id}", "investigation.asked", {"incident_id": incident_id, "by": person.id}
    )


def complete_half(tx: Tx, incident_id: str, stage: str, half: Half, words: str, person: Person) -> None:
    """A person does a half of a stage by hand, the machine's too, so that no stage depends on a machine."""
    require(person, Permission.COMMAND)
    if (stage, half) in ((Stage.RECOVER, "human"), (Stage.DETECT, "human"), (Stage.REVIEW, "human")):
        raise Conflict("This half is passed by its own act (declaration, readiness gate, review).", "own_act")
    if not words.strip():
        raise Unprocessable("Say what was done; it stands in the record.", "reason_missing")
    if stage not in set(Stage) or (Stage(stage), half) not in HALVES:
        raise NotFound(f"There is no {half[:20]} half of a stage “{stage[:20]}”.", "no_half")
    tx.change("incident", incident_id, CompleteHalf(Stage(stage), half, person.id, words[: LIMITS.reason_chars]))


def ask_readiness(tx: Tx, incident_id: str, person: Person) -> str:
    """Ask the owner of the affected service to sign readiness off; returns the gate's id."""
    require(person, Permission.COMMAND)
    incident: Incident = tx.get("incident", incident_id)
    if incident.readiness_gate_id:
        known: Gate = tx.get("gate", incident.readiness_gate_id)
        if known.status in ("open", "satisfied"):
            raise Conflict(f"Readiness is asked for already; its gate is {known.status}.", "readiness_asked")
    content = readiness_content(tx, incident)
    catalog = documents.load_catalog(tx)
    cause = content["service"]
    service = catalog.services.get(str(cause))
    act = Act("readiness", severity=incident.severity, tier=service.tier if service else 3,
              service_owner=service.owner if service else None)  # fmt: skip
    ask = gates.Ask(
        "readiness", incident_id, f"{incident.reference}: {cause or 'the services'} ready for customers", content,
        person.id, None, incident_id,
    )  # fmt: skip
    gate_id = gates.open_gate(tx, ask, documents.ruling_for(tx, act), documents.policy_digest(tx))
    tx.change("incident", incident_id, AskReadiness(gate_id, person.id))
    return gate_id


def readiness_content(tx: Tx, incident: Incident) -> dict[str, Any]:
    """What the owner signs: the service, the state of its signals, alerts and tasks."""
    finding = messages.current_finding(tx, incident.id)
    service = finding.service if finding and finding.service else (incident.services[0] if incident.services else None)
    return {
        "act": "readiness", "incident": incident.id, "service": service, "severity": incident.severity,
        "signals_recovered": incident.recovered_at is not None, "alerts_firing": alerts_firing(tx, incident),
        "tasks_open": len(open_task_ids(tx, incident.id)),
    }  # fmt: skip


def alerts_firing(tx: Tx, incident: Incident) -> int:
    if incident.candidate_id is None:
        return 0
    query = sa.select(sa.func.count()).select_from(tables.alert)
    query = query.where(tables.alert.c.candidate_id == incident.candidate_id, tables.alert.c.status != "resolved")
    return int(tx.connection.execute(query).scalar() or 0)


def open_task_ids(tx: Tx, incident_id: str) -> list[str]:
    """Tasks of running runs that are neither ended nor waiting, as `run/task`."""
    return [
        f"{run.id}/{name}" for run in runs_of(tx, incident_id) if run.status == "running" for name in open_tasks(run)
    ]


def runs_of(tx: Tx, incident_id: str) -> list[Run]:
    query = sa.select(tables.noun.c.id).where(tables.noun.c.incident_id == incident_id, tables.noun.c.kind == "run")
    return [tx.get("run", run_id) for run_id in tx.connection.execute(query.order_by(tables.noun.c.id)).scalars()]


def on_gate(tx: Tx, gate: Gate) -> None:
    """Readiness signed off."""
    if gate.status == "satisfied":
        runs.complete_half(tx, gate.subject.id, Stage.RECOVER, "human", ", ".join(gate.approvers()))


def on_quiet(tx: Tx, incident_id: str) -> None:
    """All alerts of the incident are resolved."""
    runs.complete_half(tx, incident_id, Stage.RECOVER, "machine", HANDRAIL.id)


_CLOSED = "The incident was closed."


def _open_gates(tx: Tx, incident_id: str) -> list[str]:
    query = sa.select(tables.noun.c.id).where(
        tables.noun.c.incident_id == incident_id, tables.noun.c.kind == "gate", tables.noun.c.status == "open"
    )
    return list(tx.connection.execute(query.order_by(tables.noun.c.id)).scalars())


def close(tx: Tx, incident_id: str, person: Person) -> str:
    """Close the incident and draft its review from the record; returns the review's id.

    What still waits in it ends with it: open gates are void, and runs with tasks that never opened are cancelled.
    """
    require(person, Permission.COMMAND)
    incident: Incident = tx.get("incident", incident_id)
    tx.change("incident", incident_id, Close(person.id, len(open_task_ids(tx, incident.id))))
    for run in runs_of(tx, incident_id):
        if run.status == "running":
            runs.cancel(tx, run.id, _CLOSED, person)
    for gate_id in _open_gates(tx, incident_id):
        tx.change("gate", gate_id, Void(_CLOSED))
        gate: Gate = tx.get("gate", gate_id)
        if gate.subject.kind == "message":
            messages.on_gate(tx, gate)
    review_id = reviews.draft(tx, incident_id)
    runs.complete_half(tx, incident_id, Stage.REVIEW, "machine", HANDRAIL.id)
    tx.topics |= {"board"}
    return review_id
