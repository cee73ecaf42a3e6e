"""How well Handrail watches a real Prometheus: 1,000 series, some with seeded faults, for ten minutes of real time.

    python -m benchmarks.prometheus_watch [--minutes 10] [--series 1000] [--faults 40] [--seed 7] [--json FILE]

Needs Debian's `prometheus` (with `promtool`). An exporter serves series of several kinds; an hour and a half of them
stand in Prometheus beforehand, so that there is history to learn from. Every series that is not seeded with a fault is
there to be quiet. Prints figures, never a pass or a fail.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine, ours
from handrail.kernel.clock import from_text

Floats = NDArray[np.float64]
STEP = 5
HISTORY_SECONDS = 5400
LATE_SECONDS = 120
FIRST_FAULT_SECONDS = 60
# To load the history, to start both servers and to learn.
AHEAD_SECONDS = 240
KINDS = ("noise", "wave", "daily", "latency", "queue", "requests", "errors", "constant")
COUNTERS = ("requests", "errors")
FAULTS = ("spike", "shift", "drop", "scatter", "stuck")
GAUGES_QUERY = "watched_gauge"
COUNTERS_QUERY = "rate(watched_requests_total[30s])"


@dataclass(frozen=True)
class Fault:
    """What happens to series `series` from slot `first` to `last`."""

    series: int
    kind: str
    first: int
    last: int


@dataclass(frozen=True)
class Found:
    series: int
    finding: str
    at: float
    sentence: str


def levels(series: int, slots: int, began: float, seed: int) -> tuple[list[str], Floats]:
    """The kind of each series, and what it is worth in each slot: a gauge's value, a counter's requests in the slot."""
    dice = np.random.default_rng(seed)
    at = began + STEP * np.arange(slots)[:, None]
    kinds = [KINDS[n % len(KINDS)] for n in range(series)]
    size = np.exp(dice.normal(3.0, 1.0, series))
    phase, period = dice.uniform(0.0, 86_400.0, series), dice.uniform(600.0, 2400.0, series)
    grain = dice.normal(size=(slots, series))
    smooth = np.empty_like(grain)
    smooth[0] = grain[0]
    for n in range(1, slots):
        smooth[n] = 0.97 * smooth[n - 1] + 0.243 * grain[n]
    wave = np.sin(2 * np.pi * (at + phase) / period)
    day = np.sin(2 * np.pi * (at + phase) / 86_400.0)
    shapes = {
        "noise": size * (5.0 + 0.25 * grain),
        "wave": size * (3.0 + wave + 0.1 * grain),
        "daily": size * (3.0 + day + 0.1 * smooth),
        "latency": size * 1e-3 * np.exp(0.5 * grain + 0.2 * wave),
        "queue": dice.poisson(np.maximum(3.0 + 2.0 * smooth, 0.05)).astype(np.float64),
        "requests": dice.poisson(STEP * size * (2.0 + 0.5 * wave)).astype(np.float64),
        "errors": dice.poisson(np.full((slots, series), STEP * 0.05)).astype(np.float64),
        "constant": np.broadcast_to(np.round(size), (slots, series)),
    }
    column = np.array([KINDS.index(kind) for kind in kinds])
    return kinds, np.choose(column, [shapes[kind] for kind in KINDS])


def seeded(kinds: Sequence[str], count: int, live: int, slots: int, seed: int) -> list[Fault]:
    """Faults on series of their own, spread over the time after `live` and long enough to matter."""
    dice = np.random.default_rng(seed + 1)
    able = [n for n, kind in enumerate(kinds) if kind not in ("constant", "errors", "queue")]
    chosen = [int(n) for n in dice.choice(able, size=min(count, len(able)), replace=False)]
    # rate() of a counter that grows evenly is not exactly even: only a gauge can be stuck.
    chosen.sort(key=lambda n: kinds[n] in COUNTERS)
    begin = live + int(FIRST_FAULT_SECONDS / STEP)
    end = slots - int((LATE_SECONDS + 60) / STEP)
    found = []
    for n, series in enumerate(chosen):
        able_here = FAULTS if kinds[series] not in COUNTERS else FAULTS[:-1]
        kind = able_here[n % len(able_here)]
        first = int(dice.integers(begin, max(end, begin + 1)))
        lasts = {"spike": 12, "drop": 24, "shift": slots, "scatter": 36, "stuck": slots}[kind]
        found.append(Fault(series, kind, first, min(first + lasts, slots)))
    return found


def with_faults(values: Floats, kinds: Sequence[str], faults: Sequence[Fault], seed: int) -> Floats:
    dice = np.random.default_rng(seed + 2)
    values = values.copy()
    for fault in faults:
        part = values[fault.first : fault.last, fault.series]
        level, spread = (
            float(np.median(values[: fault.first, fault.series])),
            float(np.std(values[: fault.first, fault.series])),
        )
        match fault.kind:
            case "spike":
                part[:] = part * 3.0 + 6.0 * spread
            case "drop":
                part[:] = 0.0
            case "shift":
                part[:] = part + level + 3.0 * spread
            case "scatter":
                part[:] = np.maximum(part + dice.normal(0.0, 8.0 * spread, len(part)), 0.0)
            case "stuck":
                part[:] = part[0]
        values[fault.first : fault.last, fault.series] = np.round(part) if kinds[fault.series] in COUNTERS else part
    return values


def labels(n: int, kind: str) -> str:
    return f'service="svc-{n % 50}",series="s{n}",kind="{kind}"'


def exposition(kinds: Sequence[str], row: Floats) -> bytes:
    """What the exporter says in one slot; gauges are their values, counters what they have come to."""
    lines = ["# TYPE watched_gauge gauge"]
    lines += [
        f"watched_gauge{{{labels(n, kind)}}} {row[n]:.9g}" for n, kind in enumerate(kinds) if kind not in COUNTERS
    ]
    lines.append("# TYPE watched_requests_total counter")
    lines += [
        f"watched_requests_total{{{labels(n, kind)}}} {row[n]:.12g}" for n, kind in enumerate(kinds) if kind in COUNTERS
    ]
    return ("\n".join(lines) + "\n").encode()


class Exporter(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, kinds: Sequence[str], totals: Floats, began: float) -> None:
        super().__init__(("127.0.0.1", 0), _Metrics)
        self.kinds, self.totals, self.began = kinds, totals, began
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def now(self) -> bytes:
        slot = min(int((time.time() - self.began) // STEP), len(self.totals) - 1)
        return exposition(self.kinds, self.totals[slot])


class _Metrics(BaseHTTPRequestHandler):
    server: Exporter

    def do_GET(self) -> None:
        body = self.server.now()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads a log of it."""


