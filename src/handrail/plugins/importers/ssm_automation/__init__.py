"""An AWS Systems Manager Automation document (schema 0.3) in YAML or JSON: parameters become inputs, steps tasks.

An approval or a pause stays a task for a person; what else a step would do is text in the instructions. Every way from
a step to another (`nextStep`, choices of `aws:branch`, `onFailure: step:...`) is a need; who comes to a branch skips
the tasks of the way that is not taken.
"""

import re
from collections.abc import Iterator

from handrail.kernel.errors import BadInput
from handrail.plugins.importers.contract import ImportedRunbook, RunbookImporter
from handrail.plugins.importers.runbook_draft import RunbookDraft
from handrail.plugins.importers.runbook_reading import Part, has_key, read_values, shown

_REFERENCE = re.compile(r"\{\{\s*([\w:.-]+)\s*\}\}")
_BY_HAND = {
    "aws:approve": "Approve or reject, as one of the approvers:",
    "aws:pause": "Wait here until a person goes on.",
    "aws:sleep": "Wait, as long as it says:",
    "aws:branch": "Decide which way to go, and skip the tasks of the ways not taken:",
}
_ADVICE = {
    "assumeRole": "Say in the instructions with which role people sign in.",
    "parameters": "Give the value when a run starts.",
    "outputs": "Ask in the instructions for what should be written down.",
    "maxAttempts": "Write into the instructions how often to try again.",
    "timeoutSeconds": "Nothing ends a person's task; set due_minutes and escalate_to.",
    "onFailure": "A failed task stops what needs it; say in the instructions when to skip it.",
    "onCancel": "Write into the instructions what to do when the run is cancelled.",
    "isCritical": "A failed task stops what needs it; say in the instructions when to skip it.",
    "nextStep": "Write the need into the task that should follow.",
    "files": "Keep the files where people find them, and link them.",
}  # fmt: skip


def knows(text: str) -> bool:
    return has_key(text, "schemaVersion", "mainSteps")


def read(body: bytes) -> ImportedRunbook:
    """The runbook of one document. Raises BadInput where it is none of schema 0.3."""
    values = read_values(body)
    steps = list(values[0].get("mainSteps").parts()) if len(values) == 1 else []
    if not steps:
        raise BadInput("The file is not one Automation document with mainSteps.", "import_unreadable")
    document = values[0]
    version = document.get("schemaVersion").text()
    if version != "0.3":
        what = f"Its schemaVersion is “{version[:20]}”; Automation documents have 0.3, and only these are read."
        raise BadInput(what, "import_unreadable")
    draft = RunbookDraft("Automation document")
    _read_parameters(draft, document.get("parameters"))
    description = document.get("description")
    words = description.text()
    draft.title(words.splitlines()[0] if words else "", description.where)
    draft.about(words, description.where, "The document's description")
    tasks: dict[str, str] = {}
    made = [(step, _read_step(draft, step, tasks)) for step in steps]
    for n, (step, task) in enumerate(made):
        if task is not None:
            following = steps[n + 1].get("name").value if n + 1 < len(steps) else None
            _follow(draft, step, task, tasks, following)
    draft.leave(document, _ADVICE)
    return draft.done()


def _read_parameters(draft: RunbookDraft, parameters: Part) -> None:
    for name, parameter in parameters.fields():
        if str(parameter.get("type").value) == "SecureString":
            parameter.take()
            what = f"The secret {name[:80]} is no input: the values of inputs stand in the record."
            draft.lose(parameter.where, what, "Say in the instructions where people find the secret.")
        else:
            fit = draft.input(name, parameter.where)
            what = f"The input {fit} must be given at each start; it has no type and no default here."
            draft.lose(parameter.where, what, "Give it when a run starts.")
    draft.put = lambda text: _REFERENCE.sub(lambda found: draft.placed(found[1]) or found[0], text)


def _read_step(draft: RunbookDraft, step: Part, tasks: dict[str, str]) -> str | None:
    name, action = step.get("name").text(), step.get("action").text()
    inputs, description = step.get("inputs"), step.get("description").text()
    asked = _BY_HAND.get(action, f"To be read and done by a person ({action or 'no action is named'}):")
    told = inputs.whole() if inputs else ""
    made = draft.task(name or action, step.where, [description, f"{asked}\n{told}" if told else asked])
    if made is None:
        step.take()
        return None
    if name in tasks:
        do = "Rename one of the steps, and import again."
        draft.lose(step.where, f"A step before has the name {name[:80]}; ways to it lead to the first one.", do)
    tasks.setdefault(name, made)
    if action == "aws:approve":
        what = f"The approval became a task for a person: {made}. Nothing counts or checks its approvers."
        do = "Make an action of the act that needs approval; its gate has approvers and a quorum."
        draft.lose(step.where, what, do)
    else:
        what = f"The step became a task for a person: {made}. Nothing runs it."
        draft.lose(step.where, what, "Make an action of it, where a machine may do it.")
    return made


def _follow(draft: RunbookDraft, step: Part, task: str, tasks: dict[str, str], following: object) -> None:
    """Let the tasks to which this step leads need it."""
    ends, onward = step.get("isEnd"), step.get("nextStep")
    ways = list(_choices(step))
    if str(ends.value).lower() == "true":
        ends.take()
    elif onward:
        ways.append((onward.text(), onward.where))
    elif step.get("action").value != "aws:branch" and following is not None:
        ways.append((shown(following), step.where))
    for key in ("onFailure", "onCancel"):
        turn = step.get(key)
        if isinstance(turn.value, str) and turn.value.startswith("step:"):
            ways.append((turn.text().removeprefix("step:"), turn.where))
            word = "fails" if key == "onFailure" else "is cancelled"
            draft.say(task, f"When it {word}, go to {turn.value.removeprefix('step:')}; else skip that task.")
    for name, where in ways:
        if name in tasks:
            draft.needs(tasks[name], task)
        else:
            draft.lose(where, f"It leads to {name[:80]}, which is no step here.", "Add the task, or leave it so.")


def _choices(step: Part) -> Iterator[tuple[str, str]]:
    """The ways of `aws:branch`; the inputs themselves stand whole in the instructions."""
    if step.get("action").value != "aws:branch":
        return
    inputs = step.get("inputs")
    for choice in inputs.get("Choices").parts():
        if isinstance(choice.get("NextStep").value, str):
            yield choice.get("NextStep").value, choice.where
    if isinstance(inputs.get("Default").value, str):
        yield inputs.get("Default").value, inputs.get("Default").where


RUNBOOK_IMPORTER = RunbookImporter(
    "ssm-automation", "AWS SSM Automation", "an Automation document of schema 0.3, YAML or JSON", knows, read
)
