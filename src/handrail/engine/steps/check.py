"""Check by signal: a service has recovered when its signal stays healthy for as long as the runbook asks."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from handrail.domain.catalog import Service
from handrail.domain.run import FinishCheck, Run
from handrail.domain.signal import Signal, SignalProbe, SignalUnreadable, as_json
from handrail.kernel.canonical import canonical
from handrail.kernel.clock import Clock
from handrail.kernel.errors import Conflict
from handrail.kernel.limits import LIMITS
from handrail.operations import documents, runs
from handrail.operations.shell import HANDRAIL, Shell, Tx


@dataclass(frozen=True)
class Check:
    shell: Shell
    clock: Clock
    probe: SignalProbe

    def __call__(self, arguments: Mapping[str, str]) -> None:
        run_id, task_id = arguments["run_id"], arguments["task_id"]
        run: Run = self.shell.transact(HANDRAIL, lambda tx: tx.get("run", run_id), "engine")
        task = run.tasks[task_id]
        if task.status != "running" or run.status != "running":
            return
        plan = task.plan
        catalog = self.shell.transact(HANDRAIL, documents.load_catalog, "engine")
        service = catalog.services.get(plan.service)
        if service is None or service.signal_url is None:
            self._finish(
                run_id, FinishCheck(task_id, False, f"{plan.service} has no signal in the catalogue.", None), None
            )
            return
        passed, detail, signal = self._watch(service, plan.hold_seconds, plan.timeout_seconds)
        self._finish(run_id, FinishCheck(task_id, passed, detail, None), signal)

    def _watch(self, service: Service, hold: int, timeout: int) -> tuple[bool, str, Signal | None]:
        deadline = self.clock.monotonic() + min(timeout, LIMITS.check_seconds)
        healthy_since: float | None = None
        last: Signal | None = None
        why = "no answer"
        while self.clock.monotonic() < deadline:
            try:
                last = self.probe.read(service)
                why = _words(last)
                now = self.clock.monotonic()
                healthy_since = (healthy_since if healthy_since is not None else now) if last.healthy else None
                if healthy_since is not None and now - healthy_since >= hold:
                    return True, f"{service.name} has been healthy for {hold} s: {why}", last
            except SignalUnreadable as error:
                healthy_since, why = None, error.detail
            time.sleep(LIMITS.check_interval_seconds)
        return False, f"{service.name} did not recover within {timeout} s: {why}", last

    def _finish(self, run_id: str, command: FinishCheck, signal: Signal | None) -> None:
        def operation(tx: Tx) -> None:
            evidence = None
            if signal is not None:
                content = canonical({"query": f"signal of {signal.service}", **as_json(signal)})
                evidence = tx.keep_evidence(content, "application/json", f"Signal of {signal.service} at its check")
            runs.finish_check(tx, run_id, FinishCheck(command.task_id, command.passed, command.detail, evidence))

        try:
            self.shell.transact(HANDRAIL, operation, "engine")
        except Conflict:
            # The run was cancelled or the task skipped while its signal was watched: the result has no taker.
            return


def _words(signal: Signal) -> str:
    rate = "unknown" if signal.error_rate is None else f"{signal.error_rate:.1%}"
    p95 = "unknown" if signal.p95_seconds is None else f"{signal.p95_seconds * 1000:.0f} ms"
    return f"error rate {rate}, p95 {p95}"
