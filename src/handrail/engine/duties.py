"""What every node does again and again: timers, checkpoints, the beat, taking over from dead nodes.

One thread per duty. A fault is logged and counted, and the duty goes on; a broken invariant stops that duty for good.
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa
from prometheus_client import Counter, Gauge

from handrail.engine.durable import DurableEngine
from handrail.kernel.clock import Clock, to_text
from handrail.kernel.errors import BrokenInvariant, HandrailError, Refused
from handrail.kernel.limits import LIMITS
from handrail.operations import decisions
from handrail.operations.shell import HANDRAIL, Shell
from handrail.store import nodes, tables

_log = logging.getLogger("handrail.duties")

LAST_SUCCESS = Gauge("handrail_duty_last_success_timestamp_seconds", "When a duty last ended well.", ["duty"])
FAILURES = Counter("handrail_duty_failures_total", "How often a duty failed.", ["duty"])
TIMERS = Counter("handrail_timers_fired_total", "Timers that were due and told.")
TIMER_LATE = Gauge("handrail_timers_late_seconds", "How late the last timer was told.")


@dataclass
class Duties:
    """The loops of one node. `stopped` tells why a duty gave up, for the health page."""

    clock: Clock
    stopped: dict[str, str] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, name: str, every_seconds: float, duty: Callable[[], object]) -> None:
        """Run `duty` again and again in a thread of its own."""
        thread = threading.Thread(target=self._loop, args=(name, every_seconds, duty), name=f"duty-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _loop(self, name: str, every_seconds: float, duty: Callable[[], object]) -> None:
        while not self._stop.wait(every_seconds):
            try:
                duty()
                LAST_SUCCESS.labels(name).set(self.clock.now().timestamp())
            except BrokenInvariant as error:
                self.stopped[name] = error.detail
                FAILURES.labels(name).inc()
                _log.critical("duty stopped", extra={"duty": name, "why": error.detail})
                return
            except Exception as error:
                # The outermost loop of a duty: whatever it was, it is logged and counted, and the duty goes on.
                FAILURES.labels(name).inc()
                why = error.detail if isinstance(error, HandrailError) else repr(error)
                _log.warning(
                    "duty failed", extra={"duty": name, "why": why}, exc_info=not isinstance(error, HandrailError)
                )


@dataclass(frozen=True)
class Timers:
    """Tell every noun whose moment has come. What is due while the process was down is told at once."""

    shell: Shell

    def __call__(self) -> int:
        now = self.shell.clock.now()
        with self.shell.database.read() as connection:
            query = sa.select(tables.timer).where(tables.timer.c.due_at <= to_text(now)).order_by(tables.timer.c.due_at)
            due = {(row.kind, row.id) for row in connection.execute(query.limit(LIMITS.timer_batch))}
        for kind, noun_id in sorted(due):
            self._tell(kind, noun_id)
        return len(due)

    def _tell(self, kind: str, noun_id: str) -> None:
        try:
            self.shell.transact(HANDRAIL, lambda tx: decisions.tick(tx, kind, noun_id), "timer")
            TIMERS.inc()
        except Refused as refusal:
            _log.warning("timer refused", extra={"noun": f"{kind}/{noun_id}", "why": refusal.detail})


@dataclass(frozen=True)
class Beat:
    """Say that this node is alive, and take over from those that are not (PostgreSQL; SQLite has one process)."""

    shell: Shell
    engine: DurableEngine
    node: str

    def __call__(self, also_dead: tuple[str, ...] = ()) -> None:
        database = self.shell.database
        if database.is_sqlite:
            return
        nodes.beat(database, self.node)
        for dead in nodes.bury_dead(database, also_dead):
            taken = self.engine.take_over(dead)
            _log.warning("took over from a dead node", extra={"node": dead, "work": taken})

    def at_start(self) -> None:
        """A process of this machine that is gone is dead at once, without waiting for its silence."""
        if self.shell.database.is_sqlite:
            return
        host = self.node.split(":")[0]
        mine = [node for node in nodes.known(self.shell.database) if node.split(":")[0] == host and node != self.node]
        self(tuple(node for node in mine if not _running(node)))


def _running(node: str) -> bool:
    """Whether the process that a node of this machine names still runs."""
    try:
        os.kill(int(node.split(":")[1]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return int(node.split(":")[1]) != os.getpid()
