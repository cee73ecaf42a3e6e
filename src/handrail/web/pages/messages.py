"""One message: its words, its gate, its receipts."""

from dataclasses import replace

from handrail.domain.gate import Gate
from handrail.domain.incident import Incident
from handrail.domain.message import Message
from handrail.domain.people import Person
from handrail.kernel.errors import HandrailError, Stale
from handrail.operations import messages
from handrail.operations.shell import Tx
from handrail.store import queries
from handrail.web import views as v
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters.gates import gate_card
from handrail.web.presenters.messages import message_card


def message(visit: Visit) -> Screen:
    found = queries.get(visit.connection, Message, visit.where["message_id"])
    return _screen(visit, found.id, _card(visit, found.id))


def _card(visit: Visit, message_id: str) -> v.MessageCard:
    found = queries.get(visit.connection, Message, message_id)
    incident = queries.get(visit.connection, Incident, found.state.incident_id).state
    viewer = visit.within(incident)
    gate = queries.find(visit.connection, Gate, found.state.gate_id) if found.state.gate_id else None
    shown = gate_card(gate.state, viewer, visit.names, incident) if gate else None
    return message_card(found.state, found.seq, shown, viewer, visit.names)


def _screen(visit: Visit, message_id: str, card: v.MessageCard) -> Screen:
    found = queries.get(visit.connection, Message, message_id)
    incident = queries.get(visit.connection, Incident, found.state.incident_id).state
    view = v.MessageView(card, (f"/incidents/{incident.id}", f"{incident.reference} {incident.title}"))
    topics = (f"message:{message_id}", *([f"gate:{found.state.gate_id}"] if found.state.gate_id else []))
    return Screen("message.html", f"Message to {found.state.audience}", view, "board", topics)


def edit(post: Post) -> Done:
    message_id = post.where["message_id"]
    subject, text, version = post.text("subject"), post.text("text").replace("\r\n", "\n"), post.text("version")

    def operation(tx: Tx, person: Person) -> Message:
        tx.get("message", message_id)
        if version != str(tx.seq("message", message_id)):
            raise Stale("Somebody else changed this message while you wrote. Both versions are below.", "stale")
        messages.edit(tx, message_id, subject, text, person)
        found: Message = tx.get("message", message_id)
        return found

    saved = post.act(operation)
    return Done(f"The words for {saved.audience} are saved.")


def both_versions(visit: Visit, post: Post, refusal: HandrailError) -> Screen | None:
    """After two edited at once: one's own words in the fields, and beside them what the other saved."""
    if not isinstance(refusal, Stale):
        return None
    card = _card(visit, post.where["message_id"])
    return _screen(visit, card.id, replace(card, theirs=(card.subject, card.text)))


def submit(post: Post) -> Done:
    message_id = post.where["message_id"]
    sent = post.act(lambda tx, person: messages.submit(tx, message_id, person))
    if sent.status == "approved":
        return Done(f"The policy lets the message to {sent.audience} go without asking; it is on its way.")
    return Done(f"The message to {sent.audience} waits for approval.")


PAGES = (At("/messages/{message_id}", message, {"body": "parts/message_body.html"}),)
FORMS = (
    On(
        "/messages/{message_id}/edit", edit,
        {"subject": "subject-{message_id}", "text": "text-{message_id}"}, both_versions,
    ),
    On("/messages/{message_id}/submit", submit),
)  # fmt: skip
