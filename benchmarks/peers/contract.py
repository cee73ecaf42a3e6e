"""What a peer tells the benchmark: how it is installed, started, sent to, and what "accepted" means to it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generator import Identity, Shape, Stormed

_START_SECONDS = 90.0
_INSTALL_SECONDS = 900.0


class NotHere(Exception):
    """The peer cannot run on this machine; the sentence says why."""


@dataclass(frozen=True)
class Running:
    """A peer that serves. `processes` are all that work for it; `stored` reads back what it holds of a storm."""

    url: str
    processes: Callable[[], set[int]]
    stored: Callable[[Stormed], Mapping[Identity, str]]


@dataclass(frozen=True)
class Way:
    """How alerts of one shape reach it: the generator's mode, with the options that it needs."""

    mode: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Peer:
    """`way(shape)` is None where the peer has no request of that shape. `forgets_resolved`: what ended is not listed,
    so that only firing alerts can be read back. A slow peer gets `total_share` of the storm: figures are per second."""

    name: str
    accepted_means: str
    install: Callable[[Path], str]
    running: Callable[[Path, Path, str | None], AbstractContextManager[Running]]
    way: Callable[[Shape], Way | None]
    forgets_resolved: bool = False
    total_share: float = 1.0


def cache() -> Path:
    """Where peers are installed; kept between runs."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "handrail-benchmarks"


def virtual_environment(folder: Path, *requirements: str) -> Path:
    """An environment of the peer's own with these packages; returns its interpreter. Raises NotHere."""
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = "\n".join(requirements)
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        return python
    folder.parent.mkdir(parents=True, exist_ok=True)
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise NotHere("uv, which installs it, is not beside this interpreter (scripts/set-up dev brings it).")
    for command in (
        [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [str(uv), "pip", "install", "--quiet", "--python", str(python), *requirements],
    ):
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotHere(f"It could not be installed: {error}") from None
        if ended.returncode != 0:
            raise NotHere(f"It could not be installed: {ended.stderr.strip().splitlines()[-1][:200]}")
    stamp.write_text(wanted)
    return python


def version_of(python: Path, package: str) -> str:
    asked = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Raises NotHere with its last words when it ends or stays silent."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    process.kill()
    words = log.read_text(errors="replace").strip().splitlines()
    raise NotHere(f"It did not start: {words[-1][:200] if words else 'it said nothing'}")
