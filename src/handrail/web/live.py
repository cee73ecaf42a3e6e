"""Who listens and what changed: commits of this process, and on PostgreSQL those of others, told to open streams.

A stream is told which of its topics changed, never what: it asks for that itself, with its own rights. Commits are
gathered for a moment and told together, so that a storm costs a stream a few lines a second.
"""

import asyncio
import logging
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar, cast

import sqlalchemy as sa
from prometheus_client import Gauge

from handrail.kernel.errors import Unavailable
from handrail.kernel.limits import LIMITS, Limits
from handrail.operations.shell import Committed
from handrail.store.database import Database

_log = logging.getLogger("handrail.live")
CHANNEL = "hr_live"
T = TypeVar("T")
Seen: TypeAlias = Mapping[str, int]
_NOTIFY = sa.text("SELECT pg_notify(:channel, :payload)")
_PAYLOAD_BYTES = 7000
_CLIENTS = Gauge("handrail_live_clients", "Open live streams.")

# What a page calls the lists it shows, and the nouns that they show.
_LISTS: dict[str, tuple[str, ...]] = {
    "incident": ("board",),
    "candidate": ("board",),
    "run": ("board", "tasks"),
    "gate": ("approvals", "board"),
    "silence": ("silences",),
    "source": ("sources",),
    "account": ("people",),
}


@dataclass(frozen=True)
class Change:
    """What a stream is told. `resync`: too much changed to name it, so that everything must be asked for again."""

    index: int
    topics: tuple[str, ...]
    resync: bool = False


@dataclass(eq=False)
class Subscription:
    """One open stream. Only its event loop touches it. `topics` None means all."""

    topics: frozenset[str] | None
    credential: str
    bound: int
    index: int = -1
    ended: bool = False
    _pending: set[str] = field(default_factory=set)
    _resync: bool = False
    _beats: bool = False
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, index: int, topics: Iterable[str], resync: bool = False) -> None:
        """Add to what the stream is told next. A stream that is too slow is told to start over."""
        news = self.topics.intersection(topics) if self.topics is not None else set(topics)
        if not news and not resync:
            return
        self.index = max(self.index, index)
        self._pending |= news
        if resync or len(self._pending) > self.bound:
            self._resync = True
            self._pending.clear()
        self._wake.set()

    def end(self) -> None:
        self.ended = True
        self._wake.set()

    def beat(self) -> None:
        """Let a quiet stream give a sign of life."""
        self._beats = True
        self._wake.set()

    async def next(self) -> Change | None:
        """What changed; None for a sign of life, or at the end."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            beats, self._beats = self._beats, False
            if not self.ended and (self._pending or self._resync):
                told = self.topics or () if self._resync else self._pending
                change = Change(self.index, tuple(sorted(told)), self._resync)
                self._pending, self._resync = set(), False
                return change
            if self.ended or beats:
                return None


class LiveBus:
    """One per process. `publish` may be called in any thread; streams live in one event loop."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._topics: set[str] = set()
        self._index = -1
        self._resync = False
        self._scheduled = False
        self._beating = False
        self._news: Counter[str] = Counter()
        self._making = threading.Lock()
        self._made: dict[tuple[str, Hashable], tuple[tuple[int, int], object]] = {}
        self._subscriptions: set[Subscription] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def publish(self, committed: Committed) -> None:
        """Take what a commit changed. Cheap, because it runs in the committing thread."""
        topics = set(committed.topics)
        for topic in committed.topics:
            topics.update(_LISTS.get(topic, ()))
        self._take(committed.index, topics, False)

    def seen(self) -> Seen:
        """How much news of each topic there was. Asked before a snapshot is opened, it says how old that may be."""
        with self._lock:
            return dict(self._news)

    def since_news(self, topic: str, key: Hashable, seen: Seen, make: Callable[[], T]) -> T:
        """What `make` gives, made once after each news of the topic: a thousand people look at the same board.

        `seen` is from before the snapshot that `make` reads; what was made from a snapshot as new is given again. `key`
        tells apart what is made, and has few values.
        """
        version = seen.get(topic, 0), seen.get("*", 0)
        with self._making:
            known = self._made.get((topic, key))
            if known is not None and known[0][0] >= version[0] and known[0][1] >= version[1]:
                return cast(T, known[1])
            made = make()
            self._made[topic, key] = version, made
            return made

    def resync(self, index: int) -> None:
        """Somebody else's commits were missed or too many to name: every stream starts over."""
        self._take(index, set(), True)

    def subscribe(self, topics: frozenset[str] | None, credential: str) -> Subscription:
        """Open a stream in the running event loop. Raises Unavailable when there are too many."""
        if len(self._subscriptions) >= self._limits.live_clients:
            raise Unavailable(
                f"{self._limits.live_clients} live streams are open, which is the bound; reload the page instead.",
                "live_full",
            )
        with self._lock:
            loop = asyncio.get_running_loop()
            is_same = loop is self._loop
            self._scheduled, self._beating = self._scheduled and is_same, self._beating and is_same
            self._loop = loop
        made = Subscription(topics, credential, self._limits.live_queue_events)
        self._subscriptions.add(made)
        if not self._beating:
            self._beating = True
            loop.call_later(self._limits.live_heartbeat_seconds, self._beat, loop)
        _CLIENTS.set(len(self._subscriptions))
        return made

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        _CLIENTS.set(len(self._subscriptions))

    def credentials(self) -> set[str]:
        """The hashes of the sessions and tokens behind open streams."""
        return {subscription.credential for subscription in self._subscriptions}

    def end(self, credentials: Iterable[str]) -> None:
        """End the streams of these. Called in the event loop."""
        gone = set(credentials)
        for subscription in self._subscriptions:
            if subscription.credential in gone:
                subscription.end()

    def close(self) -> None:
        """End every stream, so that the process can stop. May be called in any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._end_all)

    def _end_all(self) -> None:
        for subscription in self._subscriptions:
            subscription.end()

    def _take(self, index: int, topics: set[str], resync: bool) -> None:
        with self._lock:
            self._index = max(self._index, index)
            self._topics |= topics
            self._news.update(topics or "*")
            self._resync = self._resync or resync or len(self._topics) > self._limits.live_queue_events
            if self._resync:
                self._topics.clear()
            if self._scheduled or self._loop is None or self._loop.is_closed():
                return
            self._scheduled = True
            loop = self._loop
        try:
            loop.call_soon_threadsafe(self._tell_all)
        except RuntimeError:
            # The loop closed in between: the process stops, or a test ended; nobody listens.
            self._scheduled = False

    def _tell_all(self) -> None:
        """Tell at once, then gather for a moment: the first news is fast and the rest comes together."""
        with self._lock:
            index, topics, resync = self._index, self._topics, self._resync
            self._topics, self._resync = set(), False
            self._scheduled = bool(topics or resync)
            loop = self._loop
        for subscription in self._subscriptions:
            subscription.tell(index, topics, resync)
        if (topics or resync) and loop is not None:
            loop.call_later(self._interval(), self._tell_all)

    def _interval(self) -> float:
        """Seconds until the streams are told again. A thousand people who look must not slow what they look at."""
        return max(self._limits.live_interval_ms, len(self._subscriptions) / self._limits.live_clients_per_ms) / 1000

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer for all streams, as long as there are any in this loop."""
        if loop is not self._loop or not self._subscriptions:
            self._beating = False
            return
        for subscription in self._subscriptions:
            subscription.beat()
        loop.call_later(self._limits.live_heartbeat_seconds, self._beat, loop)


