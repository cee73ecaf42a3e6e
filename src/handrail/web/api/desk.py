"""What every API route works with: who calls, one snapshot to read, one transaction to write, answers in one form."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import Depends, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from handrail.domain.people import Permission, Person, require
from handrail.kernel.errors import BadInput, HandrailError, Stale
from handrail.kernel.limits import LIMITS
from handrail.kernel.payload import read_json
from handrail.operations.accounts import Caller
from handrail.operations.shell import Tx
from handrail.web import problems
from handrail.web.auth import api_caller, arriving, context_of
from handrail.web.context import Context
from handrail.web.idempotency import REPLAYED, Claim, Claimed, Kept, Once

R = TypeVar("R")
T = TypeVar("T")


class Asked(BaseModel):
    """What a request may say: nothing beyond its fields."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Asked):
    """A request that says nothing; an empty body will do."""


class BoundedRequest(Request):
    """JSON is read within bounds, and hostile JSON is refused with its code before anything looks at it."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body(), LIMITS)
        return self._json


class ApiRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle: Callable[[Request], Awaitable[Response]] = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            return await handle(BoundedRequest(request.scope, request.receive))

        return bounded


@dataclass(frozen=True)
class Noun:
    """What a write is about: its ETag is what `If-Match` is held against."""

    kind: str
    id: str


@dataclass(frozen=True)
class Paging:
    """Which page: `limit` items after what the opaque cursor names."""

    limit: int
    cursor: tuple[str, ...] | None

    @property
    def size(self) -> int:
        """One more than asked for tells whether a page follows."""
        return self.limit + 1

    @property
    def before(self) -> str | None:
        return self.cursor[0] if self.cursor else None

    @property
    def before_number(self) -> int | None:
        if self.cursor is None:
            return None
        if not self.cursor[0].isdigit() or len(self.cursor[0]) > 15:
            raise _bad_cursor()
        return int(self.cursor[0])


def paging(
    limit: Annotated[int, Query(ge=1, le=LIMITS.page_size_max, description="Items a page.")] = LIMITS.page_size,
    cursor: Annotated[str | None, Query(max_length=1000, description="`next` of the page before.")] = None,
) -> Paging:
    return Paging(limit, _read_cursor(cursor) if cursor else None)


Pages = Annotated[Paging, Depends(paging)]


def _read_cursor(text: str) -> tuple[str, ...]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise _bad_cursor() from None
    if (
        not isinstance(parts, list)
        or not parts
        or not all(isinstance(part, str) and "\0" not in part for part in parts)
    ):
        raise _bad_cursor()
    return tuple(parts)


def _bad_cursor() -> BadInput:
    return BadInput("This cursor is none of ours; begin again without one.", "bad_cursor")


def write_cursor(parts: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(parts)).encode()).decode().rstrip("=")


def answer(model: BaseModel, status: int = 200, seq: int | None = None, location: str | None = None) -> Response:
    """One value as JSON, with its ETag where it is a noun."""
    response = Response(model.model_dump_json(), status, media_type="application/json")
    if seq is not None:
        response.headers["ETag"] = f'"{seq}"'
    if location is not None:
        response.headers["Location"] = location
    return response


@dataclass(frozen=True)
class Desk:
    """One request of somebody known."""

    request: Request
    caller: Caller
    claim: Claim | None = None

    @property
    def context(self) -> Context:
        return context_of(self.request)

    @property
    def person(self) -> Person:
        return self.caller.person

    @property
    def now(self) -> datetime:
        return self.context.shell.clock.now()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One snapshot."""
        with self.context.shell.database.read() as connection:
            yield connection

    def page(
        self, found: Sequence[T], asked: Paging, shape: Callable[[T], BaseModel], key: Callable[[T], Sequence[str]]
    ) -> Response:
        """A page of at most `limit`; what was found beyond it tells that another page follows."""
        items, more = found[: asked.limit], len(found) > asked.limit
        following = write_cursor(key(items[-1])) if more else None
        texts = ",".join(shape(item).model_dump_json() for item in items)
        response = Response(f'{{"items":[{texts}],"next":{json.dumps(following)}}}', media_type="application/json")
        if following is not None:
            query = dict(self.request.query_params) | {"cursor": following}
            response.headers["Link"] = f'<{self.request.url.path}?{urlencode(query)}>; rel="next"'
        return response

    def write(
        self,
        operation: Callable[[Tx, Person], R],
        shape: Callable[[Tx, R], BaseModel],
        *,
        about: Noun | None = None,
        made: Callable[[R], Noun] | None = None,
        status: int = 200,
        secret: str | None = None,
    ) -> Response:
        """Run one operation, and answer with the shape of what came of it.

        `about` is the noun that `If-Match` speaks of, `made` the one that the answer's ETag and Location speak of
        where it is another. The field named by `secret` is answered once and not kept for a replay.
        """

        def whole(tx: Tx) -> tuple[BaseModel, Noun | None, int | None]:
            self._must_match(tx, about)
            result = operation(tx, self.person)
            noun = made(result) if made else about
            return shape(tx, result), noun, tx.seq(noun.kind, noun.id) if noun else None

        def kept(tx: Tx) -> tuple[BaseModel, Noun | None, int | None] | Kept:
            found = self._find(tx.connection, tx.now)
            if found is not None:
                return found
            done = whole(tx)
            once = done[0].model_copy(update={secret: None}) if secret else done[0]
            self._keep(tx.connection, Kept(status, once.model_dump_json()), tx.now)
            return done

        def run() -> Response | Kept:
            done = self.context.shell.transact(self.person.actor, kept if self.claim else whole)
            if isinstance(done, Kept):
                return done
            model, noun, seq = done
            return answer(model, status, seq, f"/api/v1/{noun.kind}s/{noun.id}" if noun and status == 201 else None)

        return self._once(run)

    def do(self, act: Callable[[], BaseModel], status: int = 200) -> Response:
        """Something that is no operation of ours on a noun (a verification, a checkpoint), once for each key."""

        def run() -> Response | Kept:
            model = act()
            if self.claim is not None:
                self._keep_apart(Kept(status, model.model_dump_json()))
            return answer(model, status)

        return self._once(run)

    def _once(self, run: Callable[[], Response | Kept]) -> Response:
        if self.claim is None:
            done = run()
            assert isinstance(done, Response)
            return done
        with self._table().under_way(self.caller.account.id, self.claim):
            with self.read() as connection:
                found = self._find(connection, self.now)
            if found is not None:
                return _replay(found)
            try:
                done = run()
            except HandrailError as refusal:
                if refusal.status < 500 and refusal.status != 429 and refusal.code != "idempotency_key_reused":
                    self._keep_refusal(refusal)
                raise
        return done if isinstance(done, Response) else _replay(done)

    def _table(self) -> Once:
        found: Once = self.request.app.state.once
        return found

    def _find(self, connection: sa.Connection, now: datetime) -> Kept | None:
        assert self.claim is not None
        return self._table().find(connection, self.caller.account.id, self.claim, now)

    def _keep(self, connection: sa.Connection, kept: Kept, now: datetime) -> None:
        assert self.claim is not None
        self._table().keep(
            self.context.shell.database, connection, self.caller.account.id, self.claim, kept, now
        )  # fmt: skip

    def _keep_apart(self, kept: Kept) -> None:
        with self.context.shell.database.plain() as connection:
            self._keep(connection, kept, self.now)

    def _keep_refusal(self, refusal: HandrailError) -> None:
        problem = problems.of_error(refusal)
        body = problem.body(self.request.url.path, self.request.scope.get("request_id", ""))
        self._keep_apart(Kept(problem.status, json.dumps(body, ensure_ascii=False)))

    def _must_match(self, tx: Tx, about: Noun | None) -> None:
        given = self.request.headers.get("if-match")
        if given is None or about is None or given.strip() == "*":
            return
        tx.get(about.kind, about.id)
        seq = tx.seq(about.kind, about.id)
        if f'"{seq}"' not in [part.strip() for part in given.split(",")]:
            raise Stale(f"The {about.kind} has changed since you read it; read it again, then decide.", "stale")


