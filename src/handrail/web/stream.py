"""GET /live: server-sent events that tell which topics changed, with resume by the record's index.

`id` is the index of the last entry that the news covers. Who connects again with it and missed something is told to
ask for everything once. A stream ends within seconds when its session or token does.
"""

import asyncio
import json
import logging
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from handrail.domain.people import Permission, require
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS, Limits
from handrail.store import queries
from handrail.web.api.desk import ApiRoute
from handrail.web.auth import api_caller, context_of, credential
from handrail.web.context import Context
from handrail.web.live import Change, LiveBus, Subscription

_log = logging.getLogger("handrail.live")
router = APIRouter(tags=["live"], route_class=ApiRoute)
_HELLO, _BEAT = b": here\nretry: 2000\n\n", b": beat\n\n"


class Watch:
    """Looks every few seconds whether the people behind open streams may still listen: one question for all of them."""

    def __init__(self, context: Context, limits: Limits = LIMITS) -> None:
        self._context = context
        self._limits = limits
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Make sure that somebody looks. Called in the event loop when a stream opens."""
        if self._task is None or self._task.done() or self._task.get_loop() is not asyncio.get_running_loop():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        bus = self._context.live
        while bus.credentials():
            await asyncio.sleep(self._limits.live_check_seconds)
            known = bus.credentials()
            bus.end(known - await run_in_threadpool(self._still, sorted(known)))

    def _still(self, hashes: list[str]) -> set[str]:
        shell = self._context.shell
        try:
            with shell.database.read() as connection:
                return queries.still_signed_in(connection, hashes, shell.clock.now())
        except Exception:
            # Nobody can be asked: streams that say nothing new are no risk, and the next look decides.
            _log.warning("who may still look could not be asked", exc_info=True)
            return set(hashes)


@router.get("/live", response_class=StreamingResponse, summary="Hear which topics change")
async def live(
    request: Request,
    topics: Annotated[str, Query(max_length=8000, description="Names with commas; empty for all.")] = "",
    after: Annotated[int | None, Query(ge=-1, le=2**53, description="The last index that you know of.")] = None,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> Response:
    """Events `changed` and `resync` carry {"topics": [...], "index": n}; `resync` asks you to read everything again."""
    caller = await run_in_threadpool(api_caller, request)
    require(caller.person, Permission.READ)
    context, given = context_of(request), credential(request)
    assert given is not None
    wanted = _read_topics(topics)
    known = int(last_event_id) if last_event_id and last_event_id.lstrip("-").isdigit() else after
    subscription = context.live.subscribe(wanted, given.hash)
    try:
        # The subscription stands before the head is read, so nothing falls between them.
        size = await run_in_threadpool(_record_size, context)
    except BaseException:
        context.live.unsubscribe(subscription)
        raise
    watch: Watch = request.app.state.watch
    watch.look()
    missed = known is not None and size - 1 > known
    first = Change(size - 1, tuple(sorted(wanted or ())), resync=wanted is None) if missed else None
    return EventStream(context.live, subscription, first)


def _read_topics(text: str) -> frozenset[str] | None:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if len(names) > LIMITS.live_topics:
        raise BadInput(f"A stream has at most {LIMITS.live_topics} topics.", "too_many_topics")
    return frozenset(names) or None


def _record_size(context: Context) -> int:
    with context.shell.database.read() as connection:
        return queries.record_size(connection)


class EventStream(Response):
    """The stream. Leaving it, by whatever way, ends the subscription.

    It writes to the server itself: a thousand streams that pass each event through a framework are the dearest part of
    a storm.
    """

    media_type = "text/event-stream"

    def __init__(self, bus: LiveBus, subscription: Subscription, first: Change | None) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._bus = bus
        self._subscription = subscription
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(self._end_with(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await _say(send, _HELLO)
            if self._first is not None:
                await _say(send, event_text(self._first))
            while not self._subscription.ended:
                change = await self._subscription.next()
                if not self._subscription.ended:
                    await _say(send, event_text(change) if change is not None else _BEAT)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            leaving.cancel()
            self._bus.unsubscribe(self._subscription)

    async def _end_with(self, receive: Receive) -> None:
        """End when whoever listens is gone."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self._subscription.end()


async def _say(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})


# All who listen to the same topics are told the same.
@lru_cache(maxsize=64)
def event_text(change: Change) -> bytes:
    name = "resync" if change.resync else "changed"
    data = json.dumps({"topics": list(change.topics), "index": change.index}, separators=(",", ":"))
    return f"id: {change.index}\nevent: {name}\ndata: {data}\n\n".encode()
