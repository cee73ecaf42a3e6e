"""An answer leaves in one piece, a stream is not held up, and a connection can be used again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from handrail.signals.protocol import Protocol

Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[dict[str, Any], Any, Send], Awaitable[None]]


class Wire(asyncio.Transport):
    """What was written, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 4000), "sockname": ("127.0.0.1", 80)}.get(name, default)

    def write(self, data: Any) -> None:
        assert not self.closed
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


@contextmanager
def connection(app: App) -> Iterator[tuple[Protocol, Wire]]:
    config = uvicorn.Config(app, http=Protocol, access_log=False, server_header=False, date_header=False)
    config.load()
    server = uvicorn.Server(config)
    protocol = Protocol(config=config, server_state=server.server_state, app_state={})
    wire = Wire()
    protocol.connection_made(wire)
    yield protocol, wire
    protocol.connection_lost(None)


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def whole(_scope: dict[str, Any], _receive: Any, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


REQUEST = b"GET /x HTTP/1.1\r\nhost: handrail\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def test_an_answer_leaves_in_one_piece() -> None:
    async def play() -> None:
        with connection(whole) as (protocol, wire):
            protocol.data_received(REQUEST)
            await turns()
            assert wire.pieces == [ANSWER]

    asyncio.run(play())


def test_a_connection_is_used_for_the_next_request_and_pipelined_ones_are_answered_in_order() -> None:
    async def play() -> None:
        with connection(whole) as (protocol, wire):
            protocol.data_received(REQUEST + REQUEST)
            await turns(10)
            protocol.data_received(REQUEST)
            await turns()
            assert b"".join(wire.pieces) == ANSWER * 3

    asyncio.run(play())


def test_the_head_of_a_stream_does_not_wait_for_its_first_part() -> None:
    async def play() -> None:
        go = asyncio.Event()

        async def streams(_scope: dict[str, Any], _receive: Any, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await go.wait()
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        with connection(streams) as (protocol, wire):
            protocol.data_received(REQUEST)
            await turns()
            assert wire.pieces == [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"]
            go.set()
            await turns()
            assert b"".join(wire.pieces[1:]) == b"5\r\nfirst\r\n0\r\n\r\n"

    asyncio.run(play())


def test_what_was_held_is_written_before_the_connection_closes() -> None:
    async def play() -> None:
        with connection(whole) as (protocol, wire):
            protocol.data_received(b"GET /x HTTP/1.1\r\nhost: handrail\r\nconnection: close\r\n\r\n")
            await turns()
            assert b"".join(wire.pieces).endswith(b"\r\n\r\n{}")
            assert wire.closed

    asyncio.run(play())
