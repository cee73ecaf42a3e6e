"""A storm of log lines beside alerts: what it costs the alerts, how many lines are looked at, and how many dropped.

    python -m benchmarks.log_storm [--seconds 15] [--database URL]

One source sends 100 single alerts a second: alone, beside 5,000 log lines a second, and beside as many lines as four
connections can post. Lines come in OTLP requests of 1,000 records, protobuf, from 20 services; each number in them is
drawn anew.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from benchmarks import machine, ours
from benchmarks.sender import Lane, Sending

_ALERTS_PER_SECOND = 100.0
_RECORDS, _SERVICES, _CONNECTIONS, _BODIES = 1000, 20, 4, 40
_MESSAGES = (
    "served request {} for user-{} in {} ms", "cache miss for key order:{} after {} tries",
    "connected to 10.0.{}.{}:5432",
    "published event {} to topic orders.{} ({} bytes)", "slow query took {} ms: SELECT {} FROM orders", "job {} done",
    "retrying upstream 10.1.{}.{} in {} s", "session {} of user-{} expired", "pool has {} of {} connections in use",
)  # fmt: skip


def body(seed: int) -> bytes:
    dice, request = random.Random(seed), ExportLogsServiceRequest()
    of_resource = request.resource_logs.add()
    of_resource.resource.attributes.add(key="service.name").value.string_value = f"service-{seed % _SERVICES}"
    scope = of_resource.scope_logs.add()
    for _ in range(_RECORDS):
        record = scope.log_records.add(time_unix_nano=time.time_ns(), severity_number=9)
        numbers = [dice.randrange(250) for _ in range(4)]
        record.body.string_value = dice.choice(_MESSAGES).format(*numbers)
        record.attributes.add(key="thread.name").value.string_value = f"worker-{numbers[0] % 8}"
    return request.SerializeToString()


def send(url: str, token: str, seconds: float, per_second: float) -> dict[str, int]:
    """Post bodies until the time is over; `per_second` 0 is as fast as answers come. Codes and how often."""
    codes: dict[str, int] = {}
    bodies = [body(seed) for seed in range(_BODIES)]
    until, lock = time.monotonic() + seconds, threading.Lock()

    def work(place: int) -> None:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/x-protobuf"}
        with httpx2.Client(timeout=60) as client:
            sent, began = 0, time.monotonic()
            while time.monotonic() < until:
                if per_second:
                    due = began + sent * _RECORDS * _CONNECTIONS / per_second
                    time.sleep(max(0.0, min(due, until) - time.monotonic()))
                reply = client.post(url, content=bodies[(place + sent) % _BODIES], headers=headers)
                sent += 1
                with lock:
                    codes[str(reply.status_code)] = codes.get(str(reply.status_code), 0) + 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def counted(node: ours.Node) -> tuple[float, float]:
    """Lines that were looked at, and lines that were dropped, so far."""
    text = httpx2.get(f"{node.url}/metrics", timeout=30).text
    rows = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("handrail_log_lines")]
    looked = sum(float(value) for name, value in rows if name.startswith("handrail_log_lines_total"))
    return looked, sum(float(value) for name, value in rows if name.startswith("handrail_log_lines_dropped_total"))


def main() -> None:
    parser = argparse.ArgumentParser(description="What a storm of log lines costs alerts.")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--database", help="a PostgreSQL server's URL; SQLite when left out")
    parser.add_argument("--send", nargs=4, metavar=("URL", "TOKEN", "SECONDS", "RATE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.send:
        url, token, seconds, rate = given.send
        print(json.dumps(send(url, token, float(seconds), float(rate))))
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handrail-logs-")))
        database = stack.enter_context(ours.fresh_postgresql(given.database)) if given.database else None
        node = stack.enter_context(ours.running(folder / "node", database))
        owner = ours.owner(node)
        alerts, logs = ours.source(owner, "alerts"), ours.source(owner, "logs", "otlp")
        owner.close()
        lane = Lane(
            "alerts", node.url, "alerts", int(_ALERTS_PER_SECOND * given.seconds), 8, 1, alerts, _ALERTS_PER_SECOND,
            given.seconds,
        )  # fmt: skip
        for title, rate in (("alone", None), ("beside 5,000 lines/s", 5000.0), ("beside all that can be posted", 0.0)):
            phase(node, folder, lane, logs, title, rate)


def phase(node: ours.Node, folder: Path, lane: Lane, token: str, title: str, rate: float | None) -> None:
    before, began = counted(node), time.monotonic()
    meter = machine.Meter(node.processes)
    meter.start()
    address = f"{urlsplit(node.url).scheme}://{urlsplit(node.url).netloc}/in/logs/v1/logs"
    command = [sys.executable, "-m", "benchmarks.log_storm", "--send", address, token, str(lane.seconds), str(rate)]
    storm = subprocess.Popen(command, stdout=subprocess.PIPE, text=True) if rate is not None else None
    (sent,) = Sending(folder, [lane]).ended()
    codes = json.loads(storm.communicate()[0]) if storm is not None else {}
    measured, took = meter.stop(), time.monotonic() - began
    looked, dropped = (now - then for now, then in zip(counted(node), before, strict=True))
    p50, p95, p99 = (sent.percentile(share) for share in (0.5, 0.95, 0.99))
    print(
        f"{title:30} alerts: {sent.accepted_per_second:4.0f}/s, p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms, "
        f"{dict(sent.codes)}; lines: {looked / took:,.0f}/s looked at, {dropped / took:,.0f}/s dropped, {codes}; "
        f"{measured.memory_bytes / 2**20:.0f} MiB, {measured.words()}",
        flush=True,
    )


if __name__ == "__main__":
    main()
