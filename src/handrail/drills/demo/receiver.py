"""A webhook receiver as a customer would run one: it checks the signature of what it gets and keeps what is genuine."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

_BODY_BYTES_MAX = 256 * 1024
_CALL_SECONDS = 5.0


@dataclass(frozen=True)
class Delivery:
    """One message that arrived with a good signature. `id` is the same on every try."""

    id: str
    message: str
    audience: str
    subject: str
    text: str


class Receiver:
    """Listens on a free port of 127.0.0.1 from construction until `stop`."""

    def __init__(self, secret: str) -> None:
        self._webhook = Webhook(secret)
        self._deliveries: dict[str, Delivery] = {}
        self._lock = threading.Lock()
        self.refused = 0
        self._server = _Server(("127.0.0.1", 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}/messages"

    def deliveries(self) -> list[Delivery]:
        """What arrived so far, each once however often it was sent."""
        with self._lock:
            return list(self._deliveries.values())

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """Check and keep one request; answers with the HTTP status."""
        try:
            # The signature is over the very bytes that came, so it is checked before anything is read.
            content = self._webhook.verify(body, headers)
            delivery = _delivery(headers["webhook-id"], content)
        except WebhookVerificationError:
            self.refused += 1
            return 401
        except (json.JSONDecodeError, KeyError, TypeError, ValueError):
            self.refused += 1
            return 400
        with self._lock:
            self._deliveries[delivery.id] = delivery
        return 204

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_CALL_SECONDS)


def _delivery(key: str, content: Any) -> Delivery:
    data = content["data"]
    return Delivery(key, str(data["message"]), str(data["audience"]), str(data["subject"]), str(data["text"]))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], receiver: Receiver) -> None:
        super().__init__(address, _Handler)
        self.receiver = receiver


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _CALL_SECONDS

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
            self._answer(413)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._answer(self.server.receiver.take(self.rfile.read(int(length)), headers))

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """The terminal belongs to the story."""
