"""A message: words for one audience over one or more channels; drafted, edited, gated, sent, receipted.

Its digest covers audience, channels and words: any edit voids a consent given before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from handrail.domain.noun import Decision, Noun, Row, Timer
from handrail.domain.run import Authority
from handrail.kernel.canonical import digest
from handrail.kernel.errors import Conflict, NotFound, Stale, Unprocessable
from handrail.kernel.limits import LIMITS

Status = Literal["draft", "submitted", "approved", "sending", "delivered", "failed", "rejected"]


@dataclass(frozen=True)
class Fact:
    """One fact that a message states, and the record entry (index) that it comes from; None when it is a plan."""

    words: str
    entry: int | None = None


@dataclass(frozen=True)
class MessageDrafted:
    id: str
    incident_id: str
    audience: str
    stage: str
    channels: tuple[str, ...]
    facts: tuple[Fact, ...]
    by: str
    at: datetime
    subject: str = ""
    text: str = ""
    run_id: str | None = None
    task_id: str | None = None
    TYPE: ClassVar[str] = "message.drafted"
    PERSONAL: ClassVar[tuple[str, ...]] = ("subject", "text")


@dataclass(frozen=True)
class MessageEdited:
    by: str
    at: datetime
    subject: str = ""
    text: str = ""
    TYPE: ClassVar[str] = "message.edited"
    PERSONAL: ClassVar[tuple[str, ...]] = ("subject", "text")


@dataclass(frozen=True)
class MessageSubmitted:
    gate_id: str | None
    digest: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "message.submitted"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class MessageApproved:
    digest: str
    authority: Authority
    at: datetime
    TYPE: ClassVar[str] = "message.approved"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class MessageRejected:
    at: datetime
    TYPE: ClassVar[str] = "message.rejected"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class MessageSending:
    """Written before each try. The same key goes outwards every time, so that a receiver can tell a repeat."""

    channel: str
    attempt: int
    key: str
    digest: str
    authority: Authority
    at: datetime
    TYPE: ClassVar[str] = "message.sending"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class MessageDelivered:
    channel: str
    attempt: int
    receipt: str
    at: datetime
    TYPE: ClassVar[str] = "message.delivered"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class DeliveryFailed:
    channel: str
    attempt: int
    why: str
    at: datetime
    retry_at: datetime | None
    TYPE: ClassVar[str] = "message.delivery_failed"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Delivery:
    status: Literal["waiting", "sending", "delivered", "retrying", "failed"] = "waiting"
    attempts: int = 0
    receipt: str = ""
    why: str = ""
    retry_at: datetime | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Message:
    id: str
    incident_id: str
    audience: str
    stage: str
    channels: tuple[str, ...]
    facts: tuple[Fact, ...]
    subject: str
    text: str
    drafted_by: str
    drafted_at: datetime
    last_editor: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    status: Status = "draft"
    gate_id: str | None = None
    authority: Authority | None = None
    digest: str | None = None
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Exactly what is put to the approvers."""
        return {
            "act": "message", "message": self.id, "incident": self.incident_id, "audience": self.audience,
            "stage": self.stage, "channels": list(self.channels), "subject": self.subject, "text": self.text,
        }  # fmt: skip


@dataclass(frozen=True)
class DraftMessage:
    id: str
    incident_id: str
    audience: str
    stage: str
    channels: tuple[str, ...]
    facts: tuple[Fact, ...]
    subject: str
    text: str
    by: str
    run_id: str | None = None
    task_id: str | None = None


@dataclass(frozen=True)
class EditMessage:
    subject: str
    text: str
    by: str


@dataclass(frozen=True)
class SubmitMessage:
    gate_id: str | None
    by: str


@dataclass(frozen=True)
class ApproveMessage:
    digest: str
    authority: Authority


@dataclass(frozen=True)
class RejectMessage:
    """Consent was refused or no longer stands. A channel that was tried already keeps its retries."""

    why: str = ""


@dataclass(frozen=True)
class StartDelivery:
    channel: str


@dataclass(frozen=True)
class FinishDelivery:
    channel: str
    attempt: int
    delivered: bool
    detail: str
    try_again: bool = True


def decide(message: Message | None, command: object, now: datetime) -> Decision:
    if message is None:
        return _draft(command, now) if isinstance(command, DraftMessage) else NotFound("There is no such message.")
    match command:
        case EditMessage():
            if message.status not in ("draft", "submitted", "rejected"):
                return Conflict(f"The message is {message.status}; it cannot be changed any more.", "message_sent")
            if not command.text.strip() or not command.subject.strip():
                return Unprocessable("A message needs a subject and words.", "message_empty")
            return [MessageEdited(command.by, now, command.subject.strip(), command.text.strip())]
        case SubmitMessage():
            if message.status not in ("draft", "rejected"):
                return Conflict(f"The message is {message.status} already.", "message_submitted")
            return [MessageSubmitted(command.gate_id, digest(message.content()), command.by, now)]
        case ApproveMessage():
            if message.status != "submitted":
                return Conflict(f"The message is {message.status}.", "not_submitted")
            if command.digest != digest(message.content()):
                return Stale("The words are not those that were approved.", "authority_void")
            return [MessageApproved(command.digest, command.authority, now)]
        case RejectMessage():
            return _reject(message, command, now)
        case StartDelivery():
            return _start_delivery(message, command.channel, now)
        case FinishDelivery():
            return _finish_delivery(message, command, now)
    return Conflict("The message does not know this command.")


