"""Secrets that are read back, such as signing secrets: kept sealed, shown by their last four characters alone."""

import logging
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from handrail.kernel.clock import to_text
from handrail.kernel.errors import Unavailable
from handrail.kernel.sealed import DataKey, MasterKeys, new_data_key
from handrail.store import tables

_log = logging.getLogger("handrail.store")
SIGNING = "signing"
# What Handrail shows to a server that it pulls metrics from.
PULL = "pull"


@dataclass(frozen=True)
class Shown:
    """All that anybody may see of a secret once it is kept."""

    id: str
    owner_id: str
    last_four: str
    set_at: str


def keep(
    connection: sa.Connection, keys: MasterKeys, source_id: str, secret_id: str, secret: str, now: datetime,
    kind: str = SIGNING,
) -> None:  # fmt: skip
    """Seal a secret of a source."""
    sealed = _data_key(connection, keys, now, kind).seal(secret, _about(source_id, secret_id, kind))
    connection.execute(
        tables.sealed.insert().values(
            id=secret_id, kind=kind, owner_id=source_id, sealed=sealed, last_four=secret[-4:], set_at=to_text(now)
        )
    )


def forget(connection: sa.Connection, owner_id: str, secret_id: str | None = None) -> None:
    """Delete one secret of an owner, or all of them. What is deleted cannot be verified with again."""
    query = tables.sealed.delete().where(tables.sealed.c.owner_id == owner_id)
    connection.execute(query.where(tables.sealed.c.id == secret_id) if secret_id else query)


def shown(connection: sa.Connection, owner_id: str | None = None, kind: str = SIGNING) -> list[Shown]:
    """What may be shown of an owner's secrets of a kind, or of all, oldest first."""
    table = tables.sealed
    query = sa.select(table.c.id, table.c.owner_id, table.c.last_four, table.c.set_at).where(table.c.kind == kind)
    query = query.order_by(table.c.id)
    if owner_id is not None:
        query = query.where(table.c.owner_id == owner_id)
    return [Shown(row.id, row.owner_id, row.last_four, row.set_at) for row in connection.execute(query)]


def live(connection: sa.Connection, keys: MasterKeys | None) -> dict[str, tuple[str, ...]]:
    """All live signing secrets by source.

    A source whose secrets do not open stands here without them: it must still be taken for one that signs, or a lost
    key would open it to whoever holds a token.
    """
    table = tables.sealed
    query = sa.select(table.c.id, table.c.owner_id, table.c.sealed).where(table.c.kind == SIGNING)
    rows = connection.execute(query.order_by(table.c.id)).all()
    found: dict[str, tuple[str, ...]] = {row.owner_id: () for row in rows}
    if not rows:
        return found
    data_key = _open_data_key(connection, keys)
    if data_key is None:
        return found
    for row in rows:
        try:
            secret = data_key.open(row.sealed, _about(row.owner_id, row.id))
        except Unavailable as error:
            _log.error("the signing secret %s of source %s cannot be read: %s", row.id, row.owner_id, error.detail)
            continue
        found[row.owner_id] = (*found[row.owner_id], secret)
    return found


def opened(connection: sa.Connection, keys: MasterKeys | None, owner_id: str, secret_id: str, kind: str) -> str:
    """One secret of an owner. Raises Unavailable when it is not there or does not open."""
    table = tables.sealed
    query = sa.select(table.c.sealed).where(table.c.id == secret_id, table.c.owner_id == owner_id, table.c.kind == kind)
    found, wrapped = connection.execute(query).scalar(), _wrapped(connection, kind)
    if found is None or wrapped is None or keys is None:
        raise Unavailable("The secret is not kept here, or this process was given no key for it.", "secret_keys")
    return keys.unwrap(wrapped, kind).open(found, _about(owner_id, secret_id, kind))


def rewrap(connection: sa.Connection, keys: MasterKeys) -> int:
    """Wrap data keys by the first master key where another did; returns how many. Raises Unavailable."""
    table = tables.data_key
    rows = connection.execute(sa.select(table.c.kind, table.c.wrapped)).all()
    moved = 0
    for row in rows:
        data_key = keys.unwrap(row.wrapped, row.kind)
        if not keys.is_current(row.wrapped):
            wrapped = keys.wrap(data_key, row.kind)
            connection.execute(table.update().where(table.c.kind == row.kind).values(wrapped=wrapped))
            moved += 1
    return moved


def _open_data_key(connection: sa.Connection, keys: MasterKeys | None) -> DataKey | None:
    wrapped = _wrapped(connection)
    try:
        if keys is None or wrapped is None:
            raise Unavailable("This process was given no key for them.", "secret_keys")
        return keys.unwrap(wrapped, SIGNING)
    except Unavailable as error:
        _log.error("no signing secret can be read; what its senders post is refused: %s", error.detail)
        return None


def _data_key(connection: sa.Connection, keys: MasterKeys, now: datetime, kind: str) -> DataKey:
    wrapped = _wrapped(connection, kind)
    if wrapped is not None:
        return keys.unwrap(wrapped, kind)
    made = new_data_key()
    values = {"kind": kind, "wrapped": keys.wrap(made, kind), "made_at": to_text(now)}
    connection.execute(tables.data_key.insert().values(values))
    return made


def _wrapped(connection: sa.Connection, kind: str = SIGNING) -> str | None:
    table = tables.data_key
    return connection.execute(sa.select(table.c.wrapped).where(table.c.kind == kind)).scalar()


def _about(owner_id: str, secret_id: str, kind: str = SIGNING) -> str:
    return f"{kind}/{owner_id}/{secret_id}"
