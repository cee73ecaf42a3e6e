"""The duty that makes a silent source an alert, and ends that alert when the source is heard again."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.domain.registry import NOUNS
from handrail.domain.source import Source
from handrail.kernel.clock import Clock, from_text, to_text
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Parsed
from handrail.signals.ingest import Ingestor
from handrail.store import alerts, intake, tables
from handrail.store.database import Database
from handrail.store.projections import decode

_log = logging.getLogger("handrail.signals")
OWN = "handrail"
_VERDICT = "own"


def due(
    sources: Iterable[Source], last_seen: Mapping[str, datetime], firing: frozenset[str], up_since: datetime,
    now: datetime,
) -> tuple[Occurrence, ...]:  # fmt: skip
    """What is to be said of each source with a heartbeat: silent, or heard again. `firing` are the names of sources
    whose silence is an alert already. Time during which this program was not up is nobody's silence. Pure."""
    said = []
    for source in sources:
        heard = max(filter(None, (last_seen.get(source.name), source.heartbeat_set_at, up_since)))
        expected = source.heartbeat_seconds is not None and source.removed_at is None
        silent = expected and now - heard > timedelta(seconds=source.heartbeat_seconds or 0)
        if silent != (source.name in firing):
            said.append(_occurrence(source, last_seen.get(source.name), silent, now))
    return tuple(said)


def dedup_key(name: str) -> str:
    return f"source-silent/{name}"


def _occurrence(source: Source, heard: datetime | None, silent: bool, now: datetime) -> Occurrence:
    every = source.heartbeat_seconds or 0
    last = f"last heard {to_text(heard)}" if heard else "never heard"
    summary = f"{source.name} is expected every {every} s and was {last}." if silent else f"{source.name} is heard."
    status = AlertStatus.FIRING if silent else AlertStatus.RESOLVED
    labels = {"source": source.name, "integration": source.integration}
    raw = msgspec.json.encode({"source": source.name, "status": status.value, "summary": summary, "at": to_text(now)})
    return Occurrence(
        dedup_key(source.name), status, f"Source {source.name} is silent", "high", resource=source.name,
        summary=summary, labels=labels, occurred_at=now, raw=raw,
    )  # fmt: skip


@dataclass(frozen=True)
class Heartbeats:
    """Looks again and again. What it says goes the way of every alert, under the source “handrail”."""

    database: Database
    ingestor: Ingestor
    clock: Clock
    up_since: datetime

    async def run(self) -> None:
        """In the loop of the server, until cancelled. A fault is logged, and it goes on."""
        while True:
            await asyncio.sleep(LIMITS.heartbeat_look_seconds)
            try:
                await self.once()
            except Exception:
                _log.exception("looking for silent sources failed and will be tried again")

    async def once(self) -> int:
        """How many things were said."""
        said = await asyncio.to_thread(self.look)
        if said:
            await self.ingestor.ingest(OWN, Parsed(occurrences=said), _VERDICT)
        return len(said)

    def look(self) -> tuple[Occurrence, ...]:
        """What is to be said now."""
        with self.database.read() as connection:
            sources = _sources(connection)
            if not sources:
                return ()
            stats = intake.stats(connection)
            known = alerts.load_known(connection, [(OWN, dedup_key(source.name)) for source in sources])
        seen = {name: from_text(stat.last_seen) for name, stat in stats.items()}
        firing = frozenset(
            source.name
            for source in sources
            if (kept := known.get((OWN, dedup_key(source.name)))) and kept.alert.status != AlertStatus.RESOLVED
        )
        return due(sources, seen, firing, self.up_since, self.clock.now())


def _sources(connection: sa.Connection) -> Sequence[Source]:
    """Sources of which a heartbeat is or was expected, removed ones too: their alert must end."""
    noun = tables.noun
    states = connection.execute(sa.select(noun.c.state).where(noun.c.kind == "source").order_by(noun.c.id)).scalars()
    found: list[Source] = [decode(NOUNS["source"], text) for text in states]
    return [source for source in found if source.heartbeat_set_at is not None]