def backfill(folder: Path, kinds: Sequence[str], totals: Floats, began: float, slots: int) -> None:
    """The first `slots` as blocks of Prometheus' own store, under the labels that scraping gives."""
    text = folder / "history.om"
    place = 'instance="exporter",job="watched"'
    with text.open("w") as out:
        for metric, counter in (("watched_gauge", False), ("watched_requests", True)):
            out.write(f"# TYPE {metric} {'counter' if counter else 'gauge'}\n")
            name = f"{metric}_total" if counter else metric
            for n, kind in enumerate(kinds):
                if (kind in COUNTERS) == counter:
                    head = f"{name}{{{labels(n, kind)},{place}}} "
                    out.writelines(f"{head}{totals[slot, n]:.12g} {began + STEP * slot:.0f}\n" for slot in range(slots))
        out.write("# EOF\n")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "tsdb")],
        check=True, capture_output=True,
    )  # fmt: skip
    text.unlink()


@contextmanager
def prometheus(folder: Path, exporter: Exporter) -> Iterator[tuple[str, int]]:
    """Its own process with its own data; yields host:port and its id."""
    config = folder / "prometheus.yml"
    config.write_text(
        f"global: {{scrape_interval: {STEP}s}}\nscrape_configs:\n- job_name: watched\n  static_configs:\n"
        f"  - targets: ['127.0.0.1:{exporter.server_address[1]}']\n    labels: {{instance: exporter}}\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
             f"--web.listen-address={place}", "--storage.tsdb.retention.time=1d"],
            cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield place, process.pid
        finally:
            process.terminate()
            process.wait(timeout=20)


