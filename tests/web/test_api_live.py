"""The live stream: what changed is told at once, nothing is missed, and it ends with the right to listen."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest

from handrail.kernel.errors import Unavailable
from handrail.kernel.limits import LIMITS
from handrail.operations import accounts, incidents
from handrail.operations.shell import Committed
from handrail.store.database import Database
from handrail.web.live import Change, LiveBus, Notifier, PostgresListener, Subscription, to_payload
from tests.web.conftest import Site
from tests.worlds import make_world

T = TypeVar("T")
SOON = 20.0


async def heard(subscription: Subscription, seconds: float) -> Change | None:
    """What the subscription is told next; None when it is told nothing for so long."""
    try:
        return await asyncio.wait_for(subscription.next(), seconds)
    except TimeoutError:
        return None


@dataclass
class Stream:
    """One open stream, read event by event."""

    status: int
    texts: "asyncio.Queue[str | None]"

    async def next(self) -> dict[str, Any] | None:
        """The next event; None at the end. Comments are passed over."""
        while True:
            text = await asyncio.wait_for(self.texts.get(), SOON)
            if text is None:
                return None
            if "event: " in text:
                fields = dict(line.split(": ", 1) for line in text.strip().splitlines())
                return {"id": int(fields["id"]), "event": fields["event"], **json.loads(fields["data"])}


@asynccontextmanager
async def listening(site: Site, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    given = {**site.as_(site.world.outsider).headers, **headers}
    async with opened(site, query, given) as found:
        yield found


@asynccontextmanager
async def opened(site: Site, query: str, headers: dict[str, str]) -> AsyncIterator[Stream]:
    texts: asyncio.Queue[str | None] = asyncio.Queue()
    began: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not asked:
            asked.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            began.set_result(message["status"])
        elif message.get("body"):
            texts.put_nowait(message["body"].decode())
        if message["type"] == "http.response.body" and not message.get("more_body"):
            texts.put_nowait(None)

    asked: list[bool] = []
    scope = {
        "type": "http", "method": "GET", "path": "/live", "raw_path": b"/live", "query_string": query.encode(),
        "headers": [(name.lower().replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http", "server": ("testserver", 80), "client": ("127.0.0.1", 1), "http_version": "1.1",
        "asgi": {"version": "3.0", "spec_version": "2.3"}, "root_path": "", "state": {},
    }  # fmt: skip

    async def serve() -> None:
        await site.app(scope, receive, send)

    task = asyncio.create_task(serve())
    try:
        status = await asyncio.wait_for(began, SOON)
        if status == 200:
            assert (await texts.get() or "").startswith(": here")
        yield Stream(status, texts)
    finally:
        gone.set()
        await asyncio.wait_for(task, SOON)


def run(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return asyncio.run(story())


def declare(site: Site) -> str:
    return site.world.declare()


def test_a_commit_is_told_to_those_who_asked_for_its_topics(site: Site) -> None:
    async def story() -> None:
        async with listening(site, "topics=board,gate:gat_x") as board, listening(site, "topics=sources") as other:
            incident_id = await asyncio.to_thread(declare, site)
            told = await board.next()
            assert told is not None
            assert (told["event"], told["topics"]) == ("changed", ["board"])
            assert told["id"] == told["index"] == size_of(site) - 1
            assert other.texts.empty()
            async with listening(site, f"topics=incident:{incident_id}") as room:
                await asyncio.to_thread(note, site)
                assert (await room.next() or {})["topics"] == [f"incident:{incident_id}"]

    run(story)


def note(site: Site) -> None:
    world = site.world
    world.by(world.member, lambda tx: incidents.add_note(tx, world.incident_id, "Seen.", world.member))


def size_of(site: Site) -> int:
    return site.world.shell.transact(site.world.owner.actor, lambda tx: tx.writer.size)


def test_who_comes_back_hears_that_something_was_missed(site: Site) -> None:
    site.world.declare()
    before = size_of(site) - 1
    note(site)

    async def story() -> None:
        async with listening(site, "topics=board,alerts", Last_Event_Id=str(before)) as back:
            told = await back.next()
            assert told == {"event": "changed", "topics": ["alerts", "board"], "index": told["id"], "id": told["id"]}  # type: ignore[index]
            assert told["id"] > before
        async with listening(site, f"topics=board&after={before}") as page:
            assert (await page.next() or {})["topics"] == ["board"]
        async with listening(site, f"after={before}") as everything:
            assert (await everything.next() or {})["event"] == "resync"
        async with listening(site, f"topics=board&after={size_of(site) + 5}") as fresh:
            await asyncio.to_thread(note, site)
            assert (await fresh.next() or {})["topics"] == ["board"]

    run(story)


def test_a_stream_ends_when_its_token_is_revoked_or_its_session_over(site: Site) -> None:
    site.context.live._limits = replace(LIMITS, live_check_seconds=0.01)
    site.app._rest.app.state.watch._limits = replace(LIMITS, live_check_seconds=0.01)  # type: ignore[attr-defined]
    world = site.world

    async def story() -> None:
        session = site.with_session(world.member).headers
        token = site.as_(world.outsider).headers
        async with opened(site, "topics=board", session) as browser, opened(site, "", token) as program:
            await asyncio.to_thread(
                world.by, world.owner, lambda tx: accounts.deactivate(tx, world.outsider.id, world.owner)
            )
            while (told := await program.next()) is not None:
                assert told["event"] == "changed"
            accounts.sign_out(world.shell, session["Cookie"].partition("=")[2])
            assert await browser.next() is None

    run(story)


def test_nobody_and_those_with_too_many_topics_get_no_stream(site: Site) -> None:
    async def story() -> None:
        async with opened(site, "", {}) as nobody:
            assert nobody.status == 401
        many = ",".join(f"incident:inc_{number}" for number in range(LIMITS.live_topics + 1))
        async with listening(site, f"topics={many}") as greedy:
            assert greedy.status == 400

    run(story)


def test_quiet_streams_say_that_they_are_alive(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.context.live, "_limits", replace(LIMITS, live_heartbeat_seconds=0.02))

    async def story() -> None:
        async with listening(site) as quiet:
            assert await asyncio.wait_for(quiet.texts.get(), SOON) == ": beat\n\n"

    run(story)


def test_closing_ends_every_stream_and_leaves_no_subscription(site: Site) -> None:
    async def story() -> None:
        async with listening(site, "topics=sources") as one, listening(site, "topics=board") as two:
            await asyncio.to_thread(site.context.live.close)
            assert (await one.next(), await two.next()) == (None, None)
        assert site.context.live.credentials() == set()

    run(story)


def committed(index: int, *topics: str) -> Committed:
    return Committed(index, frozenset(topics))


def test_a_storm_of_commits_is_told_together() -> None:
    async def story() -> None:
        bus = LiveBus(replace(LIMITS, live_interval_ms=5))
        listener = bus.subscribe(frozenset({"alerts", "board"}), "c")
        for index in range(1000):
            bus.publish(committed(index, "alerts"))
        told = [await heard(listener, SOON)]
        while (more := await heard(listener, 0.1)) is not None:
            told.append(more)
        assert len(told) <= 2
        assert told[-1] == Change(999, ("alerts",))

    run(story)


def test_more_topics_than_can_be_named_ask_to_start_over() -> None:
    async def story() -> None:
        bus = LiveBus(replace(LIMITS, live_queue_events=3))
        everything, board = bus.subscribe(None, "c"), bus.subscribe(frozenset({"board"}), "c")
        bus.publish(committed(7, "a", "b", "c", "d"))
        assert await heard(everything, SOON) == Change(7, (), resync=True)
        assert await heard(board, SOON) == Change(7, ("board",), resync=True)

    run(story)


def test_a_slow_stream_is_bounded_by_starting_over() -> None:
    async def story() -> None:
        bus = LiveBus(replace(LIMITS, live_queue_events=3))
        slow = bus.subscribe(None, "c")
        for index, topic in enumerate("abcde"):
            slow.tell(index, [topic])
        assert await heard(slow, SOON) == Change(4, (), resync=True)

    run(story)


def test_streams_are_bounded() -> None:
    async def story() -> None:
        bus = LiveBus(replace(LIMITS, live_clients=2))
        one = bus.subscribe(None, "a")
        bus.subscribe(None, "b")
        with pytest.raises(Unavailable, match="2 live streams"):
            bus.subscribe(None, "c")
        bus.unsubscribe(one)
        bus.subscribe(None, "c")

    run(story)


def test_what_is_told_to_other_processes_fits_into_a_notice() -> None:
    assert to_payload("p1", committed(7, "b", "a")) == "p1 7 a,b"
    assert to_payload("p1", committed(7, *(f"incident:{number:026}" for number in range(300)))) == "p1 7 *"


def test_commits_of_another_process_are_told_here(postgresql: Database) -> None:
    world = make_world(postgresql)
    bus = LiveBus()
    notifier = Notifier(postgresql, "other")
    notifier.start()
    world.shell.listeners.append(notifier)
    listener = PostgresListener(postgresql, bus, "this")

    async def story() -> None:
        everything = bus.subscribe(None, "c")
        listener.start()
        # The listener tells everybody to start over as soon as it listens.
        assert (await heard(everything, SOON) or Change(0, ())).resync
        incident_id = await asyncio.to_thread(world.declare)
        topics: set[str] = set()
        while f"incident:{incident_id}" not in topics:
            told = await heard(everything, SOON)
            assert told is not None
            topics |= set(told.topics)
        assert "board" in topics
        listener.take(to_payload("this", committed(99, "gate")))
        assert await heard(everything, 0.2) is None
        listener.take("other 99 *")
        assert await heard(everything, SOON) == Change(99, (), resync=True)

    try:
        run(story)
    finally:
        notifier.stop()
        listener.stop()


def test_what_many_look_at_is_made_once_after_each_news() -> None:
    bus = LiveBus()
    made = iter(range(100))

    def look(key: str = "all") -> int:
        return bus.since_news("board", key, bus.seen(), lambda: next(made))

    assert [look(), look(), look("few"), look()] == [0, 0, 1, 0]
    bus.publish(committed(1, "alerts"))
    assert look() == 0
    bus.publish(committed(2, "candidate"))
    assert [look(), look("few")] == [2, 3]
    bus.resync(3)
    assert look() == 4


def test_what_was_made_from_an_older_snapshot_is_not_given_to_those_who_saw_more() -> None:
    bus = LiveBus()
    before = bus.seen()
    bus.publish(committed(1, "candidate"))
    assert bus.since_news("board", "k", before, lambda: "old") == "old"
    assert bus.since_news("board", "k", bus.seen(), lambda: "new") == "new"
    assert bus.since_news("board", "k", before, lambda: "never") == "new"
