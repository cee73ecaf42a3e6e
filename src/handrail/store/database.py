"""One interface over SQLite and PostgreSQL: how connections are made, how a write begins, how a row is upserted."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from handrail.kernel.errors import Unavailable
from handrail.kernel.limits import LIMITS
from handrail.store.statements import fetch

_LOCK_HEAD = "SELECT size FROM hr_head WHERE id = 1 FOR UPDATE"


class Database:
    """A pool of connections. `write()` gives one transaction that holds the global order; `read()` a snapshot."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(normal_url(url))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._one_writer = threading.RLock()
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = sa.create_engine(self.url, **self._options())
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _sqlite_settings)
            sa.event.listen(self.engine, "begin", _sqlite_begin)
        else:
            sa.event.listen(self.engine, "checkout", _ping_when_rested)
            sa.event.listen(self.engine, "checkin", _rest)

    def _options(self) -> dict[str, Any]:
        wait = LIMITS.database_wait_seconds
        if self.is_sqlite:
            return {"connect_args": {"timeout": wait, "check_same_thread": False}, "pool_size": 12, "max_overflow": 12}
        return {"pool_size": 12, "max_overflow": 12, "pool_timeout": wait,
                "connect_args": {"connect_timeout": 5, "application_name": "handrail"}}  # fmt: skip

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A read-only transaction over one snapshot."""
        with self._translated(), self.engine.connect() as opened:
            connection = opened.execution_options(handrail_readonly=True)
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction that holds the record's head: writers stand in line, so order is total."""
        with self._translated(), self._line(), self.engine.begin() as connection:
            if not self.is_sqlite:
                fetch(connection, _LOCK_HEAD)
            yield connection

    @contextmanager
    def plain(self) -> Iterator[sa.Connection]:
        """A transaction for operational tables, which does not hold the record's head (on PostgreSQL)."""
        with self._translated(), self._line(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _line(self) -> Iterator[None]:
        """SQLite has one writer and an unfair wait; standing in line inside the process is fair and cheap."""
        if not self.is_sqlite:
            yield
            return
        with self._one_writer:
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, sa.exc.TimeoutError) as error:
            if isinstance(error, DBAPIError) and worth_another_try(error):
                raise
            raise Unavailable(f"The database does not answer: {_first_line(error)}", "database_away") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise Unavailable(f"The database went away: {_first_line(error)}", "database_away") from error
            raise

    def upsert(
        self, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]
    ) -> None:
        """Insert rows, or replace those that have the same keys. A key may stand only once in `rows`."""
        if not rows:
            return
        insert = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        changing = {name: insert.excluded[name] for name in rows[0] if name not in keys}
        if changing:
            statement: Any = insert.on_conflict_do_update(index_elements=list(keys), set_=changing)
        else:
            statement = insert.on_conflict_do_nothing(index_elements=list(keys))
        connection.execute(statement, list(rows))

    def dispose(self) -> None:
        self.engine.dispose()


def worth_another_try(error: DBAPIError) -> bool:
    """Deadlock, serialization failure and a busy SQLite are worth another try; nothing else is."""
    return getattr(error.orig, "sqlstate", None) in ("40001", "40P01") or "database is locked" in str(error.orig)


def normal_url(url: str) -> str:
    """Accept `postgresql://` and `postgres://` for the one driver that is used."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0][:200]


def _rest(_connection: Any, record: Any) -> None:
    record.info["rests_since"] = time.monotonic()


def _ping_when_rested(connection: Any, record: Any, _proxy: Any) -> None:
    """Ask a connection that lay idle whether it still lives. One that worked a moment ago is taken at its word: in a
    storm the question would cost as much as an answer."""
    since = record.info.get("rests_since")
    if since is None or time.monotonic() - since < LIMITS.database_rest_seconds:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise sa.exc.DisconnectionError(str(error)) from error


def _sqlite_settings(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: sa.Connection) -> None:
    readonly = connection.get_execution_options().get("handrail_readonly")
    # A deferred transaction that reads and then writes fails at once when another wrote between; IMMEDIATE waits.
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")
