"""How long it takes from an alert's post to its candidate before people's eyes, with a storm and 1,000 open streams.

    python -m benchmarks.live [--streams 1000] [--pages 20] [--rate 500] [--probes 40] [--database URL]

While a storm runs, an alert of a service of its own is posted every half second; it opens a candidate of its own.
Measured are the answer, the candidate's entry in the record, the news on every stream, and the candidate in the text
that a page reads again because of the news: a page waits 300 ms first, as `web/static/live.js` does.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2

from benchmarks import generator, machine, ours
from benchmarks.generator import percentile

_OPEN_SECONDS = 120.0
_PROBE_SECONDS = 0.5
_LAST_SECONDS = 10.0


@dataclass(frozen=True)
class Probe:
    """An alert that nothing else has to do with, and when it was posted and answered."""

    name: str
    posted: float
    answered: float
    posted_wall: float


def post_probe(client: httpx2.Client, number: int) -> Probe:
    name = f"Probe{number:04}"
    labels = {"alertname": name, "service": f"probe-{number}", "instance": f"probe-{number}:1", "severity": "critical"}
    wall, began = time.time(), time.monotonic()
    answer = client.post("/api/v2/alerts", json=[{"labels": labels, "annotations": {"summary": name}}])
    answer.raise_for_status()
    return Probe(name, began, time.monotonic(), wall)


def entries_of(node: ours.Node, titles: list[str]) -> dict[str, tuple[int, float]]:
    """By probe, the index of the entry that opened its candidate and the time it was written."""
    found: dict[str, tuple[int, float]] = {}
    for title, index, recorded in ours.candidates_opened(node):
        for name in titles:
            if name in title:
                found.setdefault(name, (index, recorded))
    return found


def line(title: str, values: list[float], missing: int = 0) -> str:
    p50, p95, p99 = (percentile(values, share) for share in (0.5, 0.95, 0.99))
    worst = max(values, default=0.0)
    lost = f"   never: {missing}" if missing else ""
    return f"{title:46} {p50:8.0f} {p95:8.0f} {p99:8.0f} {worst:8.0f} {len(values):9}{lost}"


class Watchers:
    """The process of those who look on."""

    def __init__(self, folder: Path, url: str, cookies: list[str], streams: int, pages: int) -> None:
        self._out, ready, names = folder / "heard.json", folder / "open", folder / "cookies"
        names.write_text("\n".join(cookies))
        names.chmod(0o600)
        command = [
            sys.executable, "-m", "benchmarks.watchers", "--url", url, "--cookies", str(names), "--streams",
            str(streams), "--pages", str(pages), "--ready", str(ready), "--out", str(self._out),
        ]  # fmt: skip
        self.process = subprocess.Popen(command)
        until = time.monotonic() + _OPEN_SECONDS
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                sys.exit(f"{streams} streams could not be opened.")
            time.sleep(0.1)

    def end(self) -> dict[str, list]:  # type: ignore[type-arg]
        self.process.terminate()
        self.process.wait(60)
        said: dict[str, list] = json.loads(self._out.read_text())  # type: ignore[type-arg]
        return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--pages", type=int, default=20, help="how many of them also read the page again")
    parser.add_argument("--rate", type=float, default=500, help="alerts a second of the storm; 0: none")
    parser.add_argument("--probes", type=int, default=40)
    parser.add_argument("--database", help="postgresql://... of an empty database; SQLite when left out")
    given = parser.parse_args()
    generator.must_be_there()
    with tempfile.TemporaryDirectory(prefix="handrail-live-") as name, ExitStack() as stack:
        folder = Path(name)
        node = stack.enter_context(ours.running(folder / "node", given.database))
        owner = ours.owner(node)
        cookies = [ours.session(node.url, *ours.person(owner, f"watcher-{number}")) for number in range(4)]
        watchers = Watchers(folder, node.url, cookies, given.streams, given.pages)
        meter = machine.Meter(node.processes)
        meter.start()
        probes, stormed = run_storm(node, folder, given.rate, given.probes)
        measured = meter.stop()
        heard = watchers.end()
        report(given, node, probes, heard, measured, stormed)


def run_storm(
    node: ours.Node, folder: Path, rate: float, count: int
) -> tuple[list[Probe], generator.Stormed | None]:  # fmt: skip
    """A storm with probes in its midst."""
    stormed: list[generator.Stormed] = []
    seconds = count * _PROBE_SECONDS + 2

    def storm() -> None:
        shape = generator.Shape("", 16, 1)
        stormed.append(
            generator.run(node.url, "am-v2", shape, int(rate * seconds), folder, ["--rate", str(rate)])
        )  # fmt: skip

    thread = threading.Thread(target=storm)
    if rate:
        thread.start()
        time.sleep(2)
    probes = []
    with httpx2.Client(base_url=node.url, trust_env=False, timeout=30) as client:
        for number in range(count):
            begun = time.monotonic()
            probes.append(post_probe(client, number))
            time.sleep(max(0.0, _PROBE_SECONDS - (time.monotonic() - begun)))
    if rate:
        thread.join()
    time.sleep(_LAST_SECONDS)
    return probes, stormed[0] if stormed else None


def report(given, node, probes, heard, measured, stormed) -> None:  # type: ignore[no-untyped-def]
    entries = entries_of(node, [probe.name for probe in probes])
    answered = [(probe.answered - probe.posted) * 1000 for probe in probes]
    recorded, told, never_told, shown, never_shown = [], [], 0, [], 0
    for probe in probes:
        if probe.name not in entries:
            never_told += len(heard["news"])
            continue
        index, wall = entries[probe.name]
        recorded.append((wall - probe.posted_wall) * 1000)
        for news in heard["news"]:
            moment = next((at for at, upto in news if upto >= index), None)
            if moment is None:
                never_told += 1
            else:
                told.append((moment - probe.posted) * 1000)
        for page in heard["shown"]:
            if probe.name in page:
                shown.append((page[probe.name] - probe.posted) * 1000)
            else:
                never_shown += 1
    offered = f"{given.rate:.0f} alerts/s offered" if given.rate else "no storm"
    print(f"{given.streams} streams, {given.pages} of them with a page; {offered}; {measured.words()}")
    if stormed:
        print(f"storm: {stormed.accepted_per_second:.0f}/s accepted, p95 {stormed.p95_ms:.0f} ms, {stormed.codes}")
    print(f"{'ms from the post of the alert to':46} {'p50':>8} {'p95':>8} {'p99':>8} {'worst':>8} {'samples':>9}")
    print(line("the answer (committed)", answered))
    print(line("the candidate's entry in the record", recorded, len(probes) - len(entries)))
    print(line("the news, on each stream", told, never_told))
    print(line("the candidate on a page (gap of 300 ms within)", shown, never_shown))
    print(line("reading a part of the page again", heard["read_ms"]))
    cores, mib = measured.server_seconds / measured.wall_seconds, measured.memory_bytes / 2**20
    print(f"server: {cores:.2f} processors, {mib:.0f} MiB; streams lost: {heard['lost_streams']}")


if __name__ == "__main__":
    main()
