"""What this machine was doing while something was measured: load, processor time by whom, memory.

A figure taken beside other work is worth little. Each one is therefore printed with the load average before it and the
share of the processors that neither the server, its database nor the generator used.
"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
QUIET_LOAD = 2.5


def load() -> float:
    """The load average of the last minute; our own last run is part of it."""
    return os.getloadavg()[0]


def processors() -> int:
    return len(os.sched_getaffinity(0))


def tree(roots: Iterable[int]) -> set[int]:
    """The processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        fields = _stat(int(folder.name)) if folder.name.isdigit() else None
        if fields:
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += children.get(pid, [])
    return found


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on, or None when the process is gone."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None


def cpu_seconds(pid: int) -> float:
    """Processor time of one process so far, with that of its children that ended."""
    fields = _stat(pid)
    return sum(int(value) for value in fields[11:15]) / _TICKS if fields else 0.0


def memory_bytes(pids: Iterable[int]) -> int:
    """Resident memory, with pages shared between processes counted once."""
    total = 0
    for pid in pids:
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def busy_seconds() -> float:
    """Processor time of everything on this machine since it started."""
    fields = (_PROC / "stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, _idle, _waiting, irq, soft, steal = (int(value) for value in fields)
    return (user + nice + system + irq + soft + steal) / _TICKS


def postgresql_processes(url: str) -> set[int]:
    """The server processes that work for this database, where the server runs on this machine."""
    with psycopg.connect(url) as link:
        rows = link.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()").fetchall()
        return {int(pid) for (pid,) in rows if pid != link.info.backend_pid}


@dataclass
class Meter:
    """Processor time and memory of a server while something is measured. `find` names its processes.

    `children` of this process are taken for the generator, once they have ended.
    """

    find: Callable[[], set[int]]
    load_before: float = field(default_factory=load)
    _began: float = 0.0
    _busy: float = 0.0
    _own: float = 0.0
    _before: dict[int, float] = field(default_factory=dict)

    def start(self) -> None:
        self._before = {pid: cpu_seconds(pid) for pid in self.find()}
        self._busy, self._own, self._began = busy_seconds(), own_seconds(), time.monotonic()

    def stop(self) -> "Measured":
        wall = max(time.monotonic() - self._began, 1e-6)
        busy, own = busy_seconds() - self._busy, own_seconds() - self._own
        pids = self.find()
        server = sum(max(0.0, cpu_seconds(pid) - self._before.get(pid, 0.0)) for pid in pids)
        others = max(0.0, busy - server - own) / (wall * processors())
        return Measured(wall, server, memory_bytes(pids), others, self.load_before)


def own_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass(frozen=True)
class Measured:
    """`server_seconds`: processor time of the server and its database. `others`: share of the machine, 0 to 1, that
    went to anything but them and the generator; what the kernel does for all is part of it."""

    wall_seconds: float
    server_seconds: float
    memory_bytes: int
    others: float
    load_before: float

    @property
    def is_quiet(self) -> bool:
        return self.load_before <= QUIET_LOAD

    def words(self) -> str:
        return f"load {self.load_before:.1f}, others {self.others:.0%}"
