"""Entries of the record as lines of a timeline."""

from collections.abc import Iterable

from handrail.store.queries import EntryView
from handrail.web import views as v
from handrail.web.presenters.sentences import Told, sentence

# Said by another entry of the same act already; the record browser shows them all.
ECHOES = frozenset(
    {
        "incident.half_done", "gate.satisfied", "gate.rejected", "task.opened", "task.message_drafted",
        "proposal.chosen", "message.sending", "message.approved", "finding.superseded", "check.started",
        "candidate.declared",
    }
)  # fmt: skip


def timeline(entries: Iterable[EntryView], told: Told) -> tuple[v.TimelineRow, ...]:
    """Newest first, without what only echoes another entry."""
    kept = {entry.index: entry for entry in entries if not is_echo(entry)}
    return tuple(timeline_row(kept[index], told) for index in sorted(kept, reverse=True))


def timeline_row(entry: EntryView, told: Told) -> v.TimelineRow:
    return v.TimelineRow(
        index=entry.index,
        happened_at=entry.happened_at,
        known_at=entry.recorded_at,
        actor=told.names.actor(entry.actor.kind, entry.actor.id, entry.actor.on_behalf_of),
        sentence=sentence(entry, told),
        source=str(entry.body.get("source") or entry.body.get("channel") or ""),
        kind=entry.type,
    )


def is_echo(entry: EntryView) -> bool:
    if entry.type in ("task.done", "task.failed"):
        return entry.actor.kind == "machine"
    if entry.type == "action.authorised":
        return bool(entry.body["authority"]["kind"] == "gate")
    if entry.type in ("message.submitted", "task.blocked"):
        return entry.body.get("gate_id") is not None
    return entry.type in ECHOES
