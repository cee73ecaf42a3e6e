"""The checks of `handrail doctor`. Each looks and changes nothing: no file, no table and no key is made here."""

import os
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from handrail.kernel.clock import from_text
from handrail.kernel.errors import BrokenInvariant, HandrailError, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.record import note
from handrail.record.keys import Keys
from handrail.record.source import DatabaseTiles, head
from handrail.record.tree import Frontier, root_from
from handrail.settings import Settings, master_keys, read_settings
from handrail.store import tables
from handrail.store.database import Database
from handrail.store.migrate import NEWEST, current

Verdict = Literal["ok", "warn", "fail"]
_OLDEST_PYTHON = (3, 11)
_LOOK = "Let nobody write, keep a copy of everything, and run `handrail record verify`."
_FIRST_START = "made at the first start"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and what to do where it is not well."""

    name: str
    verdict: Verdict
    sentence: str
    fix: str = ""


def examine(data_dir: str | None, database: str | None) -> Iterator[Finding]:
    """Every check in turn. What cannot be looked at because of an earlier fault is left out."""
    yield python()
    try:
        settings = read_settings(data_dir=data_dir, database=database)
    except Unprocessable as refused:
        for fault in refused.faults:
            fix = "Correct the variable, or leave it unset."
            yield Finding("settings", "fail", f"{fault.where}: {fault.what}", fix)
        return
    yield Finding("settings", "ok", f"Data in {settings.data_dir}, pages at {settings.url}.")
    folder = data_folder(settings.data_dir)
    yield folder
    if folder.verdict != "fail":
        yield disk(settings.data_dir)
        yield record_key(settings.data_dir / "record.key")
        yield secret_keys(settings)
    yield port(settings)
    yield from stored(settings)


def python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] >= _OLDEST_PYTHON:
        return Finding("python", "ok", f"Python {version}.")
    return Finding("python", "fail", f"Python {version} is too old.", "Install Python 3.11 or newer.")


def data_folder(folder: Path) -> Finding:
    there = _nearest(folder)
    if folder.exists() and not folder.is_dir():
        return Finding("data folder", "fail", f"{folder} is no folder.", "Move it away, or give another --data-dir.")
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fix = f"Give this user write access (`chown {_user()} {there}`), or give another --data-dir."
        return Finding("data folder", "fail", f"{there} cannot be written to.", fix)
    state = "is there and can be written to" if folder.exists() else f"is {_FIRST_START}"
    return Finding("data folder", "ok", f"{folder} {state}.")


def disk(folder: Path) -> Finding:
    free = shutil.disk_usage(_nearest(folder)).free
    words, fix = f"{free // 2**20} MiB are free.", "Free some space; when the disk is full nothing more is accepted."
    if free < LIMITS.disk_free_bytes_min:
        return Finding("disk", "fail", words, fix)
    return Finding("disk", "warn", words, fix) if free < LIMITS.disk_free_bytes_low else Finding("disk", "ok", words)


def record_key(file: Path) -> Finding:
    """The key that signs: whoever reads it can sign another record, and without it nothing more is signed."""
    if not file.exists():
        return Finding("record key", "ok", f"{file} is {_FIRST_START}.")
    try:
        seed = bytes.fromhex(file.read_text().strip())
        mode = stat.S_IMODE(file.stat().st_mode)
    except (OSError, ValueError):
        return Finding("record key", "fail", f"{file} cannot be read as a key.", "Restore it from your backup.")
    if len(seed) != 32:
        return Finding("record key", "fail", f"{file} does not hold 32 bytes.", "Restore it from your backup.")
    if mode & 0o077:
        return Finding("record key", "fail", f"Others may read {file} (mode {mode:o}).", f"Run `chmod 600 {file}`.")
    return Finding("record key", "ok", f"{file} is readable by its owner alone.")


def secret_keys(settings: Settings) -> Finding:
    """The master keys: without them what senders sign cannot be verified any more."""
    file = Path(settings.secret_keys_file) if settings.secret_keys_file else settings.data_dir / "secrets.key"
    if not settings.secret_keys and not file.exists():
        return Finding("secret keys", "ok", f"{file} is {_FIRST_START}.")
    try:
        count = len(master_keys(settings).keys)
        mode = 0 if settings.secret_keys else stat.S_IMODE(file.stat().st_mode)
    except (OSError, UnicodeDecodeError):
        return Finding("secret keys", "fail", f"{file} cannot be read.", "Restore it from your backup.")
    except Unprocessable as refused:
        return Finding("secret keys", "fail", refused.detail, "Restore the keys from your backup.")
    if mode & 0o077:
        return Finding("secret keys", "fail", f"Others may read {file} (mode {mode:o}).", f"Run `chmod 600 {file}`.")
    return Finding("secret keys", "ok", f"{count} of them; the first one seals.")


def port(settings: Settings) -> Finding:
    """Whether `up` could listen, or listens already."""
    if settings.port == 0:
        return Finding("port", "ok", "Any free port is taken.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        if serves(settings.url):
            return Finding("port", "ok", f"Handrail serves at {settings.url}.")
        words = f"Port {settings.port} on {settings.host} cannot be had: {error.strerror}."
        return Finding("port", "fail", words, "Stop the program that holds it, or give another --port.")
    return Finding("port", "ok", f"Port {settings.port} on {settings.host} is free.")


def serves(url: str) -> bool:
    """Whether a Handrail answers there."""
    import httpx2

    try:
        answer = httpx2.get(f"{url}/healthz", timeout=LIMITS.outward_connect_seconds, trust_env=False)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return False
    return answer.is_success


def stored(settings: Settings) -> Iterator[Finding]:
    """What the database tells: reachable, its schema, the clock, and whether the record is signed as it grows."""
    file = settings.database_url.removeprefix("sqlite:///")
    if settings.database_url.startswith("sqlite") and not Path(file).exists():
        yield Finding("database", "ok", f"{file} is {_FIRST_START}.")
        if (settings.data_dir / "checkpoints.log").exists():
            fix = "Restore the database from your backup; starting now would begin another record."
            yield Finding("checkpoints", "fail", "Checkpoints were exported, and their database is gone.", fix)
        return
    try:
        database = Database(settings.database_url)
        version = current(database)
    except (HandrailError, sa.exc.SQLAlchemyError, OSError) as error:
        newer = getattr(error, "code", "") == "schema_newer"
        fix = "" if newer else "Start the database, or correct HANDRAIL_DATABASE (--database)."
        yield Finding("database", "fail", _one_line(error), fix)
        return
    try:
        yield _schema(version)
        if version == NEWEST:
            with database.read() as connection:
                yield from signed(connection, settings)
    except BrokenInvariant as broken:
        yield Finding("record", "fail", broken.detail, _LOOK)
    except (HandrailError, sa.exc.SQLAlchemyError) as error:
        yield Finding("database", "fail", _one_line(error), "Look at the database's own log.")
    finally:
        database.dispose()


def _schema(version: str | None) -> Finding:
    if version is None:
        return Finding("database", "ok", f"It answers and is empty; its tables are {_FIRST_START}.")
    if version != NEWEST:
        return Finding("database", "warn", f"Its schema is {version}, this program's {NEWEST}.",
                       "Take a backup, then start `handrail up`, which brings it up.")  # fmt: skip
    return Finding("database", "ok", f"It answers; schema {version}.")


def signed(connection: sa.Connection, settings: Settings) -> Iterator[Finding]:
    """The clock against what was recorded, the age of the newest checkpoint, and what was exported."""
    now, frontier = datetime.now(UTC), head(connection)
    yield clock(connection, now)
    newest = sa.select(tables.checkpoint.c.size, tables.checkpoint.c.made_at).order_by(tables.checkpoint.c.size.desc())
    found = connection.execute(newest.limit(1)).first()
    if frontier.size:
        yield checkpoint_age(frontier.size, found, now)
        yield exported(connection, settings, frontier)


def clock(connection: sa.Connection, now: datetime) -> Finding:
    """This machine's clock against the database's own, and against the newest moment in the record."""
    slack = timedelta(seconds=LIMITS.clock_skew_seconds)
    fix = "Set the clock right (NTP); moments in the record would be wrong."
    if connection.dialect.name != "sqlite":
        theirs = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        skew = abs(theirs - datetime.now(UTC))
        if skew > slack:
            return Finding("clock", "warn", f"It differs from the database's by {skew.total_seconds():.0f} s.", fix)
    leaf = sa.select(tables.entry.c.leaf).order_by(tables.entry.c.idx.desc()).limit(1)
    text = connection.execute(leaf).scalar()
    if text is not None:
        import json

        newest = from_text(json.loads(text)["recorded_at"])
        if newest > now + slack:
            return Finding("clock", "fail", f"It stands before the newest entry ({newest:%Y-%m-%d %H:%M:%S} UTC).", fix)
    return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC.")


def checkpoint_age(size: int, newest: Any, now: datetime) -> Finding:
    """Entries that nothing vouches for yet. A short tail is usual while work goes on."""
    fix = "Start `handrail up`; if it runs, its log says why the checkpoint duty stopped."
    if newest is None:
        return Finding("checkpoint", "warn", f"None of {size} entries is signed yet.", fix)
    unsigned, age = size - int(newest.size), (now - from_text(newest.made_at)).total_seconds()
    words = f"The newest covers {newest.size} of {size} entries and is {_age(age)} old."
    if unsigned > 0 and age > LIMITS.checkpoint_age_seconds:
        return Finding("checkpoint", "warn", words, fix)
    return Finding("checkpoint", "ok", words)


def exported(connection: sa.Connection, settings: Settings, frontier: Frontier) -> Finding:
    """Whether the record still extends the last checkpoint that left the database."""
    name = "exported checkpoints"
    file, key_file = settings.data_dir / "checkpoints.log", settings.data_dir / "record.key"
    if not key_file.exists():
        fix = f"Restore {key_file} from your backup, or copy it from the first node; a new key cannot sign this record."
        return Finding("record key", "fail", f"The record has {frontier.size} entries, and its key is gone.", fix)
    notes = note.split(file.read_text()) if file.exists() else []
    if not notes:
        return Finding(name, "warn", f"{file} holds none.", "Keep a copy of it outside of this machine once there are.")
    instance = connection.execute(sa.select(tables.meta.c.value).where(tables.meta.c.name == "instance")).scalar()
    try:
        verifier = Keys(bytes.fromhex(key_file.read_text().strip())).signer(str(instance)).verifier
        last = note.open(notes[-1], verifier)
    except (HandrailError, ValueError) as error:
        return Finding(name, "fail", f"The last one is not signed by this installation's key: {error}", _LOOK)
    if last.size > frontier.size:
        words = f"One covers {last.size} entries; {frontier.size} are there: entries from {frontier.size} on are gone."
        return Finding(name, "fail", words, _LOOK)
    if root_from(DatabaseTiles(connection).nodes(), last.size) != last.root:
        return Finding(name, "fail", f"The first {last.size} entries are not those that were signed.", _LOOK)
    return Finding(name, "ok", f"The record extends the last of {len(notes)} ({last.size} entries).")


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above that exists."""
    path = path.absolute()
    return next(each for each in (path, *path.parents) if each.exists())


def _user() -> str:
    import getpass

    return getpass.getuser()


def _age(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _one_line(error: Exception) -> str:
    from handrail.kernel.secrets import redact

    return redact(str(error).strip().splitlines()[0])
