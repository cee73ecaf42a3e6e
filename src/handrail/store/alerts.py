"""Alert rows and occurrences: set-based writes for the storm path, and what pages and correlation read.

Statements of the storm path are fixed texts with positional values: at thousands of alerts a second, building SQL
costs more than running it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from handrail.domain.alert import Alert, AlertStatus, Severity
from handrail.kernel.clock import from_text, to_text
from handrail.kernel.limits import LIMITS
from handrail.store import tables
from handrail.store.statements import execute_many, fetch_in, update_in

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Alert).decode
# A storm mostly repeats: the same few states are read thousands of times a second.
_remembered = lru_cache(maxsize=LIMITS.alert_states_remembered)(_decode)
_COLUMNS = (
    "id", "source", "dedup_key", "status", "severity", "service", "first_at", "last_at", "correlated",
    "candidate_id", "trace", "state", "moved_at",
)  # fmt: skip
_UPSERT = (
    f"INSERT INTO hr_alert ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608
    "ON CONFLICT (id) DO UPDATE SET status = excluded.status, severity = excluded.severity, "
    "service = excluded.service, last_at = excluded.last_at, correlated = excluded.correlated, "
    "candidate_id = excluded.candidate_id, trace = excluded.trace, state = excluded.state, "
    "moved_at = excluded.moved_at"
)
_INSERT_OCCURRENCE = "INSERT INTO hr_occurrence (batch, position, alert_id, leaf, raw) VALUES (?, ?, ?, ?, ?)"
_BY_KEY = (
    "SELECT source, dedup_key, correlated, candidate_id, trace, state FROM hr_alert WHERE source = ? AND dedup_key"
)
_DECLARED_AS = (
    "SELECT id, incident_id FROM hr_noun WHERE kind = 'candidate' AND incident_id IS NOT NULL AND id"
)  # fmt: skip
_CORRELATED = "SELECT correlated FROM hr_alert WHERE id"
_OPEN = tables.alert.c.status != AlertStatus.RESOLVED
_OPEN_STATUSES = (AlertStatus.FIRING.value, AlertStatus.ACKNOWLEDGED.value)


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert as its row holds it: its state, and where correlation put it. `correlated` means: looked at. `moved_at`
    is when something new was said, as text."""

    alert: Alert
    correlated: bool
    candidate_id: str | None = None
    trace: str | None = None
    moved_at: str = ""


@dataclass(frozen=True, slots=True)
class OccurrenceRow:
    """One thing a source said, and where the record commits to it."""

    batch: int
    position: int
    alert_id: str
    leaf: str
    raw: str


@dataclass(frozen=True)
class Filter:
    """What a list of alerts was asked for; None means any. `search` is looked for in title, service and labels."""

    source: str | None = None
    status: str | None = None
    candidate_id: str | None = None
    search: str = ""


@dataclass(frozen=True)
class Hits:
    """The alerts of one candidate on one service, taken together. `active_at` is None while any is open."""

    candidate_id: str
    service: str | None
    severity: Severity
    is_open: bool
    count: int
    first_at: datetime
    last_at: datetime


def load_known(connection: sa.Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Kept]:
    """The rows that exist for identities (source, dedup key). An alert's `last_at` may be that of an earlier repeat."""
    by_source: dict[str, list[str]] = defaultdict(list)
    for source, dedup_key in keys:
        by_source[source].append(dedup_key)
    known = {}
    for source, dedup_keys in by_source.items():
        for row in fetch_in(connection, _BY_KEY, (source,), dedup_keys):
            known[row[0], row[1]] = Kept(_state(row[5]), bool(row[2]), row[3], row[4])
    return known


def save(connection: sa.Connection, kept: Iterable[Kept]) -> None:
    """Insert or replace rows by id."""
    texts: dict[datetime, str] = {}
    rows = []
    for item in kept:
        alert = item.alert
        rows.append(
            (
                alert.id, alert.source, alert.dedup_key, alert.status.value, alert.severity.value, alert.service,
                _text(alert.first_at, texts), _text(alert.last_at, texts), item.correlated, item.candidate_id,
                item.trace, _encode(alert).decode(), _text(alert.last_at, texts),
            )
        )  # fmt: skip
    execute_many(connection, _UPSERT, rows)


def hear_again(connection: sa.Connection, alert_ids: Iterable[str], now: datetime) -> None:
    """Say that alerts were repeated: their rows' `last_at` moves, and nothing else."""
    update_in(connection, "UPDATE hr_alert SET last_at = ? WHERE id", (to_text(now),), sorted(alert_ids))


