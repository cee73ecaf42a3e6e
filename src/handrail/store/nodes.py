"""Which nodes are alive: each beats every few seconds; who is silent too long is dead and its work is taken over."""

from datetime import timedelta

import sqlalchemy as sa

from handrail.kernel.limits import LIMITS
from handrail.store import tables
from handrail.store.database import Database

_REAPER_LOCK = 0x68616E65


def alive(connection: sa.Connection, node: str) -> bool:
    """Whether a node has beaten lately, by the database's own clock."""
    if connection.dialect.name == "sqlite":
        return False
    limit = sa.func.now() - timedelta(seconds=LIMITS.node_dead_seconds)
    query = sa.select(tables.node.c.id).where(tables.node.c.id == node, tables.node.c.beat >= limit)
    return connection.execute(query).first() is not None


def beat(database: Database, node: str) -> None:
    with database.plain() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO hr_node (id, beat) VALUES (:id, CURRENT_TIMESTAMP) "
                "ON CONFLICT (id) DO UPDATE SET beat = CURRENT_TIMESTAMP"
            ),
            {"id": node},
        )


def bury_dead(database: Database, also: tuple[str, ...] = ()) -> list[str]:
    """Remove the nodes that are dead and return them; one node at a time does this. `also` are known to be dead."""
    if database.is_sqlite:
        return []
    with database.plain() as connection:
        if not connection.execute(sa.text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _REAPER_LOCK}).scalar():
            return []
        limit = sa.func.now() - timedelta(seconds=LIMITS.node_dead_seconds)
        gone = tables.node.delete().where(sa.or_(tables.node.c.beat < limit, tables.node.c.id.in_(also)))
        return list(connection.execute(gone.returning(tables.node.c.id)).scalars())


def known(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(tables.node.c.id)).scalars())


def leave(database: Database, node: str) -> None:
    """A node that ends in good order."""
    with database.plain() as connection:
        connection.execute(tables.node.delete().where(tables.node.c.id == node))
