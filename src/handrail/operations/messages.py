"""Messages: drafted from facts of the record, edited by people, sent after their gate, receipted per channel."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from handrail.domain.finding import Finding
from handrail.domain.gate import Gate, Void, authority
from handrail.domain.incident import Incident
from handrail.domain.message import (
    ApproveMessage,
    DraftMessage,
    EditMessage,
    Fact,
    FinishDelivery,
    Message,
    RejectMessage,
    StartDelivery,
    SubmitMessage,
)
from handrail.domain.people import Permission, Person, require
from handrail.domain.policy import Act, Ruling
from handrail.domain.run import Authority
from handrail.kernel.canonical import digest, storable
from handrail.kernel.errors import Conflict, NotAllowed, NotFound, Refused, Stale, Unprocessable
from handrail.kernel.ids import new_id
from handrail.operations import documents, gates
from handrail.operations.shell import HANDRAIL, Tx, Work
from handrail.store import tables


def draft(
    tx: Tx, incident_id: str, audience: str, stage: str, run_id: str | None = None, task_id: str | None = None
) -> str:
    """Draft a message from facts; returns its id. Good enough to send without a model."""
    known = documents.load_audiences(tx)
    if audience not in known:
        raise NotFound(f"There is no audience “{audience[:64]}”.", "no_audience")
    incident: Incident = tx.get("incident", incident_id)
    facts = facts_of(tx, incident, audience)
    subject = f"[{incident.reference}] {incident.severity} {_STAGE_WORDS.get(stage, stage)}: {incident.title}"
    text = "\n".join(
        [_OPENING.get(stage, _OPENING["update"]), "", *(f"- {fact.words}" for fact in facts), "", _CLOSING[stage]]
    )
    message_id = new_id("msg")
    channels = _set_up(tx, known[audience].channels)
    tx.change(
        "message",
        message_id,
        DraftMessage(
            message_id,
            incident_id,
            audience,
            stage,
            channels,
            tuple(facts),
            subject,
            text,
            HANDRAIL.id,
            run_id,
            task_id,
        ),
    )
    return message_id


def _set_up(tx: Tx, channels: tuple[str, ...]) -> tuple[str, ...]:
    """Those of an audience's channels that this installation has; a message must not wait for one that it lacks."""
    there = tx.ports.channels
    return channels if there is None else tuple(name for name in channels if name in there)


_STAGE_WORDS = {"declared": "declared", "update": "update", "mitigated": "mitigated", "resolved": "resolved"}
_OPENING = {
    "declared": "A major incident is being handled. What is known so far:",
    "update": "The state of the incident:",
    "mitigated": "The cause has been acted on, and the signals have recovered:",
    "resolved": "The incident is resolved:",
}
_CLOSING = {
    "declared": "Next update in 30 minutes, or sooner when the situation changes.",
    "update": "Next update in 30 minutes, or sooner when the situation changes.",
    "mitigated": "Next update when readiness is signed off.",
    "resolved": "A review follows.",
}


def facts_of(tx: Tx, incident: Incident, audience: str) -> list[Fact]:
    """The facts that a draft states, each with the record entry that it comes from."""
    at = _entry_finder(tx)
    services = ", ".join(incident.services) or "not known yet"
    declared = at(f"incident/{incident.id}", "incident.declared")
    facts = [
        Fact(f"Began {incident.started_at:%H:%M:%S} UTC, declared {incident.declared_at:%H:%M:%S} UTC.", declared),
        Fact(f"Severity {incident.severity}. Services: {services}.", declared),
    ]
    finding = current_finding(tx, incident.id)
    if finding is not None and finding.cause_kind != "inconclusive":
        claim = finding.claim if audience != "executives" else f"Likely cause found in {finding.service}."
        words = f"{claim} Confidence {finding.confidence} of 100."
        facts.append(Fact(words, at(f"finding/{finding.id}", "finding.made")))
    else:
        facts.append(Fact("The cause is not known yet.", None))
    if incident.mitigated_at:
        entry = at(f"incident/{incident.id}", "incident.mitigated")
        facts.append(Fact(f"Acted on at {incident.mitigated_at:%H:%M:%S} UTC.", entry))
    if incident.recovered_at:
        entry = at(f"incident/{incident.id}", "incident.recovered")
        facts.append(Fact(f"Signals recovered at {incident.recovered_at:%H:%M:%S} UTC.", entry))
    return facts


