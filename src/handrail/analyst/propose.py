"""From a cause to one exact action, or a sentence that says why there is none. Pure: previews touch nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handrail.analyst.rank import Cause
from handrail.domain.catalog import Catalog
from handrail.domain.runbook import Runbook
from handrail.kernel.canonical import plain
from handrail.kernel.errors import Refused
from handrail.plugins.actions.contract import Action

ACTION = "deploy.rollback"
RUNBOOK = "bad-release-rollback"
_RELEASES = ("deploy", "release", "rollback")


@dataclass(frozen=True)
class Plan:
    """One action with its exact parameters and preview, and the runbook that carries it out."""

    action: str
    parameters: dict[str, str]
    preview: dict[str, Any]
    runbook: str
    inputs: dict[str, str]


def propose(
    cause: Cause, catalog: Catalog, actions: Mapping[str, Action], runbook: Runbook | None, running: str | None
) -> Plan | str:
    """The plan for a cause. `running` is the version that the signal saw; None when it is not known."""
    change = cause.change
    if change is None:
        return "No change is the cause, so there is nothing to take back."
    if change.kind not in _RELEASES:
        return f"The cause is a change of the kind {change.kind}; no action is known that takes it back."
    if not change.service or not change.version or not change.previous_version:
        return "The change does not say which version was there before, so there is none to go back to."
    if running is not None and running != change.version:
        return f"{change.service} runs {running} by now, not {change.version}; there is nothing to roll back."
    action = actions.get(ACTION)
    if action is None:
        return f"This installation has no action “{ACTION}”."
    parameters = {
        "service": change.service, "to_version": change.previous_version, "from_version": change.version,
    }  # fmt: skip
    try:
        preview = plain(action.preview(parameters, catalog))
    except Refused as refusal:
        return f"The action cannot be previewed: {refusal.detail}"
    inputs = _inputs(parameters, catalog, runbook)
    return inputs if isinstance(inputs, str) else Plan(ACTION, parameters, preview, RUNBOOK, inputs)


def _inputs(parameters: Mapping[str, str], catalog: Catalog, runbook: Runbook | None) -> dict[str, str] | str:
    """What the runbook asks for, as far as it follows from the cause."""
    if runbook is None:
        return f"The runbook “{RUNBOOK}” is not in force."
    name = parameters["service"]
    follows = {
        "service": name, "version": parameters["from_version"], "previous_version": parameters["to_version"],
        "owner_team": catalog.services[name].owner,
    }  # fmt: skip
    missing = [wanted for wanted in runbook.inputs if wanted not in follows]
    if missing:
        return f"The runbook “{RUNBOOK}” asks for {', '.join(missing)}, which does not follow from the cause."
    return {wanted: follows[wanted] for wanted in runbook.inputs}
