"""The action `deploy.rollback`: what it would do, and what became of it. `answers` reads what the control says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from handrail.domain.catalog import Catalog
from handrail.kernel.errors import Fault, Unprocessable
from handrail.plugins.actions.calling import Caller
from handrail.plugins.actions.contract import Manifest, Outcome, OutcomeStatus, Preview, Risk
from handrail.plugins.actions.deploy_rollback import answers
from handrail.plugins.outward import Outward, OutwardFailed

NAME = "deploy.rollback"
_VERSION = {"type": "string", "minLength": 1, "maxLength": 128}
_INPUTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "service": {"type": "string", "minLength": 1, "maxLength": 256, "title": "Service in the catalogue"},
        "to_version": {**_VERSION, "title": "Version to go back to"},
        "from_version": {**_VERSION, "title": "Version in force now"},
    },
    "required": ["service", "to_version", "from_version"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class _Plan:
    """The parameters, read: what goes where."""

    service: str
    to_version: str
    from_version: str
    url: str


class DeployRollback:
    """Deploys `to_version` where `from_version` runs. Every try of the same act sends the same Idempotency-Key."""

    manifest = Manifest(NAME, "Roll back a release", Risk.MEDIUM, reversible=True, inputs=_INPUTS)

    def __init__(self, outward: Outward, credentials: Mapping[str, str]) -> None:
        self._outward = outward
        self._caller = Caller(outward, credentials)

    def preview(self, parameters: Mapping[str, Any], catalog: Catalog) -> Preview:
        """What would change, from the catalogue alone. Raises Unprocessable."""
        plan = _read(parameters, catalog)
        dependents = tuple(sorted(catalog.dependents(plan.service)))
        felt = f" {', '.join(dependents)} may see errors while it restarts." if dependents else ""
        return Preview(
            summary=f"Roll {plan.service} back to {plan.to_version}.{felt}",
            changes=(f"{plan.service} {plan.from_version} -> {plan.to_version}",),
            blast_radius=(plan.service, *dependents),
            undo=f"Deploy {plan.service} {plan.from_version} again.",
            signal=f"{plan.service} error rate and p95 latency",
        )

    def execute(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome:
        """Ask for the deploy once. Raises Unprocessable when the parameters no longer make sense."""
        plan = _read(parameters, catalog)
        moved_on = self._moved_on(plan)
        if moved_on:
            return self._caller.masked(Outcome(OutcomeStatus.FAILED, moved_on))
        try:
            said = self._outward.post_json(
                f"{plan.url}/deploy", {"version": plan.to_version}, {**self._headers(plan), "idempotency-key": key}
            )
        except OutwardFailed as failure:
            return answers.not_heard(failure)
        return self._caller.masked(answers.after_deploy(said, plan.service, plan.to_version))

    def probe(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome:
        """Ask what became of the act that was sent with this key."""
        plan = _read(parameters, catalog)
        try:
            said = self._outward.get(f"{plan.url}/deploy?key={quote(key, safe='')}", self._headers(plan))
        except OutwardFailed as failure:
            return Outcome(OutcomeStatus.UNKNOWN, f"It could not be asked what became of it: {failure.detail}")
        return self._caller.masked(answers.after_probe(said, plan.service, plan.to_version))

    def undo_parameters(self, parameters: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters that take it back: the same action, the other way round."""
        return {
            "service": parameters["service"],
            "to_version": parameters["from_version"],
            "from_version": parameters["to_version"],
        }

    def simulate(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome:
        """Everything but the effect: nothing leaves the process."""
        plan = _read(parameters, catalog)
        return Outcome(
            OutcomeStatus.DONE,
            f"Simulated: {plan.service} would run {plan.to_version} instead of {plan.from_version}.",
            {"simulated": True, "version": plan.to_version, "previous_version": plan.from_version},
        )

    def _moved_on(self, plan: _Plan) -> str | None:
        """A sentence when the service is known to run a third version: then this is not what people approved.

        A control that does not tell its version is no reason to stop; the deploy itself will say.
        """
        try:
            running = answers.running_version(self._outward.get(f"{plan.url}/version", self._headers(plan)))
        except OutwardFailed:
            return None
        if running in (None, plan.from_version, plan.to_version):
            return None
        return f"{plan.service} runs {running} by now, not {plan.from_version}; nothing was changed."

    def _headers(self, plan: _Plan) -> dict[str, str]:
        return self._caller.bearer(plan.url)


def _read(parameters: Mapping[str, Any], catalog: Catalog) -> _Plan:
    faults = [
        Fault(f"/{name}", f"“{name}” is missing.")
        for name in ("service", "to_version", "from_version")
        if not isinstance(parameters.get(name), str) or not parameters[name].strip()
    ]
    faults += [Fault(f"/{name}", f"“{name}” is not known here.") for name in parameters if name not in _PARAMETERS]
    if faults:
        raise Unprocessable("The rollback's parameters have faults.", "action_parameters", tuple(faults))
    name, to_version, from_version = (parameters[key] for key in _PARAMETERS)
    service = catalog.services.get(name)
    if service is None:
        raise Unprocessable(f"{name[:80]} is not in the catalogue.", "unknown_service")
    if not service.control_url:
        raise Unprocessable(f"The catalogue names no deploy control (control-url) for {name}.", "no_control")
    if to_version == from_version:
        raise Unprocessable(f"{name} runs {to_version} already; there is nothing to roll back.", "same_version")
    return _Plan(name, to_version, from_version, service.control_url.rstrip("/"))


_PARAMETERS = ("service", "to_version", "from_version")
