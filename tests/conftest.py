"""What all tests share: databases, a clock moved by hand, the shell, and the people of one incident."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from handrail.domain.people import Person
from handrail.kernel.clock import ManualClock
from handrail.operations.shell import Shell
from handrail.store.database import Database
from tests import databases
from tests.fakes import FakeAction, FakeEngine
from tests.worlds import World, make_shell, make_world

settings.register_profile("dev", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, print_blob=True)
settings.register_profile("long", settings.get_profile("dev"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str | None]:
    with databases.postgresql_server() as url:
        yield url


@pytest.fixture(scope="session")
def _postgresql(postgresql_server: str | None) -> Iterator[Database]:
    if postgresql_server is None:
        pytest.skip(databases.NO_SERVER)
    with databases.own_postgresql(postgresql_server) as database:
        yield database


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database."""
    database = databases.copied_sqlite(sqlite_template, tmp_path)
    yield database
    database.dispose()


@pytest.fixture
def postgresql(_postgresql: Database) -> Database:
    """A migrated PostgreSQL database with nothing in it."""
    databases.empty(_postgresql)
    return _postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """Each database in turn, migrated and with nothing in it."""
    found: Database = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def action() -> FakeAction:
    return FakeAction()


@pytest.fixture
def shell(database: Database, clock: ManualClock, engine: FakeEngine, action: FakeAction) -> Shell:
    return make_shell(database, clock, engine, action)


@pytest.fixture
def world(database: Database, clock: ManualClock, engine: FakeEngine, action: FakeAction) -> World:
    """The shell with people, the shipped documents and a catalogue, ready for an incident."""
    return make_world(database, clock, engine, action)


@pytest.fixture
def owner(world: World) -> Person:
    return world.owner


@pytest.fixture
def commander(world: World) -> Person:
    """Declares and commands; of the team that owns the storefront."""
    return world.commander


@pytest.fixture
def member(world: World) -> Person:
    """Of the commander's team."""
    return world.member


@pytest.fixture
def approver(world: World) -> Person:
    """Of the team that owns payments."""
    return world.approver


@pytest.fixture
def outsider(world: World) -> Person:
    """An observer of no team: may look, and nothing else."""
    return world.outsider
