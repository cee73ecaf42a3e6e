"""A proposal with its gate and what became of it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from handrail.domain.gate import Gate
from handrail.domain.policy import Ruling
from handrail.domain.proposal import Proposal
from handrail.domain.run import Run, Task
from handrail.store.queries import Evidence
from handrail.web import views as v
from handrail.web.presenters.charts import Marks, charts, read_figure
from handrail.web.presenters.names import Names
from handrail.web.svg import Chart


def proposal_card(
    proposal: Proposal, names: Names, ruling: Ruling | None = None, why: str = "", may_start: bool = False
) -> v.ProposalCard:
    """As put to people: nothing runs yet. `ruling` is what the policy in force says about it."""
    card = _card(
        proposal.id, proposal.preview, names.known(proposal.proposer), proposal.made_at,
        ruling_words(ruling, names) if ruling else "", why, "", may_start,
    )  # fmt: skip
    return replace(card, incident=f"/incidents/{proposal.incident_id}")


def ruling_words(ruling: Ruling, names: Names) -> str:
    if ruling.verdict == "auto":
        return f"Runs without asking (rule {ruling.rule})."
    if ruling.verdict == "forbid":
        return f"Forbidden ({ruling.rule})."
    who = " or ".join(names.eligible(ruling.approvers))
    count = "One approval" if ruling.quorum == 1 else f"{ruling.quorum} approvals"
    return f"{count} by {who}, not by who proposed or started it (rule {ruling.rule})."


def action_card(
    run: Run, task: Task, gate: Gate | None, gate_card: v.GateCard | None, names: Names,
    kept: Mapping[str, Evidence], proposal: Proposal | None, why: str = "",
) -> v.ProposalCard | None:  # fmt: skip
    """An action of a run: with its gate, and with its outcome once there is one."""
    said = gate.content if gate is not None else {}
    preview: Mapping[str, Any] = said.get("preview") or (proposal.preview if proposal else {})
    if not preview and gate_card is None:
        return None
    card = _card(
        f"{run.id}-{task.plan.id}", {"summary": task.plan.title, **preview}, names.known(run.proposer),
        proposal.made_at if proposal else run.started_at, _verdict(gate, gate_card), why, str(said.get("risk", "")),
    )  # fmt: skip
    check = check_after(run, task)
    return replace(card, gate=gate_card, outcome=outcome(task, check), signal_charts=signal_charts(task, check, kept))


def _verdict(gate: Gate | None, card: v.GateCard | None) -> str:
    if gate is None or card is None:
        return ""
    count = "One approval" if gate.quorum == 1 else f"{gate.quorum} approvals"
    return f"{count} by {' or '.join(card.eligible)}, not by who proposed or started it."


def _card(
    card_id: str, preview: Mapping[str, Any], proposer: v.Actor, at: Any, verdict: str, why: str, risk: str = "",
    may_start: bool = False,
) -> v.ProposalCard:  # fmt: skip
    title, then = first_sentence(str(preview.get("summary", "")))
    return v.ProposalCard(
        id=card_id,
        title=title,
        why=f"{then} {why}".strip(),
        proposer=proposer,
        at=at,
        risk=risk,
        changes=tuple(preview.get("changes") or ()),
        blast_radius=tuple(preview.get("blast_radius") or ()),
        undo=str(preview.get("undo", "")),
        signal=str(preview.get("signal", "")),
        verdict=verdict,
        may_start=may_start,
    )


def first_sentence(text: str) -> tuple[str, str]:
    """What is done, and what more is said about it."""
    title, _, then = text.partition(". ")
    return title.rstrip("."), then[:1].upper() + then[1:]


def check_after(run: Run, task: Task) -> Task | None:
    """The check that waits for this action."""
    found: Iterable[Task] = (
        other for other in run.in_order() if other.plan.kind == "check" and task.plan.id in other.plan.needs
    )
    return next(iter(found), None)


def outcome(task: Task, check: Task | None) -> v.Outcome | None:
    """What became of the act, and of its signal."""
    match task.status:
        case "authorised":
            return v.Outcome("running", "Approved; it starts in a moment.")
        case "running":
            return v.Outcome("running", "It is being carried out.")
        case "failed":
            return v.Outcome("failed", task.why or "It failed.", task.ended_at)
        case "outcome_unknown":
            return v.Outcome("unknown", f"{task.why} A person has to say what happened.")
        case "skipped":
            return v.Outcome("not_done", f"Skipped: {task.why}", task.ended_at)
        case "done":
            return _after_check(task, check)
    return None


def _after_check(task: Task, check: Task | None) -> v.Outcome:
    version = task.output.get("version")
    done = f"Carried out: {version} is deployed." if version else "Carried out."
    if check is None or check.status in ("waiting", "skipped"):
        return v.Outcome("done", done, task.ended_at)
    if check.status == "done":
        return v.Outcome("recovered", f"{done} The signal is healthy again.", check.ended_at)
    if check.status == "failed":
        return v.Outcome("failed", f"{done} But the signal did not recover. {check.why}", check.ended_at)
    return v.Outcome("running", f"{done} Its signal is being watched.", task.ended_at)


def signal_charts(task: Task, check: Task | None, kept: Mapping[str, Evidence]) -> tuple[Chart, ...]:
    """What the check measured."""
    found = kept.get(check.evidence or "") if check else None
    if found is None:
        return ()
    return charts(read_figure(found.digest, found.content), Marks(), ("error_rate", "p95_seconds"))
