"""What stands beside the alerts of a source: how it is doing, delivery ids it used, and payloads nobody could read."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from handrail.kernel.clock import to_text
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS, Limits
from handrail.store import tables
from handrail.store.statements import execute_many, fetch_in

_STAT = (
    "INSERT INTO hr_source_stat (source, last_seen, accepted, duplicate, refused, last_refusal, "
    "verified, by_token, unsigned) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (source) DO UPDATE SET last_seen = excluded.last_seen, "
    "accepted = hr_source_stat.accepted + excluded.accepted, "
    "duplicate = hr_source_stat.duplicate + excluded.duplicate, "
    "refused = hr_source_stat.refused + excluded.refused, "
    "verified = hr_source_stat.verified + excluded.verified, "
    "by_token = hr_source_stat.by_token + excluded.by_token, "
    "unsigned = hr_source_stat.unsigned + excluded.unsigned, "
    "last_refusal = CASE WHEN excluded.refused > 0 THEN excluded.last_refusal ELSE hr_source_stat.last_refusal END"
)
# Sixty rows a source, written over and over: the minutes of the last hour without anything to clear away.
_MINUTE = (
    "INSERT INTO hr_source_minute (source, slot, minute, received) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (source, slot) DO UPDATE SET received = excluded.received + "
    "CASE WHEN hr_source_minute.minute = excluded.minute THEN hr_source_minute.received ELSE 0 END, "
    "minute = excluded.minute"
)
_REFUSED = (
    "INSERT INTO hr_source_refusal (source, code, count, last_at, reason) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (source, code) DO UPDATE SET count = hr_source_refusal.count + excluded.count, "
    "last_at = excluded.last_at, reason = excluded.reason"
)
_WORD = (
    "INSERT INTO hr_source_word (source, word, count, last_at) "
    "SELECT CAST(? AS VARCHAR(64)), CAST(? AS VARCHAR(256)), CAST(? AS BIGINT), CAST(? AS VARCHAR(27)) "
    "WHERE (SELECT COUNT(*) FROM hr_source_word WHERE source = ? AND word <> ?) < ? "
    "ON CONFLICT (source, word) DO UPDATE SET count = hr_source_word.count + excluded.count, "
    "last_at = excluded.last_at"
)
_MINUTES = 60
_REPLAY = "INSERT INTO hr_replay (source, replay_id, at) VALUES (?, ?, ?)"
_REPLAYED = "SELECT replay_id FROM hr_replay WHERE source = ? AND replay_id"


@dataclass(frozen=True)
class Tally:
    """What is added to a source's counters: alerts and changes, and requests by how sure we are of their sender."""

    accepted: int = 0
    duplicate: int = 0
    refused: int = 0
    last_refusal: str = ""
    verified: int = 0
    by_token: int = 0
    unsigned: int = 0

    @property
    def received(self) -> int:
        return self.accepted + self.duplicate + self.refused

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.accepted + other.accepted,
            self.duplicate + other.duplicate,
            self.refused + other.refused,
            other.last_refusal or self.last_refusal,
            self.verified + other.verified,
            self.by_token + other.by_token,
            self.unsigned + other.unsigned,
        )


@dataclass(frozen=True)
class SourceStat:
    source: str
    last_seen: str
    accepted: int
    duplicate: int
    refused: int
    last_refusal: str
    verified: int = 0
    by_token: int = 0
    unsigned: int = 0


@dataclass(frozen=True)
class Minutes:
    """What a source sent in each minute of the last hour, oldest first; `last_part` is how much of the last is over."""

    received: tuple[int, ...] = (0,) * _MINUTES
    last_part: float = 0.0

    @property
    def per_minute(self) -> int:
        """The rate of the last sixty seconds: the minute that runs, and so much of the one before as is still in."""
        return round(self.received[-1] + self.received[-2] * (1 - self.last_part))


@dataclass(frozen=True)
class RefusalCount:
    code: str
    count: int
    last_at: str
    reason: str


