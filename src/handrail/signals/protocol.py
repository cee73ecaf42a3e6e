"""HTTP/1.1 as uvicorn speaks it, except that an answer leaves in one piece.

uvicorn hands the head and the body of an answer to the transport one after the other, and uvloop sends each at once:
two system calls and two packets, which is a tenth of what taking in an alert costs.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class Protocol(HttpToolsProtocol):
    """For `uvicorn.Config(http=...)`."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: object) -> None:
        cycle.transport = _Joined(cycle.transport, self.loop)  # type: ignore[assignment]
        super()._start_asgi_task(cycle, app)  # type: ignore[arg-type]


class _Joined:
    """Holds what is written first until the second comes, or the loop's next turn: a stream is not held up."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: bytes | None = None

    def write(self, data: bytes) -> None:
        held = self._held
        if held is None:
            self._held = data
            self._loop.call_soon(self._let_go)
            return
        self._held = None
        self._transport.write(held + data)

    def close(self) -> None:
        self._let_go()
        self._transport.close()

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held:
            self._transport.write(held)
