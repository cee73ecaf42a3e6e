"""Two nodes on one PostgreSQL against one node, under the same storm.

    python -m benchmarks.nodes [--total 20000] [--batch 1] [--times 3] [--database URL]

The storm comes over 32 connections: all to one node, or half of them to each of two. Shown are the best of `times`
for each, and which processes used how much of the machine, for on two processors the nodes, PostgreSQL and the sender
take from each other: how much was left idle says whether the machine or the program was the limit.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import generator, machine, ours
from benchmarks.generator import percentile
from benchmarks.machine import Measured
from benchmarks.sender import Lane, Sending, Sent

_CONNECTIONS = 32


@dataclass(frozen=True)
class Outcome:
    nodes: int
    sent: Sequence[Sent]
    measured: Measured
    postgresql_seconds: float
    sender_seconds: float

    @property
    def per_second(self) -> float:
        took = max(one.ended for one in self.sent) - min(one.began for one in self.sent)
        return sum(one.accepted for one in self.sent) / took

    def latency(self, share: float) -> float:
        return percentile([took for one in self.sent for took in one.latencies_ms], share)


def second(first: ours.Node, folder: Path) -> ours.Node:
    """Another node of the same installation: the same keys, a data folder of its own."""
    node = ours.Node(folder, first.database)
    node.data.mkdir(parents=True)
    for name in ("record.key", "secrets.key"):
        shutil.copy2(first.data / name, node.data / name)
    return node


def once(nodes: Sequence[ours.Node], folder: Path, total: int, batch: int, storm: str) -> Outcome:
    lanes = [
        Lane(f"node {n}", node.url, f"{storm}-{n}", total // len(nodes), _CONNECTIONS // len(nodes), batch, seed=n)
        for n, node in enumerate(nodes)
    ]
    database = nodes[0].database
    assert database is not None
    before = {pid: machine.cpu_seconds(pid) for pid in machine.postgresql_processes(database)}
    meter = machine.Meter(lambda: set().union(*(node.processes() for node in nodes)))
    own = machine.own_seconds()
    meter.start()
    sent = Sending(folder, lanes).ended()
    measured = meter.stop()
    after = {pid: machine.cpu_seconds(pid) for pid in machine.postgresql_processes(database)}
    postgresql = sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())
    return Outcome(len(nodes), sent, measured, postgresql, machine.own_seconds() - own)


def words(one: Outcome) -> str:
    measured, wall = one.measured, one.measured.wall_seconds
    nodes = measured.server_seconds - one.postgresql_seconds
    codes = {code: count for sent in one.sent for code, count in sent.codes.items() if code != "200"}
    return (
        f"{one.nodes} node{'s' if one.nodes > 1 else ' '}  {one.per_second:6.0f}/s  p50 {one.latency(0.5):6.1f}  "
        f"p95 {one.latency(0.95):6.1f}  p99 {one.latency(0.99):6.1f} ms  processors: nodes {nodes / wall:.2f}, "
        f"PostgreSQL {one.postgresql_seconds / wall:.2f}, sender {one.sender_seconds / wall:.2f}; {measured.words()}"
        f"{f'  refused: {codes}' if codes else ''}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--total", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--database", help="postgresql://... of a server to make a fresh database on")
    given = parser.parse_args()
    generator.must_be_there()
    server = ours.postgresql_server(given.database)
    if server is None:
        print("Several nodes need PostgreSQL, and no server answers; give one with --database.", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="handrail-nodes-") as name, ExitStack() as stack:
        folder = Path(name)
        database = stack.enter_context(ours.fresh_postgresql(server))
        first = stack.enter_context(ours.running(folder / "first", database))
        other = second(first, folder / "second")
        stack.callback(other.stop)
        found: dict[int, list[Outcome]] = {1: [], 2: []}
        for number in range(given.times):
            # In turn, so that what else the machine does falls on both.
            found[1].append(once([first], folder, given.total, given.batch, f"one-{number}-{time.time_ns()}"))
            other.start()
            found[2].append(once([first, other], folder, given.total, given.batch, f"two-{number}-{time.time_ns()}"))
            other.stop()
        best = {nodes: max(all_of, key=lambda one: one.per_second) for nodes, all_of in found.items()}
        print(f"best of {given.times}, batches of {given.batch}, {machine.processors()} processors for everything")
        print(words(best[1]), words(best[2]), sep="\n")
        print(f"two nodes take {best[2].per_second / best[1].per_second:.2f} times what one takes")


if __name__ == "__main__":
    main()
