"""The review: what the record says of an incident, and what people wrote to it."""

from collections.abc import Iterable, Mapping
from typing import Any

from handrail.domain.finding import Finding
from handrail.domain.gate import Gate
from handrail.domain.incident import Incident
from handrail.domain.people import Permission, Person, permitted
from handrail.domain.review import SECTIONS, Review
from handrail.store.queries import EntryView, Found
from handrail.web import views as v
from handrail.web.presenters.causes import confidence
from handrail.web.presenters.gates import subject
from handrail.web.presenters.names import Names
from handrail.web.presenters.sentences import Told, sentence
from handrail.web.presenters.stages import measures
from handrail.web.presenters.timeline import timeline

_TITLES: Mapping[str, tuple[str, str]] = {
    "summary": ("Summary", "What happened, to whom, and what ended it."),
    "helped": ("What helped", "What made it shorter or smaller."),
    "hindered": ("What hindered", "What made it longer, larger or harder."),
    "lucky": ("Where we were lucky", "What could have made it worse and did not."),
    "actions": ("Corrective actions", "Each with an owner, a date, and a test that shows that it worked."),
}
_TOLD_OF_PEOPLE = frozenset(
    {
        "incident.declared", "run.started", "gate.voted", "task.done", "task.skipped", "message.edited",
        "incident.severity_changed", "incident.note_added", "incident.closed", "action.unknown_resolved",
    }
)  # fmt: skip
_TOLD_OF_MACHINES = frozenset(
    {
        "candidate.opened", "finding.made", "proposal.made", "action.finished", "action.outcome_unknown",
        "check.finished", "message.delivered", "gate.expired", "gate.escalated", "task.overdue",
    }
)  # fmt: skip


def review_view(
    found: Found[Review], incident: Incident, entries: Iterable[EntryView], finding: Finding | None,
    gates: Iterable[Gate], messages: tuple[v.MessageCard, ...], told: Told, viewer: Person, root: str, size: int,
) -> v.ReviewView:  # fmt: skip
    review, names, said = found.state, told.names, tuple(entries)
    is_draft = review.status == "draft"
    rights = {"edit": permitted(viewer, Permission.WORK), "accept": permitted(viewer, Permission.COMMAND)}
    return v.ReviewView(
        id=review.id,
        incident=(f"/incidents/{incident.id}", incident.reference),
        number=incident.reference,
        title=incident.title,
        severity=incident.severity,
        services=incident.services,
        status=review.status,
        written_at=review.drafted_at,
        sections=tuple(_section(review, name, names) for name in SECTIONS),
        causes=_causes(finding),
        measures=measures(incident),
        people_did=tuple(_did(said, _TOLD_OF_PEOPLE, "person", told)),
        machines_did=tuple(_did(said, _TOLD_OF_MACHINES, "machine", told)),
        timeline=tuple(reversed(timeline(said, told))),
        gates=tuple(_gate_wait(gate, names) for gate in gates),
        messages=messages,
        may=frozenset(name for name, held in rights.items() if held and is_draft),
        version=found.seq,
        accepted=_accepted(review, names),
        root=root,
        size=size,
    )


def _section(review: Review, name: str, names: Names) -> v.ReviewSection:
    title, hint = _TITLES[name]
    by = review.edited.get(name)
    return v.ReviewSection(name, title, review.sections.get(name, ""), names.of(by) if by else None, hint)


def _causes(finding: Finding | None) -> tuple[str, ...]:
    if finding is None:
        return ()
    return (f"{finding.claim} {confidence(finding).word}, {finding.confidence} of 100.", *_ruled_out(finding))


def _ruled_out(finding: Finding) -> tuple[str, ...]:
    return tuple(f"Set aside: {other.cause}. {other.why_lower}" for other in finding.alternatives)


def _did(entries: Iterable[EntryView], types: frozenset[str], kind: str, told: Told) -> Iterable[str]:
    for entry in entries:
        is_kind = (entry.actor.kind == "person") == (kind == "person")
        if entry.type in types and is_kind:
            yield f"{told.names.of(entry.actor.id)}: {sentence(entry, told)}"


def _gate_wait(gate: Gate, names: Names) -> v.GateWait:
    ended: Any = gate.decided_at or gate.expires_at
    votes = tuple(v.Vote(names.known(vote.by), vote.vote, vote.words, vote.at) for vote in gate.votes)
    title = subject(gate)
    waited = (ended - gate.opened_at).total_seconds()
    return v.GateWait(title[0].upper() + title[1:], gate.status, gate.opened_at, waited, votes)


def _accepted(review: Review, names: Names) -> str:
    if review.status != "accepted" or review.accepted_by is None:
        return ""
    return f"Accepted by {names.of(review.accepted_by)}."