def _entry_finder(tx: Tx) -> Callable[[str, str], int | None]:
    def find(stream: str, kind: str) -> int | None:
        for written in reversed(tx.written):
            if written.stream == stream and written.type == kind:
                return written.index
        query = sa.select(tables.entry.c.idx).where(tables.entry.c.stream == stream, tables.entry.c.type == kind)
        found = tx.connection.execute(query.order_by(tables.entry.c.idx.desc()).limit(1)).scalar()
        return int(found) if found is not None else None

    return find


def current_finding(tx: Tx, incident_id: str) -> Finding | None:
    query = sa.select(tables.noun.c.id).where(
        tables.noun.c.kind == "finding", tables.noun.c.incident_id == incident_id, tables.noun.c.status == "current"
    )
    found = tx.connection.execute(query.order_by(tables.noun.c.changed_index.desc()).limit(1)).scalar()
    finding: Finding | None = tx.load("finding", found) if found else None
    return finding


def edit(tx: Tx, message_id: str, subject: str, text: str, person: Person) -> None:
    """Change the words. A consent asked for or given before is void: it was for other words."""
    require(person, Permission.WRITE_MESSAGE)
    before: Message = tx.get("message", message_id)
    tx.change("message", message_id, EditMessage(subject, text, person.id))
    if before.gate_id:
        tx.change("gate", before.gate_id, Void("The words were edited."))


def submit(tx: Tx, message_id: str, person: Person) -> Message:
    """Put the message to its gate, or send it at once where the policy says so."""
    require(person, Permission.WRITE_MESSAGE)
    message: Message = tx.get("message", message_id)
    if message.status not in ("draft", "rejected"):
        raise Conflict(f"The message is {message.status} already.", "message_submitted")
    ruling = _ruling(tx, message)
    if ruling.verdict == "forbid":
        raise NotAllowed(f"The policy forbids this message ({ruling.rule}).", "policy_forbids")
    if ruling.verdict == "auto":
        tx.change("message", message_id, SubmitMessage(None, person.id))
        _approve(
            tx, message_id, digest(message.content()), Authority("policy", documents.policy_digest(tx), ruling.rule)
        )
    else:
        # Without the words themselves: those can be erased from the content, a title cannot.
        incident: Incident = tx.get("incident", message.incident_id)
        title = f"Tell {message.audience}: {incident.reference} {_STAGE_WORDS[message.stage]}"
        # Who puts it forward proposes it: a machine's draft becomes a question only by a person's will.
        ask = gates.Ask(
            "message", message_id, title, message.content(), person.id, message.last_editor, message.incident_id
        )
        gate_id = gates.open_gate(tx, ask, ruling, documents.policy_digest(tx))
        tx.change("message", message_id, SubmitMessage(gate_id, person.id))
    result: Message = tx.get("message", message_id)
    return result


def _ruling(tx: Tx, message: Message) -> Ruling:
    incident: Incident = tx.get("incident", message.incident_id)
    return documents.ruling_for(tx, Act("message", severity=incident.severity, audience=message.audience))


def on_gate(tx: Tx, gate: Gate) -> None:
    """What follows from a decided gate over a message."""
    message: Message = tx.get("message", gate.subject.id)
    if message.gate_id != gate.id:
        return
    if gate.status == "satisfied":
        _approve(tx, message.id, gate.subject.digest, Authority("gate", gate.id, gate.rule))
    elif gate.status != "open":
        tx.change("message", message.id, RejectMessage(f"The gate was {gate.status}."))


