"""A Rundeck job as it is exported in YAML or JSON: options become inputs, steps become human tasks in their order.

A step's command, script, job reference or plugin is text in the instructions: nothing of it runs.
"""

import re

from handrail.kernel.errors import BadInput
from handrail.plugins.importers.contract import ImportedRunbook, RunbookImporter
from handrail.plugins.importers.runbook_draft import KEEP, RunbookDraft
from handrail.plugins.importers.runbook_reading import Part, has_key, read_values

_REFERENCE = re.compile(r"\$\{option\.([\w.-]+)\}|@option\.([\w.-]+)@")
_IN_WORDS = {
    "exec": "Command", "script": "Script", "scriptfile": "Script file", "scripturl": "Script from", "args": "Arguments",
    "scriptInterpreter": "Interpreter", "jobref": "Job", "type": "Plugin", "configuration": "Configuration",
}  # fmt: skip
_PERSON = "Write into the instructions what a person should do about it."
_ADVICE = {
    "schedule": "A run is started by a person; remind them by other means.",
    "notification": "Add message tasks for whom it should tell.",
    "timeout": "Nothing ends a person's task; set due_minutes and escalate_to.",
    "retry": "Write into the instructions how often to try again.",
    "keepgoing": "A failed task stops what needs it; say in the instructions when to skip it.",
    "strategy": "Tasks are done in their order; loosen `needs` where they can be done side by side.",
    "nodefilters": _PERSON, "dispatch": _PERSON, "plugins": _PERSON, "options": "Give the value when a run starts.",
}  # fmt: skip


def knows(text: str) -> bool:
    return has_key(text, "sequence", "commands")


def read(body: bytes) -> ImportedRunbook:
    """The runbook of the first job of a file. Raises BadInput where there is none."""
    jobs = [
        part for whole in read_values(body) for part in (whole.parts() if isinstance(whole.value, list) else [whole])
    ]
    if not jobs or not jobs[0].get("sequence").get("commands"):
        raise BadInput("The file holds no Rundeck job with a sequence of commands.", "import_unreadable")
    draft, job = RunbookDraft("Rundeck job"), jobs[0]
    for other in jobs[1:]:
        name = str(other.get("name").value or "without a name")
        draft.lose(other.where, f"The job {name[:80]} is another runbook.", "Export it to a file of its own.")
    _read_options(draft, job.get("options"))
    draft.title(job.get("name").text(), "/name")
    draft.about(job.get("description").text(), f"{job.where}/description", "The job's description")
    nodes = job.get("nodefilters").get("filter")
    draft.about(f"It runs on these nodes: {words}" if (words := nodes.text()) else "", nodes.where, "The node filter")
    last = None
    for step in job.get("sequence").get("commands").parts():
        made = _read_step(draft, step)
        if made is not None and last is not None:
            draft.needs(made, last)
        last = made or last
    draft.leave(job, _ADVICE)
    return draft.done()


def _read_options(draft: RunbookDraft, options: Part) -> None:
    named = [(key, part) for key, part in options.fields()] + [
        (part.get("name").text(), part) for part in options.parts()
    ]
    for name, option in named:
        if not name:
            continue
        if str(option.get("secure").value).lower() == "true":
            option.take()
            what = f"The secret {name[:80]} is no input: the values of inputs stand in the record."
            draft.lose(option.where, what, "Say in the instructions where people find the secret.")
            continue
        fit = draft.input(name, option.where)
        if str(option.get("required").value).lower() != "true":
            what = f"The input {fit} must be given at each start; here no input is optional, and none has a default."
            draft.lose(option.where, what, "Give it when a run starts.")
        else:
            option.get("required").take()
    draft.put = lambda text: _REFERENCE.sub(lambda found: _put(draft, found), text)


def _put(draft: RunbookDraft, found: re.Match[str]) -> str:
    return draft.placed(found[1] or found[2]) or found[0]


def _read_step(draft: RunbookDraft, step: Part) -> str | None:
    if isinstance(step.value, str):
        return draft.task(step.value, step.where, [f"To be read and run by a person: {step.text()}"])
    said = _in_words(step)
    if not said:
        draft.lose(step.where, f"It is no step that is known here: {step.whole()}", KEEP)
        return None
    named = step.get("description").text() or step.get("jobref").get("name").text() or said[0]
    made = draft.task(named, step.where, ["\n".join(["To be read and done by a person:", *said])])
    if made is None:
        step.take()
        return None
    what = f"The step became a task for a person: {made}. Nothing runs it."
    draft.lose(step.where, what, "Make an action of it, where a machine may do it.")
    handler = step.get("errorhandler")
    if (told := _in_words(handler)) or handler.get("description"):
        draft.say(made, "\n".join(["If it fails:", handler.get("description").text(), *told]))
    return made


def _in_words(step: Part) -> list[str]:
    return [f"{words}: {part.whole()}" for key, words in _IN_WORDS.items() if (part := step.get(key))]


RUNBOOK_IMPORTER = RunbookImporter("rundeck", "Rundeck job", "a job exported as YAML or JSON", knows, read)
