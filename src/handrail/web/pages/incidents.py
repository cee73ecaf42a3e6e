"""The incident room and its forms."""

from handrail.domain.candidate import Candidate
from handrail.domain.incident import Half, Incident
from handrail.domain.people import Person
from handrail.kernel.errors import Unprocessable
from handrail.operations import incidents, messages, runs
from handrail.operations.shell import Tx
from handrail.web.pages.rooms import load_room
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters.names import role_words
from handrail.web.presenters.room import room_view

_PARTS = (
    "head", "main", "side", "stages", "needs", "sign_offs", "cause", "proposals", "tasks", "run", "messages", "alerts",
    "roles", "timeline",
)  # fmt: skip


def room(visit: Visit) -> Screen:
    found = load_room(visit, visit.where["incident_id"])
    incident = found.incident
    topics = (f"incident:{incident.id}", *([f"candidate:{incident.candidate_id}"] if incident.candidate_id else []))
    title = f"{incident.reference} {incident.title}"
    return Screen("incident.html", title, room_view(found), "board", topics)


def declare_by_hand(post: Post) -> Done:
    services = tuple(part.strip() for part in post.text("services").split(",") if part.strip())
    incident = post.act(
        lambda tx, person: incidents.declare(
            tx, person, post.text("title"), post.text("severity"), None, services
        )
    )  # fmt: skip
    return _declared(incident)


def declare(post: Post) -> Done:
    candidate_id = post.where["candidate_id"]

    def operation(tx: Tx, person: Person) -> Incident:
        return incidents.declare(tx, person, post.text("title"), post.text("severity"), candidate_id)

    return _declared(post.act(operation))


def _declared(incident: Incident) -> Done:
    said = f"{incident.reference} is declared as {incident.severity}; you command it. The analyst looks for the cause."
    return Done(said, f"/incidents/{incident.id}")


def dismiss(post: Post) -> Done:
    candidate_id = post.where["candidate_id"]

    def operation(tx: Tx, person: Person) -> Candidate:
        incidents.dismiss(tx, candidate_id, post.text("reason"), person)
        found: Candidate = tx.get("candidate", candidate_id)
        return found

    candidate = post.act(operation)
    return Done(f"“{candidate.title}” is dismissed; new alerts of its kind make a new candidate.")


def note(post: Post) -> Done:
    post.act(lambda tx, person: incidents.add_note(tx, post.where["incident_id"], post.text("text"), person))
    return Done("Your note stands in the timeline.")


def give_role(post: Post) -> Done:
    role = post.text("role")
    post.act(
        lambda tx, person: incidents.give_role(tx, post.where["incident_id"], role, post.text("person"), person)
    )  # fmt: skip
    return Done(f"The role {role_words(role)} is given.")


def change_severity(post: Post) -> Done:
    severity = post.text("severity")
    post.act(
        lambda tx, person: incidents.change_severity(
            tx, post.where["incident_id"], severity, post.text("reason"), person
        )
    )  # fmt: skip
    return Done(f"The severity is {severity} now.")


def complete_half(post: Post) -> Done:
    stage, _, named = post.text("half").partition(".")
    if named not in ("machine", "human"):
        raise Unprocessable("Choose which half of which stage was done.", "no_half")
    half: Half = "machine" if named == "machine" else "human"
    post.act(
        lambda tx, person: incidents.complete_half(
            tx, post.where["incident_id"], stage, half, post.text("reason"), person
        )
    )  # fmt: skip
    return Done(f"The {half} half of the stage {stage} is done, by your word.")


def investigate(post: Post) -> Done:
    post.act(lambda tx, person: incidents.investigate(tx, post.where["incident_id"], person))
    return Done("The analyst looks again; what it finds comes up here.")


def start_run(post: Post) -> Done:
    run = post.act(
        lambda tx, person: runs.start(tx, post.where["incident_id"], "", {}, post.text("proposal_id"), person)
    )
    return Done(f"The plan is started: {len(run.tasks)} tasks. What needs approval waits at its gate.")


def ask_readiness(post: Post) -> Done:
    post.act(lambda tx, person: incidents.ask_readiness(tx, post.where["incident_id"], person))
    return Done("The service's owner is asked to sign readiness off.")


def close(post: Post) -> Done:
    """Why it is over is a note in the same transaction."""
    incident_id, words = post.where["incident_id"], post.text("reason")

    def operation(tx: Tx, person: Person) -> Incident:
        if words:
            incidents.add_note(tx, incident_id, words, person)
        incidents.close(tx, incident_id, person)
        found: Incident = tx.get("incident", incident_id)
        return found

    incident = post.act(operation)
    said = f"{incident.reference} is closed. Its review is drafted from the record."
    return Done(said, f"/incidents/{incident.id}/review")


def draft_message(post: Post) -> Done:
    incident_id, audience = post.where["incident_id"], post.text("audience")
    message_id = post.act(
        lambda tx, person: messages.write(tx, incident_id, audience, post.text("stage"), person)
    )  # fmt: skip
    return Done("A draft is written from the facts in the record. Read it, then put it to approval.",
                f"/messages/{message_id}")  # fmt: skip


PAGES = (At("/incidents/{incident_id}", room, {name: f"parts/incident/{name}.html" for name in _PARTS}),)
FORMS = (
    On("/incidents", declare_by_hand, {"title": "by-hand-title", "services": "by-hand-services"}),
    On(
        "/candidates/{candidate_id}/declare", declare,
        {"title": "title-{candidate_id}", "severity": "severity-{candidate_id}"},
    ),
    On("/candidates/{candidate_id}/dismiss", dismiss, {"reason": "dismiss-reason-{candidate_id}"}),
    On("/incidents/{incident_id}/notes", note, {"text": "note"}),
    On("/incidents/{incident_id}/roles", give_role),
    On("/incidents/{incident_id}/severity", change_severity, {"reason": "severity-reason"}),
    On("/incidents/{incident_id}/halves", complete_half, {"reason": "half-reason"}),
    On("/incidents/{incident_id}/investigate", investigate),
    On("/incidents/{incident_id}/runs", start_run),
    On("/incidents/{incident_id}/readiness", ask_readiness),
    On("/incidents/{incident_id}/close", close, {"reason": "close-reason"}),
    On("/incidents/{incident_id}/messages", draft_message),
)  # fmt: skip
