"""Watches the lines that sources log: what is out of the ordinary in a service's log is said as an alert.

Lines are looked at and not kept. What was learned of a log is in memory: after a restart it is learned anew, and alerts
that were open then end when nothing was found for a while.
"""

import asyncio
import hashlib
import logging
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.domain.log_line import LogLine
from handrail.kernel.clock import Clock, to_text
from handrail.kernel.limits import LIMITS, Limits
from handrail.plugins.integrations.contract import Parsed
from handrail.plugins.integrations.fields import clip
from handrail.signals import metrics
from handrail.signals.heartbeat import OWN
from handrail.signals.ingest import Ingestor, Refusal
from handrail.signals.log_findings import LogFinder, LogFinding, LogFindingKind
from handrail.signals.logs.shapes import WordShapes
from handrail.signals.picture import Picture, written
from handrail.store import alerts
from handrail.store.database import Database

_log = logging.getLogger("handrail.signals")
_VERDICT = "own"
_PREFIX = "log/"
_CHUNK = 64
_MANY = "many"
Log = tuple[str, str]
_WORDS = {
    LogFindingKind.NEW_TEMPLATE: ("New message", "messages never seen before"),
    LogFindingKind.VANISHED_TEMPLATE: ("A usual message stopped", "usual messages stopped"),
    LogFindingKind.RATE_SHIFT: ("A message comes unlike usual", "messages come unlike usual"),
    LogFindingKind.ERROR_BURST: ("Many more errors than usual", "bursts of errors"),
    LogFindingKind.PARAMETER_ANOMALY: ("A number unlike all before", "numbers unlike all before"),
}


@dataclass
class _Open:
    """An alert that was told, what it is about, and when that was last so."""

    said: Occurrence
    at: datetime
    log: Log | None = None
    about: frozenset[tuple[LogFindingKind, str]] = frozenset()


@dataclass
class _Watched:
    finder: LogFinder
    heard: float


@dataclass
class LogWatching:
    """One per process. `take` looks at lines, `look` at the time that passed; both say what is to be told as alerts."""

    limits: Limits = LIMITS
    unwatched: Counter[str] = field(default_factory=Counter)
    _logs: OrderedDict[Log, _Watched] = field(default_factory=OrderedDict)
    _open: dict[str, _Open] = field(default_factory=dict)
    _words: WordShapes = field(default_factory=WordShapes)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, source: str, lines: Iterable[LogLine], now: datetime) -> tuple[Occurrence, ...]:
        """Look at lines of one source that arrive now. Those of logs beyond the bound are counted in `unwatched`."""
        found: dict[Log, list[LogFinding]] = {}
        moment = now.timestamp()
        with self._lock:
            for line in lines:
                log = (source, line.service)
                watched = self._watched(log, moment)
                if watched is None:
                    self.unwatched[source] += 1
                    continue
                took = watched.finder.take(moment, line.text, is_error=line.is_error, is_alert=line.is_alert)
                if took:
                    found.setdefault(log, []).extend(took)
            return self._said(found, now)

    def miss(self, source: str) -> None:
        """Lines of a source were dropped: what its logs count now is not judged."""
        with self._lock:
            for (name, _), watched in self._logs.items():
                if name == source:
                    watched.finder.miss()

    def look(self, now: datetime) -> tuple[Occurrence, ...]:
        """What silence tells, and resolves for what was not found again for a while."""
        moment = now.timestamp()
        with self._lock:
            found = {log: watched.finder.tick(moment) for log, watched in self._logs.items()}
            said = self._said({log: findings for log, findings in found.items() if findings}, now)
            self._keep_within_bounds(moment)
            self._hold_on(now)
            over = [key for key, one in self._open.items() if now - one.at >= self.limits.series_quiet]
            return said + tuple(_resolved(self._open.pop(key).said, now) for key in over)

    def remember(self, open_before: Sequence[Occurrence], now: datetime) -> None:
        """Alerts that were open before this process began: they end like its own."""
        with self._lock:
            self._open |= {said.dedup_key: _Open(said, now) for said in open_before if said.dedup_key not in self._open}

    def _watched(self, log: Log, moment: float) -> _Watched | None:
        found = self._logs.get(log)
        if found is None:
            if len(self._logs) >= self.limits.logs_watched:
                oldest = next(iter(self._logs.values()))
                if moment - oldest.heard < self.limits.log_forgotten_seconds:
                    return None
                self._logs.popitem(last=False)
            found = self._logs[log] = _Watched(self._finder(), moment)
        if found.heard != moment:
            found.heard = moment
            self._logs.move_to_end(log)
        return found

    def _finder(self) -> LogFinder:
        of_one = replace(
            self.limits, log_templates=self.limits.log_watched_templates,
            log_templates_watched=self.limits.log_watched_templates,
            log_shapes_remembered=self.limits.log_watched_shapes, log_groups=self.limits.log_watched_size,
        )  # fmt: skip
        return LogFinder(limits=of_one, words=self._words)

    def _keep_within_bounds(self, moment: float) -> None:
        """While all logs together remember too much, the one with the most begins anew."""
        for log in [log for log, one in self._logs.items() if moment - one.heard >= self.limits.log_forgotten_seconds]:
            del self._logs[log]
        sizes = {log: watched.finder.size for log, watched in self._logs.items()}
        while sum(sizes.values()) > self.limits.log_watched_size:
            largest = max(sizes, key=lambda log: (sizes[log], log))
            del sizes[largest], self._logs[largest]

    def _hold_on(self, now: datetime) -> None:
        for one in self._open.values():
            watched = self._logs.get(one.log) if one.log is not None else None
            if watched is not None and watched.finder.lasting & one.about:
                one.at = now

    def _said(self, found: dict[Log, list[LogFinding]], now: datetime) -> tuple[Occurrence, ...]:
        """Findings of one log, kind and window are one alert where they are many."""
        said: dict[str, Occurrence] = {}
        for log, findings in found.items():
            alike: dict[tuple[float, LogFindingKind], list[LogFinding]] = {}
            for finding in findings:
                alike.setdefault((finding.at, finding.kind), []).append(finding)
            bursts = {finding.at for finding in findings if finding.kind == LogFindingKind.ERROR_BURST}
            for same in alike.values():
                together = [same] if len(same) > self.limits.log_findings_apart else [[one] for one in same]
                for members in together:
                    # The messages of a burst are what it is made of: one thing must not open a candidate by two names.
                    is_part = members[0].kind != LogFindingKind.ERROR_BURST and members[0].at in bursts
                    grave = any(map(_is_grave, members)) and not is_part
                    occurrence = _firing(log, members, "medium" if grave else "low", now)
                    about = frozenset((one.kind, one.template) for one in members)
                    said[occurrence.dedup_key] = occurrence
                    self._open[occurrence.dedup_key] = _Open(occurrence, now, log, about)
        return tuple(said.values())