@dataclass(frozen=True)
class WordCount:
    word: str
    count: int
    last_at: str


@dataclass(frozen=True)
class Unread:
    """A payload that a known source sent and that could not be read: kept so that a person can look at it."""

    source: str
    code: str
    reason: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = ""


def add_tallies(connection: sa.Connection, tallies: Mapping[str, Tally], now: datetime) -> None:
    at = to_text(now)
    execute_many(
        connection,
        _STAT,
        [
            (
                source, at, tally.accepted, tally.duplicate, tally.refused, tally.last_refusal, tally.verified,
                tally.by_token, tally.unsigned,
            )
            for source, tally in sorted(tallies.items())
        ],
    )  # fmt: skip
    minute = _minute(now)
    received = [(source, minute % _MINUTES, minute, tally.received) for source, tally in sorted(tallies.items())]
    execute_many(connection, _MINUTE, received)


def add_refusals(connection: sa.Connection, refused: Iterable[tuple[str, str, int, str]], now: datetime) -> None:
    """(source, code, how many, why) each. Codes are those of the error tree, so there are few of a source."""
    at = to_text(now)
    execute_many(connection, _REFUSED, [(source, code, count, at, why) for source, code, count, why in sorted(refused)])


def add_words(
    connection: sa.Connection, words: Mapping[tuple[str, str], int], now: datetime, limits: Limits = LIMITS
) -> None:
    """Count words for severities, by (source, word), that no mapping knows; beyond the bound no new one is kept."""
    at, most = to_text(now), limits.severity_words_unknown
    rows = [(source, word, count, at, source, word, most) for (source, word), count in sorted(words.items())]
    execute_many(connection, _WORD, rows)


def forget_words(connection: sa.Connection, source: str, words: Iterable[str]) -> None:
    execute_many(
        connection, "DELETE FROM hr_source_word WHERE source = ? AND word = ?", [(source, word) for word in words]
    )


def minutes(connection: sa.Connection, now: datetime, source: str | None = None) -> dict[str, Minutes]:
    """The last hour of every source that was heard in it, or of one, by name."""
    table, last = tables.source_minute.c, _minute(now)
    found: dict[str, list[int]] = {}
    query = sa.select(table.source, table.minute, table.received).where(table.minute.between(last - _MINUTES + 1, last))
    if source is not None:
        query = query.where(table.source == source)
    for name, minute, received in connection.execute(query.order_by(table.source, table.minute)):
        found.setdefault(name, [0] * _MINUTES)[minute - last - 1] = int(received)
    part = now.timestamp() / 60 - last
    return {name: Minutes(tuple(received), part) for name, received in found.items()}


def refusals(connection: sa.Connection, source: str | None = None) -> dict[str, list[RefusalCount]]:
    """What was refused of each source or of one, by code, the latest first."""
    table = tables.source_refusal.c
    query = sa.select(table.source, table.code, table.count, table.last_at, table.reason)
    if source is not None:
        query = query.where(table.source == source)
    found: dict[str, list[RefusalCount]] = {}
    for row in connection.execute(query.order_by(table.last_at.desc(), table.code)):
        found.setdefault(row[0], []).append(RefusalCount(row[1], int(row[2]), row[3], row[4]))
    return found


def words(connection: sa.Connection, source: str | None = None) -> dict[str, list[WordCount]]:
    """Words for severities that each source or one used and that nothing knew then, the most frequent first."""
    table = tables.source_word.c
    query = sa.select(table.source, table.word, table.count, table.last_at)
    if source is not None:
        query = query.where(table.source == source)
    found: dict[str, list[WordCount]] = {}
    for row in connection.execute(query.order_by(table.count.desc(), table.word)):
        found.setdefault(row[0], []).append(WordCount(row[1], int(row[2]), row[3]))
    return found


def _minute(now: datetime) -> int:
    """Minutes since 1970."""
    return int(now.timestamp() // 60)


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
                "headers": json.dumps(dict(item.headers)), "path": item.path,
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