def _draft(command: DraftMessage, now: datetime) -> Decision:
    if not command.channels:
        return Unprocessable(f"The audience “{command.audience}” has no channel.", "no_channel")
    return [
        MessageDrafted(
            command.id, command.incident_id, command.audience, command.stage, command.channels, command.facts,
            command.by, now, command.subject, command.text, command.run_id, command.task_id,
        )
    ]  # fmt: skip


def _reject(message: Message, command: RejectMessage, now: datetime) -> Decision:
    if message.status in ("submitted", "approved"):
        return [MessageRejected(now)]
    untried = [channel for channel, delivery in message.deliveries.items() if delivery.status == "waiting"]
    return [DeliveryFailed(channel, 0, command.why, now, None) for channel in untried]


def _start_delivery(message: Message, channel: str, now: datetime) -> Decision:
    delivery = message.deliveries.get(channel)
    if message.authority is None or message.digest is None or delivery is None:
        return Conflict("This message has no authority to be sent.", "no_authority")
    if message.digest != digest(message.content()):
        return Stale("The words are not those that were approved.", "authority_void")
    if delivery.status in ("delivered", "failed"):
        return Conflict(f"This delivery is {delivery.status} already.", "delivery_ended")
    key = f"{message.id}:{channel}"
    return [MessageSending(channel, delivery.attempts + 1, key, message.digest, message.authority, now)]


def _finish_delivery(message: Message, command: FinishDelivery, now: datetime) -> Decision:
    delivery = message.deliveries.get(command.channel)
    if delivery is None or delivery.status != "sending" or delivery.attempts != command.attempt:
        return Conflict("This report is from an attempt that no longer counts.", "fenced")
    if command.delivered:
        return [MessageDelivered(command.channel, command.attempt, command.detail, now)]
    waits = LIMITS.delivery_retry_seconds
    again = command.try_again and command.attempt < LIMITS.delivery_attempts
    wait = waits[min(command.attempt, len(waits)) - 1]
    retry_at = now + timedelta(seconds=wait) if again else None
    return [DeliveryFailed(command.channel, command.attempt, command.detail, now, retry_at)]


def evolve(message: Message | None, event: object) -> Message:
    if isinstance(event, MessageDrafted):
        return Message(
            event.id, event.incident_id, event.audience, event.stage, event.channels, event.facts, event.subject,
            event.text, event.by, event.at, None, event.run_id, event.task_id,
        )  # fmt: skip
    assert message is not None
    match event:
        case MessageEdited():
            return replace(
                message, subject=event.subject, text=event.text, last_editor=event.by, status="draft", gate_id=None
            )
        case MessageSubmitted():
            return replace(message, status="submitted", gate_id=event.gate_id)
        case MessageApproved():
            waiting = {channel: Delivery() for channel in message.channels}
            return replace(
                message, status="approved", authority=event.authority, digest=event.digest, deliveries=waiting
            )
        case MessageRejected():
            return replace(message, status="rejected", authority=None, digest=None, deliveries={})
        case MessageSending():
            sending = Delivery("sending", event.attempt, at=event.at)
            return replace(message, status="sending", deliveries={**message.deliveries, event.channel: sending})
        case MessageDelivered():
            done = Delivery("delivered", event.attempt, event.receipt, at=event.at)
            return _settle(replace(message, deliveries={**message.deliveries, event.channel: done}))
        case DeliveryFailed():
            state: Literal["retrying", "failed"] = "retrying" if event.retry_at else "failed"
            failed = Delivery(state, event.attempt, "", event.why, event.retry_at, event.at)
            return _settle(replace(message, deliveries={**message.deliveries, event.channel: failed}))
    raise AssertionError(f"unknown message event {event!r}")


def _settle(message: Message) -> Message:
    states: Mapping[str, Delivery] = message.deliveries
    if all(delivery.status == "delivered" for delivery in states.values()):
        return replace(message, status="delivered")
    if all(delivery.status in ("delivered", "failed") for delivery in states.values()):
        return replace(message, status="failed")
    return message


def row(message: Message) -> Row:
    timers = tuple(
        Timer(f"retry:{channel}", delivery.retry_at)
        for channel, delivery in message.deliveries.items()
        if delivery.status == "retrying" and delivery.retry_at is not None
    )
    return Row(status=message.status, title=message.subject, incident_id=message.incident_id, timers=timers)


NOUN = Noun(
    kind="message",
    state=Message,
    events=(
        MessageDrafted, MessageEdited, MessageSubmitted, MessageApproved, MessageRejected, MessageSending,
        MessageDelivered, DeliveryFailed,
    ),
    decide=decide,
    evolve=evolve,
    row=row,
)  # fmt: skip
