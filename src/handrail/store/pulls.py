"""Which node pulls the metrics of a source, and how that went last. Losing it loses no fact."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from handrail.kernel.limits import LIMITS
from handrail.store import tables
from handrail.store.database import Database

_CLAIM = sa.text(
    "INSERT INTO hr_pull (source_id, node, leased_until, series, trouble, notes) "
    "VALUES (:source_id, :node, CURRENT_TIMESTAMP + CAST(:lease AS INTERVAL), 0, '', '') "
    "ON CONFLICT (source_id) DO UPDATE SET node = excluded.node, leased_until = excluded.leased_until "
    "WHERE hr_pull.node = excluded.node OR hr_pull.leased_until < CURRENT_TIMESTAMP RETURNING source_id"
)


@dataclass(frozen=True)
class PullState:
    """What the page shows. `tried_at` and `pulled_at` are moments as text; `trouble` is empty while all is well."""

    node: str
    tried_at: str | None = None
    pulled_at: str | None = None
    series: int = 0
    trouble: str = ""
    notes: str = ""


def claim(database: Database, source_ids: Iterable[str], node: str) -> frozenset[str]:
    """The sources that this node pulls from now on for a while, by the database's clock; a node that has one keeps it.
    SQLite has one process, which pulls all."""
    if database.is_sqlite:
        return frozenset(source_ids)
    lease = f"{LIMITS.pull_lease_seconds} seconds"
    with database.plain() as connection:
        return frozenset(
            source_id
            for source_id in sorted(source_ids)
            if connection.execute(_CLAIM, {"source_id": source_id, "node": node, "lease": lease}).scalar()
        )


def release(database: Database, node: str) -> None:
    """A node that ends in good order lets another one pull at once."""
    if database.is_sqlite:
        return
    over = tables.pull.update().where(tables.pull.c.node == node)
    with database.plain() as connection:
        connection.execute(over.values(leased_until=sa.func.now() - timedelta(seconds=1)))


def report(database: Database, source_id: str, state: PullState) -> None:
    """Keep how it went. Without a new `pulled_at` the last one stays."""
    table = tables.pull
    values = {"node": state.node, "tried_at": state.tried_at, "series": state.series, "trouble": state.trouble,
              "notes": state.notes}  # fmt: skip
    if state.pulled_at is not None:
        values["pulled_at"] = state.pulled_at
    with database.plain() as connection:
        changed = connection.execute(table.update().where(table.c.source_id == source_id).values(**values))
        if not changed.rowcount:
            first = {"source_id": source_id, "leased_until": sa.func.current_timestamp(), **values}
            connection.execute(table.insert().values(**first))


def forget(connection: sa.Connection, source_id: str) -> None:
    """After another way of pulling was set, or none."""
    connection.execute(tables.pull.delete().where(tables.pull.c.source_id == source_id))


def states(connection: sa.Connection) -> dict[str, PullState]:
    """All sources' states by id."""
    table = tables.pull
    found = connection.execute(
        sa.select(
            table.c.source_id, table.c.node, table.c.tried_at, table.c.pulled_at, table.c.series, table.c.trouble,
            table.c.notes,
        ).order_by(table.c.source_id)
    )  # fmt: skip
    return {row[0]: PullState(*row[1:]) for row in found}