def _firing(log: Log, findings: Sequence[LogFinding], severity: str, now: datetime) -> Occurrence:
    (source, service), first = log, findings[0]
    one, many = _WORDS[first.kind]
    of = f" in the log of {service or source}"
    is_one = len(findings) == 1
    title = f"{one}{of}{f': {first.template}' if first.template else ''}" if is_one else f"{len(findings)} {many}{of}"
    samples = [line for finding in findings for line in finding.samples][: LIMITS.log_samples]
    raw = {
        "log": {"source": source, "service": service}, "finding": first.kind.value, "at": first.at,
        "sentences": [finding.sentence[: LIMITS.title_chars] for finding in findings],
        "templates": [finding.template[: LIMITS.title_chars] for finding in findings], "samples": samples,
        "pictures": [written(_picture(finding)) for finding in findings[: LIMITS.pictures_per_alert]],
    }  # fmt: skip
    name = hashlib.sha256(first.template.encode()).hexdigest()[:16] if is_one else _MANY
    labels = {"source": source, "finding": first.kind.value} | ({"service": service} if service else {})
    return Occurrence(
        dedup_key=clip(f"{_PREFIX}{source}/{service}/{first.kind.value}/{name}", LIMITS.label_chars),
        status=AlertStatus.FIRING,
        title=clip(title, LIMITS.title_chars),
        severity_raw=severity,
        service=service or None,
        summary=clip("\n".join(finding.sentence for finding in findings), LIMITS.summary_chars),
        labels=labels,
        annotations={f"line {at}": line for at, line in enumerate(samples, start=1)},
        occurred_at=now,
        raw=msgspec.json.encode(raw),
    )


def _is_grave(finding: LogFinding) -> bool:
    """What may open a candidate beside another: errors, and the silence of a whole log. That errors became fewer or
    stopped is no such thing."""
    if finding.kind == LogFindingKind.VANISHED_TEMPLATE:
        return not finding.template
    return finding.is_of_errors and not (finding.counts and finding.counts[-1] < finding.usual)


def _picture(finding: LogFinding) -> Picture:
    """Counts per window: each stands at its beginning, so that a bar covers the time in which its lines came."""
    step, count = finding.window_seconds, len(finding.counts)
    low, high = max(finding.usual - finding.spread, 0.0), finding.usual + finding.spread
    expected = (low,) * count, (high,) * count
    return Picture(
        clip(finding.template or "All lines" if finding.kind != LogFindingKind.ERROR_BURST else "Errors", 160),
        f"lines in {step:g} s", tuple(finding.at - step * (count - at) for at in range(count)),
        tuple(map(float, finding.counts)), finding.at - step, *expected, is_count=True,
    )  # fmt: skip


def _resolved(said: Occurrence, now: datetime) -> Occurrence:
    raw = msgspec.json.encode({"key": said.dedup_key, "status": "resolved", "at": to_text(now)})
    return Occurrence(said.dedup_key, AlertStatus.RESOLVED, said.title, said.severity_raw, occurred_at=now, raw=raw)


