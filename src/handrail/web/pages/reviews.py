"""The review of an incident: written by people over what the record says."""

from handrail.domain.incident import Incident
from handrail.domain.people import Person
from handrail.domain.review import SECTIONS, Review
from handrail.kernel.errors import NotFound, Stale
from handrail.kernel.limits import LIMITS
from handrail.operations import reviews
from handrail.operations.shell import Tx
from handrail.record.source import head
from handrail.store import queries
from handrail.store.queries import Wanted
from handrail.web.pages.rooms import load_room
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters.messages import message_card
from handrail.web.presenters.review import review_view


def review(visit: Visit) -> Screen:
    incident: Incident = queries.incident(visit.connection, visit.where["incident_id"]).state
    found = queries.page(visit.connection, Review, Wanted(None, incident.id), 1)
    if not found:
        raise NotFound(f"{incident.reference} has no review yet; it is drafted when the incident closes.", "no_review")
    room = load_room(visit, incident.id, LIMITS.timeline_shown)
    frontier = head(visit.connection)
    messages = tuple(
        message_card(each.state, each.seq, None, room.viewer, visit.names)
        for each in room.messages.values()
        if each.state.deliveries
    )
    view = review_view(
        found[0], incident, room.entries, room.finding, room.gates.values(), messages, room.told, room.viewer,
        frontier.root().hex(), frontier.size,
    )  # fmt: skip
    return Screen("review.html", f"Review of {incident.reference}", view, "board", (f"review:{found[0].id}",))


def edit(post: Post) -> Done:
    """Every section that was changed, in one transaction."""
    review_id, version = post.where["review_id"], post.text("version")

    def operation(tx: Tx, person: Person) -> int:
        found: Review = tx.get("review", review_id)
        if version != str(tx.seq("review", review_id)):
            raise Stale("Somebody else changed this review while you wrote; your words are still in the fields. "
                        "Save again to put them in place of theirs.", "stale")  # fmt: skip
        changed = 0
        for section in SECTIONS:
            words = post.text(section).replace("\r\n", "\n")
            if section in post.fields and words != found.sections.get(section, ""):
                reviews.edit(tx, review_id, section, words, person)
                changed += 1
        return changed

    changed = post.act(operation)
    return Done("The review is saved." if changed else "Nothing was changed.", kind="done" if changed else "note")


def accept(post: Post) -> Done:
    post.act(lambda tx, person: reviews.accept(tx, post.where["review_id"], person))
    return Done("The review is accepted; with it the incident is complete.")


PAGES = (At("/incidents/{incident_id}/review", review),)
FORMS = (
    On("/reviews/{review_id}/edit", edit, {section: f"section-{section}" for section in SECTIONS}),
    On("/reviews/{review_id}/accept", accept),
)
