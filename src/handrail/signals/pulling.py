"""The duty that pulls metrics: each source with queries is asked again and again, and its points go the way of pushed
ones. At the start, and after a gap, the server's own history is read, so that detectors are warm and miss nothing.

On several nodes that share a PostgreSQL, one of them pulls a source: whichever holds its lease.
"""

import asyncio
import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.domain.pull import Pull, PullQuery
from handrail.domain.registry import NOUNS
from handrail.domain.source import Source
from handrail.kernel.clock import Clock, to_text
from handrail.kernel.errors import HandrailError
from handrail.kernel.limits import LIMITS, Limits
from handrail.kernel.sealed import MasterKeys
from handrail.plugins.integrations.contract import Parsed
from handrail.plugins.outward import Outward, OutwardFailed
from handrail.signals.detect.pace import MEAN_SECONDS
from handrail.signals.heartbeat import OWN
from handrail.signals.ingest import Ingestor
from handrail.signals.prometheus import PrometheusServer, Pulled, PullFailed
from handrail.signals.watching import Watcher
from handrail.store import alerts, pulls, sealed, tables
from handrail.store.database import Database
from handrail.store.projections import decode
from handrail.store.pulls import PullState

_log = logging.getLogger("handrail.signals")
_VERDICT = "own"
_NOTES_SHOWN = 5
T = TypeVar("T")


@dataclass(frozen=True)
class Window:
    """Moments, `step` seconds apart, from `first` to `last`, both of them asked for; seconds since 1970."""

    first: float
    last: float
    step: int

    @property
    def is_one(self) -> bool:
        return self.first == self.last


def moment_of(now: float, every: int) -> float:
    """The newest moment of the grid: every node and every restart asks for the same ones."""
    return now // every * every


