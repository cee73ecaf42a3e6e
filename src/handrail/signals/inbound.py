"""The intake as plain ASGI, because a framework costs more than storing an alert does.

    POST /in/<source>[/<token>]     any source, in its own format; PUT is the same, OPTIONS asks whether one may
    POST, GET /api/v2/alerts        as Alertmanager; also /api/v2/status, /-/healthy, /-/ready
    POST /v2/enqueue                as PagerDuty's Events API v2
    POST /api/v1/alerts             Handrail's own form
    /t/<token>/...                  any of these, for senders that can change nothing but the address

A request ends in one of three ways: stored (answered after the commit), refused with a code, or its sender is gone.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import parse_qsl

from handrail.domain.log_line import LogLine
from handrail.domain.metric import MetricPoint
from handrail.kernel.clock import Clock
from handrail.kernel.errors import BadSignature, BrokenInvariant, HandrailError, NotFound, Refused, Unprocessable
from handrail.kernel.limits import LIMITS, Limits
from handrail.kernel.trace import active, span
from handrail.plugins.integrations.contract import Confirmation, Inbound, Integration, Parsed, Verdict
from handrail.plugins.integrations.registry import integrations
from handrail.signals import metrics
from handrail.signals.bucket import Buckets
from handrail.signals.doors import Knock, all_rejected, bad_items, find_door
from handrail.signals.fold import Outcome, Result
from handrail.signals.http import (
    Answer,
    Application,
    Disconnected,
    Receive,
    Scope,
    Send,
    problem,
    read_body,
    send_answer,
    trace_of,
)
from handrail.signals.ingest import Ingestor, Refusal
from handrail.signals.kept import kept_headers
from handrail.signals.reading import Reading
from handrail.signals.senders import Known, Sender, Senders, header_token, unknown_sender

_log = logging.getLogger("handrail.signals")
OPEN_SOURCE = "open"
_ORIGIN = re.compile(r"[A-Za-z0-9.*:_-]{1,253}")
_OURS = "Handrail met a fault of its own; its log says more. Send this again: a repeat is harmless."


def _no_certificate(_url: str) -> bytes | None:
    return None


def _nobody_to_ask(_source_id: str, _asked: Sequence[Confirmation]) -> None:
    raise BrokenInvariant("The intake was not told where to keep what senders ask to have confirmed.")


def _no_reader(_token: str) -> bool:
    return False


async def _no_watcher(_source: str, _points: Sequence[MetricPoint]) -> None:
    """Points are for detectors: where none is, nothing comes of them."""


def _no_reader_of_lines(_source: str, _lines: Sequence[LogLine]) -> None:
    """Lines are for detectors as well."""


# A sender keeps its connections, so the same few addresses and counters are asked for thousands of times a second.
_address = lru_cache(maxsize=1024)(ip_address)
_received = lru_cache(maxsize=1024)(metrics.RECEIVED.labels)
_repeated = lru_cache(maxsize=1024)(metrics.DUPLICATE.labels)


@dataclass(frozen=True)
class InboundSettings:
    """`open_to`: networks whose senders need no token; what they say is marked unsigned. None by default.

    `certificate_of(url)` fetches the certificate that a sender signs with, None where it is not to be had.
    `may_read(token)` tells whether a token that is no source's may read all alerts. `ask_confirmations(source id,
    asked)` keeps what a sender asks to have confirmed, for a person. All these are called in a thread.
    `on_points(source name, points)` hands on samples of metrics, `on_lines(source name, lines)` lines of logs, without
    waiting.
    """

    open_to: tuple[IPv4Network | IPv6Network, ...] = ()
    certificate_of: Callable[[str], bytes | None] = _no_certificate
    may_read: Callable[[str], bool] = _no_reader
    ask_confirmations: Callable[[str, Sequence[Confirmation]], None] = _nobody_to_ask
    on_points: Callable[[str, Sequence[MetricPoint]], Awaitable[None]] = _no_watcher
    on_lines: Callable[[str, Sequence[LogLine]], None] = _no_reader_of_lines


@dataclass(frozen=True)
class _Request:
    knock: Knock
    headers: dict[str, str]
    query: list[tuple[str, str]]
    client: str
    token: str | None


class InboundApp:
    """The ASGI application. What is not its own goes to `otherwise`, or is answered with 404."""

    def __init__(
        self,
        ingestor: Ingestor,
        senders: Senders,
        reading: Reading,
        clock: Clock,
        settings: InboundSettings | None = None,
        otherwise: Application | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self._ingestor = ingestor
        self._senders = senders
        self._reading = reading
        self._clock = clock
        self._settings = settings or InboundSettings()
        self._otherwise = otherwise
        self._limits = limits
        self._buckets = Buckets(limits.source_alerts_per_second, limits.source_alerts_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        knock = find_door(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if knock is not None:
            await self._open(_request(scope, knock), receive, send)
        elif self._otherwise is not None:
            await self._otherwise(scope, receive, send)
        elif scope["type"] == "http":
            await send_answer(send, problem(NotFound("There is nothing at this address."), scope["path"]))

    async def read_again(self, source: str, kept: Inbound) -> tuple[int, int, int]:
        """Take a payload that was kept in quarantine as if its source sent it now; how many of what it says were
        accepted, were known already, and could again not be read. Raises the refusal where nothing can be read."""
        sender = (await self._senders.current()).by_name.get(source)
        if sender is None:
            raise NotFound(f"The source {source[:64]} is gone; what it sent can no longer be read as its.")
        parsed = _integration(sender).parse(kept, self._clock.now())
        if sender.severities is not None:
            parsed = replace(parsed, occurrences=sender.severities.grade_all(parsed.occurrences))
        if parsed.confirmations:
            await asyncio.to_thread(self._settings.ask_confirmations, sender.id, parsed.confirmations)
        says = (parsed.occurrences, parsed.changes, parsed.points, parsed.lines, parsed.confirmations)
        if not any(says):
            why = parsed.rejected[0].reason if parsed.rejected else "It says nothing."
            raise Unprocessable(f"It still cannot be read: {why}", "nothing_readable")
        results = await self._ingestor.ingest(sender.name, parsed, Verdict.TOKEN)
        if parsed.points:
            await self._settings.on_points(sender.name, parsed.points)
        if parsed.lines:
            self._settings.on_lines(sender.name, parsed.lines)
        rejected = len(all_rejected(parsed, results))
        duplicate = sum(result.outcome == Outcome.DUPLICATE for result in results)
        refused = sum(result.outcome == Outcome.REFUSED for result in results)
        return len(results) - duplicate - refused, duplicate, rejected

    async def _open(self, request: _Request, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(request, receive)
        except Disconnected:
            return metrics.REFUSED.labels("disconnected").inc()
        except BrokenInvariant as error:
            _log.critical("an invariant does not hold: %s", error.detail)
            answer = _refuse(request, BrokenInvariant(_OURS, "internal"))
        except HandrailError as error:
            answer = _refuse(request, error)
        except Exception:
            _log.exception("a request at the door %s failed", request.knock.door.name)
            answer = _refuse(request, BrokenInvariant(_OURS, "internal"))
        return await send_answer(send, answer)

    async def _answer(self, request: _Request, receive: Receive) -> Answer:
        """Who, how fast, how much, how sure and what: nothing is stored before all of these are known."""
        door = request.knock.door
        if request.knock.method == "OPTIONS":
            return await self._permit(request)
        if request.knock.method != "POST":
            return await self._read(request) if door.name == "alertmanager" else self._reading.about(door.name)
        known = await self._senders.current()
        token, find_token = request.token, self._token_finder(request, known)
        body: bytes | None = None
        if token is None and find_token is not None:
            body = await read_body(request.headers, receive, min(door.body_bytes, self._limits.inbound_body_bytes))
            token = find_token(body)
        sender = self._identify(request, known, token)
        # Without a token anybody can come this far: nothing may count against the source before its signature fits.
        is_shown = token is not None or sender.id == OPEN_SOURCE
        if is_shown:
            self._buckets.admit(sender.name, self._clock.monotonic(), sender.alerts_per_second)
        if body is None and is_shown:
            body = await self._body_of(sender, request, receive)
        elif body is None:
            body = await read_body(request.headers, receive, door.body_bytes)
        inbound = await self._inbound(request, sender, body)
        verdict = self._verdict(sender, inbound, known, token)
        if not is_shown:
            self._buckets.admit(sender.name, self._clock.monotonic(), sender.alerts_per_second)
        return await self._take(request, sender, _Said(body, token), inbound, verdict)

    async def _permit(self, request: _Request) -> Answer:
        """Some senders of CloudEvents ask first whether they may send (Azure Event Grid sends nothing otherwise).

        That is no proof of who they are: each delivery is checked as any other. The address that they may offer for the
        answer (`WebHook-Request-Callback`) is never called.
        """
        sender = self._identify(request, await self._senders.current(), request.token)
        origin = request.headers.get("webhook-request-origin", "")
        allow = (b"allow", b"POST")
        if sender.integration != "cloudevents" or not _ORIGIN.fullmatch(origin):
            return Answer(405, headers=(allow,))
        granted = ((b"webhook-allowed-origin", origin.encode()), (b"webhook-allowed-rate", b"*"))
        return Answer(200, headers=(allow, *granted))

    async def _read(self, request: _Request) -> Answer:
        """A source sees its own alerts; a token that may read sees all."""
        known = await self._senders.current()
        token = request.token
        owner = known.owner(token or "", self._clock.now())
        if owner is None and token is not None and await asyncio.to_thread(self._settings.may_read, token):
            return await asyncio.to_thread(self._reading.alerts, None, request.query)
        if owner is None and token is None and self._is_open_to(request.client):
            return await asyncio.to_thread(self._reading.alerts, OPEN_SOURCE, request.query)
        if owner is None:
            raise unknown_sender()
        return await asyncio.to_thread(self._reading.alerts, owner.name, request.query)

    def _token_finder(self, request: _Request, known: Known) -> Callable[[bytes], str | None] | None:
        """How this door's or source's format carries a token in the body, if it does."""
        knock = request.knock
        named = known.by_name.get(knock.source) if knock.source is not None else None
        name = knock.door.integration or (named.integration if named else None)
        found = integrations().get(name) if name else None
        return found.token_in_body if found else None

    def _identify(self, request: _Request, known: Known, token: str | None) -> Sender:
        """The source that sends. Raises the one refusal, whatever the reason."""
        knock = request.knock
        if token is not None:
            owner = known.owner(token, self._clock.now())
            fits = owner is not None and knock.source in (None, owner.name)
            if owner is None or not fits or knock.door.integration not in (None, owner.integration):
                raise unknown_sender()
            return owner
        named = known.by_name.get(knock.source) if knock.source is not None else None
        if named is not None and named.id in known.signing:
            return named
        if knock.source in (None, OPEN_SOURCE) and self._is_open_to(request.client):
            return Sender(OPEN_SOURCE, OPEN_SOURCE, knock.door.integration or "generic")
        raise unknown_sender()

    def _is_open_to(self, client: str) -> bool:
        if not self._settings.open_to:
            return False
        try:
            address = _address(client)
        except ValueError:
            return False
        return any(address in network for network in self._settings.open_to)

    async def _body_of(self, sender: Sender, request: _Request, receive: Receive) -> bytes:
        """The body of a known source; what is wrong with it as a whole counts against the source."""
        try:
            return await read_body(request.headers, receive, request.knock.door.body_bytes)
        except Refused as error:
            await self._ingestor.refuse(Refusal(sender.name, error.code, error.detail))
            raise

    async def _take(
        self, request: _Request, sender: Sender, said: "_Said", inbound: Inbound, verdict: Verdict
    ) -> Answer:
        parent = trace_of(request.headers)
        if not active():
            return await self._take_traced(request, sender, said, inbound, verdict, parent)
        with span("inbound", parent, source=sender.name) as trace:
            return await self._take_traced(request, sender, said, inbound, verdict, trace or "")

    async def _take_traced(
        self, request: _Request, sender: Sender, said: "_Said", inbound: Inbound, verdict: Verdict, trace: str
    ) -> Answer:
        started, door = self._clock.monotonic(), request.knock.door
        parsed = await self._parse(request, sender, inbound, said)
        if sender.severities is not None:
            parsed = replace(parsed, occurrences=sender.severities.grade_all(parsed.occurrences))
        size = len(parsed.occurrences) + len(parsed.changes)
        self._buckets.charge(sender.name, max(0, size - 1))
        if parsed.confirmations and sender.id != OPEN_SOURCE:
            await asyncio.to_thread(self._settings.ask_confirmations, sender.id, parsed.confirmations)
        if parsed.rejected:
            body = said.without_token(bad_items(said.body, parsed.rejected))
            reason = parsed.rejected[0]
            refusal = Refusal(
                sender.name, reason.code, reason.reason, len(parsed.rejected), body,
                kept_headers(request.headers, said.token), request.knock.rest[: LIMITS.label_chars],
            )  # fmt: skip
            results, _ = await asyncio.gather(
                self._ingestor.ingest(sender.name, parsed, verdict, trace),
                self._ingestor.refuse(refusal),
            )
        else:
            results = await self._ingestor.ingest(sender.name, parsed, verdict, trace)
        if parsed.points:
            await self._settings.on_points(sender.name, parsed.points)
        if parsed.lines:
            self._settings.on_lines(sender.name, parsed.lines)
        _count(sender, verdict, parsed, results)
        metrics.SECONDS.observe(self._clock.monotonic() - started)
        answer = _integration(sender).answer if door.integration is None else None
        return Answer(*answer(inbound, parsed)) if answer is not None else door.accepted(parsed, results)

    async def _inbound(self, request: _Request, sender: Sender, body: bytes) -> Inbound:
        """The request as integrations take it, with the certificate that it is signed with."""
        inbound = Inbound(body, request.headers, dict(request.query), request.knock.rest)
        name = _integration(sender).certificate_url
        try:
            url = name(inbound) if name is not None and sender.id != OPEN_SOURCE else None
        except Refused:
            url = None
        found = await asyncio.to_thread(self._settings.certificate_of, url) if url is not None else None
        return replace(inbound, certificates={url: found}) if url is not None and found is not None else inbound

    def _verdict(self, sender: Sender, inbound: Inbound, known: Known, token: str | None) -> Verdict:
        """How sure we are. A source with signing secrets is known by a good signature alone, also beside a token."""
        integration, secrets = _integration(sender), known.signing.get(sender.id)
        is_signed = secrets is not None or (integration.certificate_url is not None and sender.id != OPEN_SOURCE)
        if not is_signed:
            return Verdict.TOKEN if token is not None else Verdict.UNSIGNED
        if integration.verify is None:
            raise unknown_sender()
        try:
            verdict = integration.verify(inbound, tuple(secrets or ()), self._clock.now())
        except BadSignature:
            raise unknown_sender() from None
        except Refused:
            # It cannot be read. A token has told who sends, and parsing says what is wrong; else one answer is for all.
            if secrets is None:
                return Verdict.TOKEN
            raise unknown_sender() from None
        if secrets is not None and verdict is Verdict.UNSIGNED:
            raise unknown_sender()
        return verdict

    async def _parse(self, request: _Request, sender: Sender, inbound: Inbound, said: "_Said") -> Parsed:
        """What was said. What cannot be read is put into quarantine before the refusal is answered."""
        parse = request.knock.door.parse or _integration(sender).parse
        try:
            if len(said.body) < self._limits.inbound_parse_apart_bytes:
                return parse(inbound, self._clock.now())
            return await asyncio.to_thread(parse, inbound, self._clock.now())
        except Refused as error:
            body = said.without_token(said.body)
            headers, rest = kept_headers(request.headers, said.token), request.knock.rest[: LIMITS.label_chars]
            await self._ingestor.refuse(
                Refusal(sender.name, error.code, error.detail, body=body, headers=headers, path=rest)
            )
            raise


@dataclass(frozen=True)
class _Said:
    body: bytes
    token: str | None

    def without_token(self, content: bytes) -> bytes:
        """Content that may be kept for people to look at: a token that it carries is masked."""
        return content.replace(self.token.encode(), b"[token]") if self.token else content


def _request(scope: Scope, knock: Knock) -> _Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    said = scope.get("query_string", b"")
    query = parse_qsl(said.decode("latin-1"), keep_blank_values=True) if said else []
    client = scope.get("client")
    token = knock.token if knock.token is not None else header_token(headers)
    if token is None and knock.rest:
        token, _, rest = knock.rest.partition("/")
        knock = replace(knock, rest=rest)
    return _Request(knock, headers, query, client[0] if client else "", token)


def _integration(sender: Sender) -> Integration:
    found = integrations().get(sender.integration)
    if found is None:
        raise NotFound(f"The integration “{sender.integration}” of this source is not part of this program.")
    return found


def _refuse(request: _Request, error: HandrailError) -> Answer:
    metrics.REFUSED.labels(error.code).inc()
    return request.knock.door.refused(error, request.knock.address)


def _count(sender: Sender, verdict: Verdict, parsed: Parsed, results: Sequence[Result]) -> None:
    outcomes = [result.outcome for result in results]
    repeats = outcomes.count(Outcome.DUPLICATE)
    _received(sender.name, verdict.value).inc(len(outcomes) - outcomes.count(Outcome.REFUSED))
    if repeats:
        _repeated(sender.name).inc(repeats)
    if parsed.rejected or Outcome.REFUSED in outcomes:
        for item in all_rejected(parsed, results):
            metrics.REFUSED.labels(item.code).inc()
