"""What every request passes: its id, headers that harden browsers, a bound on its body, a measure and a log line.

Plain ASGI, because live streams pass here too.
"""

import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from prometheus_client import Histogram

from handrail.kernel.errors import BadInput, TooLarge
from handrail.kernel.ids import new_id
from handrail.web.problems import MEDIA_TYPE, Problem, internal, of_error

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_access = logging.getLogger("handrail.access")
_log = logging.getLogger("handrail.web")
_REQUEST_ID = re.compile(rb"^[A-Za-z0-9._-]{1,64}$")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# With “no-referrer” browsers send “Origin: null” with our own forms, which would look like a stranger's.
_HARDENING: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SECURE_ONLY = (b"strict-transport-security", b"max-age=31536000")
_NOT_KEPT = (b"cache-control", b"no-store")
_UNMEASURED = ("/live",)

SECONDS = Histogram(
    "handrail_http_request_seconds",
    "Requests by route, from their first byte to the end of the answer.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Edge:
    """The outermost layer. Whatever escapes from below is answered with a problem and logged under the request's id."""

    app: Application
    secure: bool
    body_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passing = _Passing(scope, receive, send, self.secure, self.body_bytes)
        try:
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                await passing.refuse(of_error(BadInput("An address never holds a NUL character.", "bad_address")))
            elif passing.declares_too_much():
                await passing.refuse(of_error(too_large(self.body_bytes)))
            else:
                await self.app(scope, passing.receive, passing.send)
        except Exception:
            # The last line before the server: the caller gets an answer, the log gets the reason.
            _log.exception("a request failed", extra={"request_id": passing.request_id})
            if passing.status is None:
                await passing.refuse(internal())
        finally:
            passing.measure()


class _Passing:
    """One request on its way through."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, secure: bool, body_bytes: int) -> None:
        self.scope = scope
        self.status: int | None = None
        self._receive = receive
        self._send = send
        self._secure = secure
        self._left = body_bytes
        self._body_bytes = body_bytes
        self._headers = dict(scope["headers"])
        self._began = time.monotonic()
        given = self._headers.get(b"x-request-id", b"")
        self.request_id = given.decode() if _REQUEST_ID.match(given) else new_id("req")
        scope["request_id"] = self.request_id

    def declares_too_much(self) -> bool:
        declared = self._headers.get(b"content-length", b"")
        return declared.isdigit() and (len(declared) > 15 or int(declared) > self._body_bytes)

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise TooLarge(
                f"A request's body has at most {self._body_bytes} bytes; send less at once.", "body_too_large"
            )
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            message = {**message, "headers": [*message.get("headers", ()), *self._added(message)]}
        await self._send(message)

    def _added(self, message: Message) -> list[tuple[bytes, bytes]]:
        set_already = {name.lower() for name, _ in message.get("headers", ())}
        added = [(b"x-request-id", self.request_id.encode()), *_HARDENING, _NOT_KEPT]
        if self._secure:
            added.append(_SECURE_ONLY)
        return [header for header in added if header[0] not in set_already]

    async def refuse(self, problem: Problem) -> None:
        body = json.dumps(problem.body(self.scope["path"], self.request_id), ensure_ascii=False).encode()
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        # The rest of the body is not read, so the connection cannot carry another request.
        headers += [(b"connection", b"close")] if problem.status == 413 else []
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def measure(self) -> None:
        seconds = time.monotonic() - self._began
        route = getattr(self.scope.get("route"), "path", "unmatched")
        method = self.scope["method"] if self.scope["method"] in _METHODS else "other"
        if route not in _UNMEASURED:
            SECONDS.labels(method, route, str(self.status or 499)).observe(seconds)
        _access.info(
            "request",
            extra={
                "method": method, "path": self.scope["path"][:200], "route": route, "status": self.status or 499,
                "seconds": round(seconds, 4), "request_id": self.request_id,
                "account": self.scope.get("account_id", ""),
            },
        )  # fmt: skip


def too_large(body_bytes: int) -> TooLarge:
    return TooLarge(f"A request's body has at most {body_bytes} bytes; send less at once.", "body_too_large")
