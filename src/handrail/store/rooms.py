"""Reads that pages make: one incident whole, the last word of several, evidence and counters. In few queries."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from handrail.domain.registry import NOUNS
from handrail.kernel.clock import from_text
from handrail.kernel.limits import LIMITS
from handrail.store import queries, tables
from handrail.store.projections import decode
from handrail.store.queries import EntryView, Evidence, Found, TokenView


@dataclass(frozen=True)
class AlertCounts:
    """`still_open` are those that are not resolved."""

    total: int
    still_open: int


@dataclass(frozen=True)
class QuarantineSize:
    items: int
    bytes: int


def nouns_of(connection: sa.Connection, incident_id: str) -> dict[str, dict[str, Found[Any]]]:
    """Every noun of an incident by kind and id, oldest first."""
    noun = tables.noun
    query = sa.select(noun).where(noun.c.incident_id == incident_id).order_by(noun.c.id)
    found: dict[str, dict[str, Found[Any]]] = {}
    for row in connection.execute(query.limit(LIMITS.tasks_read)):
        state = decode(NOUNS[row.kind], row.state)
        found.setdefault(row.kind, {})[row.id] = Found(row.id, state, int(row.seq), int(row.changed_index))
    return found


def active_in(connection: sa.Connection, kind: str, status: str, incident_ids: Iterable[str]) -> list[Any]:
    """Nouns of a kind and status of several incidents, oldest first."""
    wanted = sorted(set(incident_ids))
    if not wanted:
        return []
    noun = tables.noun
    query = sa.select(noun.c.state).where(noun.c.kind == kind, noun.c.status == status, noun.c.incident_id.in_(wanted))
    rows = connection.execute(query.order_by(noun.c.id).limit(LIMITS.gates_read)).scalars()
    return [decode(NOUNS[kind], state) for state in rows]


def evidence_of(connection: sa.Connection, digests: Iterable[str]) -> dict[str, Evidence]:
    """Snapshots by digest; those that are not known are left out."""
    wanted = sorted(set(digests))
    if not wanted:
        return {}
    query = sa.select(tables.evidence).where(tables.evidence.c.digest.in_(wanted))
    return {
        row.digest: Evidence(row.digest, row.media_type, row.about, from_text(row.made_at), row.content)
        for row in connection.execute(query)
    }


def alert_counts(connection: sa.Connection, candidate_id: str) -> AlertCounts:
    alert = tables.alert
    query = sa.select(alert.c.status, sa.func.count()).where(alert.c.candidate_id == candidate_id)
    counts = {row[0]: int(row[1]) for row in connection.execute(query.group_by(alert.c.status))}
    return AlertCounts(sum(counts.values()), sum(counts.values()) - counts.get("resolved", 0))


def firing_by_source(connection: sa.Connection) -> dict[str, int]:
    alert = tables.alert
    query = sa.select(alert.c.source, sa.func.count()).where(alert.c.status == "firing").group_by(alert.c.source)
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def alert_sources(connection: sa.Connection) -> list[str]:
    """The names under which alerts came in."""
    query = sa.select(tables.source_stat.c.source).order_by(tables.source_stat.c.source)
    return list(connection.execute(query.limit(LIMITS.page_size_max)).scalars())


def timeline_size(connection: sa.Connection, incident_id: str) -> int:
    query = sa.select(sa.func.count()).select_from(tables.timeline).where(tables.timeline.c.incident_id == incident_id)
    return int(connection.execute(query).scalar_one())


def last_entries(connection: sa.Connection, incident_ids: Iterable[str], each: int) -> dict[str, list[EntryView]]:
    """The last entries of several incidents, newest first."""
    wanted = sorted(set(incident_ids))
    if not wanted:
        return {}
    timeline = tables.timeline
    place = sa.func.row_number().over(partition_by=timeline.c.incident_id, order_by=timeline.c.idx.desc())
    placed = sa.select(timeline.c.idx, timeline.c.incident_id, place.label("place")).where(
        timeline.c.incident_id.in_(wanted)
    )
    newest = placed.subquery()
    rows = connection.execute(sa.select(newest.c.idx, newest.c.incident_id).where(newest.c.place <= each)).all()
    entries = queries.entries_at(connection, [int(row.idx) for row in rows])
    found: dict[str, list[EntryView]] = {}
    for row in sorted(rows, key=lambda row: int(row.idx), reverse=True):
        found.setdefault(row.incident_id, []).append(entries[int(row.idx)])
    return found


def timeline_before(
    connection: sa.Connection, incident_id: str, before: int | None, size: int = LIMITS.page_size
) -> list[EntryView]:  # fmt: skip
    """Entries of an incident, newest first."""
    timeline = tables.timeline
    query = sa.select(timeline.c.idx).where(timeline.c.incident_id == incident_id)
    if before is not None:
        query = query.where(timeline.c.idx < before)
    indexes = list(connection.execute(query.order_by(timeline.c.idx.desc()).limit(size)).scalars())
    entries = queries.entries_at(connection, [int(index) for index in indexes])
    return [entries[int(index)] for index in indexes]


def first_entry(connection: sa.Connection, stream: str) -> EntryView | None:
    """How a noun began: the first entry of its stream."""
    query = sa.select(tables.entry.c.idx).where(tables.entry.c.stream == stream, tables.entry.c.seq == 0)
    index = connection.execute(query).scalar()
    return None if index is None else queries.entries_at(connection, [int(index)])[int(index)]


def entry_types() -> list[str]:
    """The types that an entry can have, as nouns know them, with those that belong to none."""
    known = {event.TYPE for noun in NOUNS.values() for event in noun.events}
    return sorted(
        known | {"alerts.received", "investigation.asked", "quarantine.retried", "record.erased", "record.exported"}
    )


def tokens(connection: sa.Connection) -> Mapping[str, list[TokenView]]:
    """The live tokens of all accounts, newest first."""
    token = tables.token
    query = sa.select(token).where(token.c.owner_kind == "account", token.c.revoked_at.is_(None))
    found: dict[str, list[TokenView]] = {}
    for row in connection.execute(query.order_by(token.c.id.desc()).limit(LIMITS.tasks_read)):
        scopes = tuple(json.loads(row.scopes)) if row.scopes is not None else None
        expires_at = from_text(row.expires_at) if row.expires_at else None
        view = TokenView(row.id, row.owner_id, row.name, row.last_four, scopes, expires_at, None)
        found.setdefault(row.owner_id, []).append(view)
    return found


def quarantine_size(connection: sa.Connection) -> QuarantineSize:
    table = tables.quarantine.c
    row = connection.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(table.size), 0))).one()
    return QuarantineSize(int(row[0]), int(row[1]))
