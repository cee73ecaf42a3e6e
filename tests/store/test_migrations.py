"""Migrations and table definitions give the same schema; running them twice or at once harms nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from handrail.kernel.errors import Unavailable
from handrail.store import tables
from handrail.store.database import Database
from handrail.store.migrate import NEWEST, alembic_config, current, migrate
from tests import databases


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Each database in turn, with no table at all."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'folder' / 'bare.db'}")
        yield database
        database.dispose()
        return
    server = request.getfixturevalue("postgresql_server")
    if server is None:
        pytest.skip(databases.NO_SERVER)
    with databases.own_postgresql(server, migrated=False) as database:
        yield database


def heads(database: Database) -> list[tuple[int, int]]:
    with database.read() as connection:
        return [(row.id, row.size) for row in connection.execute(sa.select(tables.head))]


def upgrade(database: Database) -> None:
    """The chain of migrations, as a database of an older program goes through it."""
    with database.plain() as connection:
        command.upgrade(alembic_config(connection), NEWEST)


@pytest.mark.parametrize("way", [migrate, upgrade])
def test_a_new_database_and_the_chain_of_migrations_have_the_schema_of_the_tables(
    bare: Database, way: Callable[[Database], None]
) -> None:
    way(bare)
    assert current(bare) == NEWEST
    with bare.read() as connection:
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, parents: kind != "table" or (name or "").startswith("hr_"),
            "version_table": "hr_alembic_version",
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []


def test_migrating_twice_changes_nothing(bare: Database) -> None:
    assert current(bare) is None
    migrate(bare)
    migrate(bare)
    assert current(bare) == NEWEST
    assert heads(bare) == [(1, 0)]


def test_nodes_that_start_at_once_migrate_once(bare: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrate(bare), range(4)))
    assert current(bare) == NEWEST
    assert heads(bare) == [(1, 0)]


def test_migrating_leaves_tables_of_others_alone(bare: Database) -> None:
    with bare.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER PRIMARY KEY)")
    migrate(bare)
    with bare.read() as connection:
        assert sa.inspect(connection).has_table("theirs")


def test_a_database_of_a_newer_program_is_refused_with_what_to_do(bare: Database) -> None:
    migrate(bare)
    with bare.plain() as connection:
        connection.exec_driver_sql("UPDATE hr_alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="Start the newer program"):
        migrate(bare)
    assert heads(bare) == [(1, 0)]


def test_every_table_bears_our_prefix() -> None:
    assert all(table.name.startswith("hr_") for table in tables.metadata.sorted_tables)


def test_a_migration_that_was_interrupted_is_finished_by_the_next_start(
    bare: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: sa.Connection) -> None:
        tables.metadata.create_all(connection)
        raise Unavailable("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr("handrail.store.migrate._create", broken)
        with pytest.raises(Unavailable):
            migrate(bare)
    assert current(bare) is None
    migrate(bare)
    assert heads(bare) == [(1, 0)]
