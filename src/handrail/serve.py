"""The server of one process: inbound, API and pages in one event loop, over an assembled `Handrail`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import uvicorn

from handrail.domain.people import Permission, permitted
from handrail.kernel.errors import HandrailError, Unavailable
from handrail.kernel.limits import LIMITS
from handrail.operations import accounts, sources
from handrail.operations.shell import HANDRAIL
from handrail.plugins.integrations.contract import Confirmation, Inbound
from handrail.plugins.integrations.registry import integrations
from handrail.plugins.outward import Outward
from handrail.signals.certificates import Certificates
from handrail.signals.heartbeat import Heartbeats
from handrail.signals.inbound import InboundApp, InboundSettings
from handrail.signals.ingest import Ingestor
from handrail.signals.log_watching import LogWatcher, LogWatching
from handrail.signals.prometheus import bounded
from handrail.signals.protocol import Protocol
from handrail.signals.pulling import Pulling
from handrail.signals.reading import Reading
from handrail.signals.senders import Senders
from handrail.signals.watching import Watcher, Watching
from handrail.store import pulls
from handrail.web.app import make_app
from handrail.web.context import Context
from handrail.web.live import LiveBus, Notifier, PostgresListener, new_process_name
from handrail.web.middleware import Application, Receive, Scope, Send
from handrail.web.pages import PAGES, error_page
from handrail.wiring import Handrail

_log = logging.getLogger("handrail.serve")


class Server(uvicorn.Server):
    """Tells when it serves, and ends the live streams first when it stops, for they would never end by themselves."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None], on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._on_stop = on_stop

    async def startup(self, sockets: object = None) -> None:
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: object = None) -> None:
        self._on_stop()
        await super().shutdown(sockets)  # type: ignore[arg-type]


def make_server(handrail: Handrail, on_started: Callable[[], None] = lambda: None) -> Server:
    """A server that is not yet listening; `run(sockets=[...])` serves until a signal stops it."""
    live = LiveBus()
    handrail.shell.listeners.append(live.publish)
    config = uvicorn.Config(
        make_asgi(handrail, live), loop="uvloop", http=Protocol, ws="none", lifespan="on", log_config=None,
        access_log=False, server_header=False, timeout_graceful_shutdown=LIMITS.stop_seconds,
    )  # fmt: skip
    return Server(config, on_started, live.close)


def make_asgi(handrail: Handrail, live: LiveBus) -> Application:
    """Inbound before everything else: the storm path passes no framework."""
    shell, clock, database = handrail.shell, handrail.clock, handrail.database
    ingestor, senders = Ingestor(shell), Senders(database, clock, secret_keys=shell.ports.secret_keys)
    shell.listeners.append(senders.on_commit)

    def may_read(token: str) -> bool:
        caller = accounts.caller_by_token(database, token, clock.now())
        return caller is not None and permitted(caller.person, Permission.READ)

    certificates = Certificates(Outward(handrail.settings.allowed_targets), clock)

    def ask_confirmations(source_id: str, asked: Sequence[Confirmation]) -> None:
        shell.transact(HANDRAIL, lambda tx: sources.ask_confirmations(tx, source_id, asked))

    watcher = Watcher(Watching(), database, ingestor, clock)
    log_watcher = LogWatcher(LogWatching(), database, ingestor, clock)
    pulling = Pulling(
        database, watcher, ingestor, clock, Outward(handrail.settings.allowed_targets, bounded(LIMITS)), handrail.node,
        shell.ports.secret_keys,
    )  # fmt: skip
    settings = InboundSettings(
        handrail.settings.open_networks,
        certificates.of,
        may_read,
        ask_confirmations,
        watcher.on_points,
        log_watcher.on_lines,
    )
    inbound = InboundApp(ingestor, senders, Reading(database, clock), clock, settings)
    loops: list[asyncio.AbstractEventLoop] = []

    def read_again(source: str, kept: Inbound) -> tuple[int, int, int]:
        if not loops:
            raise Unavailable("Handrail is starting; try again.", "starting")
        taken = asyncio.run_coroutine_threadsafe(inbound.read_again(source, kept), loops[0])
        try:
            return taken.result(LIMITS.database_wait_seconds)
        except TimeoutError:
            raise Unavailable("The database did not take it in time; try again.", "database_busy") from None

    context = Context(
        shell=shell, live=live, checkpointer=handrail.checkpointer, integrations=frozenset(integrations()),
        inbound=inbound, source_changed=senders.forget, read_again=read_again, health=handrail.health,
        public_url=handrail.settings.url, secure_cookies=handrail.settings.url.startswith("https://"),
    )  # fmt: skip
    app = make_app(context, PAGES, error_page)

    @asynccontextmanager
    async def life() -> AsyncIterator[None]:
        loops.append(asyncio.get_running_loop())
        ingestor.start()
        duties = [
            asyncio.create_task(Heartbeats(database, ingestor, clock, clock.now()).run()),
            asyncio.create_task(watcher.run()),
            asyncio.create_task(pulling.run()),
            asyncio.create_task(log_watcher.run()),
        ]
        others = _others(handrail, live)
        for other in others:
            other.start()
        try:
            yield
        finally:
            for duty in duties:
                duty.cancel()
            ingestor.close()
            for other in others:
                other.stop()
            _let_others_pull(handrail)

    return _with_life(app, life)


def _let_others_pull(handrail: Handrail) -> None:
    """Another node may pull at once. Without a database it does when the lease is over: no reason not to stop."""
    try:
        pulls.release(handrail.database, handrail.node)
    except HandrailError as error:
        _log.warning("the sources pulled here were not let go", extra={"why": error.detail})


def _others(handrail: Handrail, live: LiveBus) -> Sequence[PostgresListener | Notifier]:
    """What hears the other processes on this database, and what tells them. SQLite has one process."""
    if handrail.database.is_sqlite:
        return ()
    process = new_process_name()
    notifier = Notifier(handrail.database, process)
    handrail.shell.listeners.append(notifier)
    return PostgresListener(handrail.database, live, process), notifier


def _with_life(app: Application, life: Callable[[], AbstractAsyncContextManager[None]]) -> Application:
    """Start and stop with the server's own lifespan messages."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        await receive()
        async with life():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    return application
