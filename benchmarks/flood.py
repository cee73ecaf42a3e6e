"""One source that sends far more than it may, beside another that does nothing wrong.

    python -m benchmarks.flood [--seconds 15] [--database URL]

Three times the same quiet source, 100 single alerts a second: alone; beside a flood that waits when it is told to; and
beside a flood that does not. Shown are the quiet source's latencies, and what the flood was answered, how fast, and
with which Retry-After. The flood sends batches of 1,000 alerts that are known already, the cheapest that there is.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import generator, machine, ours
from benchmarks.generator import percentile
from benchmarks.machine import Measured
from benchmarks.sender import Lane, Sending, Sent

_QUIET_PER_SECOND = 100.0
_FLOOD_BATCH = 1000
_FLOOD_CONNECTIONS = 16


@dataclass(frozen=True)
class Phase:
    title: str
    quiet: Sent
    flood: Sent | None
    measured: Measured


def phases(node: ours.Node, folder: Path, seconds: float) -> Iterator[Phase]:
    owner = ours.owner(node)
    quiet = Lane(
        "quiet", node.url, "quiet", int(_QUIET_PER_SECOND * seconds), 8, 1, ours.source(owner, "quiet"),
        _QUIET_PER_SECOND, seconds,
    )  # fmt: skip
    flood = Lane(
        "flood", node.url, "flood", _FLOOD_BATCH * _FLOOD_CONNECTIONS * 2, _FLOOD_CONNECTIONS, _FLOOD_BATCH,
        ours.source(owner, "flood"), 0, seconds, repeated=0.0, resolved=0.0,
    )  # fmt: skip
    owner.close()
    insisting = Lane(**{**vars(flood), "insists": True})
    for title, other in (("alone", None), ("beside a flood", flood), ("beside a flood that never waits", insisting)):
        meter = machine.Meter(node.processes)
        meter.start()
        sending = Sending(folder, [quiet])
        flooding = Sending(folder, [other], "flood") if other is not None else None
        (said,) = sending.ended()
        flooded = flooding.ended()[0] if flooding is not None else None
        yield Phase(title, said, flooded, meter.stop())


def words(phase: Phase) -> Iterator[str]:
    quiet, flood = phase.quiet, phase.flood
    p50, p95, p99 = (quiet.percentile(share) for share in (0.5, 0.95, 0.99))
    yield (
        f"{phase.title:32} quiet source: {quiet.accepted_per_second:5.0f}/s, p50 {p50:.1f}, p95 {p95:.1f}, "
        f"p99 {p99:.1f} ms, {dict(quiet.codes)}; {phase.measured.words()}"
    )
    if flood is not None:
        refused = percentile(flood.refused_ms, 0.5)
        yield (
            f"{'':32} flood: {flood.accepted_per_second:.0f}/s accepted, {dict(flood.codes)}, a refusal took "
            f"{refused:.1f} ms, Retry-After in seconds: {dict(flood.retry_after) or 'none was sent'}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--database", help="postgresql://... of a server to make a fresh database on; else SQLite")
    given = parser.parse_args()
    generator.must_be_there()
    with tempfile.TemporaryDirectory(prefix="handrail-flood-") as name, ExitStack() as stack:
        folder = Path(name)
        database = stack.enter_context(ours.fresh_postgresql(given.database)) if given.database else None
        node = stack.enter_context(ours.running(folder / "node", database))
        for phase in phases(node, folder, given.seconds):
            print(*words(phase), sep="\n", flush=True)


if __name__ == "__main__":
    main()
