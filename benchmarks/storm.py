"""How many alerts a second one Handrail takes in: the real server under the alert-storm generator beside this checkout.

Prints figures, never a pass or a fail. Run with `python -m benchmarks.storm [--database URL] [--total N]`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ALERTSTORM = Path(__file__).resolve().parents[2] / "shared" / "tools" / "alertstorm.py"
START_SECONDS = 60
SHAPES = (
    ("Prometheus, single alerts", "am-v2", 16, 1),
    ("Prometheus, batches of 100", "am-v2", 4, 100),
    ("own form, single alerts", "generic", 16, 1),
    ("own form, batches of 100", "generic", 4, 100),
)


@contextmanager
def server(folder: Path, database: str | None) -> Iterator[tuple[str, int]]:
    """`handrail up` as anybody runs it, open to senders on this machine; gives its address and process id."""
    ready, log = folder / "ready.json", folder / "server.log"
    command = [
        sys.executable, "-m", "handrail", "up", "--data-dir", str(folder / "data"), "--port", "0",
        "--ready-file", str(ready), "--inbound-open", "127.0.0.1/32",
    ]  # fmt: skip
    if database is not None:
        command += ["--database", database]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as process:
        try:
            until = time.monotonic() + START_SECONDS
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit(f"The server did not start:\n{log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield json.loads(ready.read_text())["url"], process.pid
        finally:
            process.terminate()


def storm(url: str, pid: int, mode: str, connections: int, batch: int, total: int) -> dict[str, Any]:
    """One storm against the server; the last line of what the generator prints."""
    command = [
        sys.executable, str(ALERTSTORM), "run", "--mode", mode, "--url", url, "--conns", str(connections),
        "--batch", str(batch), "--total", str(total), "--pids", str(pid),
    ]  # fmt: skip
    if mode == "am-v2":
        command += ["--verify-as", "am"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Alerts a second that one server stores.")
    parser.add_argument("--database", help="postgresql://... of an empty database; SQLite when left out")
    parser.add_argument("--total", type=int, default=10_000, help="events in each storm")
    given = parser.parse_args()
    if not ALERTSTORM.exists():
        print(f"The alert-storm generator is not at {ALERTSTORM}; there is nothing to measure with.", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="handrail-storm-") as folder, server(Path(folder), given.database) as up:
        print(f"{'storm':28} {'accepted/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms/alert':>13}  lost")
        for title, mode, connections, batch in SHAPES:
            result = storm(*up, mode, connections, batch, given.total)
            lost = result.get("verify", {}).get("lost", "-")
            refused = {code: count for code, count in result["codes"].items() if not code.startswith("2")}
            print(
                f"{title:28} {result['accepted_per_s']:10.0f} {result['p50_ms']:8.1f} {result['p99_ms']:8.1f} "
                f"{result['cpu_ms_per_event']:13.3f}  {lost} {refused or ''}"
            )


if __name__ == "__main__":
    main()
