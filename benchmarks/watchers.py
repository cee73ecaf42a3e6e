"""Many people who look at the board: open event streams, some of which read the page again as a browser does.

A process of its own, started by `benchmarks.live`. It writes one JSON file: when each stream heard of which entry of
the record, and when each page first showed each thing that was looked for. Moments are of the machine's monotonic
clock, which all processes share.
"""

import argparse
import asyncio
import json
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

# As web/static/live.js waits before it reads again, so that a storm costs a page few requests.
GAP_SECONDS = 0.3
_STREAM = "/live?topics=board,alerts"
_PARTS = {"board": "/board/parts/live", "alerts": "/board/parts/alerts"}
_LOOKED_FOR = re.compile(rb"Probe\d{4}")
_INDEX = re.compile(rb"id: (-?\d+)\nevent: (\w+)\ndata: (.*)")
_OPENED_AT_ONCE = 50


@dataclass
class Heard:
    """What all streams heard: for each, (moment, index) of every piece of news."""

    news: list[list[tuple[float, int]]] = field(default_factory=list)
    shown: list[dict[str, float]] = field(default_factory=list)
    read_ms: list[float] = field(default_factory=list)
    lost_streams: int = 0


class Stream(asyncio.Protocol):
    """One open stream. `on_news(topics, moment)` is called for each piece of news."""

    def __init__(self, request: bytes, heard: Heard, on_news: Callable[[set[str]], None] | None) -> None:
        self._request = request
        self._heard = heard
        self._on_news = on_news
        self._rest = b""
        self._news: list[tuple[float, int]] = []
        heard.news.append(self._news)
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop has its own class of transports.
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if not self.opened.done():
            self.opened.set_result(None)
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            found = _INDEX.search(event)
            if found is None:
                continue
            self._news.append((now, int(found[1])))
            if self._on_news is not None:
                topics = set(_PARTS) if found[2] == b"resync" else set(json.loads(found[3])["topics"])
                self._on_news(topics)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._heard.lost_streams += 1


class Page:
    """Reads again what changed, with one connection per part, as live.js does: after a gap, and never twice at once."""

    def __init__(self, host: str, port: int, cookie: str, heard: Heard) -> None:
        self._host, self._port, self._cookie, self._heard = host, port, cookie, heard
        self._shown: dict[str, float] = {}
        heard.shown.append(self._shown)
        self._wanted: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._links: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    def on_news(self, topics: set[str]) -> None:
        self._wanted |= topics & set(_PARTS)
        self._schedule()

    def _schedule(self) -> None:
        if self._wanted and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._read_again())

    async def _read_again(self) -> None:
        await asyncio.sleep(GAP_SECONDS)
        wanted, self._wanted = self._wanted, set()
        await asyncio.gather(*(self._read(topic) for topic in sorted(wanted)))
        asyncio.get_running_loop().call_soon(self._schedule)

    async def _read(self, topic: str) -> None:
        began = time.monotonic()
        if topic not in self._links:
            self._links[topic] = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._links[topic]
        writer.write(_request(_PARTS[topic], self._host, self._port, self._cookie, "HX-Request: true\r\n"))
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(head.split(b"\r\n", 1)[0].decode())
        length = re.search(rb"content-length: (\d+)", head.lower())
        assert length is not None, head
        text = await reader.readexactly(int(length[1]))
        now = time.monotonic()
        self._heard.read_ms.append((now - began) * 1000)
        if topic == "board":
            for name in set(_LOOKED_FOR.findall(text)):
                self._shown.setdefault(name.decode(), now)


def _request(path: str, host: str, port: int, cookie: str, more: str = "") -> bytes:
    lines = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\nAccept: */*\r\n{more}\r\n"
    return lines.encode()


async def watch(url: str, cookies: list[str], streams: int, pages: int, ready: Path) -> Heard:
    """Open everything, say that it is open, and listen until told to end."""
    place = urlsplit(url)
    host, port = place.hostname or "127.0.0.1", place.port or 80
    loop, heard = asyncio.get_running_loop(), Heard()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    opening: list[asyncio.Future[None]] = []
    for number in range(streams):
        cookie = cookies[number % len(cookies)]
        page = Page(host, port, cookie, heard) if number < pages else None
        request = _request(_STREAM, host, port, cookie)
        on_news = page.on_news if page is not None else None
        _, stream = await loop.create_connection(partial(Stream, request, heard, on_news), host, port)
        opening.append(stream.opened)
        if len(opening) == _OPENED_AT_ONCE:
            await asyncio.gather(*opening)
            opening.clear()
    await asyncio.gather(*opening)
    ready.write_text(str(len(heard.news)))
    await ended.wait()
    return heard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--cookies", type=Path, required=True, help="file with one `name=value` a line")
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--ready", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    cookies = given.cookies.read_text().split("\n")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        heard = runner.run(watch(given.url, cookies, given.streams, given.pages, given.ready))
        # What ends with the process is not lost.
        lost, news, shown, read_ms = heard.lost_streams, list(heard.news), list(heard.shown), list(heard.read_ms)
    given.out.write_text(json.dumps({"lost_streams": lost, "news": news, "shown": shown, "read_ms": read_ms}))


if __name__ == "__main__":
    main()
