"""What corrections and pages read of a candidate's alerts beyond its state: rows by id, and each member's reason."""

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa

from handrail.domain.alert import AlertStatus
from handrail.domain.candidate import Candidate, KindSeen, Member, began
from handrail.domain.correction import Correction
from handrail.domain.registry import NOUNS
from handrail.kernel.limits import LIMITS
from handrail.store import alerts, tables
from handrail.store.alerts import Kept
from handrail.store.projections import decode, entries

_MERGES_FOLLOWED = 8


def alerts_by_id(connection: sa.Connection, alert_ids: Iterable[str]) -> dict[str, Kept]:
    """The rows that exist, in the order asked for."""
    wanted = list(dict.fromkeys(alert_ids))
    rows = connection.execute(sa.select(tables.alert).where(tables.alert.c.id.in_(wanted)))
    found = {kept.alert.id: kept for kept in map(alerts.from_row, rows)}
    return {alert_id: found[alert_id] for alert_id in wanted if alert_id in found}


def move_all(connection: sa.Connection, candidate_id: str, into: str) -> None:
    """Every alert of a candidate belongs to another from now on."""
    alert = tables.alert
    connection.execute(alert.update().where(alert.c.candidate_id == candidate_id).values(candidate_id=into))


def members(connection: sa.Connection, candidate: Candidate, alert_ids: Collection[str]) -> dict[str, Member]:
    """Why each of these alerts is where it is. The state holds the first members; the others stand in the record."""
    found = {member.alert_id: member for member in candidate.members if member.alert_id in alert_ids}
    missing = set(alert_ids) - found.keys()
    return found | _told(connection, candidate.id, missing, _MERGES_FOLLOWED) if missing else found


def _told(connection: sa.Connection, candidate_id: str, wanted: set[str], follow: int) -> dict[str, Member]:
    """What the candidate's entries say of these alerts, the newest word last; then those that were merged into it."""
    found: dict[str, Member] = {}
    merged = []
    for entry in entries(connection, f"candidate/{candidate_id}"):
        said = entry.body.get("members") or ()
        found |= {one["alert_id"]: msgspec.convert(one, Member) for one in said if one["alert_id"] in wanted}
        if entry.body.get("all_of_it"):
            merged.append(entry.body["from_id"])
    for from_id in merged if follow else ():
        missing = wanted - found.keys()
        if missing:
            earlier = _told(connection, from_id, missing, follow - 1)
            found |= {alert_id: member.put_by_a_person() for alert_id, member in earlier.items()}
    return found


def live_corrections(connection: sa.Connection) -> list[Correction]:
    """Those in force, oldest first."""
    noun = tables.noun
    query = sa.select(noun.c.state).where(noun.c.kind == "correction", noun.c.status == "live")
    states = connection.execute(query.order_by(noun.c.id).limit(LIMITS.corrections_live)).scalars()
    return [decode(NOUNS["correction"], text) for text in states]


def place_again(connection: sa.Connection, services: Collection[str], since: datetime, size: int) -> int:
    """Open alerts of these services that belong to no candidate and began not before `since` are to be placed anew,
    the newest first within a bound; how many."""
    alert = tables.alert
    open_ones = (AlertStatus.FIRING.value, AlertStatus.ACKNOWLEDGED.value)
    query = sa.select(alert).where(
        alert.c.candidate_id.is_(None), alert.c.status.in_(open_ones), alert.c.correlated.is_(sa.true()),
        alert.c.service.in_(sorted(services)),
    )  # fmt: skip
    rows = connection.execute(query.order_by(alert.c.moved_at.desc(), alert.c.id).limit(size))
    kept = [alerts.from_row(row).alert for row in rows]
    found = [one.id for one in kept if began(one, one.last_at) >= since]
    if found:
        connection.execute(alert.update().where(alert.c.id.in_(found)).values(correlated=False))
    return len(found)


class _Told(msgspec.Struct):
    """What a candidate's state says of the kinds of its alerts; the rest is not read."""

    opened_at: datetime
    kinds: tuple[KindSeen, ...] = ()


def news_of(connection: sa.Connection, kind: str, status: str | None = None) -> int:
    """Where the record last changed nouns of a kind, and of a status: unchanged means nothing to read again."""
    noun = tables.noun
    query = sa.select(sa.func.max(noun.c.changed_index)).where(noun.c.kind == kind)
    if status is not None:
        query = query.where(noun.c.status == status)
    found = connection.execute(query).scalar()
    return -1 if found is None else int(found)


def told_since(connection: sa.Connection, index: int, kinds: Collection[str]) -> bool:
    """Whether the record has an entry of one of these kinds of nouns at `index` or after."""
    streams = connection.execute(sa.select(tables.entry.c.stream).where(tables.entry.c.idx >= index)).scalars()
    return any(stream.partition("/")[0] in kinds for stream in streams)


def kinds_of_closed(connection: sa.Connection, size: int) -> list[tuple[datetime, tuple[KindSeen, ...]]]:
    """For the last closed incidents: when their candidate opened, and which kinds of alerts it had."""
    one, incident = tables.noun.alias("c"), tables.noun.alias("i")
    query = (
        sa.select(one.c.state)
        .join(incident, sa.and_(incident.c.kind == "incident", incident.c.id == one.c.incident_id))
        .where(one.c.kind == "candidate", one.c.status == "declared", incident.c.status == "closed")
        .order_by(incident.c.changed_index.desc(), one.c.id)
        .limit(size)
    )
    told = [msgspec.json.decode(text, type=_Told) for text in connection.execute(query).scalars()]
    return [(each.opened_at, each.kinds) for each in told]
