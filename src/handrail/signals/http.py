"""HTTP for the storm path without a framework: bodies within bounds, answers, problems, trace ids."""

import random
import re
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from handrail.kernel.errors import BadInput, HandrailError, TooLarge, TooMany
from handrail.kernel.ids import new_id

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON = b"application/json"
PROBLEM = b"application/problem+json"
_GZIP = zlib.MAX_WBITS | 16
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_RANDOM = random.Random()  # noqa: S311  ids to find a trace by, not secrets
_ENCODE = msgspec.json.Encoder().encode


class Disconnected(Exception):
    """The sender went away before its request was whole: there is nobody to answer."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    media_type: bytes = JSON
    headers: Sequence[tuple[bytes, bytes]] = ()


async def read_body(headers: Mapping[str, str], receive: Receive, bound: int) -> bytes:
    """The whole body, unpacked. Raises TooLarge as soon as it is known to pass the bound, packed or unpacked."""
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > bound:
        raise _too_large(bound)
    encoding = headers.get("content-encoding", "identity").strip().lower()
    # Snappy is part of Prometheus' remote write, whose integration unpacks it; anything else refuses its bytes.
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate", "snappy"):
        raise BadInput(
            f"The content encoding “{encoding[:40]}” is not read; send gzip, deflate or none.", "encoding_unsupported"
        )
    body = await _read_plain(receive, bound)
    if encoding == "deflate":
        return _inflate(body, bound, _wbits_of_deflate(body), "deflate")
    return _inflate(body, bound, _GZIP, "gzip") if "gzip" in encoding else body


def _wbits_of_deflate(packed: bytes) -> int:
    """The standard means zlib's form by “deflate”; some senders leave its header out, which its check digits show."""
    has_header = len(packed) > 1 and packed[0] & 0x0F == 8 and int.from_bytes(packed[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


async def _read_plain(receive: Receive, bound: int) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size > bound:
            raise _too_large(bound)
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _inflate(packed: bytes, bound: int, wbits: int, name: str) -> bytes:
    """One or several members. What would grow past the bound is never grown."""
    parts: list[bytes] = []
    left = bound
    while packed:
        unpacker = zlib.decompressobj(wbits)
        try:
            part = unpacker.decompress(packed, left + 1)
        except zlib.error:
            raise BadInput(f"The body is not valid {name}.", "gzip_invalid") from None
        if len(part) > left:
            raise _too_large(bound)
        if not unpacker.eof:
            raise BadInput(f"The body is not whole {name}.", "gzip_invalid")
        parts.append(part)
        left -= len(part)
        packed = unpacker.unused_data
    return b"".join(parts)


def _too_large(bound: int) -> TooLarge:
    return TooLarge(f"The body is larger than {bound} bytes; send fewer items at once.", "body_too_large")


async def send_answer(send: Send, answer: Answer) -> None:
    headers = [(b"content-type", answer.media_type), (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": [*headers, *answer.headers]})
    await send({"type": "http.response.body", "body": answer.body})


def problem(error: HandrailError, instance: str, status: int | None = None) -> Answer:
    """The error as application/problem+json. `instance` is the address without any token."""
    status = status or error.status
    content = {
        "type": f"/docs/errors#{error.code}",
        "title": error.title,
        "status": status,
        "detail": error.detail,
        "instance": instance,
        "code": error.code,
        "errors": [{"pointer": fault.where, "detail": fault.what} for fault in error.faults],
        "request_id": new_id("req"),
        "retry": error.retry_helps,
    }
    return Answer(status, _ENCODE(content), PROBLEM, error_headers(error))


def error_headers(error: HandrailError) -> tuple[tuple[bytes, bytes], ...]:
    """When to come back, how to sign in, and that a body too large will not be read to its end."""
    if isinstance(error, TooMany):
        return ((b"retry-after", str(error.retry_after).encode()),)
    if error.status == 503:
        return ((b"retry-after", b"1"),)
    if error.status == 401:
        return ((b"www-authenticate", b'Bearer realm="handrail"'),)
    if isinstance(error, TooLarge):
        return ((b"connection", b"close"),)
    return ()


def trace_of(headers: Mapping[str, str]) -> str:
    """The caller's W3C `traceparent`, or a new one where there is none that can be read."""
    said = headers.get("traceparent", "").strip()
    if _TRACEPARENT.fullmatch(said):
        return said
    made = f"{_RANDOM.getrandbits(192) | 1:048x}"
    return f"00-{made[:32]}-{made[32:]}-01"
