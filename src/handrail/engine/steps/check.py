"""Check by signal: a service has recovered when its signal stays healthy for as long as the runbook asks."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from handrail.domain.run import FinishCheck, Run
from handrail.domain.signal import ReadSignal, Signal
from handrail.kernel.canonical import canonical
from handrail.kernel.clock import Clock
from handrail.kernel.errors import Conflict, HandrailError
from handrail.kernel.limits import LIMITS
from handrail.operations import documents, runs
from handrail.operations.shell import HANDRAIL, Shell, Tx


@dataclass(frozen=True)
class Check:
    shell: Shell
    clock: Clock
    probe: ReadSignal

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
        passed, detail, signal = self._watch(service.name, service.signal_url, plan.hold_seconds, plan.timeout_seconds)
        self._finish(run_id, FinishCheck(task_id, passed, detail, None), signal)

    def _watch(self, service: str, url: str, hold: int, timeout: int) -> tuple[bool, str, Signal | None]:
        deadline = self.clock.monotonic() + min(timeout, LIMITS.check_seconds)
        healthy_since: float | None = None
        last: Signal | None = None
        why = "no answer"
        while self.clock.monotonic() < deadline:
            try:
                last = self.probe(service, url)
                why = last.words()
                now = self.clock.monotonic()
                healthy_since = (healthy_since if healthy_since is not None else now) if last.healthy else None
                if healthy_since is not None and now - healthy_since >= hold:
                    return True, f"{service} has been healthy for {hold} s: {why}", last
            except HandrailError as error:
                healthy_since, why = None, error.detail
            time.sleep(LIMITS.check_interval_seconds)
        return False, f"{service} did not recover within {timeout} s: {why}", last

    def _finish(self, run_id: str, command: FinishCheck, signal: Signal | None) -> None:
        def operation(tx: Tx) -> None:
            evidence = None
            if signal is not None:
                content = canonical({"kind": "signal", "query": f"signal of {signal.service}", "signal": signal})
                evidence = tx.keep_evidence(content, "application/json", f"Signal of {signal.service} at its check")
            runs.finish_check(tx, run_id, FinishCheck(command.task_id, command.passed, command.detail, evidence))

        try:
            self.shell.transact(HANDRAIL, operation, "engine")
        except Conflict:
            # The run was cancelled or the task skipped while its signal was watched: the result has no taker.
            return
