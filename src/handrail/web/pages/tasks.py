"""One task, and what people do with it."""

from typing import Literal

from handrail.domain.gate import Gate
from handrail.domain.incident import Incident
from handrail.domain.message import Message
from handrail.domain.run import Run, Task
from handrail.kernel.errors import NotFound, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.operations import runs
from handrail.store import queries
from handrail.web import views as v
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters.sentences import Told
from handrail.web.presenters.tasks import run_title, status_of, task_row
from handrail.web.presenters.timeline import timeline

_CHOICES: dict[str, Literal["happened", "did_not", "look_again"]] = {
    "happened": "happened", "did_not": "did_not", "look_again": "look_again",
}  # fmt: skip
_PLACE = "{run_id}-{task_id}"


def task(visit: Visit) -> Screen:
    run = queries.get(visit.connection, Run, visit.where["run_id"]).state
    found = run.tasks.get(visit.where["task_id"])
    if found is None:
        raise NotFound(f"This run has no task “{visit.where['task_id'][:64]}”.")
    incident = queries.get(visit.connection, Incident, run.incident_id).state
    tasks = (found, *(run.tasks[need] for need in found.plan.needs))
    gates = queries.many(visit.connection, Gate, [each.gate_id for each in tasks if each.gate_id])
    messages = queries.many(visit.connection, Message, [each.message_id for each in tasks if each.message_id])
    row = task_row(run, found, visit.within(incident), visit.now, visit.names, gates, messages)
    told = Told(visit.names, {run.id: run}, gates, messages)
    view = v.TaskView(
        row,
        (f"/incidents/{incident.id}", f"{incident.reference} {incident.title}"),
        run_title(run),
        tuple(_waits_for(run, run.tasks[need], gates, messages) for need in found.plan.needs),
        timeline(_entries_of(visit, run, found), told),
    )
    return Screen("task.html", found.plan.title, view, "board", (f"run:{run.id}",))


def _waits_for(run: Run, need: Task, gates: dict[str, Gate], messages: dict[str, Message]) -> tuple[str, str, str]:
    status = status_of(need, gates.get(need.gate_id or ""), messages.get(need.message_id or ""))
    return f"/tasks/{run.id}/{need.plan.id}", need.plan.title, status


def _entries_of(visit: Visit, run: Run, found: Task) -> list[queries.EntryView]:
    entries = queries.entries(visit.connection, f"run/{run.id}", size=LIMITS.timeline_shown)
    return [entry for entry in entries if entry.body.get("task_id") == found.plan.id]


def claim(post: Post) -> Done:
    post.act(lambda tx, person: runs.claim(tx, post.where["run_id"], post.where["task_id"], person))
    return Done("The task is yours. Say what came of it when it is done.")


def finish(post: Post) -> Done:
    if not post.text("result"):
        raise Unprocessable("Say what came of it; it stands in the record.", "result_missing")
    post.act(
        lambda tx, person: runs.finish(tx, post.where["run_id"], post.where["task_id"], post.text("result"), person)
    )
    return Done("The task is done.")


def skip(post: Post) -> Done:
    post.act(lambda tx, person: runs.skip(tx, post.where["run_id"], post.where["task_id"], post.text("reason"), person))
    return Done("The task is skipped.")


def ask_again(post: Post) -> Done:
    post.act(lambda tx, person: runs.ask_again(tx, post.where["run_id"], post.where["task_id"], person))
    return Done("The approvers are asked again, about what would be done now.")


def resolve(post: Post) -> Done:
    choice, words = _CHOICES.get(post.text("choice")), post.text("reason")
    if choice is None:
        raise Unprocessable("Choose what became of it.", "choice_missing")
    if not words:
        raise Unprocessable("Say how you know; it stands in the record.", "reason_missing")
    post.act(
        lambda tx, person: runs.resolve_unknown(tx, post.where["run_id"], post.where["task_id"], choice, words, person)
    )
    said = {
        "happened": "It is recorded as done.",
        "did_not": "It is recorded as not done.",
        "look_again": "Handrail asks again what became of it.",
    }
    return Done(said[choice])


PAGES = (At("/tasks/{run_id}/{task_id}", task, {"body": "parts/task_body.html"}),)
FORMS = (
    On("/tasks/{run_id}/{task_id}/claim", claim),
    On("/tasks/{run_id}/{task_id}/done", finish, {"result": f"result-{_PLACE}"}),
    On("/tasks/{run_id}/{task_id}/skip", skip, {"reason": f"skip-reason-{_PLACE}"}),
    On("/tasks/{run_id}/{task_id}/ask-again", ask_again),
    On("/tasks/{run_id}/{task_id}/outcome", resolve, {"reason": f"outcome-reason-{_PLACE}"}),
)