def _text(moment: datetime, texts: dict[datetime, str]) -> str:
    found = texts.get(moment)
    if found is None:
        found = texts[moment] = to_text(moment)
    return found


def save_occurrences(
    connection: sa.Connection, batch: int, occurrences: Sequence[tuple[str, bytes, bytes]]
) -> None:  # fmt: skip
    """Insert (alert id, leaf, raw) in order; `batch` is the index of the entry that commits to them."""
    rows = [
        (batch, position, alert_id, leaf.decode(), raw.decode())
        for position, (alert_id, leaf, raw) in enumerate(occurrences)
    ]
    execute_many(connection, _INSERT_OCCURRENCE, rows)


def get(connection: sa.Connection, alert_id: str) -> Kept | None:
    found = connection.execute(sa.select(tables.alert).where(tables.alert.c.id == alert_id)).first()
    return from_row(found) if found else None


def page(
    connection: sa.Connection, wanted: Filter, size: int = LIMITS.page_size, before: tuple[str, str] | None = None
) -> list[Kept]:
    """Those first of whom something new was said last; a repeat is no news. `before` is (`moved_at`, id) of the last
    alert of the page before."""
    alert = tables.alert
    query = sa.select(alert).where(*_conditions(wanted)).order_by(alert.c.moved_at.desc(), alert.c.id.desc())
    if before is not None:
        query = query.where(sa.tuple_(alert.c.moved_at, alert.c.id) < sa.tuple_(*map(sa.literal, before)))
    size = min(size, LIMITS.page_size_max)
    return [from_row(row) for row in connection.execute(query.limit(size))]


def count(connection: sa.Connection, wanted: Filter) -> int:
    query = sa.select(sa.func.count()).select_from(tables.alert).where(*_conditions(wanted))
    return int(connection.execute(query).scalar_one())


def listed(connection: sa.Connection, source: str | None) -> list[Alert]:
    """Alerts that are not resolved, of one source or of all, newest first, within the bound."""
    alert = tables.alert
    query = sa.select(alert.c.state, alert.c.last_at).where(_OPEN).order_by(alert.c.moved_at.desc())
    if source is not None:
        query = query.where(alert.c.source == source)
    return [_alert(row.state, row.last_at) for row in connection.execute(query.limit(LIMITS.alerts_listed))]


def occurrences_of(
    connection: sa.Connection, alert_id: str, size: int = LIMITS.page_size_max
) -> list[OccurrenceRow]:  # fmt: skip
    """What was said about an alert, newest first."""
    occurrence = tables.occurrence
    query = sa.select(occurrence).where(occurrence.c.alert_id == alert_id)
    query = query.order_by(occurrence.c.batch.desc(), occurrence.c.position.desc()).limit(size)
    return [
        OccurrenceRow(int(row.batch), int(row.position), row.alert_id, row.leaf, row.raw)
        for row in connection.execute(query)
    ]


def uncorrelated(connection: sa.Connection, size: int) -> list[Kept]:
    """Open alerts that correlation has not placed yet, oldest first. An alert's `last_at` may be that of an earlier
    repeat."""
    alert = tables.alert
    query = sa.select(alert.c.state, alert.c.candidate_id, alert.c.trace)
    query = query.where(alert.c.correlated.is_(sa.false()), _OPEN).order_by(alert.c.first_at, alert.c.id).limit(size)
    return [Kept(_state(row[0]), False, row[1], row[2]) for row in connection.execute(query)]


def uncorrelated_ids(connection: sa.Connection, size: int) -> list[str]:
    alert = tables.alert
    query = sa.select(alert.c.id).where(alert.c.correlated.is_(sa.false()), _OPEN)
    return list(connection.execute(query.order_by(alert.c.first_at, alert.c.id).limit(size)).scalars())


def are_uncorrelated(connection: sa.Connection, alert_ids: Sequence[str]) -> bool:
    """Whether correlation has placed none of these yet."""
    return all(not row[0] for row in fetch_in(connection, _CORRELATED, (), alert_ids))


def mark_correlated(connection: sa.Connection, placed: Mapping[str, str | None]) -> None:
    """Say where correlation put each alert (id -> candidate id, or None for “belongs to none”)."""
    execute_many(
        connection,
        "UPDATE hr_alert SET correlated = ?, candidate_id = ? WHERE id = ?",
        [(True, candidate_id, alert_id) for alert_id, candidate_id in placed.items()],
    )


