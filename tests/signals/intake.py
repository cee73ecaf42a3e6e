"""The intake with its sources, driven without a network: requests go straight into the ASGI application."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_network
from typing import Any, TypeVar

import sqlalchemy as sa

from handrail.domain.alert import Alert, AlertStatus, Occurrence
from handrail.domain.people import Person
from handrail.domain.source import AddSource, MakeSecret, RetireSecret, Source
from handrail.kernel.clock import ManualClock, to_text
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS, Limits
from handrail.kernel.secrets import token_hash
from handrail.operations import sources
from handrail.operations.shell import HANDRAIL, Shell, Tx
from handrail.plugins.integrations.contract import Parsed
from handrail.signals.inbound import InboundApp, InboundSettings
from handrail.signals.ingest import Ingestor
from handrail.signals.reading import Reading
from handrail.signals.senders import Senders
from handrail.store import alerts, intake, tables

T = TypeVar("T")
Message = MutableMapping[str, Any]
OWNER = Person("usr_owner", "person", frozenset({"owner"}))
SOURCES = {"prom": "alertmanager", "pager": "pagerduty_events_v2", "plain": "generic", "events": "cloudevents"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Intake:
    """One process's intake over a shell; tokens of source x are `token-x`."""

    shell: Shell
    clock: ManualClock
    app: InboundApp
    ingestor: Ingestor
    senders: Senders
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)

    def post(
        self, path: str, content: Any, source: str | None = None, headers: dict[str, str] | None = None, **more: Any
    ) -> Reply:  # fmt: skip
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.ask("POST", path, body, source, headers, **more)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        source: str | None = None,
        headers: dict[str, str] | None = None,
        client: str = "203.0.113.9",
    ) -> Reply:
        said = dict(headers or {})
        if source is not None:
            said["authorization"] = f"Bearer token-{source}"
        return run(self.call(method, path, [body], said, client))

    async def call(
        self, method: str, path: str, parts: Sequence[bytes], headers: dict[str, str], client: str = "203.0.113.9"
    ) -> Reply:  # fmt: skip
        """One request whose body comes in parts; afterwards the sender would wait for ever."""
        path, _, query = path.partition("?")
        left = list(parts)
        sent: list[Message] = []

        async def receive() -> Message:
            if not left:
                raise AssertionError("more was read than was sent")
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": method, "path": path, "query_string": query.encode(), "client": (client, 4711),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        }  # fmt: skip
        await self.app(scope, receive, send)
        start, end = sent
        answered = {name.decode(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], answered, end["body"])

    def alerts(self, **wanted: Any) -> list[Alert]:
        with self.shell.database.read() as connection:
            return [kept.alert for kept in alerts.page(connection, alerts.Filter(**wanted))]

    def alert(self) -> Alert:
        (found,) = self.alerts()
        return found

    def rows(self, table: sa.Table) -> list[Any]:
        with self.shell.database.read() as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))

    def stat(self, source: str) -> intake.SourceStat:
        with self.shell.database.read() as connection:
            return intake.stats(connection)[source]

    def add_source(self, name: str, integration: str) -> str:
        source_id = new_id("src")
        command = AddSource(source_id, name, integration, frozenset({integration}), "usr_test")
        self.shell.transact(HANDRAIL, lambda tx: tx.change("source", source_id, command))
        self.tokens[name] = (source_id, "")
        self.add_token(name, f"token-{name}")
        return source_id

    def add_token(self, name: str, token: str, expires_at: datetime | None = None) -> None:
        source_id, secret_id = self.tokens[name][0], new_id("tok")

        def operation(tx: Tx) -> None:
            tx.change("source", source_id, MakeSecret(secret_id, "usr_test"))
            row = {
                "id": secret_id, "owner_kind": "source", "owner_id": source_id, "name": "token",
                "token_hash": token_hash(token), "last_four": token[-4:],
                "expires_at": to_text(expires_at) if expires_at else None,
            }  # fmt: skip
            tx.connection.execute(tables.token.insert().values(row))

        self.shell.transact(HANDRAIL, operation)
        self.tokens[token] = (source_id, secret_id)

    def add_signing_secret(self, name: str, secret: str = "") -> tuple[str, str]:
        """One more signing secret by an owner; its id and itself."""
        source_id = self.tokens[name][0]
        return self.shell.transact(HANDRAIL, lambda tx: sources.set_signing_secret(tx, source_id, OWNER, secret))

    def retire_signing_secret(self, name: str, secret_id: str) -> None:
        source_id = self.tokens[name][0]
        self.shell.transact(HANDRAIL, lambda tx: sources.retire_secret(tx, source_id, secret_id, OWNER))

    def source(self, name: str) -> Source:
        found: Source = self.shell.transact(HANDRAIL, lambda tx: tx.get("source", self.tokens[name][0]))
        return found

    def retire_token(self, token: str) -> None:
        source_id, secret_id = self.tokens[token]

        def operation(tx: Tx) -> None:
            tx.change("source", source_id, RetireSecret(secret_id, "usr_test"))
            revoked = tables.token.update().where(tables.token.c.id == secret_id)
            tx.connection.execute(revoked.values(revoked_at=to_text(tx.now)))

        self.shell.transact(HANDRAIL, operation)


@contextmanager
def opened(
    shell: Shell, clock: ManualClock, settings: InboundSettings | None = None, limits: Limits = LIMITS,
    wrap: Callable[[Ingestor], None] = lambda _: None, known: Mapping[str, str] = SOURCES,
) -> Iterator[Intake]:  # fmt: skip
    """The intake, running; listeners and thread end with it."""
    ingestor, senders = Ingestor(shell, limits), Senders(shell.database, clock, limits, shell.ports.secret_keys)
    shell.listeners.append(senders.on_commit)
    app = InboundApp(ingestor, senders, Reading(shell.database, clock), clock, settings, limits=limits)
    made = Intake(shell, clock, app, ingestor, senders)
    for name, integration in known.items():
        made.add_source(name, integration)
    wrap(ingestor)
    ingestor.start()
    try:
        yield made
    finally:
        ingestor.close()
        shell.listeners.remove(senders.on_commit)


OPEN_TO_LOOPBACK = InboundSettings(open_to=(ip_network("127.0.0.0/8"),))


def run(awaited: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(awaited)


async def together(*awaited: Awaitable[T]) -> list[T]:
    return list(await asyncio.gather(*awaited))


def said(key: str = "a", status: AlertStatus = AlertStatus.FIRING, **more: Any) -> Occurrence:
    """One occurrence with a raw text of its own for everything that it says."""
    made = Occurrence(dedup_key=key, status=status, title=f"{key} fails", **more)
    return replace(made, raw=made.raw or json.dumps([key, str(status), str(more)]).encode())


def parsed(*occurrences: Occurrence, replay_id: str | None = None) -> Parsed:
    return Parsed(occurrences, replay_id=replay_id)
