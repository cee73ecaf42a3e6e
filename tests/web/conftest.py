"""The application over one installation, and each of its people as somebody who sends requests."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from handrail.domain.people import Permission, Person
from handrail.kernel.clock import ManualClock
from handrail.operations import accounts
from handrail.operations.accounts import SignedIn
from handrail.record.keys import Keys
from handrail.record.source import Checkpointer
from handrail.store.database import Database
from handrail.web.app import make_app
from handrail.web.auth import COOKIE
from handrail.web.context import Context
from handrail.web.live import LiveBus
from handrail.web.middleware import Application, Receive, Scope, Send
from tests import databases
from tests.worlds import SEAL_KEY, World, add_people, make_world

ORIGIN = "http://testserver"
_OUTSIDE_API = ("/live", "/healthz", "/readyz", "/metrics", "/static", "/docs/", "/in/", "/api/")


async def _inbound(scope: Scope, receive: Receive, send: Send) -> None:
    """Says that a request went to the intake."""
    await send({"type": "http.response.start", "status": 202, "headers": [(b"x-intake", b"yes")]})
    await send({"type": "http.response.body", "body": b""})


@dataclass
class Hands:
    """Somebody who sends requests: with a token, with a session's cookie, or as nobody."""

    client: TestClient
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> Any:
        return self.send("GET", path, **options)

    def post(self, path: str, said: Any = None, **options: Any) -> Any:
        if said is not None:
            options["json"] = said
        return self.send("POST", path, **options)

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        full = path if path.startswith(_OUTSIDE_API) else f"/api/v1{path}"
        return self.client.request(method, full, headers={**self.headers, **(headers or {})}, **options)


@dataclass
class Site:
    """The application with everything around it."""

    world: World
    context: Context
    app: Application
    client: TestClient
    health: dict[str, Any]
    source_changes: list[int]
    auditor: Person
    machine: Person

    @property
    def nobody(self) -> Hands:
        return Hands(self.client)

    def as_(self, person: Person, *scopes: Permission) -> Hands:
        """The person with an API token, narrowed to the scopes that are named."""
        narrowed = tuple(str(scope) for scope in scopes) or None
        _, token = self.world.by(person, lambda tx: accounts.make_token(tx, person.id, "test", narrowed, None, person))
        return Hands(self.client, {"Authorization": f"Bearer {token}"})

    def session_of(self, person: Person) -> SignedIn:
        return self.world.by(person, lambda tx: accounts.open_session(tx, tx.get("account", person.id)))

    def with_session(self, person: Person) -> Hands:
        """The person in a browser, on one of our own pages."""
        signed_in = self.session_of(person)
        return Hands(
            self.client,
            {"Cookie": f"{COOKIE}={signed_in.token}", "X-CSRF-Token": signed_in.csrf, "Origin": ORIGIN},
        )


def make_site(
    database: Database, clock: ManualClock, folder: Path, pages: tuple[APIRouter, ...] = (), secure: bool = False
) -> Iterator[Site]:  # fmt: skip
    world = make_world(database, clock)
    more = add_people(world.shell, ("auditor", ("auditor",), ()), ("robot", ("machine",), ()))
    live, health, changes = LiveBus(), {"ready": True, "problems": []}, [0]

    def source_changed() -> None:
        changes[0] += 1

    world.shell.listeners.append(live.publish)
    keys = Keys(b"s" * 32)
    checkpointer = Checkpointer(database, keys.signer("ins_test"), SEAL_KEY, folder / "checkpoints.log")
    context = Context(
        shell=world.shell, live=live, checkpointer=checkpointer,
        integrations=frozenset({"alertmanager", "generic"}), inbound=_inbound, source_changed=source_changed,
        read_again=lambda source, body: (1, 0, 0),
        health=lambda: health, public_url="http://handrail.example", secure_cookies=secure,
    )  # fmt: skip
    app = make_app(context, pages)
    with TestClient(app, follow_redirects=False) as client:
        yield Site(world, context, app, client, health, changes, more["auditor"], more["robot"])


@pytest.fixture
def site(sqlite: Database, clock: ManualClock, tmp_path: Path) -> Iterator[Site]:
    yield from make_site(sqlite, clock, tmp_path)


@pytest.fixture(scope="module")
def empty_site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One application for tests that change nothing."""
    folder = tmp_path_factory.mktemp("site")
    database = databases.copied_sqlite(sqlite_template, folder)
    yield from make_site(database, ManualClock(), folder)
    database.dispose()
