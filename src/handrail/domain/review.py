"""The blameless review: compiled from the record, completed and accepted by people; a machine never overwrites them."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from handrail.domain.noun import Decision, Noun, Row
from handrail.kernel.errors import Conflict, NotFound, Unprocessable

SECTIONS: tuple[str, ...] = ("summary", "helped", "hindered", "lucky", "actions")


@dataclass(frozen=True)
class ReviewDrafted:
    """`compiled` is plain data made from the record alone: times, impact, gates, machines and people, timeline."""

    id: str
    incident_id: str
    compiled: dict[str, Any]
    at: datetime
    summary: str = ""
    TYPE: ClassVar[str] = "review.drafted"
    PERSONAL: ClassVar[tuple[str, ...]] = ("summary",)


@dataclass(frozen=True)
class ReviewEdited:
    section: str
    by: str
    at: datetime
    words: str = ""
    TYPE: ClassVar[str] = "review.edited"
    PERSONAL: ClassVar[tuple[str, ...]] = ("words",)


@dataclass(frozen=True)
class ReviewAccepted:
    by: str
    at: datetime
    TYPE: ClassVar[str] = "review.accepted"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Review:
    id: str
    incident_id: str
    compiled: dict[str, Any]
    drafted_at: datetime
    sections: dict[str, str] = field(default_factory=dict)
    edited: dict[str, str] = field(default_factory=dict)
    status: Literal["draft", "accepted"] = "draft"
    accepted_by: str | None = None
    accepted_at: datetime | None = None


@dataclass(frozen=True)
class DraftReview:
    id: str
    incident_id: str
    compiled: dict[str, Any]
    summary: str


@dataclass(frozen=True)
class EditReview:
    section: str
    words: str
    by: str


@dataclass(frozen=True)
class AcceptReview:
    by: str


def decide(review: Review | None, command: object, now: datetime) -> Decision:
    if review is None:
        if isinstance(command, DraftReview):
            return [ReviewDrafted(command.id, command.incident_id, command.compiled, now, command.summary)]
        return NotFound("There is no such review.")
    if review.status == "accepted":
        return Conflict("This review is accepted; corrections are new notes on the incident.", "review_accepted")
    match command:
        case EditReview():
            if command.section not in SECTIONS:
                return Unprocessable(f"A review has the sections {', '.join(SECTIONS)}.", "unknown_section")
            return [ReviewEdited(command.section, command.by, now, command.words)]
        case AcceptReview():
            return [ReviewAccepted(command.by, now)]
        case DraftReview():
            return Conflict("This review is drafted already.")
    return Conflict("The review does not know this command.")


def evolve(review: Review | None, event: object) -> Review:
    if isinstance(event, ReviewDrafted):
        return Review(event.id, event.incident_id, event.compiled, event.at, {"summary": event.summary})
    assert review is not None
    match event:
        case ReviewEdited():
            return replace(
                review, sections={**review.sections, event.section: event.words},
                edited={**review.edited, event.section: event.by},
            )  # fmt: skip
        case ReviewAccepted():
            return replace(review, status="accepted", accepted_by=event.by, accepted_at=event.at)
    raise AssertionError(f"unknown review event {event!r}")


def row(review: Review) -> Row:
    return Row(status=review.status, title="Review", incident_id=review.incident_id)


NOUN = Noun("review", Review, (ReviewDrafted, ReviewEdited, ReviewAccepted), decide, evolve, row)
