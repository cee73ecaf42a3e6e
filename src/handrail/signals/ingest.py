"""The storm path: callers hand in what was said and wait; one thread commits whatever gathered meanwhile, together.

An answer is given after the commit and never before. Sources take turns, so that the storm of one does not hold up
another. An item that the database refuses is found by halving and refused alone.
"""

import asyncio
import hashlib
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeAlias

from sqlalchemy.exc import DBAPIError

from handrail.domain.alert import ReportedChange
from handrail.domain.change import ChangeReported, ReportChange
from handrail.kernel.errors import BrokenInvariant, HandrailError, Unavailable, Unprocessable
from handrail.kernel.ids import ids_in_order, new_id
from handrail.kernel.limits import LIMITS, Limits
from handrail.operations.shell import HANDRAIL, Shell, Tx
from handrail.plugins.integrations.contract import Parsed
from handrail.record.tree import leaf_hash, root
from handrail.record.writer import Written
from handrail.signals import metrics
from handrail.signals.finder import Catalogs, ServiceFinder
from handrail.signals.fold import Fold, Outcome, Result, Submission
from handrail.signals.turns import Turns
from handrail.store import alerts, intake
from handrail.store.database import worth_another_try
from handrail.store.intake import Tally, Unread
from handrail.store.statements import together

_log = logging.getLogger("handrail.signals")
_REPLAY_CHARS = 512
_IDLE_TURNS = 8


@dataclass(frozen=True)
class Refusal:
    """Something of a known source that was refused: counted, and kept in quarantine where there is a body."""

    source: str
    code: str
    reason: str
    count: int = 1
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = ""


Item: TypeAlias = Submission | Refusal
Answer: TypeAlias = list[Result] | Exception


@dataclass(frozen=True)
class _Waiting:
    item: Item
    size: int
    future: "asyncio.Future[list[Result]]"
    loop: asyncio.AbstractEventLoop


