"""Memory after many alerts, and speed after many stored occurrences compared with the start.

    python -m benchmarks.volume [--alerts 100000] [--occurrences 1000000] [--database URL]

Three storms of the same kind: on a fresh server, after `--alerts` alerts were stored, and after `--occurrences` words
about them were (each says something new, so that each is stored). Beside them stand memory, the size of the database,
and how long the board and a page of the API take to read.
"""

import argparse
import http.client
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from benchmarks import generator, machine, ours
from benchmarks.sender import Lane, Sending
from handrail.drills.demo.client import Client

_BATCH = 200
_SENDERS = 4
_READS = 5
_NAMES = ("HighErrorRate", "LatencyP99High", "InstanceDown", "DiskWillFill", "QueueBacklog", "ReplicationLag")


def words_about(first: int, count: int, turn: int, started: str) -> bytes:
    """What Prometheus would post about alerts `first` and following; each turn says another value."""
    return json.dumps([
        {
            "labels": {
                "alertname": _NAMES[number % len(_NAMES)], "service": f"svc-{number % 60:03}", "severity": "warning",
                "instance": f"host-{number}.example:9100", "cluster": "prod", "job": "node",
            },
            "annotations": {"summary": f"host {number} has the value {turn}", "runbook_url": "https://runbooks.example"},
            "startsAt": started,
        }
        for number in range(first, first + count)
    ]).encode()  # fmt: skip


def fill(node: ours.Node, alerts: int, turns: range) -> float:
    """Tell about every alert once a turn, over a few connections; returns the seconds that it took."""
    place, started, begun = urlsplit(node.url), datetime.now(UTC).isoformat(), time.monotonic()
    failed: list[str] = []

    def send(lane: int) -> None:
        link = http.client.HTTPConnection(place.hostname or "", place.port, timeout=120)
        for turn in turns:
            for first in range(lane * _BATCH, alerts, _SENDERS * _BATCH):
                body = words_about(first, min(_BATCH, alerts - first), turn, started)
                while not failed:
                    link.request("POST", "/api/v2/alerts", body, {"Content-Type": "application/json"})
                    answer = link.getresponse()
                    said = answer.read()
                    if answer.status != 429:
                        break
                    time.sleep(int(answer.headers["Retry-After"]))
                if failed or answer.status != 200:
                    failed.append(f"{answer.status} {said[:200]!r}")
                    return

    threads = [threading.Thread(target=send, args=(lane,)) for lane in range(_SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"The server refused what was sent: {failed[0]}")
    return time.monotonic() - begun


def wait_until_placed(node: ours.Node, seconds: float = 900) -> float:
    """Until correlation has looked at everything that it can place; the seconds that it took."""
    begun, before = time.monotonic(), -1
    while time.monotonic() - begun < seconds:
        ((left,),) = ours.query(node, "SELECT COUNT(*) FROM hr_alert WHERE NOT correlated")
        if left == 0 or left == before:
            break
        before = left
        time.sleep(3)
    return time.monotonic() - begun


def reads(node: ours.Node, cookie: str, reader: Client) -> Iterator[str]:
    """The median of a few reads of what people and programs look at most."""
    with httpx2.Client(base_url=node.url, headers={"Cookie": cookie}, trust_env=False, timeout=120) as browser:
        for title, path in (("board", "/"), ("alerts", "/alerts"), ("sources", "/sources")):
            yield f"{title} {_median_ms(lambda path=path: browser.get(path).raise_for_status()):.0f} ms"
    yield f"API, 50 alerts {_median_ms(lambda: reader.get('/alerts')):.0f} ms"


def _median_ms(read) -> float:  # type: ignore[no-untyped-def]
    took = []
    for _ in range(_READS):
        begun = time.monotonic()
        read()
        took.append((time.monotonic() - begun) * 1000)
    return generator.percentile(took, 0.5)


def stand(node: ours.Node, folder: Path, title: str, total: int, cookie: str, reader: Client) -> float:
    """One storm, and what it found; returns its alerts a second."""
    ((alerts,),) = ours.query(node, "SELECT COUNT(*) FROM hr_alert")
    ((occurrences,),) = ours.query(node, "SELECT COUNT(*) FROM hr_occurrence")
    memory = machine.memory_bytes(machine.tree([node.pid])) / 1e6
    best = None
    for number in range(3):
        meter = machine.Meter(node.processes)
        meter.start()
        (sent,) = Sending(folder, [Lane("storm", node.url, f"{title}-{number}", total)]).ended()
        measured = meter.stop()
        if best is None or sent.accepted_per_second > best[0].accepted_per_second:
            best = sent, measured
    assert best is not None
    sent, measured = best
    p50, p95, p99 = (sent.percentile(share) for share in (0.5, 0.95, 0.99))
    print(
        f"{title:26} {alerts:8} alerts, {occurrences:8} occurrences, memory {memory:4.0f} MB: "
        f"{sent.accepted_per_second:6.0f}/s, p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms, "
        f"{1000 * measured.server_seconds / max(1, sent.accepted):.2f} CPU ms each; {measured.words()}"
    )
    print(f"{'':26} reads: {', '.join(reads(node, cookie, reader))}", flush=True)
    return sent.accepted_per_second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--occurrences", type=int, default=1_000_000)
    parser.add_argument("--total", type=int, default=20_000, help="words in each of the storms that are measured")
    parser.add_argument("--database", help="postgresql://... of a server to make a fresh database on; else SQLite")
    given = parser.parse_args()
    generator.must_be_there()
    with tempfile.TemporaryDirectory(prefix="handrail-volume-") as name, ExitStack() as stack:
        folder = Path(name)
        database = stack.enter_context(ours.fresh_postgresql(given.database)) if given.database else None
        node = stack.enter_context(ours.running(folder / "node", database))
        reader = ours.owner(node)
        cookie = ours.session(node.url, *ours.person(reader, "reader"))
        at_start = stand(node, folder, "at the start", given.total, cookie, reader)
        turns = max(1, given.occurrences // given.alerts)
        for title, these in (("after the alerts", range(1)), ("after the occurrences", range(1, turns))):
            took = fill(node, given.alerts, these)
            placed = wait_until_placed(node)
            print(
                f"{'':26} filled at {given.alerts * len(these) / took:.0f}/s; placed {placed:.0f} s later", flush=True
            )
            now = stand(node, folder, title, given.total, cookie, reader)
            print(f"{'':26} {now / at_start:.2f} of the speed at the start", flush=True)


if __name__ == "__main__":
    main()
