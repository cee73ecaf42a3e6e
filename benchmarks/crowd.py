"""Forty sources at once before an open board: exact counts afterwards, and a page that can still be used.

    python -m benchmarks.crowd --out DIR [--sources 40] [--total 100000] [--database URL]

A real Chromium looks at the board. Meanwhile 40 sources with a token each send 100,000 alerts, four of five of them
repeats. The page is clicked through all the while, and what a click takes until the next page stands is measured, as is
how long the page itself does not answer. Pictures at the start, in the middle and at the end go to DIR. Afterwards, for
every source: what its sender was answered against what the API says of it. Ends with status 1 when they differ.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import generator, machine, ours
from benchmarks.generator import percentile
from benchmarks.sender import Lane, Sending, Sent
from handrail.drills.demo.client import Client

if TYPE_CHECKING:
    from playwright.sync_api import Page

_CHROMIUM = Path("/usr/bin/chromium")
_WAIT_MS = 60_000
_FRAME = """() => new Promise(done => {
  const begun = performance.now();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun), 0));
})"""


@dataclass
class Seen:
    """What the person before the board went through, in milliseconds."""

    clicks: list[float] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)
    reloads: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def look_on(page: "Page", is_over: Callable[[], bool], out: Path, seen: Seen, half: Callable[[], bool]) -> None:
    """Click from page to page until the storm is over."""
    page.screenshot(path=out / "1-start.png", full_page=True)
    taken = False
    while not is_over():
        for title in ("Alerts", "Board"):
            begun = time.monotonic()
            page.get_by_role("navigation").first.get_by_role("link", name=title, exact=False).first.click()
            page.get_by_role("heading", level=1, name=title).wait_for()
            seen.clicks.append((time.monotonic() - begun) * 1000)
            for _ in range(4):
                seen.frames.append(float(page.evaluate(_FRAME)))
                page.wait_for_timeout(200)
        if not taken and half():
            page.screenshot(path=out / "2-middle.png", full_page=True)
            taken = True
    if not taken:
        page.screenshot(path=out / "2-middle.png", full_page=True)


def differences(reader: Client, all_sent: Sequence[Sent]) -> Iterator[str]:
    """One sentence for each source whose sender and whose counts do not agree."""
    counters = {one["name"]: one for one in reader.items("/sources", {"limit": 200})}
    for sent in all_sent:
        one = counters[sent.name]
        told = int(one["accepted"]) + int(one["duplicate"])
        if told != sent.accepted:
            yield f"{sent.name}: {sent.accepted} words were answered with 2xx, the API counts {told}."
        stored = ours.states(ours.alerts(reader, source=sent.name))
        compared = generator.compare(sent.states, stored)
        if compared.lost or compared.wrong or len(stored) != len(sent.states):
            yield f"{sent.name}: lost {compared.words()}; {len(stored)} are stored."


def line(title: str, values: Sequence[float]) -> str:
    p50, p95, p99 = (percentile(values, share) for share in (0.5, 0.95, 0.99))
    worst = max(values, default=0.0)
    return f"{title:40} p50 {p50:6.0f}  p95 {p95:6.0f}  p99 {p99:6.0f}  worst {worst:6.0f} ms of {len(values)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--sources", type=int, default=40)
    parser.add_argument("--total", type=int, default=100_000)
    parser.add_argument("--database", help="postgresql://... of a server to make a fresh database on; else SQLite")
    given = parser.parse_args()
    generator.must_be_there()
    if not _CHROMIUM.exists():
        print(f"A browser is needed, and there is none at {_CHROMIUM} (Debian: apt-get install chromium).")
        return 0
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="handrail-crowd-") as name, ExitStack() as stack:
        folder = Path(name)
        database = stack.enter_context(ours.fresh_postgresql(given.database)) if given.database else None
        node = stack.enter_context(ours.running(folder / "node", database))
        return crowd(node, folder, given)


def crowd(node: ours.Node, folder: Path, given: argparse.Namespace) -> int:
    from playwright.sync_api import sync_playwright

    owner = ours.owner(node)
    login, password = ours.person(owner, "carol")
    tokens = {f"team-{number:02}": ours.source(owner, f"team-{number:02}") for number in range(given.sources)}
    each = given.total // given.sources
    lanes = [
        Lane(source, node.url, f"crowd-{source}", each, 1, 1, token, seed=number)
        for number, (source, token) in enumerate(tokens.items())
    ]
    seen = Seen()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(_CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(base_url=node.url, viewport={"width": 1280, "height": 900})
        page.set_default_timeout(_WAIT_MS)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.goto("/sign-in")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", level=1, name="Board").wait_for()
        meter = machine.Meter(node.processes)
        meter.start()
        sending = Sending(folder, lanes)
        look_on(page, sending.is_over, given.out, seen, lambda: told(node) >= given.total // 2)
        all_sent = sending.ended()
        measured = meter.stop()
        begun = time.monotonic()
        page.reload()
        page.get_by_role("heading", level=1, name="Board").wait_for()
        seen.reloads.append((time.monotonic() - begun) * 1000)
        page.screenshot(path=given.out / "3-end.png", full_page=True)
        browser.close()
    accepted = sum(sent.accepted for sent in all_sent)
    took = max(sent.ended for sent in all_sent) - min(sent.began for sent in all_sent)
    codes = {code: sum(sent.codes[code] for sent in all_sent) for sent in all_sent for code in sent.codes}
    print(f"{given.sources} sources, {accepted} of {each * given.sources} accepted, {accepted / took:.0f}/s, {codes}")
    latencies = [took for sent in all_sent for took in sent.latencies_ms]
    print(line("an alert's answer", latencies))
    print(line("a click until the next page stands", seen.clicks))
    print(line("the page itself until it draws again", seen.frames))
    print(line("reading the board anew at the end", seen.reloads))
    mib = measured.memory_bytes / 2**20
    print(f"server {measured.server_seconds / measured.wall_seconds:.2f} processors, {mib:.0f} MiB; {measured.words()}")
    found = list(differences(owner, all_sent))
    print(
        *found or [f"Counts of all {given.sources} sources are exact, and every alert is in its last state."], sep="\n"
    )
    print(*(f"The page complained: {one}" for one in seen.complaints[:5]), sep="\n")
    return 1 if found or seen.complaints else 0


def told(node: ours.Node) -> int:
    ((count,),) = ours.query(node, "SELECT COALESCE(SUM(accepted + duplicate), 0) FROM hr_source_stat")
    return int(count)


if __name__ == "__main__":
    sys.exit(main())
