"""The alert-storm generator that lies beside this checkout, driven and read.

It sends a storm that is the same for every server, and says which alerts were accepted in which last state. What a
server holds afterwards is compared with that, so that a fast answer which stored nothing does not win.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

ALERTSTORM = Path(__file__).resolve().parents[2] / "shared" / "tools" / "alertstorm.py"
MISSING = f"The alert-storm generator is not at {ALERTSTORM}; there is nothing to measure with."
Identity = tuple[str, str]


def must_be_there() -> None:
    """End with a sentence where the generator is missing."""
    if not ALERTSTORM.exists():
        print(MISSING, file=sys.stderr)
        sys.exit(0)


@lru_cache(maxsize=1)
def module() -> ModuleType:
    """The generator's own functions, for loads that it cannot make by itself."""
    must_be_there()
    spec = importlib.util.spec_from_file_location("alertstorm", ALERTSTORM)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@dataclass(frozen=True)
class Shape:
    """How a storm is sent: so many connections, each with one request of `batch` alerts under way."""

    title: str
    connections: int
    batch: int


@dataclass(frozen=True)
class Stormed:
    """What the generator saw. `accepted_states` maps (alert name, instance) to the last state that was accepted."""

    storm: str
    accepted: int
    accepted_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    codes: Mapping[str, int]
    wall_seconds: float
    accepted_states: Mapping[Identity, str]
    said: Mapping[str, Any]

    @property
    def refused(self) -> dict[str, int]:
        return {code: count for code, count in self.codes.items() if not code.startswith("2")}


def run(url: str, mode: str, shape: Shape, total: int, folder: Path, options: Sequence[str] = ()) -> Stormed:
    """One storm of `total` events, four of five of which repeat an alert that was told before."""
    accepted_file = folder / "accepted.json"
    command = [
        sys.executable, str(ALERTSTORM), "run", "--mode", mode, "--url", url, "--conns", str(shape.connections),
        "--batch", str(shape.batch), "--total", str(total), "--acked-out", str(accepted_file), *options,
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"The generator failed against {url}:\n{ended.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    states = {(name, instance): state for name, instance, state in json.loads(accepted_file.read_text())["acked"]}
    return Stormed(
        said["storm"], said["accepted"], said["accepted_per_s"], said["p50_ms"], said["p95_ms"], said["p99_ms"],
        said["max_ms"], said["codes"], said["wall_s"], states, said,
    )  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """Accepted alerts against stored ones: `lost` are not there, `wrong` are there in another state."""

    accepted: int
    lost: int
    wrong: int

    def words(self) -> str:
        return f"{self.lost} of {self.accepted}" + (f", {self.wrong} in another state" if self.wrong else "")


def compare(accepted: Mapping[Identity, str], stored: Mapping[Identity, str]) -> Compared:
    lost = sum(identity not in stored for identity in accepted)
    wrong = sum(identity in stored and stored[identity] != state for identity, state in accepted.items())
    return Compared(len(accepted), lost, wrong)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all are not above; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
