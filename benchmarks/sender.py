"""Storms that one generator run cannot make: several sources and servers at once, and what was under way at a kill.

A process of its own (`python -m benchmarks.sender --plan FILE --out FILE`), so that its work is not the measuring
program's. A plan is a list of lanes; each is one storm from one source to one server, made by the generator's own
functions, and each gets its own figures.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from benchmarks import generator
from benchmarks.generator import Identity

_LENGTH = re.compile(rb"content-length: *(\d+)")
_RETRY = re.compile(rb"retry-after: *(\d+)")
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Lane:
    """One storm. `per_second` 0 sends as fast as answers come; `seconds` 0 sends all of it once, else it is said again
    and again until they are over. A sender that is told to wait by 429 goes on at once when `insists`, which real ones
    do not do."""

    name: str
    url: str
    storm: str
    total: int
    connections: int = 16
    batch: int = 1
    token: str | None = None
    per_second: float = 0.0
    seconds: float = 0.0
    seed: int = 7
    repeated: float = 0.8
    resolved: float = 0.3
    insists: bool = False


@dataclass
class Sent:
    """What became of a lane. `states`: last accepted state of each alert. `under_way`: what was sent and never
    answered; the server may have stored it or not."""

    name: str
    accepted: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    latencies_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    retry_after: Counter[str] = field(default_factory=Counter)
    states: dict[Identity, str] = field(default_factory=dict)
    under_way: list[tuple[Identity, str]] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0

    @property
    def accepted_per_second(self) -> float:
        return self.accepted / max(self.ended - self.began, 1e-6)

    def percentile(self, share: float) -> float:
        return generator.percentile(self.latencies_ms, share)


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with one request under way."""

    def __init__(self) -> None:
        self._rest = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.is_closed = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        self._rest += data
        end = self._rest.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._rest[:end].lower()
        length = _LENGTH.search(head)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._rest) >= whole and self._answer is not None and not self._answer.done():
            self._rest = self._rest[whole:]
            self._answer.set_result((int(head[9:12]), head))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await asyncio.wait_for(self._answer, _ANSWER_SECONDS)


@dataclass(frozen=True)
class _Request:
    raw: bytes
    events: tuple[tuple[Identity, str], ...]


def requests_of(lane: Lane) -> list[list[_Request]]:
    """For each connection what it sends. All words about one alert travel over one of them, so they stay in order."""
    headers = [f"Authorization: Bearer {lane.token}"] if lane.token else []
    wanted = SimpleNamespace(
        total=lane.total, seed=lane.seed, services=60, alertnames=25, dup=lane.repeated, resolve=lane.resolved,
        burst=40, mode="am-v2", batch=lane.batch, conns=lane.connections, url=lane.url, path=None, header=headers,
        routing_key="", verify_as="none",
    )  # fmt: skip
    _, idents, queues, _ = generator.module().make_requests(wanted, lane.storm, time.time())

    def identity(event: Any) -> Identity:
        return idents[event.ident]["alertname"], idents[event.ident]["instance"]

    return [
        [_Request(raw, tuple((identity(event), event.status) for event in batch)) for raw, batch in queue]
        for queue in queues
    ]


async def send(lane: Lane, queues: Sequence[Sequence[_Request]]) -> Sent:
    place, sent = urlsplit(lane.url), Sent(lane.name)
    host, port = place.hostname or "127.0.0.1", place.port or 80
    interval = lane.connections * lane.batch / lane.per_second if lane.per_second else 0.0
    sent.began = time.monotonic()

    async def one(number: int, queue: Sequence[_Request]) -> None:
        loop, connection = asyncio.get_running_loop(), None
        due = sent.began + interval * number / lane.connections
        for request in cycle(queue) if lane.seconds else queue:
            if lane.seconds and time.monotonic() - sent.began >= lane.seconds:
                break
            if interval:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            # Of a sender that keeps its rate, time counts from when it was due: waiting for the one before is waiting.
            begun = due if interval else time.monotonic()
            due += interval
            try:
                if connection is None or connection.is_closed:
                    _, connection = await loop.create_connection(_Connection, host, port)
            except OSError as error:
                sent.codes[type(error).__name__] += 1
                return
            try:
                status, head = await connection.ask(request.raw)
            except (OSError, TimeoutError) as error:
                sent.codes[type(error).__name__] += 1
                sent.under_way += request.events
                return
            await _note(sent, request, status, head, (time.monotonic() - begun) * 1000, lane.insists)
        if connection is not None:
            connection.transport.close()

    await asyncio.gather(*(one(number, queue) for number, queue in enumerate(queues) if queue))
    sent.ended = time.monotonic()
    return sent


async def _note(sent: Sent, request: _Request, status: int, head: bytes, took_ms: float, insists: bool) -> None:
    sent.codes[str(status)] += 1
    if 200 <= status < 300:
        sent.latencies_ms.append(took_ms)
        sent.accepted += len(request.events)
        sent.states.update(request.events)
        return
    sent.refused_ms.append(took_ms)
    wait = _RETRY.search(head)
    if status == 429:
        sent.retry_after[wait[1].decode() if wait else "none"] += 1
        if wait and not insists:
            await asyncio.sleep(int(wait[1]))


async def send_all(lanes: Sequence[Lane]) -> list[Sent]:
    queues = [requests_of(lane) for lane in lanes]
    return await asyncio.gather(*(send(lane, queue) for lane, queue in zip(lanes, queues, strict=True)))


class Sending:
    """A sender process under way; `ended()` waits for it and reads what it saw."""

    def __init__(self, folder: Path, lanes: Iterable[Lane], name: str = "sent") -> None:
        plan, self._out = folder / f"{name}-plan.json", folder / f"{name}.json"
        plan.write_text(json.dumps([asdict(lane) for lane in lanes]))
        plan.chmod(0o600)
        self._out.unlink(missing_ok=True)
        command = [sys.executable, "-m", "benchmarks.sender", "--plan", str(plan), "--out", str(self._out)]
        self.process = subprocess.Popen(command)

    def ended(self) -> list[Sent]:
        if self.process.wait() != 0:
            sys.exit("The sender failed; its words stand above.")
        return [_from_plain(one) for one in json.loads(self._out.read_text())]

    def is_over(self) -> bool:
        return self.process.poll() is not None


def _plain(sent: Sent) -> dict[str, Any]:
    states = [[*identity, state] for identity, state in sent.states.items()]
    under_way = [[*identity, state] for identity, state in sent.under_way]
    return {**vars(sent), "states": states, "under_way": under_way}


def _from_plain(said: dict[str, Any]) -> Sent:
    states = {(name, instance): state for name, instance, state in said["states"]}
    under_way = [((name, instance), state) for name, instance, state in said["under_way"]]
    counters = {key: Counter(said[key]) for key in ("codes", "retry_after")}
    return Sent(**{**said, **counters, "states": states, "under_way": under_way})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    lanes = [Lane(**one) for one in json.loads(given.plan.read_text())]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(send_all(lanes))
    given.out.write_text(json.dumps([_plain(sent) for sent in found]))


if __name__ == "__main__":
    main()
