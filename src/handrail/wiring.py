"""The only place where ports meet adapters: one `Handrail` per process, assembled from its settings."""

import fcntl
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from handrail.analyst.investigate import Analyst
from handrail.engine.durable import DurableEngine, Handler
from handrail.engine.duties import Beat, Duties, Timers
from handrail.engine.steps.check import Check
from handrail.engine.steps.confirm import Confirm
from handrail.engine.steps.deliver import Deliver
from handrail.engine.steps.perform import Perform
from handrail.kernel.clock import Clock, SystemClock
from handrail.kernel.errors import Conflict, HandrailError, Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.kernel.sealed import MasterKeys
from handrail.kernel.secrets import redact
from handrail.kernel.trace import traceparent
from handrail.operations import accounts, documents, incidents
from handrail.operations.shell import Committed, Ports, Shell
from handrail.plugins.actions.registry import actions
from handrail.plugins.channels.registry import channels
from handrail.plugins.integrations.registry import integrations
from handrail.plugins.outward import Outward
from handrail.plugins.probes.http_signal import HttpSignal
from handrail.record.keys import Keys
from handrail.record.source import Checkpointer
from handrail.settings import Settings, installation_seed, master_keys, node_name
from handrail.signals.correlator import Correlator
from handrail.store import meta, sealed
from handrail.store.database import Database
from handrail.store.migrate import migrate

_log = logging.getLogger("handrail.wiring")


@dataclass
class Handrail:
    """One process: its database, engine, duties and operations. `start` before use, `stop` at the end."""

    settings: Settings
    clock: Clock
    database: Database
    node: str
    engine: DurableEngine
    shell: Shell
    duties: Duties
    checkpointer: Checkpointer
    correlator: Correlator
    handlers: Mapping[str, Handler]
    first_password: tuple[str, str] | None = None
    _lock: IO[str] | None = None
    _woken: threading.Event = field(default_factory=threading.Event)

    def start(self, *, duties: bool = True) -> None:
        """Recover, adopt what ships at first start, and begin the duties."""
        self.engine.start(self.handlers)
        self.first_password = accounts.first_owner(self.shell)
        documents.adopt_shipped(self.shell)
        if duties:
            self._start_duties()

    def _start_duties(self) -> None:
        beat = Beat(self.shell, self.engine, self.node)
        beat.at_start()
        self.duties.start("beat", LIMITS.node_beat_seconds, beat)
        self.duties.start("timers", LIMITS.timer_interval_seconds, Timers(self.shell))
        self.duties.start("checkpoint", LIMITS.checkpoint_seconds, lambda: self.checkpointer.run_once(self.clock.now()))
        self.duties.start("forget", 3600, lambda: self.engine.forget(self.clock.now() - LIMITS.work_kept))
        self.correlator.start()

    def health(self) -> dict[str, Any]:
        """Whether this process serves, and one sentence per problem."""
        problems = [f"The duty “{name}” has stopped: {why}" for name, why in self.duties.stopped.items()]
        try:
            with self.database.read() as connection:
                connection.exec_driver_sql("SELECT 1")
        except Exception as error:
            # Whatever keeps the database from answering, health is where it is said.
            return {"ready": False, "problems": [*problems, redact(f"The database does not answer: {error}")]}
        return {"ready": True, "problems": problems}

    def stop(self) -> None:
        """Take no more work, sign what is new, and let go."""
        self.correlator.stop()
        self.duties.stop()
        self.engine.stop()
        if "checkpoint" not in self.duties.stopped:
            self._sign_the_rest()
        self.database.dispose()
        if self._lock is not None:
            self._lock.close()

    def _sign_the_rest(self) -> None:
        try:
            self.checkpointer.run_once(self.clock.now())
        except HandrailError as error:
            # A database that went away must not keep the process from ending; the next start signs what is new.
            _log.warning("the last checkpoint was not signed", extra={"why": error.detail})


def assemble(settings: Settings) -> Handrail:
    """Everything of one process, not yet started. Raises when another process holds an SQLite database."""
    clock = SystemClock()
    database = Database(settings.database_url)
    lock = _hold(Path(str(database.url.database))) if database.is_sqlite else None
    migrate(database)
    instance = meta.once(database, "instance", lambda: new_id("ins"))
    keys = _keys(settings.data_dir, database, instance)
    node = node_name(database.is_sqlite)
    outward = Outward(settings.allowed_targets, traceparent=traceparent)
    known_actions = actions(outward, settings.control_tokens())
    engine = DurableEngine(database, node)
    ports = Ports(known_actions, frozenset(channel_settings(settings)), _secret_keys(settings, database))
    shell = Shell(database, clock, keys.seal_key, engine, ports)
    probe = HttpSignal(outward, clock)
    analyst = Analyst(shell, probe, documents.load_catalog, documents.policy_digest, clock)
    correlator = Correlator(shell, documents.load_catalog, incidents.on_quiet)
    shell.listeners.append(correlator.on_commit)
    handlers: dict[str, Handler] = {
        "perform": Perform(shell, clock, known_actions, node),
        "check": Check(shell, clock, probe),
        "deliver": Deliver(shell, channels(outward, clock), channel_settings(settings)),
        "investigate": analyst,
        "confirm": Confirm(shell, outward),
    }
    checkpointer = Checkpointer(database, keys.signer(instance), keys.seal_key, settings.data_dir / "checkpoints.log")
    return Handrail(
        settings, clock, database, node, engine, shell, Duties(clock), checkpointer, correlator, handlers, _lock=lock
    )


def channel_settings(settings: Settings) -> dict[str, dict[str, str]]:
    """Which channels are set up here, and how."""
    found = {"mailbox": {"folder": str(settings.data_dir / "mailbox")}}
    if settings.webhook_url:
        found["webhook"] = {"url": settings.webhook_url, "secret": settings.webhook_secret()}
    return found


def _keys(data_dir: Path, database: Database, instance: str) -> Keys:
    """The installation's keys. A node with another key would write entries that the others must take for forged."""
    was_there = (data_dir / "record.key").exists()
    keys = Keys(installation_seed(data_dir))
    ours = keys.signer(instance).verifier.vkey
    if meta.once(database, "verifier", lambda: ours) != ours:
        if not was_there:
            (data_dir / "record.key").unlink()
        raise Unprocessable(
            f"The record in this database is signed with another key than that of {data_dir}. Copy record.key from "
            "the first node's data folder (or from your backup) into it, and start again.",
            "record_key",
        )
    return keys


def _secret_keys(settings: Settings, database: Database) -> MasterKeys:
    """The master keys. A process that cannot open what is kept does not start: its senders would all be refused."""
    file = settings.data_dir / "secrets.key"
    was_there = file.exists()
    keys = master_keys(settings)
    try:
        with database.write() as connection:
            moved = sealed.rewrap(connection, keys)
    except HandrailError:
        if not was_there:
            file.unlink(missing_ok=True)
        raise
    if moved:
        _log.info("the keys of kept secrets are wrapped by the first master key now; the others are not needed")
    return keys


def _hold(database_file: Path) -> IO[str]:
    """SQLite is for one process: a second one would run the same work again."""
    database_file.parent.mkdir(parents=True, exist_ok=True)
    file = database_file.with_name(f"{database_file.name}.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Conflict(
            f"Another Handrail already runs on {database_file}. Stop it, or use PostgreSQL for several processes.",
            "in_use",
        ) from None
    return file


__all__ = ["Committed", "Handrail", "assemble", "integrations"]