@dataclass
class LogWatcher:
    """Takes lines in without waiting, and works them off in small slices with pauses, so that alerts go first: they
    share one interpreter. What is found goes to the intake, under the source “handrail”."""

    watching: LogWatching
    database: Database
    ingestor: Ingestor
    clock: Clock
    _queue: deque[tuple[str, Sequence[LogLine], int]] = field(default_factory=deque)
    _waiting: int = 0
    _dropped: Counter[str] = field(default_factory=Counter)
    _untold: tuple[Occurrence, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def on_lines(self, source: str, lines: Sequence[LogLine]) -> None:
        """Called in the loop after the commit. What does not fit is dropped and counted."""
        with self._lock:
            room = self.watching.limits.log_lines_waiting - self._waiting
            if len(lines) > room:
                self._dropped[source] += len(lines) - room
                metrics.LINES_DROPPED.labels(source).inc(len(lines) - room)
                lines = lines[:room]
            if lines:
                self._queue.append((source, lines, 0))
                self._waiting += len(lines)
        self._news.set()

    async def run(self) -> None:
        """In the loop of the server, until cancelled. A fault is logged, and it goes on."""
        self.watching.remember(await asyncio.to_thread(self._open_before), self.clock.now())
        looked_at = self.clock.monotonic()
        while True:
            try:
                if self._waiting:
                    began = self.clock.monotonic()
                    await self._tell(await asyncio.to_thread(self._slice))
                    # On a busy machine a slice takes longer: so does the pause, and alerts keep their share.
                    await asyncio.sleep(self.watching.limits.log_pause_factor * (self.clock.monotonic() - began))
                else:
                    await self._wait()
                if self.clock.monotonic() - looked_at >= self.watching.limits.series_look_seconds:
                    looked_at = self.clock.monotonic()
                    await self.look()
            except Exception:
                _log.exception("lines of logs could not be looked at")
                await asyncio.sleep(self.watching.limits.log_slice_seconds)

    async def work_off(self) -> None:
        """All that waits now."""
        while self._waiting:
            await self._tell(await asyncio.to_thread(self._slice))

    async def look(self) -> None:
        """Tell what silence tells and what is over, and count what was dropped at its source."""
        await self._tell(await asyncio.to_thread(self.watching.look, self.clock.now()))
        with self._lock:
            dropped, self._dropped = self._dropped, Counter()
        unwatched, self.watching.unwatched = self.watching.unwatched, Counter()
        for source, count in dropped.items():
            reason = f"{count} log lines came faster than they can be looked at and were dropped."
            await self.ingestor.refuse(Refusal(source, "log_lines_dropped", reason, count))
        for source, count in unwatched.items():
            reason = f"{count} log lines are of more services than can be watched and were dropped."
            metrics.LINES_DROPPED.labels(source).inc(count)
            await self.ingestor.refuse(Refusal(source, "log_not_watched", reason, count))

    async def _wait(self) -> None:
        self._news.clear()
        if not self._waiting:
            try:
                await asyncio.wait_for(self._news.wait(), self.watching.limits.series_look_seconds)
            except TimeoutError:
                return

    def _slice(self) -> tuple[Occurrence, ...]:
        until = self.clock.monotonic() + self.watching.limits.log_slice_seconds
        said: dict[str, Occurrence] = {}
        for source in [source for source, count in self._dropped.items() if count]:
            self.watching.miss(source)
        while chunk := self._next():
            source, lines = chunk
            for occurrence in self.watching.take(source, lines, self.clock.now()):
                said[occurrence.dedup_key] = occurrence
            metrics.LINES.labels(source).inc(len(lines))
            if self.clock.monotonic() >= until:
                break
        return tuple(said.values())

    def _next(self) -> tuple[str, Sequence[LogLine]] | None:
        with self._lock:
            if not self._queue:
                return None
            source, lines, begin = self._queue.popleft()
            chunk = lines[begin : begin + _CHUNK]
            if begin + _CHUNK < len(lines):
                self._queue.appendleft((source, lines, begin + _CHUNK))
            self._waiting -= len(chunk)
            return source, chunk

    async def _tell(self, said: tuple[Occurrence, ...]) -> None:
        """What cannot be stored now is told at the next look."""
        said, self._untold = self._untold + said, ()
        if not said:
            return
        try:
            await self.ingestor.ingest(OWN, Parsed(occurrences=said), _VERDICT)
        except Exception:
            self._untold = said[-LIMITS.inbound_batch_alerts :]
            raise

    def _open_before(self) -> list[Occurrence]:
        with self.database.read() as connection:
            found = alerts.listed(connection, OWN)
        return [
            Occurrence(alert.dedup_key, alert.status, alert.title, alert.severity_raw)
            for alert in found
            if alert.dedup_key.startswith(_PREFIX)
        ]
