"""Bring a database to the schema of this program. Safe to run twice and by several nodes at once."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from handrail.kernel.errors import Unavailable
from handrail.store import tables
from handrail.store.database import Database

NEWEST = "0005"
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x68616E64
_VERSION_TABLE = "hr_alembic_version"


def migrate(database: Database) -> None:
    """Run what is missing. Raises Unavailable when the database is newer than this program."""
    if current(database) == NEWEST:
        return
    with database.plain() as connection:
        if not database.is_sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if sa.inspect(connection).has_table("hr_head") or sa.inspect(connection).has_table(_VERSION_TABLE):
            _upgrade(connection)
        else:
            _create(connection)
        if connection.execute(sa.select(tables.head.c.id)).first() is None:
            connection.execute(tables.head.insert().values(id=1, size=0, leaf_hash=None, frontier="[]"))


def _create(connection: sa.Connection) -> None:
    """An empty database gets the newest schema at once; a test holds it equal to the chain of migrations."""
    tables.metadata.create_all(connection)
    version = sa.Table(_VERSION_TABLE, sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))
    version.create(connection)
    connection.execute(version.insert().values(version_num=NEWEST))


def _upgrade(connection: sa.Connection) -> None:
    # Alembic takes up to a second to import, which a start on a new or up-to-date database need not pay.
    from alembic import command

    command.upgrade(alembic_config(connection), NEWEST)


def current(database: Database) -> str | None:
    """The schema's version, or None for an empty database."""
    with database.read() as connection:
        if not sa.inspect(connection).has_table(_VERSION_TABLE):
            return None
        version = connection.execute(sa.text("SELECT version_num FROM hr_alembic_version")).scalar()
    known = {path.name.split("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")}
    if version is not None and version not in known:
        raise Unavailable(
            f"The database has schema {version}, which is newer than this program ({NEWEST}). "
            "Start the newer program, or restore a backup of the older schema.",
            "schema_newer",
        )
    return str(version) if version else None


def alembic_config(connection: sa.Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