def judged(
    found: Sequence[Found], faults: Sequence[Fault], began: float, kinds: Sequence[str], series: int
) -> dict[str, Any]:
    """Which faults were found, how late, and what was said of series that had none."""
    by_series = {fault.series: fault for fault in faults}
    first: dict[int, float] = {}
    false = []
    for each in found:
        fault = by_series.get(each.series)
        start = began + STEP * fault.first if fault else 0.0
        if fault is None or each.at < start:
            false.append(each)
        else:
            first[each.series] = min(first.get(each.series, each.at), each.at)
    late = sorted(at - (began + STEP * by_series[n].first) for n, at in first.items())
    by_kind = {kind: [0, 0] for kind in FAULTS}
    for fault in faults:
        by_kind[fault.kind][0] += fault.series in first
        by_kind[fault.kind][1] += 1
    return {
        "series": series,
        "faults": len(faults),
        "found": len(first),
        "found_by_kind": {kind: f"{hit} of {all_}" for kind, (hit, all_) in by_kind.items()},
        "seconds_late_median": round(late[len(late) // 2], 1) if late else None,
        "seconds_late_most": round(late[-1], 1) if late else None,
        "false_alerts": len(false),
        "false_series": len({each.series for each in false}),
        "false_by_kind": {kind: sum(kinds[each.series] == kind for each in false) for kind in KINDS},
        "false": [asdict(each) for each in false[:50]],
        "missed": [asdict(fault) | {"of": kinds[fault.series]} for fault in faults if fault.series not in first],
    }


def alerts(reader: Any) -> Iterator[Found]:
    """What was said of each series, by itself or as one of several that moved together."""
    for alert in ours.alerts(reader, source="handrail"):
        if "series" in alert["labels"]:
            at = from_text(alert["first_at"]).timestamp()
            yield Found(int(alert["labels"]["series"][1:]), alert["labels"]["finding"], at, alert["summary"])
        elif alert["labels"].get("finding") == "together":
            for each in reader.get(f"/alerts/{alert['id']}/occurrences")["items"]:
                at = from_text(each["leaf"]["received_at"]).timestamp()
                for member in json.loads(each["raw"]).get("members", ()):
                    # A series that is only compared with others says nothing by itself.
                    if member["by_itself"]:
                        yield Found(int(member["labels"]["series"][1:]), "together", at, member["sentence"])


def watch(series: int, minutes: float, count: int, seed: int) -> dict[str, Any]:
    past = HISTORY_SECONDS // STEP
    ahead = int(AHEAD_SECONDS / STEP)
    slots = past + ahead + int(minutes * 60 / STEP) + 1
    began = float(int(time.time()) // STEP * STEP - HISTORY_SECONDS)
    kinds, values = levels(series, slots, began, seed)
    faults = seeded(kinds, count, past + ahead, slots, seed)
    values = with_faults(values, kinds, faults, seed)
    column = np.array([kind in COUNTERS for kind in kinds])
    totals = np.where(column, np.cumsum(values, axis=0), values)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handrail-watch-")))
        backfill(folder, kinds, totals, began, past)
        exporter = Exporter(kinds, totals, began)
        place, prometheus_pid = stack.enter_context(prometheus(folder, exporter))
        node = stack.enter_context(ours.running(folder / "ours", settings={"HANDRAIL_OUTWARD_ALLOW": place}))
        reader = ours.owner(node)
        stack.callback(reader.close)
        made = reader.post("/sources", {"name": "prom", "integration": "prometheus_remote_write"})
        source_id = made["source"]["id"]
        # rate() over 30 s needs that long of scraping behind it; before, every counter would begin with a gap.
        time.sleep(40)
        idle = machine.memory_bytes(node.processes())
        began_learning = time.monotonic()
        queries = [{"name": "gauge", "promql": GAUGES_QUERY}, {"name": "requests", "promql": COUNTERS_QUERY}]
        asked = {
            "url": f"http://{place}",
            "queries": queries,
            "every_seconds": STEP,
            "history_seconds": HISTORY_SECONDS,
        }
        reader.post(f"/sources/{source_id}/pull", asked)
        while not reader.get(f"/sources/{source_id}")["pull"]["pulled_at"]:
            time.sleep(1.0)
        learnt = time.monotonic() - began_learning
        left = began + STEP * (past + ahead) - time.time()
        if left < -FIRST_FAULT_SECONDS:
            sys.exit(f"Learning took {-left:.0f} s too long for this machine; use fewer --series.")
        time.sleep(max(left, 0.0))
        meter = machine.Meter(lambda: {node.pid})
        meter.start()
        time.sleep(minutes * 60)
        measured = meter.stop()
        state = reader.get(f"/sources/{source_id}")["pull"]
        said = list(alerts(reader))
        stored = list(ours.alerts(reader, source="handrail"))
        together = sum(one["labels"].get("finding") == "together" for one in stored)
        others = [one["title"] for one in stored if "finding" not in one["labels"]]
        candidates = len(ours.candidates_opened(node))
        prometheus_bytes = machine.memory_bytes({prometheus_pid})
    return judged(said, faults, began, kinds, series) | {
        "minutes": minutes,
        "pulled_every_seconds": STEP,
        "series_pulled": state["series"],
        "trouble": state["trouble"],
        "notes": state["notes"],
        "alerts": len(stored),
        "alerts_together": together,
        "other_alerts": others,
        "candidates": candidates,
        "learning_seconds": round(learnt, 1),
        "server_cpu_share": round(measured.server_seconds / (minutes * 60), 4),
        "server_memory_mib": round(measured.memory_bytes / 2**20),
        "server_memory_before_mib": round(idle / 2**20),
        "prometheus_memory_mib": round(prometheus_bytes / 2**20),
        "machine": measured.words(),
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--series", type=int, default=1000)
    asked.add_argument("--faults", type=int, default=40)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        sys.exit("Prometheus is not installed (Debian: prometheus).")
    report = watch(given.series, given.minutes, given.faults, given.seed)
    text = json.dumps(report, indent=2)
    if given.json:
        given.json.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
