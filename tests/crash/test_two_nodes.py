"""Two processes on one PostgreSQL: when the one that acts is killed, the other takes over, and the act happens once."""

from collections.abc import Iterator

import pytest

from handrail.domain.registry import NOUNS
from handrail.store.database import Database
from handrail.store.projections import load
from tests import databases
from tests.crash.harness import Node, Target, World, running, until


@pytest.fixture
def nodes(postgresql_server: str | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Node, str]]:
    """A server and a worker that share a database, a data folder (so the keys) and the trigger."""
    if postgresql_server is None:
        pytest.skip(databases.NO_SERVER)
    folder = tmp_path_factory.mktemp("nodes")
    with databases.empty_postgresql(postgresql_server) as url, running(Node(folder, Target(), url)) as server:
        world = World(server)
        world.people()
        worker = Node(folder, server.target, url, command="worker")
        worker.start()
        try:
            yield world, worker, url
        finally:
            worker.stop()


@pytest.mark.parametrize("point", ["perform.after_authority", "perform.after_effect"])
def test_the_other_node_takes_over_and_the_act_happens_once(nodes: tuple[World, Node, str], point: str) -> None:
    world, worker, url = nodes
    run_id, gate = world.start_run()
    world.node.trigger.write_text(point)
    world.approve(gate)
    dead = until("one of the two is killed", lambda: _dead(world.node, worker))
    database = Database(url)
    try:
        until("the other has finished the act", lambda: _status(database, run_id) == "done", 40)
    finally:
        database.dispose()
    assert sum(world.node.target.acts.values()) == 1
    assert dead.process is not None and dead.process.returncode == -9


def _dead(*nodes: Node) -> Node | None:
    return next((node for node in nodes if node.process is not None and node.process.poll() is not None), None)


def _status(database: Database, run_id: str) -> str:
    with database.read() as connection:
        return str(load(connection, NOUNS["run"], run_id).state.tasks["roll-back"].status)
