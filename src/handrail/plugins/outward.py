"""The one outgoing HTTP client. Everything that leaves the process over HTTP passes here.

Invariant: the address that was checked is the address that is connected to. The name is looked up once, every answer
is checked, and the socket goes to that answer while Host and SNI keep the name; so a name that changes its address
between check and use gains nothing. Redirects are answers, not orders, and no proxy is read from the environment.
"""

import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import httpcore2
import httpx2

from handrail.kernel.canonical import canonical
from handrail.kernel.errors import Unavailable
from handrail.kernel.limits import LIMITS, Limits
from handrail.kernel.payload import read_json
from handrail.kernel.trace import traceparent
from handrail.plugins.addresses import why_refused

Resolver = Callable[[str, int, float], Iterable[str]]

_PORTS = {"http": 80, "https": 443}


@dataclass
class OutwardFailed(Unavailable):
    """No answer that can be used. `sent` tells whether the request may have left; `retry` whether more tries help.

    Codes: outward_url, address_not_allowed, name_unknown, not_reached, timed_out, connection_broken,
    answer_too_large, answer_unreadable.
    """

    sent: bool = False
    retry: bool = True

    default_code: ClassVar[str] = "outward_failed"
    title: ClassVar[str] = "The outside could not be reached"


@dataclass(frozen=True)
class Answer:
    """What the outside said. Names of headers are in lower case; of repeated ones the last stands."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    limits: Limits = field(default=LIMITS, repr=False, compare=False)

    def json(self) -> Any:
        """The body as JSON within bounds. Raises BadInput."""
        return read_json(self.body, self.limits)


@dataclass(frozen=True)
class Target:
    """Where a request goes. `place` is `host:port` as the allow list writes it."""

    url: httpx2.URL
    host: str
    port: int
    place: str


def look_up(host: str, port: int, seconds: float) -> list[str]:
    """All addresses of a name, waited for no longer than `seconds`. Raises OSError.

    The system's resolver has no timeout of its own, so it runs in a thread that is left behind when it hangs; it ends
    by the resolver's own, longer limit.
    """
    found: list[str] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                found.append(str(address[0]))
        except OSError as error:
            failed.append(error)
        except UnicodeError:
            failed.append(OSError("this is no host name"))

    asking = threading.Thread(target=ask, name="look-up", daemon=True)
    asking.start()
    asking.join(seconds)
    if asking.is_alive():
        raise TimeoutError("the name server does not answer")
    if failed:
        raise failed[0]
    return list(dict.fromkeys(found))


class Outward:
    """Calls the outside within bounds.

    `allowed` lists the exact `host:port` that may be called although its address is not public or its scheme is plain
    HTTP. `traceparent` gives the trace going on, for calls that name none.
    """

    def __init__(
        self,
        allowed: Iterable[str] = (),
        limits: Limits = LIMITS,
        *,
        resolve: Resolver = look_up,
        tls: ssl.SSLContext | None = None,
        traceparent: Callable[[], str | None] = traceparent,
    ) -> None:
        self._allowed = frozenset(place.strip().lower() for place in allowed)
        self._limits = limits
        self._resolve = resolve
        self._given_tls = tls
        self._traceparent = traceparent

    def get(self, url: str, headers: Mapping[str, str] | None = None, *, traceparent: str | None = None) -> Answer:
        return self.request("GET", url, headers, traceparent=traceparent)

    def post_json(
        self, url: str, value: Any, headers: Mapping[str, str] | None = None, *, traceparent: str | None = None
    ) -> Answer:
        """Post a value in its canonical form."""
        named = {"content-type": "application/json", **(headers or {})}
        return self.request("POST", url, named, canonical(value), traceparent=traceparent)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        *,
        traceparent: str | None = None,
    ) -> Answer:
        """One request, one answer of any status. Raises OutwardFailed and nothing else."""
        target = read_target(url)
        line = _Line(target, target.place in self._allowed, self._limits, self._resolve)
        sending = {name.lower(): value for name, value in (headers or {}).items()}
        sending |= {
            "host": target.place if target.url.port else target.place.rpartition(":")[0],
            "user-agent": "handrail",
            "accept-encoding": "identity",
            "connection": "close",
        }
        trace = traceparent or self._traceparent()
        if trace:
            sending["traceparent"] = trace
        tls = self._tls if target.url.scheme == "https" else None
        try:
            with httpcore2.ConnectionPool(ssl_context=tls, network_backend=line) as pool:
                return self._exchange(pool, target, method, sending, content)
        except OutwardFailed as failure:
            failure.sent = line.sent
            raise
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise _failure(error, target, line) from error
        except UnicodeError:
            raise OutwardFailed(
                f"A header for {target.place} holds characters that HTTP does not carry.", "outward_url", retry=False
            ) from None

    def _exchange(
        self, pool: httpcore2.ConnectionPool, target: Target, method: str, headers: dict[str, str], content: bytes
    ) -> Answer:
        url = httpcore2.URL(
            scheme=target.url.raw_scheme,
            host=target.url.raw_host,
            port=target.url.port,
            target=target.url.raw_path,
        )
        # Without a body there is no content-length either, except where a POST needs one to be understood.
        body = content if content or method not in ("GET", "HEAD") else None
        encoded = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        with pool.stream(method, url, headers=encoded, content=body) as said:
            known = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in said.headers}
            read = _read_body(said, known.get("content-encoding", ""), target, self._limits.outward_answer_bytes)
            return Answer(said.status, known, read, self._limits)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or httpx2.create_ssl_context(trust_env=False)


def read_target(url: str) -> Target:
    """Where the URL leads. Raises OutwardFailed when it cannot be called at all."""
    try:
        read = httpx2.URL(url)
        scheme, host, port = read.scheme, read.raw_host.decode("ascii").lower(), read.port
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise OutwardFailed("This is not a URL that can be called.", "outward_url", retry=False) from None
    if scheme not in _PORTS or not host:
        raise OutwardFailed("Only http and https URLs with a host can be called.", "outward_url", retry=False)
    if read.userinfo:
        raise OutwardFailed(
            "A URL with a password in it is not called; keep the credential apart.", "outward_url", retry=False
        )
    port = port or _PORTS[scheme]
    return Target(read, host, port, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


class _Line(httpcore2.NetworkBackend):
    """The way to one target for one request: looked up once, checked, and bounded in time and bytes."""

    def __init__(self, target: Target, allowed: bool, limits: Limits, resolve: Resolver) -> None:
        now = time.monotonic()
        self._target = target
        self._allowed = allowed
        self._resolve = resolve
        self._connect_until = now + min(limits.outward_connect_seconds, limits.outward_total_seconds)
        self.until = now + limits.outward_total_seconds
        self.bytes_left = 2 * limits.outward_answer_bytes
        self.sent = False

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        """Connect to the first address that answers; the arguments of the library that would widen this are unused."""
        addresses = self._checked()
        failure: Exception | None = None
        for address in addresses:
            left = self._connect_until - time.monotonic()
            if left <= 0:
                raise httpcore2.ConnectTimeout("no time left to connect") from failure
            try:
                opened = httpcore2.SyncBackend().connect_tcp(address, self._target.port, timeout=left)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            return _Stream(opened, self)
        raise failure or httpcore2.ConnectError("the name has no address")

    def time_left(self) -> float:
        """Seconds until the request as a whole is over. Raises the library's own timeout."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("no time left")
        return left

    def connect_left(self) -> float:
        return max(0.001, self._connect_until - time.monotonic())

    def _checked(self) -> list[str]:
        place = self._target.place
        try:
            addresses = list(self._resolve(self._target.host, self._target.port, self.connect_left()))
        except TimeoutError:
            raise OutwardFailed(f"The name of {place} could not be looked up in time.", "timed_out") from None
        except OSError:
            raise OutwardFailed(f"The name of {place} is not known.", "name_unknown") from None
        if self._allowed:
            return addresses
        for address in addresses:
            kind = why_refused(address)
            if kind is not None:
                raise _not_allowed(place, f"it leads to {kind}")
        if self._target.url.scheme != "https":
            raise _not_allowed(place, "plain http is called only where the allow list says so; use https")
        return addresses


