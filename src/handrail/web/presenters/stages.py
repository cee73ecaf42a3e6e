"""The seven stages with what machines and people did or do in each."""

from datetime import datetime

from handrail.domain.incident import HALVES, STAGES, Half, HalfState, Incident, Stage
from handrail.web import views as v
from handrail.web.presenters.names import Names

_DOING: dict[tuple[Stage, Half], str] = {
    (Stage.TRIAGE, "machine"): "Looks for the cause",
    (Stage.TRIAGE, "human"): "Commander chooses the plan",
    (Stage.CONTAIN, "machine"): "Carries out the action once approved",
    (Stage.CONTAIN, "human"): "Approvers decide at the gate",
    (Stage.REMEDIATE, "machine"): "Watches the signal",
    (Stage.REMEDIATE, "human"): "Tasks for people are open",
    (Stage.RECOVER, "machine"): "Waits for the last alert to resolve",
    (Stage.RECOVER, "human"): "Service owner signs readiness off",
    (Stage.REVIEW, "machine"): "Drafts the review once closed",
    (Stage.REVIEW, "human"): "Commander closes, people accept the review",
}
_CLOSED = {"machine": "Keeps the record, ready to export", "human": "Owns the corrective actions"}


def stages(incident: Incident, names: Names) -> tuple[v.Stage, ...]:
    """In order. A stage is entered when both halves of the one before are done."""
    at = STAGES.index(incident.stage)
    return tuple(_stage(incident, stage, _state(position, at), names) for position, stage in enumerate(STAGES))


def _state(position: int, at: int) -> str:
    if position < at or at == len(STAGES) - 1:
        return "done"
    return "current" if position == at else "ahead"


def _stage(incident: Incident, stage: Stage, state: str, names: Names) -> v.Stage:
    if stage == Stage.CLOSED:
        idle = "done" if state == "done" else "idle"
        return v.Stage(
            stage, state, v.Half(idle, _CLOSED["machine"]), v.Half(idle, _CLOSED["human"]), entered_at(incident, stage)
        )
    return v.Stage(
        stage, state, _half(incident, stage, "machine", state, names), _half(incident, stage, "human", state, names),
        entered_at(incident, stage) if state != "ahead" else None,
    )  # fmt: skip


def _half(incident: Incident, stage: Stage, half: Half, state: str, names: Names) -> v.Half:
    done = incident.half(stage, half)
    if done is not None:
        return v.Half("done", _said(done, half, names))
    if state == "current":
        return v.Half("working" if half == "machine" else "waiting", _DOING.get((stage, half), HALVES[stage, half]))
    return v.Half("idle", HALVES[stage, half])


def _said(done: HalfState, half: Half, names: Names) -> str:
    """People are named; that a machine did a machine's half goes without saying."""
    by = names.all(part.strip() for part in done.by.split(","))
    is_machine = done.by in ("handrail", "analyst")
    return done.what if is_machine and half == "machine" else f"{done.what}, by {by}"


def entered_at(incident: Incident, stage: Stage) -> datetime | None:
    position = STAGES.index(stage)
    if position == 0:
        return incident.detected_at
    before = [incident.half(STAGES[position - 1], half) for half in ("machine", "human")]
    moments = [half.at for half in before if half is not None]
    return max(moments) if len(moments) == 2 else None


def measures(incident: Incident) -> tuple[v.Measure, ...]:
    """How long it took, from the first symptom but for the declaration, which counts from the detection."""
    started, detected = incident.started_at, incident.detected_at

    def since(start: datetime, at: datetime | None) -> float | None:
        return (at - start).total_seconds() if at else None

    return (
        v.Measure("To detect", since(started, detected), detected),
        v.Measure("To declare", since(detected, incident.declared_at), incident.declared_at),
        v.Measure("To mitigate", since(started, incident.mitigated_at), incident.mitigated_at),
        v.Measure("To recover", since(started, incident.recovered_at), incident.recovered_at),
    )
