"""Runbooks: versioned DAGs of tasks, read from YAML documents. `{{ inputs.name }}` stands for an input's value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, get_args

from handrail.kernel.errors import Fault
from handrail.kernel.limits import LIMITS

TaskKind = Literal["human", "action", "check", "message"]
KINDS: tuple[str, ...] = get_args(TaskKind)

_NAME = re.compile(r"^[a-z][a-z0-9-]{0,63}\Z")
_INPUT = re.compile(r"\{\{\s*inputs\.([a-z_]+)\s*\}\}")
_TASK_KEYS = {"id", "title", "kind", "needs", "owner", "due_minutes", "escalate_to", "action", "parameters",
              "service", "hold_seconds", "timeout_seconds", "audience", "stage", "instructions"}  # fmt: skip
_TEXT_KEYS = ("owner", "action", "service", "audience", "stage", "instructions")
_MESSAGE_STAGES = ("declared", "update", "mitigated", "resolved")


@dataclass(frozen=True)
class TaskPlan:
    """One task as the runbook writes it. `owner` is `role:commander`, `team:payments` or an account id."""

    id: str
    title: str
    kind: TaskKind
    needs: tuple[str, ...] = ()
    owner: str = "role:commander"
    due_minutes: int = 15
    escalate_to: tuple[str, ...] = ()
    instructions: str = ""
    action: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    service: str = ""
    hold_seconds: int = 5
    timeout_seconds: int = 120
    audience: str = ""
    stage: str = ""


@dataclass(frozen=True)
class Runbook:
    name: str
    title: str
    inputs: tuple[str, ...]
    tasks: tuple[TaskPlan, ...]


def fill(runbook: Runbook, inputs: Mapping[str, str]) -> tuple[tuple[TaskPlan, ...], list[Fault]]:
    """The tasks with every input put in; a missing or unknown input is a fault."""
    faults = [
        Fault(f"/inputs/{name}", f"The input “{name}” is missing.") for name in runbook.inputs if not inputs.get(name)
    ]
    faults += [
        Fault(f"/inputs/{name}", f"“{name}” is no input of {runbook.name}.")
        for name in inputs
        if name not in runbook.inputs
    ]

    def put(text: str) -> str:
        return _INPUT.sub(lambda match: str(inputs.get(match[1], "")), text)

    filled = tuple(
        replace(
            task, title=put(task.title), instructions=put(task.instructions), owner=put(task.owner),
            escalate_to=tuple(put(rung) for rung in task.escalate_to), service=put(task.service),
            parameters={key: put(value) for key, value in task.parameters.items()},
        )
        for task in runbook.tasks
    )  # fmt: skip
    return filled, faults


def from_document(document: Any) -> tuple[Runbook, list[Fault]]:
    """Read a runbook document; every fault is named at once, each at its JSON pointer."""
    faults: list[Fault] = []
    nothing = Runbook("", "", (), ())
    if not isinstance(document, dict) or document.get("kind") != "runbook":
        return nothing, [Fault("/kind", "A runbook document starts with “kind: runbook”.")]
    name, title, inputs = document.get("name"), document.get("title"), document.get("inputs", [])
    if not isinstance(name, str) or not _NAME.match(name):
        faults.append(Fault("/name", "Name the runbook in lower-case letters, digits and hyphens."))
    if not isinstance(title, str) or not title:
        faults.append(Fault("/title", "Give the runbook a title."))
    if not isinstance(inputs, list) or not all(isinstance(item, str) for item in inputs):
        faults.append(Fault("/inputs", "Inputs are a list of names."))
        inputs = []
    written = document.get("tasks")
    if not isinstance(written, list) or not written:
        return nothing, [*faults, Fault("/tasks", "A runbook needs at least one task.")]
    if len(written) > LIMITS.runbook_tasks:
        return nothing, [*faults, Fault("/tasks", f"A runbook has at most {LIMITS.runbook_tasks} tasks.")]
    tasks = [
        task for position, item in enumerate(written) if (task := _task(item, f"/tasks/{position}", inputs, faults))
    ]
    faults += _graph_faults(tasks)
    return Runbook(str(name), str(title), tuple(inputs), tuple(tasks)), faults


def _task(item: Any, where: str, inputs: list[str], faults: list[Fault]) -> TaskPlan | None:
    before = len(faults)
    if not isinstance(item, dict):
        faults.append(Fault(where, "A task is a mapping."))
        return None
    faults += [Fault(f"{where}/{key}", f"“{key}” is not known here.") for key in item if key not in _TASK_KEYS]
    if not isinstance(item.get("id"), str) or not _NAME.match(item["id"]):
        faults.append(Fault(f"{where}/id", "Give the task an id in lower-case letters, digits and hyphens."))
    if not isinstance(item.get("title"), str) or not item["title"]:
        faults.append(Fault(f"{where}/title", "Give the task a title."))
    if item.get("kind") not in KINDS:
        faults.append(Fault(f"{where}/kind", f"Write one of {', '.join(KINDS)}."))
    _kind_faults(item, where, faults)
    for key in ("due_minutes", "hold_seconds", "timeout_seconds"):
        value = item.get(key, 1)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10_080:
            faults.append(Fault(f"{where}/{key}", "Write a whole number from 0 to 10080."))
    faults += [Fault(f"{where}/{key}", "Write a text.") for key in _TEXT_KEYS if not isinstance(item.get(key, ""), str)]
    for key in ("needs", "escalate_to"):
        if not isinstance(item.get(key, []), list) or not all(isinstance(part, str) for part in item.get(key, [])):
            faults.append(Fault(f"{where}/{key}", "Write a list of names."))
    if not isinstance(item.get("parameters", {}), dict):
        faults.append(Fault(f"{where}/parameters", "Parameters are a mapping."))
    for used in _INPUT.findall(str(item)):
        if used not in inputs:
            faults.append(Fault(where, f"The input “{used}” is used and not declared."))
    if len(faults) > before:
        return None
    known = {key: value for key, value in item.items() if key not in ("needs", "escalate_to", "parameters")}
    return TaskPlan(
        **known,
        needs=tuple(item.get("needs", [])),
        escalate_to=tuple(item.get("escalate_to", [])),
        parameters={str(key): str(value) for key, value in item.get("parameters", {}).items()},
    )


def _kind_faults(item: Mapping[str, Any], where: str, faults: list[Fault]) -> None:
    if item.get("kind") == "action" and not item.get("action"):
        faults.append(Fault(f"{where}/action", "An action task names its action."))
    if item.get("kind") == "check" and not item.get("service"):
        faults.append(Fault(f"{where}/service", "A check names the service whose signal must recover."))
    if item.get("kind") == "message" and (not item.get("audience") or item.get("stage") not in _MESSAGE_STAGES):
        faults.append(
            Fault(f"{where}/audience", f"A message task names its audience and a stage: {', '.join(_MESSAGE_STAGES)}.")
        )


def _graph_faults(tasks: list[TaskPlan]) -> list[Fault]:
    ids = [task.id for task in tasks]
    faults = [
        Fault("/tasks", f"The task id “{name}” stands twice.") for name in sorted(set(ids)) if ids.count(name) > 1
    ]
    for position, task in enumerate(tasks):
        faults += [
            Fault(f"/tasks/{position}/needs", f"{task.id} needs “{need}”, which is not a task.")
            for need in task.needs
            if need not in ids
        ]
    try:
        tuple(TopologicalSorter({task.id: task.needs for task in tasks}).static_order())
    except CycleError as cycle:
        faults.append(Fault("/tasks", f"These tasks wait for each other in a circle: {' -> '.join(cycle.args[1])}."))
    return faults
