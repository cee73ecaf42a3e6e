"""The live stream: server-sent events that say which topics changed, resumed by the index of the last entry seen."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from handrail.domain.people import Permission, require
from handrail.kernel.errors import BadInput, Refused
from handrail.kernel.limits import LIMITS
from handrail.record.source import head
from handrail.web.auth import context_of, credential, identify
from handrail.web.context import Context
from handrail.web.live import Change, Subscription

router = APIRouter(tags=["live"])


@router.get("/live", response_class=Response, summary="Which topics change, as server-sent events")
async def live(
    request: Request,
    topics: Annotated[str, Query(max_length=4000, description="Topics with commas; empty for all.")] = "",
    after: Annotated[int, Query(ge=-1, description="The last entry that the page knows.")] = -1,
) -> Response:
    context = context_of(request)
    caller = await run_in_threadpool(identify, request)
    require(caller.person, Permission.READ)
    asked = frozenset(part for part in topics.split(",") if part)
    if len(asked) > LIMITS.live_topics:
        raise BadInput(f"Ask for at most {LIMITS.live_topics} topics on one stream.", "too_many_topics")
    given = credential(request)
    assert given is not None
    last = request.headers.get("last-event-id", "")
    seen = int(last) if last.isdigit() and len(last) <= 15 else after
    subscription = context.live.subscribe(asked or None, given.hash)
    newest = await run_in_threadpool(_newest, context)
    if seen >= 0 and newest > seen:
        subscription.tell(newest, asked, resync=not asked)
    return StreamingResponse(
        _events(request, context, subscription, newest),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _newest(context: Context) -> int:
    with context.shell.database.read() as connection:
        return head(connection).size - 1


async def _events(request: Request, context: Context, subscription: Subscription, newest: int) -> AsyncIterator[str]:
    """Changes as they come, a comment in quiet times, and an end as soon as the caller may no longer look."""
    loop = asyncio.get_running_loop()
    checked = spoke = loop.time()
    try:
        yield f"retry: 2000\nid: {max(newest, 0)}\n\n"
        while not subscription.ended:
            change = await subscription.next(LIMITS.live_check_seconds)
            now = loop.time()
            if now - checked >= LIMITS.live_check_seconds:
                checked = now
                if not await run_in_threadpool(_still_known, request):
                    return
            if change is not None:
                yield _told(change)
            elif now - spoke >= LIMITS.live_heartbeat_seconds:
                yield ": here\n\n"
            else:
                continue
            spoke = now
    finally:
        context.live.unsubscribe(subscription)


def _told(change: Change) -> str:
    name = "resync" if change.resync else "changed"
    data = json.dumps({"topics": list(change.topics), "index": change.index})
    return f"id: {change.index}\nevent: {name}\ndata: {data}\n\n"


def _still_known(request: Request) -> bool:
    try:
        require(identify(request).person, Permission.READ)
    except Refused:
        return False
    return True
