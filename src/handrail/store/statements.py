"""Runs fixed statements with positional values on the driver's own cursor, the fast way; `?` stands for every value.

For the paths that run thousands of times a second; everything else uses SQLAlchemy. Faults come as SQLAlchemy's.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Never, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

_KEYS_AT_ONCE = 1000
_IN_SQLITE, _IN_POSTGRESQL = "IN (SELECT value FROM json_each(?))", "= ANY(?)"
Row: TypeAlias = Sequence[Any]


def fetch(connection: sa.Connection, statement: str, values: Row = ()) -> list[Row]:
    """All rows of one statement."""
    cursor = _cursor(connection)
    try:
        cursor.execute(_for(connection, statement), values)
        return list(cursor.fetchall())
    except _errors(connection) as error:
        _raise(connection, statement, error)
    finally:
        cursor.close()


def execute_many(connection: sa.Connection, statement: str, rows: Sequence[Row]) -> None:
    """Run one statement for each row. psycopg sends them as one pipeline, SQLite compiles it once."""
    if not rows:
        return
    cursor = _cursor(connection)
    try:
        cursor.executemany(_for(connection, statement), rows)
    except _errors(connection) as error:
        _raise(connection, statement, error)
    finally:
        cursor.close()


def fetch_in(connection: sa.Connection, statement: str, values: Row, keys: Sequence[str]) -> Iterator[Row]:
    """All rows of `statement` whose last column is one of `keys`. The statement ends with that column's name."""
    text = _with_keys(connection, statement)
    for packed in _packed(connection, keys):
        yield from fetch(connection, text, (*values, packed))


def update_in(connection: sa.Connection, statement: str, values: Row, keys: Sequence[str]) -> None:
    """Run an update whose last column is one of `keys`. The statement ends with that column's name."""
    rows = [(*values, packed) for packed in _packed(connection, keys)]
    execute_many(connection, _with_keys(connection, statement), rows)


@contextmanager
def together(connection: sa.Connection) -> Iterator[None]:
    """Statements that nobody waits for, sent in one round trip where the driver can (PostgreSQL). Their faults come at
    the end at the latest."""
    if _is_sqlite(connection):
        yield
        return
    try:
        with _raw(connection).pipeline():
            yield
    except _errors(connection) as error:
        _raise(connection, "statements sent together", error)


def _with_keys(connection: sa.Connection, statement: str) -> str:
    return f"{statement} {_IN_SQLITE if _is_sqlite(connection) else _IN_POSTGRESQL}"


def _packed(connection: sa.Connection, keys: Sequence[str]) -> Iterable[object]:
    """The keys travel as one value, so that the text of the statement stays the same for any number of them."""
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = list(keys[start : start + _KEYS_AT_ONCE])
        yield json.dumps(some) if _is_sqlite(connection) else some


def _is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _raw(connection: sa.Connection) -> Any:
    return connection.connection.dbapi_connection


def _cursor(connection: sa.Connection) -> Any:
    return _raw(connection).cursor()


def _errors(connection: sa.Connection) -> type[Exception]:
    found: type[Exception] = connection.dialect.loaded_dbapi.Error
    return found


def _raise(connection: sa.Connection, statement: str, error: Exception) -> Never:
    """As SQLAlchemy raises it; a connection that was lost is not used again."""
    is_lost = connection.dialect.is_disconnect(error, _raw(connection), None)  # type: ignore[arg-type]
    raised = DBAPIError.instance(
        statement, None, error, _errors(connection), connection_invalidated=is_lost, dialect=connection.dialect
    )
    if is_lost:
        connection.invalidate(error)
    raise raised from error


def _for(connection: sa.Connection, statement: str) -> str:
    return statement if _is_sqlite(connection) else _with_percent(statement)


@cache
def _with_percent(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")
