"""Everything that runs during the demonstration: Handrail, the practice estate, and a receiver of messages.

`stop` ends all of it, whatever was started; each part also ends by itself when this process is killed.
"""

import base64
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from handrail.drills.demo.journal import StepFailed, Usage
from handrail.drills.demo.receiver import Receiver
from handrail.drills.demo.server import Server
from handrail.drills.estate import child
from handrail.drills.estate.estate import Estate
from handrail.drills.estate.topology import MONITOR, SERVICES
from handrail.kernel.errors import HandrailError, Unavailable
from handrail.kernel.secrets import new_token, redact
from handrail.store import tables
from handrail.store.database import Database

_DATABASES = ("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")


@dataclass(frozen=True)
class Sources:
    """Where the estate reports to: full addresses with their tokens."""

    alerts_url: str
    alerts_token: str
    changes_url: str
    changes_token: str


class World:
    """The processes and folders of one demonstration."""

    def __init__(self, work_dir: Path, database: str | None, port: int) -> None:
        check_port(port)
        if database:
            check_database(database)
        work_dir.mkdir(parents=True, exist_ok=True)
        self.work_dir = work_dir
        self.database = database
        self.mailbox = work_dir / "data" / "mailbox"
        self._control_token = new_token()
        self._held = {name: child.listener(0) for name in (*SERVICES, MONITOR)}
        self._ports = {name: int(sock.getsockname()[1]) for name, sock in self._held.items()}
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        self.receiver = Receiver(secret)
        self.server = Server(work_dir / "data", database, port, self._settings(secret))
        self._estate: Estate | None = None
        self._starting: threading.Thread | None = None
        self._start_failure: Exception | None = None

    @property
    def estate(self) -> Estate:
        if self._estate is None:
            raise StepFailed("The practice estate is not up.")
        return self._estate

    def begin_estate(self, sources: Sources) -> None:
        """Start the estate beside whatever else is being set up; `await_estate` waits for it."""
        self._starting = threading.Thread(target=self._start_estate, args=(sources,), name="demo-estate", daemon=True)
        self._starting.start()

    def await_estate(self) -> Estate:
        """The estate, once every service answers real requests without a symptom. Raises what kept it from that."""
        if self._starting is not None:
            self._starting.join()
        if self._start_failure is not None:
            raise self._start_failure
        return self.estate

    def check(self) -> None:
        """Raise StepFailed when a process that must run has ended."""
        ended = [self.server.ended(), *(self._estate.ended() if self._estate else [])]
        if sentences := [sentence for sentence in ended if sentence]:
            raise StepFailed(" ".join(sentences))

    def stop(self) -> None:
        """End everything. Calling it again does nothing."""
        if self._starting is not None:
            self._starting.join()
        if self._estate is not None:
            self._estate.stop()
        self._release_ports()
        self.server.stop()
        self.receiver.stop()

    def _start_estate(self, sources: Sources) -> None:
        self._release_ports()
        try:
            self._estate = Estate.start(
                self.work_dir / "estate", ports=self._ports, control_token=self._control_token,
                webhook_url=sources.alerts_url, webhook_token=sources.alerts_token,
                change_url=sources.changes_url, change_token=sources.changes_token,
            )  # fmt: skip
        except HandrailError as error:
            self._start_failure = error

    def _release_ports(self) -> None:
        """The estate's ports are held from the start, because Handrail must know them before the estate is up."""
        for sock in self._held.values():
            sock.close()

    def _settings(self, secret: str) -> Mapping[str, str]:
        """What an operator would set for this estate: who may be called, with which tokens, and where messages go."""
        services = [f"127.0.0.1:{self._ports[name]}" for name in SERVICES]
        outward = [*services, f"127.0.0.1:{self._ports[MONITOR]}", self.receiver.address]
        tokens = "".join(f"{address} {self._control_token}\n" for address in services)
        return {
            "HANDRAIL_OUTWARD_ALLOW": ",".join(outward),
            "HANDRAIL_CONTROL_TOKENS_FILE": str(_private_file(self.work_dir / "control-tokens", tokens)),
            "HANDRAIL_WEBHOOK_URL": self.receiver.url,
            "HANDRAIL_WEBHOOK_SECRET_FILE": str(_private_file(self.work_dir / "webhook-secret", secret + "\n")),
            "HANDRAIL_TRACE_FILE": str(self.work_dir / "trace.jsonl"),
        }


def check_port(port: int) -> None:
    """Raise Usage when nothing can listen there."""
    if port == 0:
        return
    try:
        child.listener(port).close()
    except OSError as error:
        why = (error.strerror or "it cannot be opened").lower()
        raise Usage(
            f"Port {port} cannot be used ({why}). Stop the program that holds it, or give another with --port; "
            "--port 0 takes any free one."
        ) from None


def check_database(url: str) -> None:
    """Raise Usage unless the database answers and holds no record yet."""
    if not url.startswith(_DATABASES):
        raise Usage(f"“{redact(url)}” is no database: write postgresql://USER@HOST/NAME or sqlite:///FILE.")
    try:
        held = _entries(url)
    except (Unavailable, sa.exc.SQLAlchemyError, OSError) as error:
        why = error.detail if isinstance(error, Unavailable) else str(error).splitlines()[0]
        raise Usage(
            f"{redact(url)} cannot be used: {redact(why).rstrip('.')}. Make the database first, or correct --database."
        ) from None
    if held:
        raise Usage(
            f"{redact(url)} holds a Handrail record of {held} entries already. The demonstration only writes into an "
            "empty database: make a new one, and give it with --database."
        )


def _entries(url: str) -> int:
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return 0
    database = Database(url)
    try:
        with database.read() as connection:
            if not sa.inspect(connection).has_table(tables.entry.name):
                return 0
            return int(connection.execute(sa.select(sa.func.count()).select_from(tables.entry)).scalar_one())
    finally:
        database.dispose()


def _private_file(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path