def _not_allowed(place: str, why: str) -> OutwardFailed:
    return OutwardFailed(
        f"{place}: address not allowed; {why}. If Handrail should call it, put {place} on the allow list.",
        "address_not_allowed",
        retry=False,
    )


class _Stream(httpcore2.NetworkStream):
    """A connection that ends with its request's time and bytes, and that remembers whether anything went out."""

    def __init__(self, inner: httpcore2.NetworkStream, line: _Line) -> None:
        self._inner = inner
        self._line = line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        content = self._inner.read(max_bytes, self._line.time_left())
        self._line.bytes_left -= len(content)
        if self._line.bytes_left < 0:
            raise OutwardFailed("The answer is larger than what is read.", "answer_too_large")
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = self._line.time_left()
        # Set before the write: a write that fails half-way may have been enough for the other side.
        self._line.sent = self._line.sent or bool(buffer)
        self._inner.write(buffer, left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._line.connect_left()), self._line)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _read_body(said: httpcore2.Response, encoding: str, target: Target, bytes_max: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in said.iter_stream():
        size += len(part)
        if size > bytes_max:
            raise _too_large(target, bytes_max)
        parts.append(part)
    raw = b"".join(parts)
    if encoding.strip().lower() in ("", "identity") or not raw:
        return raw
    if encoding.strip().lower() in ("gzip", "x-gzip", "deflate"):
        return _inflate(raw, target, bytes_max)
    raise OutwardFailed(f"{target.place} answered in an encoding that was not asked for.", "answer_unreadable")


def _inflate(raw: bytes, target: Target, bytes_max: int) -> bytes:
    """Unpack no further than the bound: a few bytes can stand for gigabytes."""
    unpacker = zlib.decompressobj(wbits=47)
    try:
        content = unpacker.decompress(raw, bytes_max + 1)
    except zlib.error:
        raise OutwardFailed(f"{target.place} answered with broken compression.", "answer_unreadable") from None
    if len(content) > bytes_max:
        raise _too_large(target, bytes_max)
    if not unpacker.eof:
        raise OutwardFailed(f"The answer of {target.place} ended too early.", "connection_broken")
    return content


def _too_large(target: Target, bytes_max: int) -> OutwardFailed:
    return OutwardFailed(
        f"{target.place} answered with more than the {bytes_max // 1024} KiB that are read.", "answer_too_large"
    )


def _failure(error: Exception, target: Target, line: _Line) -> OutwardFailed:
    place = target.place
    if isinstance(error, httpcore2.TimeoutException):
        if line.sent:
            return OutwardFailed(f"{place} did not answer in time.", "timed_out", sent=True)
        return OutwardFailed(f"{place} could not be connected to in time.", "timed_out")
    if isinstance(error, httpcore2.LocalProtocolError | httpcore2.UnsupportedProtocol):
        return OutwardFailed(f"The request to {place} is not valid HTTP.", "outward_url", sent=line.sent, retry=False)
    if line.sent:
        return OutwardFailed(f"The connection to {place} broke before an answer.", "connection_broken", sent=True)
    if isinstance(error.__cause__, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
        return OutwardFailed(f"The certificate of {place} could not be verified.", "not_reached")
    return OutwardFailed(f"{place} could not be reached: {_reason(error)}.", "not_reached")


def _reason(error: Exception) -> str:
    said = str(error).strip().splitlines()
    return said[0][:200].rstrip(".") if said else "the connection failed"
