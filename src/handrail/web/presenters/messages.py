"""Messages with their facts, gates and receipts."""

from datetime import datetime

from handrail.domain.message import Delivery, Message
from handrail.domain.people import Permission, Person, permitted
from handrail.web import views as v
from handrail.web.presenters.names import Names

_EDITABLE = frozenset({"draft", "submitted", "rejected"})
_RECEIPTS = {"waiting": "queued", "sending": "queued", "retrying": "queued"}


def message_card(
    message: Message, version: int, gate: v.GateCard | None, viewer: Person, names: Names
) -> v.MessageCard:  # fmt: skip
    """`version` is the number of the message's last event: an edit based on another one is refused."""
    writes = permitted(viewer, Permission.WRITE_MESSAGE)
    return v.MessageCard(
        id=message.id,
        audience=message.audience,
        channels=message.channels,
        subject=message.subject,
        text=message.text,
        state=message.status,
        drafted_by=names.known(message.drafted_by),
        at=message.drafted_at,
        facts=tuple(v.Fact(fact.words, fact.entry) for fact in message.facts),
        receipts=tuple(_receipt(name, item, message.drafted_at) for name, item in message.deliveries.items()),
        gate=gate if message.status != "draft" else None,
        may_edit=writes and message.status in _EDITABLE,
        may_submit=writes and message.status in ("draft", "rejected"),
        version=version,
        last_editor=names.of(message.last_editor) if message.last_editor else None,
    )


def _receipt(channel: str, delivery: Delivery, since: datetime) -> v.Receipt:
    detail = delivery.receipt or delivery.why
    return v.Receipt(
        channel, _RECEIPTS.get(delivery.status, delivery.status), delivery.at or since, detail, delivery.attempts
    )
