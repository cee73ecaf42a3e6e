"""Small real servers for the tests of what goes outwards: each answers as it is told and remembers what came."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Speak = Callable[[socket.socket, bytes], None]


@dataclass
class Served:
    """A server at work. `requests` are the raw requests that came, `connections` how often somebody connected."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}"


def response(status: int, body: bytes = b"", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body


def saying(*responses: bytes) -> Speak:
    """Answers with each response in turn, then with the last for ever."""
    left = list(responses)

    def speak(connection: socket.socket, _: bytes) -> None:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return speak


@contextmanager
def serving(speak: Speak, tls: ssl.SSLContext | None = None) -> Iterator[Served]:
    """Serve on a free port of loopback until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    served = Served(listening.getsockname()[1])
    ended = threading.Event()

    def loop() -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:
                return
            if ended.is_set():
                accepted.close()
                return
            served.connections += 1
            _serve_one(accepted, served, speak, tls)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        ended.set()
        with socket.create_connection(("127.0.0.1", served.port), 5):
            pass
        thread.join(10)
        listening.close()


def _serve_one(accepted: socket.socket, served: Served, speak: Speak, tls: ssl.SSLContext | None) -> None:
    accepted.settimeout(10)
    try:
        with tls.wrap_socket(accepted, server_side=True) if tls else accepted as connection:
            request = _read_request(connection)
            served.requests.append(request)
            speak(connection, request)
    except OSError:
        return


def _read_request(connection: socket.socket) -> bytes:
    content = b""
    while b"\r\n\r\n" not in content:
        part = connection.recv(65536)
        if not part:
            return content
        content += part
    head, _, body = content.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n" + body


def refused_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
