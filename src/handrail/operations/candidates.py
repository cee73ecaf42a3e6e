"""What people correct of a candidate: split it, merge two, move alerts to another or out of any, put alerts in.

Each is one transaction: the alerts' rows, the entries of both candidates, and what the correction teaches.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from handrail.domain.alert import Alert, Severity
from handrail.domain.candidate import (
    MEMBERS_SHOWN,
    Candidate,
    Member,
    MergeInto,
    OpenCandidate,
    Outline,
    PutAlerts,
    TakeAlerts,
    began,
)
from handrail.domain.correction import EndCorrection, MakeCorrection
from handrail.domain.incident import AddServices, Incident
from handrail.domain.kind import Kind, kind_of
from handrail.domain.people import Permission, Person, require
from handrail.domain.suggest import list_words, suggest_severity, suggest_title, worse
from handrail.kernel.errors import Conflict, NotFound, Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.operations import documents
from handrail.operations.shell import Tx
from handrail.store import alerts
from handrail.store import candidates as store
from handrail.store.alerts import Kept


def split(tx: Tx, candidate_id: str, alert_ids: Sequence[str], words: str, person: Person) -> Candidate:
    """Chosen alerts become a candidate of their own; returns it.

    Raises Conflict candidate_decided, closed, alert_elsewhere; Unprocessable no_alerts, too_many_alerts, nothing_left,
    reason_missing; NotFound.
    """
    said = _Said.of(person, words)
    source = _correctable(tx, candidate_id)
    chosen = _chosen(tx, source, alert_ids)
    new = new_id("can")
    members = _members(tx, source, chosen)
    _take(tx, source, chosen, new, said)
    kinds = _kinds(kept.alert for kept in chosen)
    whole = _outline(tx, new, kinds, _earliest(tx, chosen))
    trace = next((kept.trace for kept in chosen if kept.trace), None)
    tx.change(
        "candidate", new,
        OpenCandidate(
            new, members, whole.services, whole.suggested_severity, whole.severity_reason, whole.title,
            whole.started_at, trace, kinds, source.id, person.id,
        ),
    )  # fmt: skip
    _teach(tx, _Lesson(source.id, new, kinds, _kinds_of(tx, source.id)), said)
    return _done(tx, new)


def move(
    tx: Tx, candidate_id: str, alert_ids: Sequence[str], to: str | None, words: str, person: Person
) -> Candidate:  # fmt: skip
    """Chosen alerts go to another candidate, or (`to` None) out of any; returns the candidate that they left.

    What is there already is left alone, so that asking twice changes nothing more. Raises as `split`, and
    Unprocessable into_itself.
    """
    said = _Said.of(person, words)
    source = _correctable(tx, candidate_id)
    target = _correctable(tx, to) if to is not None else None
    if target is not None and target.id == source.id:
        raise Unprocessable("The alerts are in this candidate already; choose another one.", "into_itself")
    chosen = _chosen(tx, source, alert_ids, to)
    if not chosen:
        return source
    members, kinds = _members(tx, source, chosen), _kinds(kept.alert for kept in chosen)
    there = _kinds_of(tx, target.id) if target is not None else ()
    _take(tx, source, chosen, to, said)
    if target is not None:
        _put(tx, target, _Incoming(members, len(chosen), kinds, source.id, _earliest(tx, chosen)), said)
    alone = () if target is not None else tuple(kept.alert.id for kept in chosen)
    _teach(tx, _Lesson(source.id, to, kinds, _kinds_of(tx, source.id), there, alone), said)
    return _done(tx, source.id)


def add(tx: Tx, candidate_id: str, alert_ids: Sequence[str], words: str, person: Person) -> Candidate:
    """Alerts that belong to no candidate are put into one; returns it. Raises as `split`."""
    said = _Said.of(person, words)
    target = _correctable(tx, candidate_id)
    chosen = _chosen(tx, None, alert_ids, candidate_id)
    if not chosen:
        return target
    members = tuple(
        Member(kept.alert.id, kept.alert.service, kept.alert.title, "", 100).put_by_a_person() for kept in chosen
    )
    kinds, there = _kinds(kept.alert for kept in chosen), _kinds_of(tx, target.id)
    alerts.mark_correlated(tx.connection, {kept.alert.id: target.id for kept in chosen})
    _put(tx, target, _Incoming(members, len(chosen), kinds, None, _earliest(tx, chosen)), said)
    _teach(tx, _Lesson(None, target.id, kinds, there=there), said)
    return _done(tx, target.id)


def merge(tx: Tx, candidate_id: str, into: str, words: str, person: Person) -> Candidate:
    """Everything of an open candidate goes into another, open or declared; returns that one.

    Merged there already, nothing changes. Raises Conflict candidate_decided, closed, two_incidents, other_way_round;
    Unprocessable into_itself, reason_missing; NotFound.
    """
    said = _Said.of(person, words)
    known: Candidate = tx.get("candidate", candidate_id)
    if candidate_id == into:
        raise Unprocessable("A candidate cannot be merged into itself; choose another one.", "into_itself")
    if known.merged_into == into:
        return _candidate(tx, into)
    source, target = _correctable(tx, candidate_id), _correctable(tx, into)
    if source.incident_id is not None:
        raise _no_merge(tx, source, target)
    members = tuple(member.put_by_a_person() for member in source.members)
    kinds, there = _kinds_of(tx, source.id), _kinds_of(tx, target.id)
    store.move_all(tx.connection, source.id, target.id)
    tx.change("candidate", source.id, MergeInto(target.id, person.id, words))
    _put(tx, target, _Incoming(members, source.count, kinds, source.id, source.started_at, all_of_it=True), said)
    _teach(tx, _Lesson(source.id, target.id, kinds, there=there), said)
    return _done(tx, target.id)


def end_correction(tx: Tx, correction_id: str, person: Person) -> None:
    """What was learned from a correction holds no longer; the alerts stay where they are."""
    require(person, Permission.DECLARE)
    tx.change("correction", correction_id, EndCorrection(person.id))


@dataclass(frozen=True)
class _Said:
    """Who corrects, and why."""

    by: str
    words: str

    @classmethod
    def of(cls, person: Person, words: str) -> "_Said":
        require(person, Permission.DECLARE)
        if not words.strip():
            raise Unprocessable("Say why; it stands in the record.", "reason_missing")
        return cls(person.id, words)


@dataclass(frozen=True)
class _Incoming:
    """What a candidate gains."""

    members: tuple[Member, ...]
    count: int
    kinds: tuple[Kind, ...]
    from_id: str | None
    started_at: datetime
    all_of_it: bool = False


@dataclass(frozen=True)
class _Lesson:
    """Which kinds moved, which stayed where they came from, and which were where they went."""

    from_id: str | None
    into: str | None
    moved: tuple[Kind, ...]
    stayed: tuple[Kind, ...] = ()
    there: tuple[Kind, ...] = ()
    alone: tuple[str, ...] = ()


def _candidate(tx: Tx, candidate_id: str) -> Candidate:
    found: Candidate = tx.get("candidate", candidate_id)
    return found


def _done(tx: Tx, candidate_id: str) -> Candidate:
    tx.topics |= {"alerts", "board"}
    return _candidate(tx, candidate_id)


def _correctable(tx: Tx, candidate_id: str) -> Candidate:
    """The candidate, if its alerts may still be changed."""
    candidate = _candidate(tx, candidate_id)
    if candidate.status not in ("open", "declared"):
        raise Conflict(f"“{candidate.title}” is {candidate.status} already; nothing of it changes.",
                       "candidate_decided")  # fmt: skip
    if candidate.incident_id is not None:
        incident: Incident = tx.get("incident", candidate.incident_id)
        if incident.closed_at is not None:
            raise Conflict(f"{incident.reference} was closed; its alerts stay with it.", "closed")
    return candidate


def _no_merge(tx: Tx, source: Candidate, target: Candidate) -> Conflict:
    one: Incident = tx.get("incident", source.incident_id or "")
    if target.incident_id is None:
        return Conflict(
            f"This candidate was declared as {one.reference}. Merge the other one into it instead.", "other_way_round"
        )
    other: Incident = tx.get("incident", target.incident_id)
    return Conflict(
        f"{one.reference} and {other.reference} are two incidents. Move single alerts between them, or close one.",
        "two_incidents",
    )


def _chosen(tx: Tx, source: Candidate | None, alert_ids: Sequence[str], to: str | None = "") -> list[Kept]:
    """The alerts named, in order, without those that are at `to` already. `source` None: they belong to none."""
    wanted = list(dict.fromkeys(alert_ids))
    if not wanted:
        raise Unprocessable("Choose at least one alert.", "no_alerts")
    if len(wanted) > LIMITS.candidate_alerts_moved:
        raise Unprocessable(f"At most {LIMITS.candidate_alerts_moved} alerts at once.", "too_many_alerts")
    found = store.alerts_by_id(tx.connection, wanted)
    for alert_id in wanted:
        if alert_id not in found:
            raise NotFound(f"There is no alert {alert_id[:80]}.")
    here = source.id if source is not None else None
    elsewhere = [kept.alert.title for kept in found.values() if kept.candidate_id not in (here, to)]
    if elsewhere:
        where = "in this candidate" if source is not None else "outside every candidate"
        raise Conflict(
            f"{list_words(f'“{title[:80]}”' for title in elsewhere[:3])} is not {where} any more: a person or "
            "correlation put it elsewhere. Look again, then decide.",
            "alert_elsewhere",
        )
    return [kept for kept in found.values() if kept.candidate_id == here]


def _members(tx: Tx, source: Candidate, chosen: Sequence[Kept]) -> tuple[Member, ...]:
    known = store.members(tx.connection, source, {kept.alert.id for kept in chosen})
    return tuple(
        known.get(
            kept.alert.id, Member(kept.alert.id, kept.alert.service, kept.alert.title, "", 100)
        ).put_by_a_person()
        for kept in chosen
    )  # fmt: skip


def _earliest(tx: Tx, chosen: Sequence[Kept]) -> datetime:
    return min(began(kept.alert, tx.now) for kept in chosen)


def _take(tx: Tx, source: Candidate, chosen: Sequence[Kept], into: str | None, said: _Said) -> None:
    """Take alerts out of a candidate, and describe anew what is left."""
    alerts.mark_correlated(tx.connection, {kept.alert.id: into for kept in chosen})
    left = alerts.newest_of(tx.connection, source.id, LIMITS.candidate_alerts_read)
    kinds = _kinds(reversed(left))
    started_at = source.started_at
    if len(left) < LIMITS.candidate_alerts_read:
        started_at = min((began(alert, tx.now) for alert in left), default=started_at)
    else:
        gone = set(_kinds(kept.alert for kept in chosen)) - set(kinds)
        kinds = tuple(dict.fromkeys([*(one.kind for one in source.kinds if one.kind not in gone), *kinds]))
    outline = _outline(tx, source.id, kinds, started_at)
    ids = tuple(kept.alert.id for kept in chosen)
    tx.change("candidate", source.id, TakeAlerts(ids, into, outline, said.by, said.words))


def _put(tx: Tx, target: Candidate, incoming: _Incoming, said: _Said) -> None:
    """Describe a candidate with what came in; its incident takes note of services that are hit as well now."""
    here = alerts.newest_of(tx.connection, target.id, LIMITS.candidate_alerts_read)
    known = (one.kind for one in target.kinds)
    kinds = tuple(dict.fromkeys([*known, *incoming.kinds, *_kinds(reversed(here))]))[: LIMITS.candidate_kinds]
    whole = _outline(tx, target.id, kinds, min(target.started_at, incoming.started_at))
    tx.change(
        "candidate", target.id,
        PutAlerts(
            incoming.members, incoming.count, incoming.from_id, incoming.all_of_it, whole, said.by, said.words
        ),
    )  # fmt: skip
    if target.incident_id is not None:
        tx.change("incident", target.incident_id, AddServices(whole.services))


def _outline(tx: Tx, candidate_id: str, kinds: tuple[Kind, ...], started_at: datetime) -> Outline:
    """What a candidate is, from the rows of its alerts as they are now."""
    worst: dict[str | None, Severity] = {}
    count = 0
    for hits in alerts.hits_of(tx.connection, [candidate_id]):
        worst[hits.service] = worse(worst.get(hits.service, hits.severity), hits.severity)
        count += hits.count
    if not worst:
        return Outline(0, (), "SEV4", "No alert is left.", "No alerts", started_at, ())
    catalog = documents.load_catalog(tx)
    severity, why = suggest_severity(catalog, worst)
    titles = (alert.title for alert in alerts.newest_of(tx.connection, candidate_id, MEMBERS_SHOWN))
    return Outline(
        count, tuple(sorted(service for service in worst if service is not None)), severity, why,
        suggest_title(catalog, worst, titles, count), started_at, kinds[: LIMITS.candidate_kinds],
    )  # fmt: skip


def _kinds(found: Iterable[Alert]) -> tuple[Kind, ...]:
    return tuple(dict.fromkeys(kind_of(alert) for alert in found))[: LIMITS.candidate_kinds]


def _kinds_of(tx: Tx, candidate_id: str) -> tuple[Kind, ...]:
    """The kinds of a candidate's alerts, also where it was opened before kinds were kept."""
    candidate = _candidate(tx, candidate_id)
    if candidate.kinds:
        return tuple(one.kind for one in candidate.kinds)
    return _kinds(reversed(alerts.newest_of(tx.connection, candidate_id, LIMITS.candidate_alerts_read)))


def _teach(tx: Tx, lesson: _Lesson, said: _Said) -> None:
    """Keep what the correction says of kinds of alerts. A kind that is on both sides says nothing of itself."""
    kinds = tuple(kind for kind in lesson.moved if kind not in lesson.stayed)
    apart = tuple(kind for kind in lesson.stayed if kind not in lesson.moved)
    there = tuple(kind for kind in lesson.there if kind not in lesson.moved)
    if not (kinds and (apart or there)) and not lesson.alone:
        return
    live = store.live_corrections(tx.connection)
    for oldest in live[: len(live) - LIMITS.corrections_live + 1] if len(live) >= LIMITS.corrections_live else ():
        tx.change("correction", oldest.id, EndCorrection())
    correction_id = new_id("cor")
    tx.change(
        "correction", correction_id,
        MakeCorrection(
            correction_id, kinds, apart, there, lesson.alone, lesson.from_id, lesson.into, said.by
        ),
    )  # fmt: skip
