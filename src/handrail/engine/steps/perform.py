"""Carry out one authorised action, once.

The record is the truth: `action.started` is written before the effect, with its attempt number. Whoever finds it
written already does not act, but asks the outside what became of it (probe). Only when that answers “not done”, and
the consent still stands, is the same act tried again under the same key.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from handrail.domain.run import FinishAction
from handrail.kernel.clock import Clock
from handrail.kernel.errors import Conflict, HandrailError, Refused
from handrail.kernel.limits import LIMITS
from handrail.kernel.points import reach
from handrail.kernel.trace import span
from handrail.operations import documents, runs
from handrail.operations.runs import Started
from handrail.operations.shell import HANDRAIL, Shell
from handrail.plugins.actions.contract import Action, Outcome, OutcomeStatus
from handrail.store.nodes import alive

_log = logging.getLogger("handrail.engine")

# A node that was paused between leave and effect must not act when it wakes: another may have taken over by then.
_ACT_WITHIN_SECONDS = LIMITS.node_dead_seconds / 2

_REPORTED: dict[OutcomeStatus, Literal["done", "failed", "unknown"]] = {
    OutcomeStatus.DONE: "done",
    OutcomeStatus.FAILED: "failed",
    OutcomeStatus.NOT_DONE: "failed",
    OutcomeStatus.UNKNOWN: "unknown",
}


@dataclass(frozen=True)
class Perform:
    shell: Shell
    clock: Clock
    actions: Mapping[str, Action]
    node: str

    def __call__(self, arguments: Mapping[str, str]) -> None:
        run_id, task_id = arguments["run_id"], arguments["task_id"]
        reach("perform.before_authority")
        began = self.clock.monotonic()
        started = self._leave(run_id, task_id)
        if started is None:
            return
        reach("perform.after_authority")
        with span("action", started.trace, action=started.action, attempt=started.attempt):
            outcome = self._outcome(run_id, task_id, started, began)
        reach("perform.after_effect")
        self._report(run_id, task_id, started, outcome)
        reach("perform.after_entry")

    def _leave(self, run_id: str, task_id: str) -> Started | None:
        """Ask the record for leave to act; None when the act is another's, is over, or lost its consent."""
        holder = self._holder_alive(run_id, task_id)
        try:
            return self.shell.transact(
                HANDRAIL, lambda tx: runs.start_action(tx, run_id, task_id, self.node, holder), "engine"
            )
        except Conflict as refusal:
            if refusal.code == "not_startable":
                return None
            why = refusal.detail
        except Refused as refusal:
            why = refusal.detail
        self.shell.transact(HANDRAIL, lambda tx: runs.void_action(tx, run_id, task_id, why), "engine")
        return None

    def _holder_alive(self, run_id: str, task_id: str) -> bool:
        with self.shell.database.read() as connection:
            holder = runs.holder_of(connection, run_id, task_id)
            return holder is None or holder == self.node or alive(connection, holder)

    def _outcome(self, run_id: str, task_id: str, started: Started, began: float) -> tuple[Outcome, bool]:
        action = self.actions[started.action]
        catalog = self.shell.transact(HANDRAIL, documents.load_catalog, "engine")
        if started.before:
            found = _asked(lambda: action.probe(started.parameters, catalog, started.key))
            if found.status != OutcomeStatus.NOT_DONE:
                return found, True
            try:
                self.shell.transact(HANDRAIL, lambda tx: runs.recheck_action(tx, run_id, task_id), "engine")
            except Refused as refusal:
                return Outcome(
                    OutcomeStatus.FAILED, f"It was not done, and may not be any more: {refusal.detail}"
                ), True
            began = self.clock.monotonic()
        if self.clock.monotonic() - began > _ACT_WITHIN_SECONDS:
            return Outcome(
                OutcomeStatus.UNKNOWN, "This node was held up between consent and act, and did not act."
            ), False
        return _asked(lambda: action.execute(started.parameters, catalog, started.key)), False

    def _report(self, run_id: str, task_id: str, started: Started, outcome: tuple[Outcome, bool]) -> None:
        result, by_probe = outcome
        command = FinishAction(
            task_id,
            started.attempt,
            _REPORTED[result.status],
            result.detail[: LIMITS.reason_chars],
            result.output,
            by_probe,
        )
        try:
            self.shell.transact(HANDRAIL, lambda tx: runs.finish_action(tx, run_id, command), "engine")
        except Conflict as refusal:
            # Another node took over while this one was away; its report counts, and this one is only noted in the log.
            if refusal.code != "fenced":
                raise


def _asked(question: Callable[[], Outcome]) -> Outcome:
    """An action that breaks tells nothing of what happened outside: a person is asked, whatever it broke by."""
    try:
        return question()
    except HandrailError as error:
        return Outcome(OutcomeStatus.UNKNOWN, error.detail)
    except Exception as error:
        # The border to a plugin: left to itself, its error would leave the act “running” for ever.
        _log.exception("an action broke")
        return Outcome(OutcomeStatus.UNKNOWN, f"The action broke ({type(error).__name__}); nobody knows what it did.")