def release(connection: sa.Connection, matches: Callable[[Alert], bool]) -> int:
    """Open alerts that belong to no candidate and match are to be placed anew; how many."""
    alert = tables.alert
    query = sa.select(alert.c.id, alert.c.state, alert.c.last_at).where(
        alert.c.correlated.is_(sa.true()), alert.c.candidate_id.is_(None), _OPEN
    )
    found = [row.id for row in connection.execute(query) if matches(_alert(row.state, row.last_at))]
    execute_many(connection, "UPDATE hr_alert SET correlated = ? WHERE id = ?", [(False, one) for one in found])
    return len(found)


def hits_of(connection: sa.Connection, candidate_ids: Sequence[str]) -> list[Hits]:
    """For each candidate: its alerts by service, severity and whether they are open."""
    alert = tables.alert
    is_open = _OPEN.label("is_open")
    columns = (alert.c.candidate_id, alert.c.service, alert.c.severity, is_open)
    query = (
        sa.select(*columns, sa.func.count(), sa.func.min(alert.c.first_at), sa.func.max(alert.c.moved_at))
        .where(alert.c.candidate_id.in_(candidate_ids))
        .group_by(*columns)
        .order_by(*columns)
    )
    return [
        Hits(row[0], row[1], Severity(row[2]), bool(row[3]), int(row[4]), from_text(row[5]), from_text(row[6]))
        for row in connection.execute(query)
    ]


def newest_of(connection: sa.Connection, candidate_id: str, size: int) -> list[Alert]:
    """The alerts of a candidate of which something new was said last."""
    alert = tables.alert
    query = sa.select(alert.c.state, alert.c.last_at).where(alert.c.candidate_id == candidate_id)
    query = query.order_by(alert.c.moved_at.desc(), alert.c.id.desc()).limit(size)
    return [_alert(row.state, row.last_at) for row in connection.execute(query)]


def incidents_of(connection: sa.Connection, candidate_ids: Iterable[str]) -> dict[str, str]:
    """The incidents that candidates were declared as."""
    rows = fetch_in(connection, _DECLARED_AS, (), sorted(set(candidate_ids)))
    return {row[0]: row[1] for row in rows}


def quiet_incidents(connection: sa.Connection) -> list[str]:
    """Live incidents declared from a candidate none of whose alerts is open."""
    candidate, incident, alert = tables.noun.alias("c"), tables.noun.alias("i"), tables.alert
    still = sa.exists().where(alert.c.candidate_id == candidate.c.id, alert.c.status.in_(_OPEN_STATUSES))
    query = (
        sa.select(incident.c.id)
        .join(candidate, candidate.c.incident_id == incident.c.id)
        .where(
            incident.c.kind == "incident", incident.c.status == "live",
            candidate.c.kind == "candidate", candidate.c.status == "declared", ~still,
        )
        .order_by(incident.c.id)
    )  # fmt: skip
    return list(connection.execute(query).scalars())


def live_candidates(connection: sa.Connection, size: int) -> list[str]:
    """Candidates that an alert may join: those still open, and those of live incidents. Newest first."""
    candidate, incident = tables.noun.alias("c"), tables.noun.alias("i")
    live = sa.select(incident.c.id).where(incident.c.kind == "incident", incident.c.status == "live")
    query = (
        sa.select(candidate.c.id)
        .where(
            candidate.c.kind == "candidate",
            sa.or_(
                candidate.c.status == "open",
                sa.and_(candidate.c.status == "declared", candidate.c.incident_id.in_(live)),
            ),
        )
        .order_by(candidate.c.changed_index.desc())
        .limit(size)
    )
    return list(connection.execute(query).scalars())


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    alert = tables.alert
    found: list[sa.ColumnElement[bool]] = []
    for column, value in (
        (alert.c.source, wanted.source), (alert.c.status, wanted.status), (alert.c.candidate_id, wanted.candidate_id),
    ):  # fmt: skip
        if value is not None:
            found.append(column == value)
    if wanted.search:
        found.append(sa.func.lower(alert.c.state).contains(wanted.search.lower(), autoescape=True))
    return found


def from_row(row: Any) -> Kept:
    return Kept(_alert(row.state, row.last_at), bool(row.correlated), row.candidate_id, row.trace, row.moved_at)


def _state(text: str) -> Alert:
    """The state as it was written; where many may be asked for again soon."""
    return _remembered(text) if len(text) <= LIMITS.alert_state_remembered_chars else _decode(text)


def _alert(state: str, last_at: str) -> Alert:
    """The state, with the moment of the last repeat: repeats move the column alone."""
    alert = _decode(state)
    heard_at = from_text(last_at)
    return alert if alert.last_at == heard_at else replace(alert, last_at=heard_at)
