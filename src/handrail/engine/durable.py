"""The adapter of the durable execution library: the only module that imports it.

One workflow with one step runs one piece of work. The library gives at-least-once and recovery; that an act happens
once is decided by the record (see `steps/perform.py`), so another library could stand here.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer

from handrail.kernel.errors import Unavailable
from handrail.kernel.limits import LIMITS
from handrail.kernel.trace import span
from handrail.operations.shell import Work
from handrail.store.database import Database

Handler = Callable[[Mapping[str, str]], None]

_APPLICATION = "handrail"
# A constant: a version made from the sources would strand waiting work at every deploy.
_VERSION = "handrail-1"
_WORKFLOW = "handrail.work"
_QUEUES: dict[str, int] = {"handrail-acts": 8, "handrail-checks": 16}
_POLL_SECONDS = 0.15
_SLOW_KINDS = frozenset({"check"})

_log = logging.getLogger("handrail.engine")


class DurableEngine:
    """Runs work that was put in line by a committed transaction. One per process."""

    def __init__(self, database: Database, node: str, runs_work: bool = True) -> None:
        self._url = database.url.render_as_string(hide_password=False)
        self._node = node
        self._runs_work = runs_work
        self._handlers: Mapping[str, Handler] = {}
        self._serializer = DBOSPortableJSONSerializer()
        self._client: DBOSClient | None = None

    def start(self, handlers: Mapping[str, Handler]) -> None:
        """Recover what this node left behind, and begin to take work."""
        self._handlers = handlers
        DBOS(
            config={
                "name": _APPLICATION,
                "system_database_url": self._url,
                "serializer": self._serializer,
                "executor_id": self._node,
                "application_version": _VERSION,
                "log_level": "ERROR",
                "sys_db_pool_size": 24,
                "notification_listener_polling_interval_sec": 1.0,
                "scheduler_polling_interval_sec": 3600.0,
            }
        )

        @DBOS.step(name="handrail.do", retries_allowed=True, max_attempts=5, should_retry=_transient)
        def step(kind: str, arguments: dict[str, str]) -> None:
            self._do(kind, arguments)

        @DBOS.workflow(name=_WORKFLOW)
        def workflow(kind: str, key: str, arguments: dict[str, str]) -> None:
            step(kind, arguments)

        DBOS.launch()
        for name, concurrency in _QUEUES.items():
            DBOS.register_queue(name, worker_concurrency=concurrency, polling_interval_sec=_POLL_SECONDS)
        self._client = DBOSClient(
            system_database_url=self._url, serializer=self._serializer, application_name=_APPLICATION
        )

    def enqueue(self, connection: sa.Connection, work: Work) -> None:
        """Put work in line inside the caller's transaction. The same key a second time changes nothing."""
        if self._client is None:
            raise Unavailable("The engine has not started yet.", "engine_starting")
        self._client.enqueue_in_transaction(
            connection,
            {
                "queue_name": "handrail-checks" if work.kind in _SLOW_KINDS else "handrail-acts",
                "workflow_name": _WORKFLOW,
                "workflow_id": work.key,
                "app_version": _VERSION,
            },
            work.kind,
            work.key,
            work.arguments,
        )

    def take_over(self, dead_node: str) -> int:
        """Put the unfinished work of a dead node in line again; returns how many pieces."""
        pending = DBOS.list_workflows(status="PENDING", executor_id=dead_node, load_input=False, load_output=False)
        ids = [found.workflow_id for found in pending]
        if ids:
            DBOS.resume_workflows(ids, queue_name="handrail-acts")
        return len(ids)

    def waiting(self) -> int:
        """How many pieces of work are in line or under way."""
        return len(DBOS.list_workflows(status=["ENQUEUED", "PENDING"], load_input=False, load_output=False))

    def forget(self, finished_before: datetime) -> int:
        """Drop the library's own notes on work that ended long ago; the record keeps what matters."""
        done = DBOS.list_workflows(
            status=["SUCCESS", "CANCELLED"], completed_before=finished_before.isoformat(),
            limit=LIMITS.work_forgotten_at_once, load_input=False, load_output=False,
        )  # fmt: skip
        if done:
            DBOS.delete_workflows([found.workflow_id for found in done])
        return len(done)

    def stop(self) -> None:
        """Take no more work; what is under way gets a moment to end."""
        DBOS.destroy(workflow_completion_timeout_sec=2)
        if self._client is not None:
            self._client.destroy()
            self._client = None

    def _do(self, kind: str, arguments: dict[str, str]) -> None:
        try:
            # Steps whose trace is known only from what they load open their own span.
            with span(kind, arguments["trace"]) if "trace" in arguments else nullcontext():
                self._handlers[kind](arguments)
        except Exception:
            _log.exception("work failed", extra={"kind": kind})
            raise


def _transient(error: BaseException) -> bool:
    return isinstance(error, Unavailable)
