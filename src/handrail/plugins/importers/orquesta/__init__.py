"""A StackStorm Orquesta workflow (YAML): tasks become human tasks, each needed by those that its `next` leads to.

Expressions in YAQL or Jinja are not evaluated: a `when` is told to the person, who skips the tasks of ways not taken.
"""

import re

from handrail.kernel.errors import BadInput
from handrail.plugins.importers.contract import ImportedRunbook, RunbookImporter
from handrail.plugins.importers.runbook_draft import KEEP, RunbookDraft
from handrail.plugins.importers.runbook_reading import Part, has_key, read_values

_REFERENCE = re.compile(r"""(?:<%|\{\{)\s*ctx(?:\(\)\.(\w+)|\(\s*["']?(\w+)["']?\s*\))\s*(?:%>|\}\})""")
_WORDS_OF_THE_ENGINE = ("noop", "fail", "continue", "retry")
_TOLD = {"with": "For each of", "delay": "Wait before it, in seconds", "retry": "Try again"}
_ADVICE = {
    "input": "Give the value when a run starts.",
    "vars": "Write the values into the instructions.",
    "output": "Ask in the instructions for what should be written down.",
    "publish": "Ask in the instructions for what should be written down for later tasks.",
    "join": "A task here waits for all that it needs.",
}


def knows(text: str) -> bool:
    return has_key(text, "version", "tasks", "action") and not has_key(text, "mainSteps")


def read(body: bytes) -> ImportedRunbook:
    """The runbook of one workflow. Raises BadInput where there is none."""
    values = read_values(body)
    tasks = values[0].get("tasks") if len(values) == 1 else None
    if tasks is None or not tasks or not isinstance(tasks.value, dict):
        raise BadInput("The file is not one Orquesta workflow with a mapping of tasks.", "import_unreadable")
    workflow, draft = values[0], RunbookDraft("Orquesta workflow")
    for part in workflow.get("input").parts():
        _read_input(draft, part)
    draft.put = lambda text: _REFERENCE.sub(lambda found: draft.placed(found[1] or found[2]) or found[0], text)
    description = workflow.get("description")
    words = description.text()
    draft.title(words.splitlines()[0] if words else "", description.where)
    draft.about(words, description.where, "The workflow's description")
    made = {name: _read_task(draft, name, task) for name, task in tasks.fields()}
    known = {name: task for name, task in made.items() if task is not None}
    for name, task in tasks.fields():
        if name in known:
            for way in task.get("next").parts():
                _follow(draft, way, name, known)
    draft.leave(workflow, _ADVICE)
    return draft.done()


def _read_input(draft: RunbookDraft, part: Part) -> None:
    """A name, or a name with its default."""
    if isinstance(part.value, str):
        draft.input(part.text(), part.where)
        return
    for name, default in part.fields():
        fit = draft.input(name, default.where)
        draft.lose(
            default.where, f"The input {fit} must be given at each start; it has no default here.", _ADVICE["input"]
        )


def _read_task(draft: RunbookDraft, name: str, task: Part) -> str | None:
    action = task.get("action").text()
    inputs = task.get("input")
    is_question = action == "core.ask"
    asked = "Answer this question:" if is_question else f"To be read and done by a person ({action or 'no action'}):"
    told = [f"{words}: {part.whole()}" for key, words in _TOLD.items() if (part := task.get(key))]
    made = draft.task(name, task.where, ["\n".join([asked, inputs.whole() if inputs else "", *told]).strip()])
    if made is None:
        task.take()
        return None
    what = f"It became a task for a person: {made}. Nothing runs it."
    if is_question:
        what = f"The question became a task for a person: {made}. Nothing checks the answer by its schema."
    draft.lose(task.where, what, "Make an action of it, where a machine may do it.")
    return made


def _follow(draft: RunbookDraft, way: Part, name: str, known: dict[str, str]) -> None:
    """Let the tasks to which this way leads need the task."""
    do, when = way.get("do"), way.get("when").text()
    names = [word for word in re.split(r"[,\s]+", do.text()) if word]
    names += [item.text() for item in do.parts() if isinstance(item.value, str)]
    if when:
        to = ", ".join(names) or "nothing more"
        draft.say(known[name], f"Go on to {to} only when this holds, else skip it: {when}")
        what = f"The condition of a way is told in the instructions of {known[name]}, and not evaluated: {when}"
        draft.lose(way.get("when").where, what, "Decide it as a person, and skip the tasks of ways not taken.")
    for word in names:
        if word in known:
            draft.needs(known[word], known[name])
        elif word in _WORDS_OF_THE_ENGINE:
            draft.lose(do.where, f"“{word}” is a word for Orquesta's engine.", KEEP)
        else:
            draft.lose(do.where, f"It leads to {word[:80]}, which is no task here.", "Add the task, or leave it so.")


RUNBOOK_IMPORTER = RunbookImporter("orquesta", "Orquesta workflow", "a StackStorm workflow in YAML", knows, read)