def missed(pull: Pull, last: float, moment: float) -> Window | None:
    """What is to be asked of a query that was last answered for `last`: one moment, or all that were missed, as far as
    history goes. None: nothing is due. Pure."""
    if moment <= last:
        return None
    first = max(last + pull.every_seconds, moment - pull.history_seconds)
    return Window(min(first // pull.every_seconds * pull.every_seconds, moment), moment, pull.every_seconds)


def history(pull: Pull, moment: float, series: int, limits: Limits = LIMITS) -> Window | None:
    """The time before `moment` that teaches the detectors: no further back than points are read of all series, and no
    closer together than detectors look at them. Pure."""
    step = history_step(pull)
    points = min(pull.history_seconds // step, limits.pull_history_points // (len(pull.queries) * max(series, 1)))
    last = moment_of(moment - pull.every_seconds, step)
    return Window(last - (points - 1) * step, last, step) if points >= 1 else None


def history_step(pull: Pull) -> int:
    return int(MEAN_SECONDS) if 2 * pull.every_seconds <= MEAN_SECONDS else pull.every_seconds


def averaged(query: PullQuery, pull: Pull) -> PullQuery:
    """The query for history: where detectors look at means, the server is asked for just these."""
    step = history_step(pull)
    if step == pull.every_seconds:
        return query
    return PullQuery(query.name, f"avg_over_time(({query.promql})[{step}s:{pull.every_seconds}s])")


def parts(window: Window, series: int, limits: Limits = LIMITS) -> Iterator[Window]:
    """The window in pieces, in order, of which each answer is within bounds. Pure."""
    points = max(1, min(limits.pull_range_points, limits.pull_answer_points // max(series, 1)))
    first = window.first
    while first <= window.last:
        last = min(first + (points - 1) * window.step, window.last)
        yield Window(first, last, window.step)
        first = last + window.step


@dataclass
class Kept:
    """What one node knows of a source that it pulls."""

    pull: Pull
    next_at: float = 0.0
    last: dict[str, float] = field(default_factory=dict)
    series: dict[str, int] = field(default_factory=dict)
    failing_since: datetime | None = None
    failing_tries: int = 0
    trouble: str = ""
    pulled: bool = False
    under_way: bool = False

    def is_due(self, now: float) -> bool:
        """Whether its time has come, or never would because the clock went back."""
        return now >= self.next_at or now < self.next_at - 2 * self.pull.every_seconds

    def note(self, trouble: str, now: datetime) -> None:
        """How a pull ended; empty trouble: well."""
        self.trouble = trouble
        if not trouble:
            self.failing_since, self.failing_tries, self.pulled = None, 0, True
            return
        self.failing_since = self.failing_since or now
        self.failing_tries += 1

    def is_away(self, now: datetime, limits: Limits = LIMITS) -> bool | None:
        """Whether it has failed for long enough to be told; None: that is not known yet."""
        if self.failing_since is None:
            return False if self.pulled else None
        long = now - self.failing_since >= timedelta(seconds=limits.pull_away_seconds)
        return True if long and self.failing_tries >= limits.pull_away_tries else None


def due(
    sources: Iterable[Source], held: Mapping[str, Kept], firing: frozenset[str], now: datetime
) -> tuple[Occurrence, ...]:  # fmt: skip
    """What is to be said: who cannot be pulled, or can again, or need not any more. `firing` are the names of sources
    of which it is an alert already; a source that another node holds is that node's to speak of. Pure."""
    said = []
    for source in sources:
        kept = held.get(source.id)
        away = False if source.pull is None else kept.is_away(now) if kept else None
        if away is not None and away != (source.name in firing):
            said.append(_occurrence(source, kept, away, now))
    return tuple(said)


def dedup_key(name: str) -> str:
    return f"pull-failing/{name}"


def _occurrence(source: Source, kept: Kept | None, away: bool, now: datetime) -> Occurrence:
    status = AlertStatus.FIRING if away else AlertStatus.RESOLVED
    since = f" since {to_text(kept.failing_since)}" if kept and kept.failing_since else ""
    summary = f"Metrics of {source.name} can be pulled, or need not be."
    if away and kept:
        summary = f"Metrics of {source.name} have not been pulled{since}, so that nobody watches them. {kept.trouble}"
    raw = msgspec.json.encode({"source": source.name, "status": status.value, "summary": summary, "at": to_text(now)})
    return Occurrence(
        dedup_key(source.name), status, f"Metrics of {source.name} cannot be pulled", "high", resource=source.name,
        summary=summary, labels={"source": source.name}, occurred_at=now, raw=raw,
    )  # fmt: skip


@dataclass
class Pulling:
    """Looks again and again for what is due, and pulls it. What it says goes under the source “handrail”."""

    database: Database
    watcher: Watcher
    ingestor: Ingestor
    clock: Clock
    outward: Outward
    node: str
    secret_keys: MasterKeys | None = None
    limits: Limits = LIMITS
    _kept: dict[str, Kept] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    # Its own threads: a server that hangs must not take those in which everything else waits for the database.
    _threads: ThreadPoolExecutor | None = None

    async def run(self) -> None:
        """In the loop of the server, until cancelled. A fault is logged, and it goes on."""
        try:
            while True:
                try:
                    await self.once()
                except Exception:
                    _log.exception("looking for metrics to pull failed and will be tried again")
                await asyncio.sleep(self.limits.pull_look_seconds)
        finally:
            for task in self._tasks:
                task.cancel()
            if self._threads is not None:
                self._threads.shutdown(wait=False, cancel_futures=True)

    async def once(self) -> list[asyncio.Task[None]]:
        """Begin what is due, and say what is to be said of those that stay away. The pulls go on by themselves."""
        sources, held, firing = await asyncio.to_thread(self._look)
        mine = {source.id: source for source in sources if source.id in held and source.pull is not None}
        self._kept = {
            source_id: kept
            for source_id, kept in self._kept.items()
            if source_id in mine and kept.pull == mine[source_id].pull
        }
        started = []
        for source in mine.values():
            assert source.pull is not None
            kept = self._kept.setdefault(source.id, Kept(source.pull))
            if not kept.under_way and kept.is_due(self.clock.now().timestamp()):
                kept.under_way = True
                started.append(asyncio.create_task(self._pull(source, kept)))
        self._tasks |= set(started)
        for task in started:
            task.add_done_callback(self._tasks.discard)
        said = due(sources, self._kept, firing, self.clock.now())
        if said:
            await self.ingestor.ingest(OWN, Parsed(occurrences=said), _VERDICT)
        return started

    def _look(self) -> tuple[Sequence[Source], frozenset[str], frozenset[str]]:
        """Sources that are or were pulled, the ids of those that this node pulls, and whose failing is an alert."""
        with self.database.read() as connection:
            sources = _sources(connection)
            if not sources:
                return (), frozenset(), frozenset()
            known = alerts.load_known(connection, [(OWN, dedup_key(source.name)) for source in sources])
        firing = frozenset(
            source.name
            for source in sources
            if (kept := known.get((OWN, dedup_key(source.name)))) and kept.alert.status != AlertStatus.RESOLVED
        )
        held = pulls.claim(self.database, [source.id for source in sources if source.pull is not None], self.node)
        return sources, held, firing

    async def _pull(self, source: Source, kept: Kept) -> None:
        """One pull of one source, noted however it ends."""
        began, moment = self.clock.monotonic(), moment_of(self.clock.now().timestamp(), kept.pull.every_seconds)
        notes: list[str] = []
        try:
            trouble = await self._ask_all(source, kept, moment, notes)
            took = self.clock.monotonic() - began
            if took > kept.pull.every_seconds and not trouble and kept.pulled:
                notes.append(f"The pull took {took:.0f} s, longer than the {kept.pull.every_seconds} s between pulls.")
            kept.note(trouble, self.clock.now())
            kept.next_at = moment + kept.pull.every_seconds
            await self._report(source, kept, notes)
        except Exception:
            # The outermost of one source's pull: the fault is ours, it is logged, and other sources are pulled on.
            _log.exception("pulling metrics of source %s failed and will be tried again", source.name)
            kept.next_at = moment + kept.pull.every_seconds
        finally:
            kept.under_way = False

    async def _ask_all(self, source: Source, kept: Kept, moment: float, notes: list[str]) -> str:
        """Ask each query; the first trouble in words, or nothing. What one query refuses keeps no other from being
        asked; a server that cannot be reached does."""
        before = sum(kept.series.values())
        trouble = ""
        try:
            secret = await self._in_thread(self._secret, source)
            server = PrometheusServer(self.outward, kept.pull, secret, self.limits, self.clock)
            for query in kept.pull.queries:
                try:
                    await self._ask(source, kept, server, query, moment, notes)
                except PullFailed as failed:
                    trouble = trouble or failed.detail
        except OutwardFailed as failed:
            return failed.detail
        except HandrailError as failed:
            return failed.detail
        if before and not sum(kept.series.values()) and not trouble:
            trouble = f"The server answers, but with no series; before, there were {before}."
            kept.series = {"": before}
        left = self.watcher.watching.left_out(source.name)
        if left:
            notes.insert(0, f"{left} points were of series beyond the {self.limits.series_watched} that are watched.")
        return trouble

    async def _ask(
        self, source: Source, kept: Kept, server: PrometheusServer, query: PullQuery, moment: float, notes: list[str]
    ) -> None:
        """One query: now, and before it what was not asked yet."""
        last = kept.last.get(query.name)
        if last is not None and last > moment:
            # This machine's clock went back. Values for moments that were are left out by the watching.
            notes.append("This server's clock went back; values are watched again when it is where it was.")
        newest = await self._in_thread(server.at, query, moment)
        if last is None:
            await self._learn(source, kept, server, query, moment, newest)
        else:
            gap = missed(kept.pull, last, moment)
            past = None if gap is None or gap.is_one else Window(gap.first, gap.last - gap.step, gap.step)
            for part in parts(past, newest.series, self.limits) if past else ():
                await self._take(source, await self._in_thread(server.between, query, part.first, part.last, part.step))
            await self._take(source, newest)
        kept.last[query.name], kept.series[query.name] = max(moment, last or moment), newest.series
        kept.series.pop("", None)
        notes += newest.notes

    async def _learn(
        self, source: Source, kept: Kept, server: PrometheusServer, query: PullQuery, moment: float, newest: Pulled
    ) -> None:
        """History of one query, in parts; what the value is now tells how many series there are to ask for."""
        past, asked = history(kept.pull, moment, newest.series, self.limits), averaged(query, kept.pull)
        for part in parts(past, newest.series, self.limits) if past else ():
            earlier = await self._in_thread(server.between, asked, part.first, part.last, part.step)
            await self.watcher.learn(source.name, earlier.points, is_mean=asked != query)
        await self._hear(source, newest)

    async def _take(self, source: Source, pulled: Pulled) -> None:
        await self.watcher.on_points(source.name, pulled.points)
        await self._hear(source, pulled)

    async def _hear(self, source: Source, pulled: Pulled) -> None:
        """Points are not stored, but who gave them was heard."""
        await self.ingestor.ingest(source.name, Parsed(points=pulled.points[:1]), _VERDICT)

    async def _report(self, source: Source, kept: Kept, notes: Sequence[str]) -> None:
        now = to_text(self.clock.now())
        series = sum(count for name, count in kept.series.items() if name)
        said = " ".join(notes[:_NOTES_SHOWN])
        state = PullState(self.node, now, None if kept.trouble else now, series, kept.trouble, said)
        await asyncio.to_thread(pulls.report, self.database, source.id, state)

    def _secret(self, source: Source) -> str:
        """What is shown to the server. Raises Unavailable where it does not open."""
        if source.pull is None or source.pull.secret_id is None:
            return ""
        with self.database.read() as connection:
            return sealed.opened(connection, self.secret_keys, source.id, source.pull.secret_id, sealed.PULL)

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.limits.pulls_at_once, "handrail-pull")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(work, *arguments))


def _sources(connection: sa.Connection) -> Sequence[Source]:
    """Sources that are pulled or were, removed ones too: their alert must end."""
    noun = tables.noun
    states = connection.execute(sa.select(noun.c.state).where(noun.c.kind == "source").order_by(noun.c.id)).scalars()
    found: list[Source] = [decode(NOUNS["source"], text) for text in states]
    return [source for source in found if source.pull_set_at is not None]
