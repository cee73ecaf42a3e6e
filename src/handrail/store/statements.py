"""Runs fixed statements with positional values, the fast way of each driver. Written with `?` for every value."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

_KEYS_AT_ONCE = 1000
_IN_SQLITE, _IN_POSTGRESQL = "IN (SELECT value FROM json_each(?))", "= ANY(?)"


def execute_many(connection: sa.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run one statement for each row. psycopg sends them as one pipeline, SQLite compiles it once."""
    if rows:
        connection.exec_driver_sql(_for(connection, statement), list(rows))


def fetch_in(
    connection: sa.Connection, statement: str, values: tuple[Any, ...], keys: Sequence[str]
) -> Iterator[Sequence[Any]]:  # fmt: skip
    """All rows of `statement` whose last column is one of `keys`. The statement ends with that column's name."""
    for result in _each_in(connection, statement, values, keys):
        yield from result


def update_in(connection: sa.Connection, statement: str, values: tuple[Any, ...], keys: Sequence[str]) -> None:
    """Run an update whose last column is one of `keys`. The statement ends with that column's name."""
    for _ in _each_in(connection, statement, values, keys):
        pass


def _each_in(
    connection: sa.Connection, statement: str, values: tuple[Any, ...], keys: Sequence[str]
) -> Iterator[sa.CursorResult[Any]]:  # fmt: skip
    """The keys travel as one value, so that the text of the statement stays the same for any number of them."""
    is_sqlite = connection.dialect.name == "sqlite"
    text = _for(connection, f"{statement} {_IN_SQLITE if is_sqlite else _IN_POSTGRESQL}")
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = list(keys[start : start + _KEYS_AT_ONCE])
        packed = json.dumps(some) if is_sqlite else some
        yield connection.exec_driver_sql(text, (*values, packed))


def _for(connection: sa.Connection, statement: str) -> str:
    return statement if connection.dialect.name == "sqlite" else _with_percent(statement)


@cache
def _with_percent(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")
