"""A candidate's page: each alert with why it is there, what people changed, and what that says of later alerts."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from handrail.domain.candidate import Candidate, Member
from handrail.domain.correction import Correction
from handrail.domain.incident import Incident
from handrail.domain.kind import Kind
from handrail.store.alerts import Kept
from handrail.store.queries import EntryView
from handrail.web import views as v
from handrail.web.presenters.alerts import alert_row
from handrail.web.presenters.board import without_count
from handrail.web.presenters.names import Names
from handrail.web.presenters.sentences import Told
from handrail.web.presenters.timeline import timeline_row

NEW, NONE = "new", "none"


@dataclass(frozen=True)
class Shelf:
    """A candidate with what the store knows of it. `others` are candidates that alerts may go to, with incidents."""

    candidate: Candidate
    incident: Incident | None
    alerts: tuple[Kept, ...]
    members: Mapping[str, Member]
    others: tuple[tuple[Candidate, Incident | None], ...]
    corrections: tuple[Correction, ...]
    entries: tuple[EntryView, ...]
    names: Names
    may_declare: bool


def candidate_view(shelf: Shelf, chosen: Collection[str] = ()) -> v.CandidateView:
    candidate, incident = shelf.candidate, shelf.incident
    why_not = _why_not(shelf)
    others = tuple(_option(other, its_incident) for other, its_incident in shelf.others)
    return v.CandidateView(
        id=candidate.id,
        title=without_count(candidate.title),
        status=candidate.status,
        suggested=candidate.suggested_severity,
        suggested_why=candidate.severity_reason,
        services=candidate.services,
        count=candidate.count,
        started_at=candidate.started_at,
        opened_at=candidate.opened_at,
        members=tuple(_member(kept, shelf.members.get(kept.alert.id), chosen) for kept in shelf.alerts),
        incident=(f"/incidents/{incident.id}", incident.reference) if incident else None,
        merged_into=_link(candidate.merged_into, "another candidate"),
        split_from=_link(candidate.split_from, "another candidate"),
        may_correct=not why_not,
        # The only alert goes nowhere alone: its candidate is merged or dismissed.
        may_move=not why_not and candidate.count > 1,
        why_not=why_not,
        targets=(
            v.Option("", "Choose where to", True), v.Option(NEW, "a candidate of their own"), *others,
            v.Option(NONE, "out of every candidate"),
        ),
        into=(v.Option("", "Choose which", True), *others) if candidate.status == "open" and others else (),
        corrections=tuple(_correction(one, shelf.names) for one in shelf.corrections),
        history=tuple(timeline_row(entry, Told(shelf.names)) for entry in shelf.entries),
    )  # fmt: skip


def _why_not(shelf: Shelf) -> str:
    """Why this viewer changes nothing here now, or nothing."""
    if not shelf.may_declare:
        return "Your roles do not let you move alerts; a responder or manager can."
    if shelf.candidate.status in ("dismissed", "merged"):
        return f"It is {shelf.candidate.status}; nothing of it changes any more."
    if shelf.incident is not None and shelf.incident.closed_at is not None:
        return f"{shelf.incident.reference} is closed; its alerts stay with it."
    return ""


def _link(candidate_id: str | None, words: str) -> tuple[str, str] | None:
    return (f"/candidates/{candidate_id}", words) if candidate_id else None


def _option(candidate: Candidate, incident: Incident | None) -> v.Option:
    title = incident.title if incident else without_count(candidate.title)
    alerts = "1 alert" if candidate.count == 1 else f"{candidate.count} alerts"
    return v.Option(candidate.id, f"{incident.reference}: {title}" if incident else f"{title} ({alerts})")


def _member(kept: Kept, member: Member | None, chosen: Collection[str]) -> v.MemberRow:
    reason = member.reason if member else "Its reason is not known any more."
    by_person = "person put" in reason
    return v.MemberRow(
        alert_row(kept.alert), reason, member.score if member else 0, by_person, kept.alert.id in chosen
    )  # fmt: skip


def _correction(correction: Correction, names: Names) -> v.CorrectionRow:
    return v.CorrectionRow(
        correction.id, correction.at, names.of(correction.by), correction.ends_at, _words(correction.kinds),
        _words(correction.apart_from), _words(correction.together_with), len(correction.alone),
    )  # fmt: skip


def _words(kinds: Iterable[Kind]) -> tuple[str, ...]:
    return tuple(kind.words for kind in kinds)