class Ingestor:
    """One per process. `start` before the first `ingest`; `close` commits what waits and ends the thread."""

    def __init__(self, shell: Shell, limits: Limits = LIMITS) -> None:
        self._shell = shell
        self._limits = limits
        self._changed = threading.Condition()
        self._queues: Turns[_Waiting] = Turns(limits)
        self._handed_in = 0
        self._gathering: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        self._catalogs = Catalogs()
        self._untrimmed_bytes = 0
        self._trimmed_at: datetime | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="handrail-ingest", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    async def ingest(self, source: str, parsed: Parsed, verdict: str, trace: str | None = None) -> list[Result]:
        """Store what was said; one result per occurrence, then one per change. Raises TooMany when too much waits."""
        size = len(parsed.occurrences) + len(parsed.changes)
        # Points and lines are not stored, but who sends them was heard.
        if not (size or parsed.points or parsed.lines):
            return []
        return await self._wait_for(Submission(source, parsed, str(verdict), trace), size)

    async def refuse(self, refusal: Refusal) -> None:
        """Count a refusal and keep its payload. When too much waits, only the process's own counter knows of it."""
        try:
            await self._wait_for(refusal, 1)
        except HandrailError:
            _log.warning("a refusal of source %s could not be kept", refusal.source)

    async def _wait_for(self, item: Item, size: int) -> list[Result]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Result]] = loop.create_future()
        with self._changed:
            if self._closed:
                raise Unavailable("Handrail is stopping; send this again.", "stopping")
            self._queues.put(item.source, size, _Waiting(item, size, future, loop))
            self._handed_in += 1
            if self._gathering is not loop:
                self._begin_gathering(loop)
        return await future

    def _begin_gathering(self, loop: asyncio.AbstractEventLoop) -> None:
        self._gathering = loop
        loop.call_soon(self._gather_more, loop, -1, loop.time() + self._limits.ingest_gather_seconds, 0)

    def _gather_more(self, loop: asyncio.AbstractEventLoop, handed_in: int, until: float, idle: int) -> None:
        """Let the writer begin when the loop has had nothing more to hand in for a few turns, or the time is over.

        Loop and writer share one interpreter: taking turns, each runs at twice the speed that it has beside the other,
        and more is committed at once.
        """
        idle = idle + 1 if handed_in == self._handed_in else 0
        full = self._queues.size >= self._limits.ingest_batch_alerts
        if idle < _IDLE_TURNS and not full and loop.time() < until:
            loop.call_soon(self._gather_more, loop, self._handed_in, until, idle)
            return
        with self._changed:
            if self._gathering is loop:
                self._gathering = None
            self._changed.notify()

    def _run(self) -> None:
        while batch := self._gather():
            metrics.BATCH.observe(sum(waiting.size for waiting in batch))
            answers = self._store([waiting.item for waiting in batch])
            self._hand_back(batch, answers)

    def _hand_back(self, batch: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
        """Give the answers to the loops that wait, and let those hand in what follows before the next batch."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Answer]]] = {}
        for waiting, answer in zip(batch, answers, strict=True):
            by_loop.setdefault(waiting.loop, []).append((waiting, answer))
        for loop, settled in by_loop.items():
            with self._changed:
                self._gathering = loop
            try:
                loop.call_soon_threadsafe(self._settle, loop, settled)
            except RuntimeError:
                # The loop was closed meanwhile, and those who waited in it are gone.
                with self._changed:
                    self._gathering = None

    def _settle(self, loop: asyncio.AbstractEventLoop, settled: Sequence[tuple[_Waiting, Answer]]) -> None:
        for waiting, answer in settled:
            if waiting.future.done():
                continue
            if isinstance(answer, Exception):
                waiting.future.set_exception(answer)
            else:
                waiting.future.set_result(answer)
        with self._changed:
            self._begin_gathering(loop)

    def _gather(self) -> list[_Waiting]:
        """Wait for work and take a batch. Empty when closed and done."""
        with self._changed:
            while not self._closed and (self._gathering is not None or not self._queues):
                self._changed.wait()
            batch = self._queues.take()
            metrics.WAITING.set(self._queues.size)
            return batch

    def _store(self, items: Sequence[Item]) -> list[Answer]:
        """Commit the items together; where that fails by one of them, the others are kept."""
        failed = None
        try:
            return list(self._shell.transact(HANDRAIL, partial(self._operation, items), "alerts"))
        except Exception as error:
            failed = error
        if _is_outage(failed):
            return [failed for _ in items]
        if len(items) > 1:
            half = len(items) // 2
            return self._store(items[:half]) + self._store(items[half:])
        return [self._store_parts(items[0], failed)]

    def _store_parts(self, item: Item, error: Exception) -> Answer:
        """One item that cannot be stored as a whole: its occurrences and changes one by one, or its refusal."""
        parts = _halves(item) if isinstance(item, Submission) else ()
        if not parts:
            _log.error("an item of source %s cannot be stored: %s: %s", item.source, type(error).__name__, error)
            return _refused(item, error)
        results: list[Result] = []
        for part in parts:
            answer = self._store([part])[0]
            if isinstance(answer, Exception):
                if _is_outage(answer):
                    return answer
                answer = _marked(part, answer)
            results += answer
        return results

    def _operation(self, items: Sequence[Item], tx: Tx) -> list[list[Result]]:
        submissions = [item for item in items if isinstance(item, Submission)]
        fold = Fold(_known(tx, submissions), tx.now, ids_in_order("alr"), ServiceFinder(tx, self._catalogs))
        used = _replayed(tx, submissions)
        fresh_replays: list[tuple[str, str]] = []
        changes = _Changes(tx)
        answers: list[list[Result]] = []
        for item in items:
            if isinstance(item, Refusal):
                fold.tally(item.source, Tally(refused=item.count, last_refusal=f"{item.code}: {item.reason}"))
                answers.append([])
                continue
            replay = _replay_key(item)
            repeated = replay is not None and replay in used
            if replay is not None and not repeated:
                used.add(replay)
                fresh_replays.append(replay)
            results = fold.repeat(item) if repeated else fold.add(item)
            results += [changes.report(item.source, item.verdict, change) for change in item.parsed.changes]
            fold.count(item.source, results, item.verdict)
            answers.append(results)
        self._write(tx, fold, fresh_replays)
        self._quarantine(tx, [item for item in items if isinstance(item, Refusal)])
        return answers

    def _write(self, tx: Tx, fold: Fold, fresh_replays: list[tuple[str, str]]) -> None:
        entry = _commit_to(tx, fold) if fold.occurrences else None
        with together(tx.connection):
            alerts.save(tx.connection, fold.changed.values())
            alerts.hear_again(tx.connection, fold.heard, tx.now)
            if entry is not None:
                alerts.save_occurrences(tx.connection, entry.index, fold.occurrences)
            intake.add_tallies(tx.connection, fold.tallies, tx.now)
            intake.add_words(tx.connection, fold.unknown, tx.now, self._limits)
            tx.writer.flush()
        if fold.moved:
            incidents = alerts.incidents_of(tx.connection, fold.moved).values()
            tx.topics |= {"board", *(f"incident:{incident_id}" for incident_id in incidents)}
        if fresh_replays:
            intake.keep_replays(tx.connection, fresh_replays, tx.now, self._limits)

    def _quarantine(self, tx: Tx, refusals: Sequence[Refusal]) -> None:
        """Keep what nobody could read, within its bounds.

        Summing up the quarantine reads much of it: that is done for each sixteenth of the bytes or of the age.
        """
        limits, bound = self._limits, self._limits.quarantine_item_bytes
        intake.add_refusals(tx.connection, _counted(refusals), tx.now)
        unread = [
            Unread(item.source, item.code, item.reason, item.body[:bound], item.headers, item.path)
            for item in refusals
            if item.body is not None
        ]
        intake.quarantine(tx.connection, unread, tx.now)
        self._untrimmed_bytes += sum(len(item.body) for item in unread)
        step = limits.quarantine_bytes // 16
        is_old = self._trimmed_at is None or tx.now - self._trimmed_at >= limits.quarantine_age / 16
        if is_old or self._untrimmed_bytes > step:
            room = replace(limits, quarantine_bytes=limits.quarantine_bytes - step)
            intake.trim_quarantine(tx.connection, tx.now, room)
            self._untrimmed_bytes, self._trimmed_at = 0, tx.now


def _counted(refusals: Sequence[Refusal]) -> list[tuple[str, str, int, str]]:
    """How many of each source and code, with the last reason."""
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for item in refusals:
        count, _ = found.get((item.source, item.code), (0, ""))
        found[item.source, item.code] = count + item.count, item.reason
    return [(source, code, count, why) for (source, code), (count, why) in found.items()]


class _Changes:
    """Changes of one transaction: told once, within it and before it."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._told: dict[str, str] = {}

    def report(self, source: str, verdict: str, said: ReportedChange) -> Result:
        tx, key = self._tx, f"{source}\n{said.change_key}"
        known = self._told.get(key) or tx.find("change", key)
        if known is not None:
            return Result(known, said.change_key, Outcome.DUPLICATE, "change")
        change_id = self._told[key] = new_id("chg")
        at = min(said.occurred_at or tx.now, tx.now)
        evidence = tx.keep_evidence(said.raw, "application/json", f"change reported by {source}")
        event = ChangeReported(
            change_id, source, said.change_key, said.kind, said.service, said.title, at, tx.now, said.version,
            said.previous_version, said.environment, said.link, evidence, said.author or "",
            verdict,
        )  # fmt: skip
        tx.change("change", change_id, ReportChange(event), happened_at=at)
        tx.topics.add("board")
        return Result(change_id, said.change_key, Outcome.NEW, "change")


def _commit_to(tx: Tx, fold: Fold) -> Written:
    """The entry that commits to the batch by the root of its occurrences."""
    tx.topics.add("alerts")
    digest = root([leaf_hash(leaf) for _, leaf, _ in fold.occurrences]).hex()
    return tx.append_plain("alerts/log", "alerts.received", {"root": digest, "count": len(fold.occurrences)})


def _known(tx: Tx, submissions: Sequence[Submission]) -> dict[tuple[str, str], alerts.Kept]:
    identities = {(item.source, said.dedup_key) for item in submissions for said in item.parsed.occurrences}
    return alerts.load_known(tx.connection, identities)


def _replayed(tx: Tx, submissions: Sequence[Submission]) -> set[tuple[str, str]]:
    by_source: dict[str, set[str]] = {}
    for item in submissions:
        key = _replay_key(item)
        if key is not None:
            by_source.setdefault(key[0], set()).add(key[1])
    return {
        (source, replay_id)
        for source, ids in by_source.items()
        for replay_id in intake.replayed(tx.connection, source, sorted(ids))
    }


def _replay_key(item: Submission) -> tuple[str, str] | None:
    said = item.parsed.replay_id
    if not said:
        return None
    return item.source, said if len(said) <= _REPLAY_CHARS else hashlib.sha256(said.encode()).hexdigest()


def _halves(item: Submission) -> tuple[Submission, ...]:
    """A submission in two parts, or nothing when there is only one thing in it.

    The parts have no delivery id: were it kept with the first and the second lost, a retry would be taken for done.
    """
    said, changes = item.parsed.occurrences, item.parsed.changes
    if len(said) + len(changes) < 2:
        return ()
    if said and changes:
        parts = (Parsed(said, ()), Parsed((), changes))
    elif said:
        parts = (Parsed(said[: len(said) // 2]), Parsed(said[len(said) // 2 :]))
    else:
        parts = (Parsed((), changes[: len(changes) // 2]), Parsed((), changes[len(changes) // 2 :]))
    return tuple(replace(item, parsed=part) for part in parts)


def _marked(item: Submission, error: Exception) -> list[Result]:
    reason = str(error)
    said = [Result("", said.dedup_key, Outcome.REFUSED, reason=reason) for said in item.parsed.occurrences]
    return said + [Result("", one.change_key, Outcome.REFUSED, "change", reason) for one in item.parsed.changes]


def _refused(item: Item, error: Exception) -> Exception:
    """Data that the database will never take is the sender's to know; anything else is ours and worth a retry."""
    if isinstance(error.__cause__, DBAPIError) or isinstance(error, ValueError):
        reason = "This cannot be stored as it is; check it for characters that no text may hold."
        return Unprocessable(reason, "not_storable")
    return error


def _is_outage(error: Exception) -> bool:
    """Whether the database is away, overloaded or broken: then no other arrangement of the batch would help."""
    if isinstance(error, BrokenInvariant):
        return True
    if not isinstance(error, Unavailable):
        return False
    cause = error.__cause__
    return error.code == "database_away" or (isinstance(cause, DBAPIError) and worth_another_try(cause))
