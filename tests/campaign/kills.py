"""The kill -9 campaign: each point many times on both databases, as a table. `make campaign ARGS="--times 20"`."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests import databases
from tests.crash.harness import POINTS, Node, Target, World, kill_once, running


def campaign(times: int, database: str | None) -> dict[str, Counter[str]]:
    """What became of each killed act, by point."""
    found: dict[str, Counter[str]] = {point: Counter() for point in POINTS}
    with (
        tempfile.TemporaryDirectory(prefix="handrail-kills-") as folder,
        running(Node(Path(folder), Target(), database)) as node,
    ):
        world = World(node)
        world.people()
        for turn in range(times):
            for point in POINTS:
                status, acts = kill_once(world, point)
                found[point][_words(status, acts)] += 1
            print(f"  {turn + 1}/{times}", end="\r", file=sys.stderr, flush=True)
        report = world.verified()
        assert report["ok"], report
        print(f"record verified: {report['size']} entries")
    return found


def _words(status: str, acts: int) -> str:
    if acts > 1:
        return "ACTED TWICE"
    if status == "done":
        return "done, acted once" if acts == 1 else "DONE WITHOUT ACT"
    return "outcome unknown, a person is asked" if status == "outcome_unknown" else f"{status}, acts {acts}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    asked = parser.parse_args()
    bad = 0
    for name in ("sqlite", "postgresql") if asked.database == "both" else (asked.database,):
        if name == "sqlite":
            found = campaign(asked.times, None)
        else:
            with databases.postgresql_server() as server:
                if server is None:
                    print(databases.NO_SERVER)
                    continue
                with databases.empty_postgresql(server) as url:
                    found = campaign(asked.times, url)
        for point, outcomes in found.items():
            print(f"{name:11} {point:26} {dict(outcomes)}")
            bad += sum(count for words, count in outcomes.items() if words.isupper() or "TWICE" in words)
            bad += sum(count for words, count in outcomes.items() if words.startswith(("failed", "DONE")))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
