"""kill -9 in the middle of a storm: what was accepted must be there after the restart, in the right state.

    python -m benchmarks.kills [--times 5] [--total 20000] [--batch 1] [--database URL] [--seed N]

On SQLite, and on PostgreSQL where a server answers: a storm from one source, the server killed at a random moment in
it, started again on the same data. Then every alert that was answered with 2xx is looked for in `hr_alert` and through
the API. Its state must be the last one accepted, or that of a word which was under way at the kill: the server may have
committed it without being able to say so. The source's own counters must hold every accepted word. Ends with status 1
when anything is lost.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import generator, machine, ours
from benchmarks.generator import Identity
from benchmarks.sender import Lane, Sending, Sent
from handrail.drills.demo.client import Client

_LOOK_SECONDS = 0.01


@dataclass(frozen=True)
class Verdict:
    """`committed_unsaid`: alerts whose state is that of a word which was under way. `counted`: words that the source's
    counters hold, against those accepted and those that were under way."""

    accepted: int
    alerts: int
    firing: int
    lost: int
    wrong: int
    committed_unsaid: int
    differs_in_api: int
    counted: int
    under_way: int
    restart_seconds: float
    record: str

    @property
    def is_good(self) -> bool:
        counted_right = self.accepted <= self.counted <= self.accepted + self.under_way
        return not (self.lost or self.wrong or self.differs_in_api) and counted_right and self.record == "verified"


def judge(accepted: Mapping[Identity, str], sent: Sent, stored: Mapping[Identity, str]) -> tuple[int, int, int]:
    """How many are lost, how many in a state that nobody told, and how many in one that was under way."""
    later: dict[Identity, set[str]] = {}
    for identity, state in sent.under_way:
        later.setdefault(identity, set()).add(state)
    lost = wrong = unsaid = 0
    for identity, state in accepted.items():
        if identity not in stored:
            lost += 1
        elif stored[identity] != state:
            known = stored[identity] in later.get(identity, ())
            unsaid, wrong = unsaid + known, wrong + (not known)
    return lost, wrong, unsaid


def in_database(node: ours.Node, storm: str) -> dict[Identity, str]:
    found: dict[Identity, str] = {}
    for status, state in ours.query(node, "SELECT status, state FROM hr_alert ORDER BY id"):
        labels = json.loads(state)["labels"]
        if labels.get("storm") == storm:
            found[labels["alertname"], labels["instance"]] = status
    return found


def counted(reader: Client, name: str) -> int:
    """Words of the source that were accepted or known already, as its counters say."""
    one = next(one for one in reader.items("/sources") if one["name"] == name)
    return int(one["accepted"]) + int(one["duplicate"])


def kill_once(node: ours.Node, folder: Path, lane: Lane, after: int, reader: Client) -> Verdict:
    """Send, kill once `after` words were counted, start again, and look."""
    sending = Sending(folder, [lane])
    while stored_words(node, lane.name) < after and not sending.is_over():
        time.sleep(_LOOK_SECONDS)
    node.kill()
    (sent,) = sending.ended()
    begun = time.monotonic()
    node.start()
    took = time.monotonic() - begun
    stored = in_database(node, lane.storm)
    in_api = ours.states(ours.alerts(reader, lane.storm))
    lost, wrong, unsaid = judge(sent.states, sent, stored)
    report = reader.post("/record/verify")
    return Verdict(
        sent.accepted, len(sent.states), sum(state == "firing" for state in sent.states.values()), lost, wrong, unsaid,
        sum(in_api.get(identity) != state for identity, state in stored.items()), counted(reader, lane.name),
        len(sent.under_way), took, "verified" if report["ok"] else "BROKEN",
    )  # fmt: skip


def stored_words(node: ours.Node, source: str) -> int:
    """Read beside the server, so that it is not slowed down by being asked."""
    rows = ours.query(node, f"SELECT accepted + duplicate FROM hr_source_stat WHERE source = '{source}'")  # noqa: S608
    return int(rows[0][0]) if rows else 0


def rounds(node: ours.Node, folder: Path, given: argparse.Namespace, chance: random.Random) -> Iterator[Verdict]:
    reader = ours.owner(node)
    for number in range(given.times):
        name = f"storm-{number}"
        token = ours.source(reader, name)
        lane = Lane(
            name, node.url, f"{name}-{chance.randrange(16**8):08x}", given.total, given.connections, given.batch,
            token, seed=number,
        )  # fmt: skip
        yield kill_once(node, folder, lane, chance.randrange(given.total // 10, given.total * 9 // 10), reader)
    reader.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--total", type=int, default=20_000, help="words in each storm, had it not been cut off")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--database", help="postgresql://... of a server to make fresh databases on")
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    generator.must_be_there()
    seed = given.seed if given.seed is not None else random.randrange(1_000_000)
    print(f"seed {seed}; {given.connections} connections, batches of {given.batch}")
    bad = 0
    for title, server in (("SQLite", None), ("PostgreSQL", ours.postgresql_server(given.database))):
        if title == "PostgreSQL" and server is None:
            print("PostgreSQL is left out: no server answers; give one with --database.")
            continue
        chance = random.Random(seed)
        with tempfile.TemporaryDirectory(prefix="handrail-kills-") as name, ExitStack() as stack:
            folder = Path(name)
            database = stack.enter_context(ours.fresh_postgresql(server)) if server is not None else None
            node = stack.enter_context(ours.running(folder / "node", database))
            for verdict in rounds(node, folder, given, chance):
                print(f"{title:10} {words(verdict)}", flush=True)
                bad += not verdict.is_good
    return 1 if bad else 0


def words(one: Verdict) -> str:
    return (
        f"{one.accepted:6} words accepted about {one.alerts} alerts ({one.firing} firing): {one.lost} lost, "
        f"{one.wrong} in a wrong state, {one.committed_unsaid} committed without an answer, {one.differs_in_api} "
        f"other in the API; counters hold {one.counted} ({one.under_way} were under way); back after "
        f"{one.restart_seconds:.1f} s; record {one.record}; load {machine.load():.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
