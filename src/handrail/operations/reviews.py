"""Reviews: compiled from the record at closure, completed and accepted by people."""

from handrail.domain.incident import Incident, Stage
from handrail.domain.outcome import Line, outcome
from handrail.domain.people import Permission, Person, require
from handrail.domain.review import AcceptReview, DraftReview, EditReview, Review
from handrail.kernel.errors import Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.operations import runs
from handrail.operations.shell import Tx
from handrail.store import queries


def draft(tx: Tx, incident_id: str) -> str:
    """Compile the review from the entries of the incident; returns its id."""
    incident: Incident = tx.get("incident", incident_id)
    compiled = outcome(incident, lines_of(tx, incident_id))
    services = ", ".join(incident.services) or "no named service"
    began, declared = f"{incident.started_at:%Y-%m-%d %H:%M:%S}", f"{incident.declared_at:%H:%M:%S}"
    summary = (
        f"{incident.reference} ({incident.severity}) hit {services}. "
        f"It began at {began} UTC and was declared at {declared} UTC."
    )
    review_id = new_id("rev")
    tx.change("review", review_id, DraftReview(review_id, incident_id, compiled, summary))
    return review_id


def lines_of(tx: Tx, incident_id: str) -> list[Line]:
    """The incident's entries, those of this operation included, in order."""
    tx.flush()
    return queries.lines_of(tx.connection, incident_id)


def edit(tx: Tx, review_id: str, section: str, words: str, person: Person) -> None:
    require(person, Permission.WORK)
    if len(words) > LIMITS.summary_chars:
        raise Unprocessable(f"A section has at most {LIMITS.summary_chars} characters.", "too_long")
    tx.change("review", review_id, EditReview(section, words, person.id))


def accept(tx: Tx, review_id: str, person: Person) -> None:
    """A person accepts the review; with it the last stage is passed."""
    require(person, Permission.COMMAND)
    review: Review = tx.get("review", review_id)
    tx.change("review", review_id, AcceptReview(person.id))
    runs.complete_half(tx, review.incident_id, Stage.REVIEW, "human", person.id)
