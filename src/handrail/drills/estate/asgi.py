"""The least of HTTP that the estate's processes need: one request, one answer, bounded bodies, start and stop."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from handrail.drills.estate.topology import BODY_BYTES_MAX

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """One request with its whole body. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    receive: Receive

    async def disconnected(self) -> None:
        """Return when the caller has hung up."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Answer]]
Hook = Callable[[], Awaitable[None]]


def answer(status: int, content: Mapping[str, Any], **headers: str) -> Answer:
    """A JSON answer; header names are written with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(content, separators=(",", ":")).encode(), headers=named)


def problem(status: int, code: str, detail: str) -> Answer:
    """A problem+json answer."""
    content = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    return Answer(status, json.dumps(content).encode(), "application/problem+json")


class App:
    """An ASGI application around one handler."""

    def __init__(self, handler: Handler, on_start: Hook | None = None, on_stop: Hook | None = None) -> None:
        self._handler = handler
        self._on_start = on_start
        self._on_stop = on_stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            body = await _body(receive)
            if body is None:
                await _reply(send, problem(413, "too_large", f"Send at most {BODY_BYTES_MAX} bytes."))
            else:
                await _reply(send, await self._handler(_request(scope, body, receive)))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        hooks = {"startup": self._on_start, "shutdown": self._on_stop}
        for phase, hook in hooks.items():
            await receive()
            if hook:
                await hook()
            await send({"type": f"lifespan.{phase}.complete"})


async def _body(receive: Receive) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > BODY_BYTES_MAX:
            return None
        if not message.get("more_body"):
            return body


def _request(scope: Scope, body: bytes, receive: Receive) -> Request:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return Request(scope["method"], scope["path"], query, headers, body, receive)


async def _reply(send: Send, said: Answer) -> None:
    headers = [(b"content-type", said.content_type.encode()), (b"content-length", str(len(said.body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in said.headers.items()]
    await send({"type": "http.response.start", "status": said.status, "headers": headers})
    await send({"type": "http.response.body", "body": said.body})
