"""kill -9 in the middle of an approved action, and a deploy of changed code with a gate open."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.crash.harness import POINTS, Node, Target, World, kill_once, running, until


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("crash")
    if request.param == "sqlite":
        with running(Node(folder, Target())) as node:
            made = World(node)
            made.people()
            yield made
        return
    server = request.getfixturevalue("postgresql_server")
    if server is None:
        pytest.skip(databases.NO_SERVER)
    with databases.empty_postgresql(server) as url, running(Node(folder, Target(), url)) as node:
        made = World(node)
        made.people()
        yield made


@pytest.mark.parametrize("point", POINTS)
def test_an_act_happens_once_when_the_server_is_killed_around_it(world: World, point: str) -> None:
    assert kill_once(world, point) == ("done", 1)


def test_the_record_verifies_after_all_kills(world: World) -> None:
    report = world.verified()
    assert report["ok"], report


def test_a_deploy_of_changed_code_with_a_gate_open_strands_nothing(world: World, tmp_path: Path) -> None:
    run_id, gate = world.start_run()
    world.node.stop()
    world.node.source = changed_copy(tmp_path)
    world.node.start()
    world.approve(gate)
    task = until("the action is done", lambda: _done(world, run_id))
    assert task["status"] == "done"


def _done(world: World, run_id: str) -> dict[str, str] | None:
    task: dict[str, str] = world.task(run_id)
    return task if task["status"] == "done" else None


def changed_copy(folder: Path) -> Path:
    """The program with its machine steps written anew: other sources, another version."""
    source = Path(__file__).parents[2] / "src"
    copy = folder / "src"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    engine = copy / "handrail" / "engine" / "durable.py"
    engine.write_text(
        engine.read_text().replace("step(kind, arguments)\n", "done = step(kind, arguments)\n            return done\n")
    )
    package = copy / "handrail" / "__init__.py"
    package.write_text(package.read_text().replace('"0.1.0"', '"0.1.1"'))
    return copy