class Notifier:
    """A shell listener on PostgreSQL that tells the other processes what was committed, from a thread of its own.

    A notice costs a commit. In a storm the committing thread must not pay for one each time, so what comes while the
    last notice was on its way goes together in the next.
    """

    def __init__(self, database: Database, process: str, limits: Limits = LIMITS) -> None:
        self._database = database
        self._process = process
        self._pause = limits.live_interval_ms / 1000
        self._news: Committed | None = None
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="handrail-notify", daemon=True)

    def __call__(self, committed: Committed) -> None:
        with self._changed:
            before = self._news
            topics = committed.topics if before is None else before.topics | committed.topics
            self._news = Committed(max(committed.index, before.index if before else -1), topics)
            self._changed.notify()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Tell what is left, and end."""
        self._stopped.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while (news := self._next()) is not None:
            self._tell(news)
            self._stopped.wait(self._pause)

    def _next(self) -> Committed | None:
        with self._changed:
            while self._news is None and not self._stopped.is_set():
                self._changed.wait()
            news, self._news = self._news, None
            return news

    def _tell(self, news: Committed) -> None:
        try:
            with self._database.plain() as connection:
                connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": to_payload(self._process, news)})
        except Exception:
            # The operation itself is committed; others find the news at their next reload.
            _log.warning("other processes could not be told of entry %s", news.index, exc_info=True)


def to_payload(process: str, committed: Committed) -> str:
    """`<process> <index> <topic>,<topic>`, or `*` for all topics where they are too many for one notice."""
    topics = ",".join(sorted(committed.topics))
    return f"{process} {committed.index} {topics if len(topics.encode()) <= _PAYLOAD_BYTES else '*'}"


class PostgresListener:
    """A thread that takes what other processes tell; it has its own connection, and opens it again when it is lost."""

    def __init__(self, database: Database, bus: LiveBus, process: str) -> None:
        self._url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._bus = bus
        self._process = process
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="handrail-live", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def take(self, payload: str) -> None:
        """One notice; our own are known already."""
        process, _, rest = payload.partition(" ")
        index, _, topics = rest.partition(" ")
        if process == self._process or not index.isdigit():
            return
        if topics == "*":
            self._bus.resync(int(index))
        else:
            self._bus.publish(Committed(int(index), frozenset(topics.split(","))))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except Exception as error:
                _log.warning("the connection for live news was lost: %s", error)
                self._stop.wait(1)

    def _listen(self) -> None:
        import psycopg

        with psycopg.connect(self._url, autocommit=True, connect_timeout=5, application_name="handrail-live") as link:
            link.execute(f"LISTEN {CHANNEL}")
            # What was told while nobody listened is lost, so every stream starts over.
            size = link.execute("SELECT size FROM hr_head").fetchone()
            self._bus.resync(int(size[0]) - 1 if size else -1)
            while not self._stop.is_set():
                for notice in link.notifies(timeout=0.5):
                    self.take(notice.payload)


def new_process_name() -> str:
    """How this process is told apart in notices."""
    return secrets.token_hex(6)
