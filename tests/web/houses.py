"""A whole installation behind pages: people in browsers, an outage with real evidence, a server when one is needed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp, sin
from pathlib import Path
from typing import Any

import uvicorn
from starlette.testclient import TestClient

from handrail.analyst.investigate import Analyst
from handrail.domain.alert import ReportedChange
from handrail.domain.people import Person
from handrail.domain.signal import Signal
from handrail.kernel.clock import ManualClock
from handrail.operations import accounts, documents
from handrail.operations.accounts import SignedIn
from handrail.plugins.integrations.contract import Parsed
from handrail.record.keys import Keys
from handrail.record.source import Checkpointer
from handrail.signals.ingest import Ingestor
from handrail.store.database import Database
from handrail.web.app import make_app
from handrail.web.auth import COOKIE
from handrail.web.context import Context
from handrail.web.live import LiveBus
from handrail.web.middleware import Application, Receive, Scope, Send
from handrail.web.pages import PAGES, error_page
from tests.worlds import SEAL_KEY, World, make_world, run_apart

ORIGIN = "http://testserver"
_AGES = {"payments": 20, "orders": 40, "storefront": 60}


async def _no_inbound(scope: Scope, receive: Receive, send: Send) -> None:
    """The intake has tests of its own."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@dataclass
class Browser:
    """Somebody at a browser without scripts: follows links and sends forms as the page shows them."""

    client: TestClient
    signed_in: SignedIn | None = None

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, headers=self._headers(), **options)

    def post(self, path: str, fields: dict[str, Any] | None = None, *, csrf: str | None = None, **more: Any) -> Any:
        """A form with its token and an origin on this server."""
        sent = {"csrf": self.signed_in.csrf if self.signed_in and csrf is None else csrf or "", **(fields or {})}
        headers = {**self._headers(), "Origin": ORIGIN, **more.pop("headers", {})}
        return self.client.post(path, data=sent, headers=headers, **more)

    def get_cookie(self) -> str:
        assert self.signed_in is not None
        return f"{COOKIE}={self.signed_in.token}"

    def _headers(self) -> dict[str, str]:
        cookie = {"Cookie": f"{COOKIE}={self.signed_in.token}"} if self.signed_in else {}
        return {"Accept": "text/html", **cookie}


@dataclass
class House:
    """One installation. `client` never keeps cookies by itself: who asks is said at every request."""

    world: World
    context: Context
    app: Application
    client: TestClient

    @property
    def nobody(self) -> Browser:
        return Browser(self.client)

    def session_of(self, person: Person) -> SignedIn:
        return self.world.by(person, lambda tx: accounts.open_session(tx, tx.get("account", person.id)))

    def as_(self, person: Person) -> Browser:
        self.client.cookies.clear()
        return Browser(self.client, self.session_of(person))

    def report_release(self, seconds_ago: float = 90) -> None:
        """The release that begins the outage."""
        at = self.world.clock.now() - timedelta(seconds=seconds_ago)
        told = ReportedChange(
            "deploy-payments-2.5.0", "deploy", "payments", "payments 2.5.0", at, "2.5.0", "2.4.0", "production",
            "mira", raw=b'{"deploy":"payments 2.5.0"}',
        )  # fmt: skip
        ingestor = Ingestor(self.world.shell)
        ingestor.start()
        run_apart(ingestor.ingest("ci", Parsed((), (told,)), "token"))
        ingestor.close()

    def investigate(self) -> None:
        """The analyst itself, over signals that show the outage."""
        world = self.world
        analyst = Analyst(
            world.shell, self.read_signal, documents.load_catalog, documents.policy_digest, world.clock
        )  # fmt: skip
        made = analyst.investigate(world.incident_id)
        assert made.proposal_id is not None
        world.proposal_id = made.proposal_id

    def read_signal(self, service: str, url: str) -> Signal:
        return outage_signal(service, self.world.clock.now())

    def to_proposal(self) -> str:
        """A release, a storm, a declared incident and what the analyst found; returns the incident's path."""
        self.report_release()
        self.world.open_candidate()
        self.world.tick_seconds(40)
        self.world.declare()
        self.world.tick_seconds(3)
        self.investigate()
        return self.path

    def to_gate(self) -> str:
        """Up to the started plan, whose rollback waits at its gate; returns the gate's id."""
        self.to_proposal()
        self.world.tick_seconds(20)
        self.world.start_run()
        return self.world.gate_of("roll-back").id

    @property
    def path(self) -> str:
        return f"/incidents/{self.world.incident_id}"


def outage_signal(service: str, now: datetime, minutes: int = 5) -> Signal:
    """Error rate and latency climb, and connections are never given back."""
    start = int(now.timestamp()) - minutes * 60
    moments = tuple(float(start + second) for second in range(0, minutes * 60, 2))
    climb = [1 / (1 + exp(-(at - now.timestamp() + _AGES.get(service, 60) + 20) / 6)) for at in moments]
    noise = [sin(at * 1.7) + 0.6 * sin(at * 0.53) for at in moments]
    return Signal(
        service, False, 0.64, 1.9, now.astimezone(UTC),
        {
            "t": moments,
            "error_rate": tuple(round(max(0.0, 0.64 * c + 0.004 * n), 4) for c, n in zip(climb, noise, strict=True)),
            "p95_seconds": tuple(round(0.09 + 1.8 * c + 0.006 * n, 4) for c, n in zip(climb, noise, strict=True)),
            "pool_in_use": tuple(float(round(11 + 39 * c)) for c in climb) if service == "payments" else (),
        },
        "2.5.0" if service == "payments" else "1.0.0",
    )  # fmt: skip


@contextmanager
def house(database: Database, folder: Path, clock: ManualClock | None = None) -> Iterator[House]:
    """An installation with its people; TestClient starts no server."""
    world = make_world(database, clock or ManualClock())
    live = LiveBus()
    world.shell.listeners.append(live.publish)
    keys = Keys(b"s" * 32)
    checkpointer = Checkpointer(database, keys.signer("ins_test"), SEAL_KEY, folder / "checkpoints.log")
    context = Context(
        shell=world.shell, live=live, checkpointer=checkpointer,
        integrations=frozenset({"alertmanager", "generic"}), inbound=_no_inbound, source_changed=lambda: None,
        read_again=lambda source, body: (1, 0, 0),
        health=lambda: {"ready": True, "problems": []}, public_url=ORIGIN, secure_cookies=False,
    )  # fmt: skip
    app = make_app(context, PAGES, error_page)
    with TestClient(app, follow_redirects=False) as client:
        yield House(world, context, app, client)


@contextmanager
def served(at: House) -> Iterator[str]:
    """The house behind a real server on a free port; yields its address."""
    config = uvicorn.Config(at.app, host="127.0.0.1", port=0, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    started = threading.Event()
    while not server.started and thread.is_alive():
        started.wait(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        at.context.live.close()
        server.should_exit = True
        thread.join(timeout=10)
