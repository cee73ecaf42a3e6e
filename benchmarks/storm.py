"""How many alerts a second are taken in, beside other alert servers on the same machine in the same minutes.

    python -m benchmarks.storm [--database URL] [--total 20000] [--times 3] [--only NAME] [--json FILE]

Prints figures, never a pass or a fail. Each server gets the same storm in each shape, `times` times; the best one is
shown. Four of five alerts repeat one that was told before. What was accepted is read back through the server's own
API and compared. Machines differ and so do days: the ratios of one run are what counts.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import generator, machine, ours
from benchmarks.generator import Compared, Identity, Shape, Stormed
from benchmarks.machine import Measured
from benchmarks.peers import alerta, alertmanager, keep
from benchmarks.peers.contract import NotHere, Peer, Running, Way, cache

SHAPES = (
    Shape("single alerts, 16 connections", 16, 1),
    Shape("single alerts, 64 connections", 64, 1),
    Shape("batches of 50, 4 connections", 4, 50),
)
_WARM_ALERTS = 50
PEERS = (alertmanager.PEER, alerta.PEER, keep.PEER)


@dataclass(frozen=True)
class Contender:
    """A server that can be stormed, with what it calls accepted."""

    name: str
    accepted_means: str
    running: Callable[[Path], AbstractContextManager[Running]]
    way: Callable[[Shape], Way | None]
    forgets_resolved: bool = False
    total_share: float = 1.0


@dataclass(frozen=True)
class Figure:
    name: str
    shape: str
    stormed: Stormed
    measured: Measured
    compared: Compared

    @property
    def cpu_ms_per_alert(self) -> float:
        return 1000 * self.measured.server_seconds / max(1, self.stormed.accepted)


def handrail(name: str, postgresql: str | None) -> Contender:
    """Ours: SQLite, or a fresh database on this PostgreSQL server."""

    @contextmanager
    def running(folder: Path) -> Iterator[Running]:
        with ExitStack() as stack:
            database = stack.enter_context(ours.fresh_postgresql(postgresql)) if postgresql is not None else None
            node = stack.enter_context(ours.running(folder, database))
            reader = ours.owner(node)
            stack.callback(reader.close)

            def stored(stormed: Stormed) -> Mapping[Identity, str]:
                return ours.states(ours.alerts(reader, stormed.storm))

            yield Running(node.url, node.processes, stored)

    means = "committed and synced to disk, its entry in the record with it"
    return Contender(name, means, running, lambda _shape: Way("am-v2"))


def peer(one: Peer, postgresql: str | None) -> Contender:
    """A peer, installed. Raises NotHere."""
    version = one.install(cache())

    @contextmanager
    def running(folder: Path) -> Iterator[Running]:
        folder.mkdir(parents=True, exist_ok=True)
        with one.running(cache(), folder, postgresql) as up:
            yield up

    name = f"{one.name} {version}".strip()
    return Contender(name, one.accepted_means, running, one.way, one.forgets_resolved, one.total_share)


def storm_once(up: Running, one: Contender, shape: Shape, way: Way, total: int, folder: Path) -> Figure:
    meter = machine.Meter(up.processes)
    meter.start()
    count = max(shape.connections * shape.batch * 4, int(total * one.total_share))
    stormed = generator.run(up.url, way.mode, shape, count, folder, way.options)
    measured = meter.stop()
    accepted = {
        identity: state
        for identity, state in stormed.accepted_states.items()
        if state == "firing" or not one.forgets_resolved
    }
    return Figure(one.name, shape.title, stormed, measured, generator.compare(accepted, up.stored(stormed)))


def contend(one: Contender, total: int, times: int, folder: Path) -> Iterator[Figure]:
    """The best of each shape. One server lives through all of them, as a server does."""
    with one.running(folder) as up:
        warm = Shape("", 4, 1)
        if (way := one.way(warm)) is not None:
            generator.run(up.url, way.mode, warm, _WARM_ALERTS, folder, way.options)
        for shape in SHAPES:
            way = one.way(shape)
            if way is None:
                continue
            tried = [storm_once(up, one, shape, way, total, folder) for _ in range(times)]
            worst = max(tried, key=lambda figure: figure.compared.lost)
            best = max(tried, key=lambda figure: figure.stormed.accepted_per_second)
            # A figure that lost something in any try is told with that loss.
            yield Figure(best.name, best.shape, best.stormed, best.measured, worst.compared)


HEAD = (
    f"{'':34} {'accepted/s':>10} {'ratio':>6} {'p50 ms':>7} {'p95 ms':>7} {'p99 ms':>7} {'CPU ms':>7} "
    f"{'MiB':>5}  {'lost':24} load and others"
)


def line(figure: Figure, first: Figure) -> str:
    stormed, measured = figure.stormed, figure.measured
    ratio = stormed.accepted_per_second / max(first.stormed.accepted_per_second, 0.001)
    refused = f"  refused: {stormed.refused}" if stormed.refused else ""
    return (
        f"  {figure.name:32} {stormed.accepted_per_second:10.0f} {ratio:6.2f} {stormed.p50_ms:7.1f} "
        f"{stormed.p95_ms:7.1f} {stormed.p99_ms:7.1f} {figure.cpu_ms_per_alert:7.3f} "
        f"{measured.memory_bytes / 2**20:5.0f}  {figure.compared.words():24} {measured.words()}{refused}"
    )


def table(figures: list[Figure]) -> Iterator[str]:
    for shape in SHAPES:
        of_shape = [figure for figure in figures if figure.shape == shape.title]
        if of_shape:
            yield f"{shape.title:34} {HEAD[35:]}"
            yield from (line(figure, of_shape[0]) for figure in of_shape)
            yield ""


def contenders(postgresql: str | None) -> Iterator[Contender | str]:
    """Everybody who can take part, or a sentence why not."""
    yield handrail("Handrail, SQLite", None)
    if postgresql is None:
        yield "Handrail on PostgreSQL is left out: no server answers; give one with --database."
    else:
        yield handrail("Handrail, PostgreSQL", postgresql)
    for one in PEERS:
        try:
            yield peer(one, postgresql)
        except NotHere as error:
            yield f"{one.name} is left out. {error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="postgresql://... of a server to make fresh databases on")
    parser.add_argument("--total", type=int, default=20_000, help="alerts in each storm; slow peers get fewer")
    parser.add_argument("--times", type=int, default=3, help="the best of so many is shown")
    parser.add_argument("--only", help="names that contain this, without regard to case")
    parser.add_argument("--json", type=Path, help="write every figure here too")
    given = parser.parse_args()
    generator.must_be_there()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="handrail-storm-") as folder:
        for number, one in enumerate(contenders(ours.postgresql_server(given.database))):
            if isinstance(one, str):
                print(one, file=sys.stderr)
            elif given.only is None or given.only.lower() in one.name.lower():
                print(f"{one.name}: accepted means {one.accepted_means} ...", file=sys.stderr, flush=True)
                try:
                    for figure in contend(one, given.total, given.times, Path(folder) / str(number)):
                        figures.append(figure)
                        print(
                            f"  {figure.shape}: {figure.stormed.accepted_per_second:.0f}/s", file=sys.stderr, flush=True
                        )
                except NotHere as error:
                    print(f"{one.name} is left out. {error}", file=sys.stderr)
    print(f"Best of {given.times}; {machine.processors()} processors are shared with the generator.\n")
    print(*table(figures), sep="\n")
    if given.json is not None:
        given.json.write_text(json.dumps([_plain(figure) for figure in figures], indent=1))


def _plain(figure: Figure) -> dict[str, object]:
    stormed = {key: value for key, value in asdict(figure.stormed).items() if key != "accepted_states"}
    return {
        "name": figure.name, "shape": figure.shape, "cpu_ms_per_alert": figure.cpu_ms_per_alert, **stormed,
        "measured": asdict(figure.measured), "compared": asdict(figure.compared),
    }  # fmt: skip


if __name__ == "__main__":
    main()
