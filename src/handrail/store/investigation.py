"""What an investigation reads: the alerts of an incident, the changes around it, and what was found before."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from handrail.domain.alert import Alert
from handrail.domain.change import Change
from handrail.domain.finding import Finding
from handrail.domain.proposal import Proposal
from handrail.kernel.limits import LIMITS
from handrail.store import tables

_alert = msgspec.json.Decoder(Alert).decode
_change = msgspec.json.Decoder(Change).decode
_finding = msgspec.json.Decoder(Finding).decode
_proposal = msgspec.json.Decoder(Proposal).decode


def alerts_of(connection: sa.Connection, candidate_id: str, size: int) -> tuple[list[Alert], int]:
    """The alerts of a candidate that were known first, and how many it has in all."""
    alert = tables.alert
    mine = alert.c.candidate_id == candidate_id
    total = connection.execute(sa.select(sa.func.count()).select_from(alert).where(mine)).scalar_one()
    query = sa.select(alert.c.state).where(mine).order_by(alert.c.first_at, alert.c.id).limit(size)
    return [_alert(text) for text in connection.execute(query).scalars()], int(total)


def changes_since(connection: sa.Connection, since: datetime, size: int) -> list[Change]:
    """The changes that happened at `since` or later, newest first by when Handrail knew, at most `size`.

    When a change happened stands in its state; when it was known is the order of the rows. A change is known no
    earlier than it happened but for the skew of clocks, so the walk can stop there.
    """
    stop = since - timedelta(seconds=LIMITS.inbound_clock_skew.total_seconds())
    found: list[Change] = []
    for change in _changes(connection):
        if change.known_at < stop or len(found) == size:
            break
        if change.at >= since:
            found.append(change)
    return found


def _changes(connection: sa.Connection) -> Iterator[Change]:
    """All changes, newest first, read page by page."""
    noun = tables.noun
    query = sa.select(noun.c.state, noun.c.changed_index).where(noun.c.kind == "change", noun.c.status == "reported")
    query = query.order_by(noun.c.changed_index.desc()).limit(LIMITS.page_size_max)
    before: int | None = None
    while True:
        page = query if before is None else query.where(noun.c.changed_index < before)
        rows = connection.execute(page).all()
        yield from (_change(row.state) for row in rows)
        if len(rows) < LIMITS.page_size_max:
            return
        before = int(rows[-1].changed_index)


def current_finding(connection: sa.Connection, incident_id: str) -> Finding | None:
    """The finding of an incident that is not superseded, as committed."""
    noun = tables.noun
    text = connection.execute(
        sa.select(noun.c.state)
        .where(noun.c.incident_id == incident_id, noun.c.kind == "finding", noun.c.status == "current")
        .order_by(noun.c.changed_index.desc())
        .limit(1)
    ).scalar()
    return None if text is None else _finding(text)


def proposals_of(connection: sa.Connection, incident_id: str) -> list[Proposal]:
    """All proposals of an incident, newest first, as committed."""
    noun = tables.noun
    query = sa.select(noun.c.state).where(noun.c.incident_id == incident_id, noun.c.kind == "proposal")
    query = query.order_by(noun.c.changed_index.desc()).limit(LIMITS.page_size_max)
    return [_proposal(text) for text in connection.execute(query).scalars()]