def _replay(kept: Kept) -> Response:
    media_type = "application/json" if kept.status < 400 else problems.MEDIA_TYPE
    return Response(kept.body, kept.status, {REPLAYED: "true"}, media_type)


def reader(request: Request) -> Desk:
    caller = api_caller(request)
    require(caller.person, Permission.READ)
    return Desk(request, caller)


def record_reader(request: Request) -> Desk:
    caller = api_caller(request)
    require(caller.person, Permission.READ_RECORD)
    return Desk(request, caller)


def source_manager(request: Request) -> Desk:
    caller = api_caller(request)
    require(caller.person, Permission.MANAGE_SOURCES)
    return Desk(request, caller)


def writer(request: Request, claim: Claimed) -> Desk:
    """What a write may do is decided by its operation, in its transaction."""
    return Desk(request, api_caller(request), claim)


def record_writer(request: Request, claim: Claimed) -> Desk:
    caller = api_caller(request)
    require(caller.person, Permission.READ_RECORD)
    return Desk(request, caller, claim)


def newcomer(request: Request) -> Desk:
    """Somebody who may not have set a password yet."""
    return Desk(request, arriving(request))


Reader = Annotated[Desk, Depends(reader)]
RecordReader = Annotated[Desk, Depends(record_reader)]
SourceManager = Annotated[Desk, Depends(source_manager)]
Writer = Annotated[Desk, Depends(writer)]
RecordWriter = Annotated[Desk, Depends(record_writer)]
Newcomer = Annotated[Desk, Depends(newcomer)]