def is_used(tx: Tx, gate: Gate) -> bool:
    """Whether sending has begun on this consent."""
    message: Message = tx.get("message", gate.subject.id)
    return message.gate_id != gate.id or any(delivery.attempts for delivery in message.deliveries.values())


def _approve(tx: Tx, message_id: str, content_digest: str, allowed: Authority) -> None:
    tx.change("message", message_id, ApproveMessage(content_digest, allowed))
    message: Message = tx.get("message", message_id)
    for channel in message.channels:
        tx.enqueue(delivery_work(message_id, channel, 1))


def delivery_work(message_id: str, channel: str, attempt: int) -> Work:
    return Work("deliver", f"deliver:{message_id}:{channel}:{attempt}", {"message_id": message_id, "channel": channel})


@dataclass(frozen=True)
class Sending:
    """Leave to send: the words, and the key that goes outwards with every try."""

    message: Message
    key: str
    attempt: int
    trace: str | None


def start_delivery(tx: Tx, message_id: str, channel: str) -> Sending:
    """The check before a channel's first try: the words are those approved, and the consent still stands."""
    message: Message = tx.get("message", message_id)
    if message.authority is None:
        raise Conflict("This message has no authority to be sent.", "no_authority")
    delivery = message.deliveries.get(channel)
    if delivery is not None and delivery.status == "waiting" and (refusal := _authority(tx, message)):
        raise refusal
    events = tx.change("message", message_id, StartDelivery(channel))
    incident: Incident = tx.get("incident", message.incident_id)
    return Sending(tx.get("message", message_id), events[0].key, events[0].attempt, incident.trace)


def _authority(tx: Tx, message: Message) -> Refused | None:
    """Why the message may not be sent now, or None."""
    assert message.authority is not None
    if message.authority.kind == "policy":
        if _ruling(tx, message).verdict == "auto" and documents.policy_digest(tx) == message.authority.id:
            return None
        return NotAllowed("The policy that allowed this by itself is no longer in force.", "authority_void")
    gate: Gate = tx.get("gate", message.authority.id)
    if gate.policy != documents.policy_digest(tx):
        return Stale("It was approved under a policy that is no longer in force.", "authority_void")
    people = {who: person for who in gate.approvers() if (person := tx.person(who, message.incident_id)) is not None}
    return authority(gate, digest(message.content()), people, tx.now)


def void_message(tx: Tx, message_id: str, why: str) -> None:
    """Consent no longer stands: the message goes back to people, and channels not yet tried are not tried."""
    message: Message = tx.get("message", message_id)
    tx.change("message", message_id, RejectMessage(why))
    if message.gate_id and not any(delivery.attempts for delivery in message.deliveries.values()):
        tx.change("gate", message.gate_id, Void(why))


def finish_delivery(tx: Tx, message_id: str, command: FinishDelivery) -> Message:
    """The report of a try. Raises Conflict (“fenced”) when a later try counts."""
    tx.change("message", message_id, replace(command, detail=storable(command.detail)))
    message: Message = tx.get("message", message_id)
    return message


def retry_due(tx: Tx, message_id: str) -> None:
    """A timer of a message: put every delivery whose retry is due in line again."""
    message: Message = tx.get("message", message_id)
    for channel, delivery in message.deliveries.items():
        if delivery.status == "retrying" and delivery.retry_at and delivery.retry_at <= tx.now:
            tx.enqueue(delivery_work(message_id, channel, delivery.attempts + 1))


def write(tx: Tx, incident_id: str, audience: str, stage: str, person: Person) -> str:
    """A person asks for a draft to an audience."""
    require(person, Permission.WRITE_MESSAGE)
    if stage not in _CLOSING:
        raise Unprocessable(f"“{stage}” is no stage of a message; use {', '.join(_CLOSING)}.", "unknown_stage")
    return draft(tx, incident_id, audience, stage)
