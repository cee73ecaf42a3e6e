"""Facts about the database itself: which installation it belongs to."""

from collections.abc import Callable

import sqlalchemy as sa

from handrail.store import tables
from handrail.store.database import Database


def once(database: Database, name: str, make: Callable[[], str]) -> str:
    """The value of `name`, made at the first asking and the same for every node after."""
    with database.write() as connection:
        query = sa.select(tables.meta.c.value).where(tables.meta.c.name == name)
        found = connection.execute(query).scalar()
        if found is None:
            found = make()
            connection.execute(tables.meta.insert().values(name=name, value=found))
    return str(found)
