"""What corrections and pages read of a candidate's alerts beyond its state: rows by id, and each member's reason."""

from collections.abc import Collection, Iterable

import msgspec
import sqlalchemy as sa

from handrail.domain.candidate import Candidate, Member
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
