"""Messages to an audience, and reviews: both drafted by machines, owned by people."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from handrail.domain.finding import Finding
from handrail.domain.message import Message
from handrail.domain.review import Review
from handrail.kernel.limits import LIMITS
from handrail.operations import messages, reviews
from handrail.store import queries
from handrail.store.queries import Wanted
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Asked, Nothing, Noun, Pages, Reader, Writer, answer

router = APIRouter(prefix="/api/v1", tags=["messages"], route_class=ApiRoute)


class EditMessage(Asked):
    subject: Annotated[str, Field(min_length=1, max_length=LIMITS.title_chars, examples=["[INC-7] SEV1 update"])]
    text: Annotated[str, Field(min_length=1, max_length=LIMITS.summary_chars, examples=["Payments work again."])]


class EditReview(Asked):
    """`section` is summary, helped, hindered, lucky or actions."""

    section: Annotated[str, Field(max_length=32, examples=["helped"])]
    words: Annotated[str, Field(max_length=LIMITS.summary_chars, examples=["The roll back was rehearsed."])]


MessageStatus = Literal["draft", "submitted", "approved", "sending", "delivered", "failed", "rejected"]


@router.get("/messages", response_model=shapes.Page[shapes.Message], summary="List messages, newest first")
def list_messages(desk: Reader, asked: Pages, status: MessageStatus | None = None) -> Response:
    with desk.read() as connection:
        found = queries.page(connection, Message, Wanted(status), asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.Message.of(item.state), lambda item: (item.id,))


@router.get("/messages/{message_id}", response_model=shapes.Message, summary="Get a message")
def get_message(desk: Reader, message_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Message, message_id)
    return answer(shapes.Message.of(found.state), seq=found.seq)


@router.post("/messages/{message_id}/edit", response_model=shapes.Message, summary="Change the words")
def edit_message(desk: Writer, message_id: str, said: EditMessage) -> Response:
    """A consent asked for or given before is void: it was for other words."""
    return desk.write(
        lambda tx, person: messages.edit(tx, message_id, said.subject, said.text, person),
        lambda tx, _: shapes.Message.of(tx.get("message", message_id)),
        about=Noun("message", message_id),
    )


@router.post("/messages/{message_id}/submit", response_model=shapes.Message, summary="Put it to approval")
def submit_message(desk: Writer, message_id: str, said: Nothing | None = None) -> Response:
    """Answers with the gate at which it waits, or as approved where the policy sends it at once."""
    return desk.write(
        lambda tx, person: messages.submit(tx, message_id, person),
        lambda tx, message: shapes.Message.of(message),
        about=Noun("message", message_id),
    )


@router.get("/findings/{finding_id}", response_model=shapes.Finding, tags=["incidents"], summary="Get a finding")
def get_finding(desk: Reader, finding_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Finding, finding_id)
    return answer(shapes.Finding.model_validate(found.state), seq=found.seq)


@router.get("/reviews", response_model=shapes.Page[shapes.Review], tags=["reviews"], summary="List reviews")
def list_reviews(desk: Reader, asked: Pages, status: Literal["draft", "accepted"] | None = None) -> Response:
    with desk.read() as connection:
        found = queries.page(connection, Review, Wanted(status), asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.Review.model_validate(item.state), lambda item: (item.id,))


@router.get("/reviews/{review_id}", response_model=shapes.Review, tags=["reviews"], summary="Get a review")
def get_review(desk: Reader, review_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Review, review_id)
    return answer(shapes.Review.model_validate(found.state), seq=found.seq)


@router.post("/reviews/{review_id}/edit", response_model=shapes.Review, tags=["reviews"], summary="Write a section")
def edit_review(desk: Writer, review_id: str, said: EditReview) -> Response:
    return desk.write(
        lambda tx, person: reviews.edit(tx, review_id, said.section, said.words, person),
        lambda tx, _: shapes.Review.model_validate(tx.get("review", review_id)),
        about=Noun("review", review_id),
    )


@router.post("/reviews/{review_id}/accept", response_model=shapes.Review, tags=["reviews"], summary="Accept a review")
def accept_review(desk: Writer, review_id: str, said: Nothing | None = None) -> Response:
    """With it the last stage is passed."""
    return desk.write(
        lambda tx, person: reviews.accept(tx, review_id, person),
        lambda tx, _: shapes.Review.model_validate(tx.get("review", review_id)),
        about=Noun("review", review_id),
    )
