"""Reviews: compiled from the record at closure, completed and accepted by people."""

import json
from typing import Any

import sqlalchemy as sa

from handrail.domain.incident import Incident, Stage
from handrail.domain.outcome import Line, outcome
from handrail.domain.people import Permission, Person, require
from handrail.domain.review import AcceptReview, DraftReview, EditReview, Review
from handrail.kernel.clock import from_text
from handrail.kernel.errors import Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.operations import runs
from handrail.operations.shell import Tx
from handrail.store import tables


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
    query = (
        sa.select(
            tables.entry.c.idx, tables.entry.c.stream, tables.entry.c.type, tables.entry.c.leaf, tables.entry.c.body
        )
        .join(tables.timeline, tables.timeline.c.idx == tables.entry.c.idx)
        .where(tables.timeline.c.incident_id == incident_id)
        .order_by(tables.entry.c.idx)
    )
    return [line_of(row) for row in tx.connection.execute(query)]


def line_of(row: Any) -> Line:
    leaf = json.loads(row.leaf)
    return Line(
        index=int(row.idx), stream=row.stream, type=row.type, actor_kind=leaf["actor"]["kind"],
        actor_id=leaf["actor"]["id"], happened_at=from_text(leaf["happened_at"]),
        recorded_at=from_text(leaf["recorded_at"]), body=json.loads(row.body),
    )  # fmt: skip


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
