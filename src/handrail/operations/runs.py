"""Runs: started by the commander, moved on by people and machines. Machine steps are put in line as they open."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import sqlalchemy as sa

from handrail.domain import runbook as runbooks
from handrail.domain.gate import Gate, Void, authority
from handrail.domain.incident import HALVES, CompleteHalf, Incident, MarkMitigated, MarkRecovered, Stage
from handrail.domain.people import Permission, Person, require
from handrail.domain.policy import Act, Ruling
from handrail.domain.proposal import ChooseProposal, Proposal
from handrail.domain.registry import NOUNS
from handrail.domain.run import (
    ENDED,
    FINAL,
    UNDER_WAY,
    AuthoriseAction,
    Authority,
    BlockTask,
    CancelRun,
    ClaimTask,
    FailTask,
    FinishAction,
    FinishCheck,
    FinishTask,
    LinkMessage,
    ResolveUnknown,
    Run,
    SkipTask,
    StartAction,
    StartCheck,
    StartRun,
    Task,
)
from handrail.kernel.canonical import canonical, digest, plain, storable
from handrail.kernel.errors import Conflict, NotAllowed, NotFound, Refused, Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.operations import documents, gates, messages
from handrail.operations.shell import HANDRAIL, Tx, Work
from handrail.plugins.actions.contract import Action
from handrail.store.projections import load


def start(
    tx: Tx, incident_id: str, runbook: str, inputs: Mapping[str, str], proposal_id: str | None, person: Person
) -> Run:
    """Start a run of the runbook version in force. With a proposal, its exact inputs are used."""
    require(person, Permission.COMMAND)
    incident: Incident = tx.get("incident", incident_id)
    if incident.closed_at is not None:
        raise Conflict(f"{incident.reference} is closed; nothing is started in it.", "closed")
    proposer = person.id
    run_id = new_id("run")
    if proposal_id is not None:
        proposal: Proposal = tx.get("proposal", proposal_id)
        if proposal.incident_id != incident_id:
            raise NotFound("This incident has no such proposal.")
        runbook, inputs, proposer = proposal.runbook, proposal.inputs, proposal.proposer
        tx.change("proposal", proposal_id, ChooseProposal(person.id, run_id))
    version, version_digest = documents.load_runbook(tx, runbook)
    tasks, faults = runbooks.fill(version, inputs)
    if faults:
        raise Unprocessable("The runbook cannot start with these inputs.", "run_inputs", tuple(faults))
    command = StartRun(
        run_id, incident_id, runbook, version_digest, dict(inputs), tasks, proposal_id, proposer, person.id
    )
    tx.change("run", run_id, command)
    complete_half(tx, incident_id, Stage.TRIAGE, "human", person.id)
    settle(tx, run_id)
    run: Run = tx.get("run", run_id)
    return run


def claim(tx: Tx, run_id: str, task_id: str, person: Person) -> None:
    require(person, Permission.WORK)
    tx.change("run", run_id, ClaimTask(task_id, person.id))


def finish(tx: Tx, run_id: str, task_id: str, result: str, person: Person) -> None:
    """A person says that a task is done, and what came out."""
    require(person, Permission.WORK)
    _task(tx, run_id, task_id)
    tx.change("run", run_id, FinishTask(task_id, person.id, result))
    settle(tx, run_id)


def skip(tx: Tx, run_id: str, task_id: str, words: str, person: Person) -> None:
    """Pass over a task with a reason; a gate that waits for it is withdrawn with it."""
    require(person, Permission.COMMAND)
    task = _task(tx, run_id, task_id)
    if not words.strip():
        raise Unprocessable("Say why the task is skipped; it stands in the record.", "reason_missing")
    tx.change("run", run_id, SkipTask(task_id, person.id, words))
    if task.gate_id:
        tx.change("gate", task.gate_id, Void("The task was skipped."))
    settle(tx, run_id)


def cancel(tx: Tx, run_id: str, words: str, person: Person) -> None:
    require(person, Permission.COMMAND)
    run: Run = tx.get("run", run_id)
    tx.change("run", run_id, CancelRun(person.id, words))
    for task in run.tasks.values():
        if task.gate_id:
            tx.change("gate", task.gate_id, Void("The run was cancelled."))


def resolve_unknown(
    tx: Tx, run_id: str, task_id: str, choice: Literal["happened", "did_not", "look_again"], words: str, person: Person
) -> None:
    """A person decides what became of an act that nobody could tell."""
    require(person, Permission.WORK)
    tx.change("run", run_id, ResolveUnknown(task_id, choice, person.id, words))
    if choice == "look_again":
        task = _task(tx, run_id, task_id)
        tx.enqueue(_perform(run_id, task_id, f"again:{task.attempt}"))
    settle(tx, run_id)


def settle(tx: Tx, run_id: str) -> None:
    """Move the incident's stages on, and hand each machine task that is open to the machine.

    In this order: a message that is drafted now states that the incident is mitigated or recovered.
    """
    _move_stages(tx, tx.get("run", run_id))
    handled: set[str] = set()
    while True:
        run: Run = tx.get("run", run_id)
        waiting = [
            task
            for name, task in run.tasks.items()
            if task.status == "open" and task.plan.kind != "human" and name not in handled and not task.message_id
        ]
        if not waiting or run.status != "running":
            break
        for task in waiting:
            handled.add(task.plan.id)
            _hand_over(tx, run, task)


def _hand_over(tx: Tx, run: Run, task: Task) -> None:
    name = task.plan.id
    if task.plan.kind == "action":
        ask_for_action(tx, run, task)
    elif task.plan.kind == "check":
        tx.change("run", run.id, StartCheck(name))
        incident: Incident = tx.get("incident", run.incident_id)
        arguments = {"run_id": run.id, "task_id": name} | ({"trace": incident.trace} if incident.trace else {})
        tx.enqueue(Work("check", f"check:{run.id}:{name}", arguments))
    elif task.plan.kind == "message":
        try:
            message_id = messages.draft(tx, run.incident_id, task.plan.audience, task.plan.stage, run.id, name)
        except Refused as refusal:
            # What led here (the report of an act, perhaps) must stand, whatever keeps the message from being drafted.
            tx.change("run", run.id, BlockTask(name, f"The message cannot be drafted: {refusal.detail}"))
            return
        tx.change("run", run.id, LinkMessage(name, message_id))


def ask_for_action(tx: Tx, run: Run, task: Task) -> None:
    """Ask the policy about an action: it is authorised, or its gate opens, or it is blocked and says why."""
    name = task.plan.id
    action = tx.ports.actions.get(task.plan.action)
    if action is None:
        tx.change("run", run.id, BlockTask(name, f"There is no action “{task.plan.action}” in this installation."))
        return
    try:
        content = action_content(tx, run, task, action)
    except Refused as refusal:
        tx.change("run", run.id, BlockTask(name, f"The action cannot be previewed: {refusal.detail}"))
        return
    ruling = _ruling(tx, run, task, action)
    if ruling.verdict == "forbid":
        tx.change("run", run.id, BlockTask(name, f"The policy forbids this action ({ruling.rule})."))
        return
    if ruling.verdict == "auto":
        allowed = Authority("policy", documents.policy_digest(tx), ruling.rule)
        _authorise(tx, run.id, name, digest(content), allowed)
        return
    # Whoever put the action into the run counts as its last editor, and so never approves it.
    ask = gates.Ask(
        "action", f"{run.id}/{name}", task.plan.title, content, run.proposer, run.started_by, run.incident_id
    )
    try:
        gate_id = gates.open_gate(tx, ask, ruling, documents.policy_digest(tx))
    except Refused as refusal:
        tx.change("run", run.id, BlockTask(name, f"No gate can be opened: {refusal.detail}"))
        return
    tx.change("run", run.id, BlockTask(name, f"Waits for approval by {ruling.approvers.words()}.", gate_id))


def action_content(tx: Tx, run: Run, task: Task, action: Action) -> dict[str, Any]:
    """Exactly what is approved: action, parameters, preview, evidence and the policy under which it is asked."""
    preview = action.preview(task.plan.parameters, documents.load_catalog(tx))
    proposal: Proposal | None = tx.load("proposal", run.proposal_id) if run.proposal_id else None
    return {
        "act": "action", "action": task.plan.action, "risk": str(action.manifest.risk),
        "parameters": dict(task.plan.parameters), "run": run.id, "task": task.plan.id, "incident": run.incident_id,
        "runbook": run.runbook_digest, "preview": plain(preview),
        "evidence": list(proposal.evidence) if proposal else [], "policy": documents.policy_digest(tx),
    }  # fmt: skip


def _ruling(tx: Tx, run: Run, task: Task, action: Action) -> Ruling:
    incident: Incident = tx.get("incident", run.incident_id)
    service = documents.load_catalog(tx).services.get(task.plan.parameters.get("service", ""))
    act = Act(
        "action", task.plan.action, str(action.manifest.risk), service.tier if service else 3, incident.severity,
        service_owner=service.owner if service else None,
    )  # fmt: skip
    return documents.ruling_for(tx, act)


def on_gate(tx: Tx, gate: Gate) -> None:
    """What follows from a decided gate over an action."""
    run_id, _, task_id = gate.subject.id.partition("/")
    run: Run = tx.get("run", run_id)
    task = run.tasks[task_id]
    if run.status != "running" or task.gate_id != gate.id or task.status in ENDED | UNDER_WAY:
        return
    if gate.status == "satisfied":
        _authorise(tx, run_id, task_id, gate.subject.digest, Authority("gate", gate.id, gate.rule))
    elif gate.status in ("rejected", "withdrawn"):
        tx.change("run", run_id, FailTask(task_id, f"The gate was {gate.status}."))
    elif gate.status == "expired":
        tx.change("run", run_id, BlockTask(task_id, "The gate expired with no decision; ask again or skip the task."))


def is_used(tx: Tx, gate: Gate) -> bool:
    """Whether the act that this consent allows has begun, or can no longer begin."""
    run_id, _, task_id = gate.subject.id.partition("/")
    task = _task(tx, run_id, task_id)
    return task.gate_id != gate.id or task.status != "authorised"


def ask_again(tx: Tx, run_id: str, task_id: str, person: Person) -> None:
    """Try again what is blocked: a gate that expired, a preview or a draft that could not be made."""
    require(person, Permission.COMMAND)
    run: Run = tx.get("run", run_id)
    task = _task(tx, run_id, task_id)
    gate: Gate | None = tx.load("gate", task.gate_id) if task.gate_id else None
    if task.status != "blocked" or (gate is not None and gate.status == "open"):
        raise Conflict("This task does not wait to be asked again.", "not_blocked")
    _hand_over(tx, run, task)


def _authorise(tx: Tx, run_id: str, task_id: str, content_digest: str, allowed: Authority) -> None:
    key = f"{run_id}:{task_id}:{content_digest[:16]}"
    tx.change("run", run_id, AuthoriseAction(task_id, content_digest, allowed, key))
    tx.enqueue(_perform(run_id, task_id, content_digest[:16]))
    run: Run = tx.get("run", run_id)
    by = allowed.id if allowed.kind == "policy" else ", ".join(tx.get("gate", allowed.id).approvers())
    complete_half(tx, run.incident_id, Stage.CONTAIN, "human", by)


def _perform(run_id: str, task_id: str, mark: str) -> Work:
    return Work("perform", f"perform:{run_id}:{task_id}:{mark}", {"run_id": run_id, "task_id": task_id})


@dataclass(frozen=True)
class Started:
    """Leave to act: the attempt that it counts under. `before` tells that an earlier attempt may have acted."""

    action: str
    parameters: dict[str, str]
    key: str
    attempt: int
    before: bool
    trace: str | None


def start_action(tx: Tx, run_id: str, task_id: str, node: str, holder_alive: bool = True) -> Started:
    """The check at the moment of effect: content, policy, gate, approvers, all as they are now. Raises a refusal."""
    run: Run = tx.get("run", run_id)
    task = _task(tx, run_id, task_id)
    action = tx.ports.actions.get(task.plan.action)
    if action is None:
        raise NotFound(f"There is no action “{task.plan.action}” in this installation.", "no_action")
    if task.status not in ("authorised", "running") or task.authority is None:
        raise Conflict(f"The action is {task.status.replace('_', ' ')}; it cannot start.", "not_startable")
    before = task.status == "running"
    now_digest = digest(action_content(tx, run, task, action)) if not before else str(task.digest)
    if not before and (refusal := _authority(tx, run, task, action, now_digest)):
        raise refusal
    tx.change("run", run_id, StartAction(task_id, now_digest, node, LIMITS.action_lease, holder_alive))
    started = _task(tx, run_id, task_id)
    incident: Incident = tx.get("incident", run.incident_id)
    return Started(
        task.plan.action, dict(task.plan.parameters), str(started.key), started.attempt, before, incident.trace
    )


def recheck_action(tx: Tx, run_id: str, task_id: str) -> None:
    """An earlier attempt did not act: may this one still? Raises the refusal when the consent no longer stands."""
    run: Run = tx.get("run", run_id)
    task = _task(tx, run_id, task_id)
    action = tx.ports.actions[task.plan.action]
    if refusal := _authority(tx, run, task, action, digest(action_content(tx, run, task, action))):
        raise refusal


def _authority(tx: Tx, run: Run, task: Task, action: Action, now_digest: str) -> Refused | None:
    assert task.authority is not None
    if task.authority.kind == "gate":
        gate: Gate = tx.get("gate", task.authority.id)
        people = {who: person for who in gate.approvers() if (person := tx.person(who, run.incident_id)) is not None}
        return authority(gate, now_digest, people, tx.now)
    if _ruling(tx, run, task, action).verdict != "auto" or documents.policy_digest(tx) != task.authority.id:
        return NotAllowed("The policy that allowed this by itself is no longer in force.", "authority_void")
    return (
        None
        if task.digest == now_digest
        else Conflict("What would be done is not what was authorised.", "authority_void")
    )


def void_action(tx: Tx, run_id: str, task_id: str, why: str) -> None:
    """Consent no longer fits: the gate is void, and the same people are asked about what would be done now."""
    run: Run = tx.get("run", run_id)
    task = _task(tx, run_id, task_id)
    if task.status == "running" and task.plan.action not in tx.ports.actions:
        # Nobody here can ask what became of it any more.
        tx.change("run", run_id, FinishAction(task_id, task.attempt, "unknown", why, {}))
        return
    if run.status != "running" or task.status != "authorised":
        return
    if task.gate_id:
        tx.change("gate", task.gate_id, Void(why))
    tx.change("run", run_id, BlockTask(task_id, why))
    ask_for_action(tx, run, _task(tx, run_id, task_id))


def finish_action(tx: Tx, run_id: str, command: FinishAction) -> None:
    """The report of a machine step. Raises Conflict (“fenced”) when another attempt has taken over."""
    output = storable(command.output)
    size = len(canonical(output))
    if size > LIMITS.action_output_bytes:
        output = {"cut": f"The answer had {size} bytes; at most {LIMITS.action_output_bytes} are kept."}
    tx.change("run", run_id, replace(command, detail=storable(command.detail), output=output))
    settle(tx, run_id)


def finish_check(tx: Tx, run_id: str, command: FinishCheck) -> None:
    tx.change("run", run_id, replace(command, detail=storable(command.detail)))
    settle(tx, run_id)


def finish_message_task(tx: Tx, run_id: str, task_id: str) -> None:
    """The message of a task was delivered."""
    run: Run = tx.get("run", run_id)
    if run.status == "running" and run.tasks[task_id].status in ("open", "claimed", "blocked"):
        tx.change("run", run_id, FinishTask(task_id, HANDRAIL.id, "Delivered."))
        settle(tx, run_id)


def _move_stages(tx: Tx, run: Run) -> None:
    """What the state of the run says about the incident's stages."""

    def all_done(kind: str) -> bool:
        tasks = [task for task in run.tasks.values() if task.plan.kind == kind]
        return bool(tasks) and all(task.status in FINAL for task in tasks)

    if all_done("action"):
        complete_half(tx, run.incident_id, Stage.CONTAIN, "machine", HANDRAIL.id)
        if any(task.status == "done" for task in run.tasks.values() if task.plan.kind == "action"):
            _mark(tx, run.incident_id, MarkMitigated())
    if all_done("check"):
        complete_half(tx, run.incident_id, Stage.REMEDIATE, "machine", HANDRAIL.id)
        if any(task.status == "done" for task in run.tasks.values() if task.plan.kind == "check"):
            _mark(tx, run.incident_id, MarkRecovered())
    if all_done("human"):
        last = max(
            (t for t in run.tasks.values() if t.plan.kind == "human"), key=lambda t: t.ended_at or run.started_at
        )
        complete_half(tx, run.incident_id, Stage.REMEDIATE, "human", last.ended_by or HANDRAIL.id)


def complete_half(tx: Tx, incident_id: str, stage: Stage, half: Literal["machine", "human"], by: str) -> None:
    """Note that one half of a stage is done, where it is not yet; a closed incident is left as it is."""
    incident: Incident = tx.get("incident", incident_id)
    if incident.half(stage, half) is None and (incident.closed_at is None or stage == Stage.REVIEW):
        tx.change("incident", incident_id, CompleteHalf(stage, half, by, HALVES[stage, half]))


def _mark(tx: Tx, incident_id: str, command: object) -> None:
    incident: Incident = tx.get("incident", incident_id)
    if incident.closed_at is None:
        tx.change("incident", incident_id, command)


def _task(tx: Tx, run_id: str, task_id: str) -> Task:
    run: Run = tx.get("run", run_id)
    if task_id not in run.tasks:
        raise NotFound(f"The run has no task “{task_id[:64]}”.")
    return run.tasks[task_id]


def holder_of(connection: sa.Connection, run_id: str, task_id: str) -> str | None:
    """The node that holds the attempt under way, if any."""
    state: Run | None = load(connection, NOUNS["run"], run_id).state
    task = state.tasks.get(task_id) if state else None
    return task.node if task is not None and task.status == "running" else None
