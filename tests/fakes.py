"""What stands in tests where production has the engine and the outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from handrail.domain.catalog import Catalog
from handrail.kernel.errors import Unprocessable
from handrail.operations.shell import Work
from handrail.plugins.actions.contract import Manifest, Outcome, OutcomeStatus, Preview, Risk

ROLLBACK_INPUTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("service", "from_version", "to_version")},
    "required": ["service", "from_version", "to_version"],
    "additionalProperties": False,
}
ROLLBACK = Manifest("deploy.rollback", "Roll back a release", Risk.MEDIUM, True, ROLLBACK_INPUTS)


@dataclass
class FakeEngine:
    """Remembers the work put in line, each key once. Nothing runs by itself: a test takes the work and reports.

    `work` holds what was enqueued even when its transaction is rolled back later; tests of refusals look at the record.
    """

    work: list[Work] = field(default_factory=list)

    def enqueue(self, connection: sa.Connection, work: Work) -> None:
        assert connection.in_transaction()
        if work.key not in self.keys():
            self.work.append(work)

    def keys(self) -> list[str]:
        return [work.key for work in self.work]

    def of_kind(self, kind: str) -> list[Work]:
        return [work for work in self.work if work.kind == kind]

    def take(self, kind: str) -> list[Work]:
        """The work of a kind, removed from the line."""
        taken = self.of_kind(kind)
        self.work = [work for work in self.work if work.kind != kind]
        return taken


@dataclass
class FakeAction:
    """An action on a service of the catalogue whose every effect is remembered in `acts` as (key, parameters)."""

    manifest: Manifest = ROLLBACK
    acts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def preview(self, parameters: Mapping[str, Any], catalog: Catalog) -> Preview:
        service = str(parameters.get("service"))
        if service not in catalog.services:
            raise Unprocessable(f"{service} is not in the catalogue.", "unknown_service")
        return Preview(
            summary=f"Roll {service} back to {parameters['to_version']}.",
            changes=(f"{service} {parameters['from_version']} -> {parameters['to_version']}",),
            blast_radius=(service, *sorted(catalog.dependents(service))),
            undo=f"Deploy {service} {parameters['from_version']} again.",
            signal=f"{service} error rate",
        )

    def execute(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome:
        self.acts.append((key, dict(parameters)))
        return Outcome(OutcomeStatus.DONE, "Done.", {"version": parameters["to_version"]})

    def probe(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome:
        status = OutcomeStatus.DONE if key in [known for known, _ in self.acts] else OutcomeStatus.NOT_DONE
        return Outcome(status, "Asked.")

    def undo_parameters(self, parameters: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        return {**parameters, "from_version": parameters["to_version"], "to_version": parameters["from_version"]}

    def simulate(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome:
        return replace(Outcome(OutcomeStatus.DONE, "Simulated."), output={"simulated": True})
