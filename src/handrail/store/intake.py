"""What stands beside the alerts of a source: how it is doing, delivery ids it used, and payloads nobody could read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from handrail.kernel.clock import to_text
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS, Limits
from handrail.store import tables
from handrail.store.statements import execute_many, fetch_in

_STAT = (
    "INSERT INTO hr_source_stat (source, last_seen, accepted, duplicate, refused, last_refusal) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET last_seen = excluded.last_seen, "
    "accepted = hr_source_stat.accepted + excluded.accepted, "
    "duplicate = hr_source_stat.duplicate + excluded.duplicate, "
    "refused = hr_source_stat.refused + excluded.refused, "
    "last_refusal = CASE WHEN excluded.refused > 0 THEN excluded.last_refusal ELSE hr_source_stat.last_refusal END"
)
_REPLAY = "INSERT INTO hr_replay (source, replay_id, at) VALUES (?, ?, ?)"
_REPLAYED = "SELECT replay_id FROM hr_replay WHERE source = ? AND replay_id"


@dataclass(frozen=True)
class Tally:
    """What is added to a source's counters."""

    accepted: int = 0
    duplicate: int = 0
    refused: int = 0
    last_refusal: str = ""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.accepted + other.accepted,
            self.duplicate + other.duplicate,
            self.refused + other.refused,
            other.last_refusal or self.last_refusal,
        )


@dataclass(frozen=True)
class SourceStat:
    source: str
    last_seen: str
    accepted: int
    duplicate: int
    refused: int
    last_refusal: str


@dataclass(frozen=True)
class Unread:
    """A payload that a known source sent and that could not be read: kept so that a person can look at it."""

    source: str
    code: str
    reason: str
    body: bytes


def add_tallies(connection: sa.Connection, tallies: Mapping[str, Tally], now: datetime) -> None:
    at = to_text(now)
    execute_many(
        connection,
        _STAT,
        [
            (source, at, tally.accepted, tally.duplicate, tally.refused, tally.last_refusal)
            for source, tally in sorted(tallies.items())
        ],
    )


def stats(connection: sa.Connection) -> dict[str, SourceStat]:
    """All sources' counters by name."""
    found = connection.execute(sa.select(tables.source_stat).order_by(tables.source_stat.c.source))
    return {row.source: SourceStat(*row) for row in found}


def replayed(connection: sa.Connection, source: str, replay_ids: Sequence[str]) -> set[str]:
    """Which of these delivery ids the source used already."""
    return {str(row[0]) for row in fetch_in(connection, _REPLAYED, (source,), replay_ids)}


def keep_replays(connection: sa.Connection, used: Iterable[tuple[str, str]], now: datetime, limits: Limits) -> None:
    """Remember delivery ids; the oldest of a source are forgotten beyond the bound."""
    at = to_text(now)
    rows = [(source, replay_id, at) for source, replay_id in used]
    execute_many(connection, _REPLAY, rows)
    replay = tables.replay
    for source in sorted({row[0] for row in rows}):
        oldest_kept = connection.execute(
            sa.select(replay.c.at)
            .where(replay.c.source == source)
            .order_by(replay.c.at.desc())
            .offset(limits.replay_ids_remembered)
            .limit(1)
        ).scalar()
        if oldest_kept is not None:
            connection.execute(replay.delete().where(replay.c.source == source, replay.c.at <= oldest_kept))


def quarantine(connection: sa.Connection, unread: Sequence[Unread], now: datetime) -> None:
    """Keep payloads; each is already cut to its bound."""
    if not unread:
        return
    connection.execute(
        tables.quarantine.insert(),
        [
            {
                "id": new_id("qua"), "source": item.source, "received_at": to_text(now), "code": item.code,
                "reason": item.reason, "body": item.body, "size": len(item.body),
            }
            for item in unread
        ],
    )  # fmt: skip


def trim_quarantine(connection: sa.Connection, now: datetime, limits: Limits = LIMITS) -> int:
    """Drop what is too old, then the oldest until the total is within its bound; returns the bytes left."""
    table = tables.quarantine
    connection.execute(table.delete().where(table.c.received_at < to_text(now - limits.quarantine_age)))
    sizes = connection.execute(sa.select(table.c.id, table.c.size).order_by(table.c.received_at, table.c.id)).all()
    total = sum(row.size for row in sizes)
    surplus = []
    for row in sizes:
        if total <= limits.quarantine_bytes:
            break
        surplus.append((row.id,))
        total -= row.size
    execute_many(connection, "DELETE FROM hr_quarantine WHERE id = ?", surplus)
    return int(total)
