"""Roll back a release by the deploy workflow of GitHub Actions that took it out."""

from collections.abc import Mapping
from typing import Any

from handrail.domain.catalog import Catalog
from handrail.kernel.errors import Fault
from handrail.plugins.actions import github
from handrail.plugins.actions.calling import HttpAction, inputs, text, touched, wrong
from handrail.plugins.actions.contract import Action, Manifest, Outcome, Preview, Risk
from handrail.plugins.outward import Outward

_INPUTS = inputs(
    {
        **github.WHERE,
        "to_version": text("Version to go back to", 128),
        "from_version": text("Version in force now", 128),
    },
    {"version_input": text("Input of the workflow that takes the version", 100, default="version"), **github.HOW},
)


class GithubRollback(HttpAction):
    """Starts the deploy workflow with the earlier version. Done means that GitHub took the start."""

    manifest = Manifest(
        "github.rollback", "Roll back by a GitHub workflow", Risk.MEDIUM, reversible=True, inputs=_INPUTS
    )

    def preview_of(self, asked: Mapping[str, str], catalog: Catalog) -> Preview:
        service, before, after = asked["service"], asked["from_version"], asked["to_version"]
        if before == after:
            fault = Fault("/to_version", f"{service} runs {after} already; there is nothing to roll back.")
            raise wrong(self.manifest, fault)
        workflow = self._workflow(asked)
        return Preview(
            summary=f"Roll {service} back to {after} by {workflow.title}.",
            changes=(f"{service} {before} -> {after}", *workflow.lines()),
            blast_radius=touched(asked, catalog),
            undo=f"Deploy {service} {before} again by the same workflow.",
            signal=f"{service} error rate and p95 latency",
        )

    def act(self, asked: Mapping[str, str], key: str) -> Outcome:
        return self._workflow(asked).start(self.caller, key)

    def find(self, asked: Mapping[str, str], key: str) -> Outcome:
        return self._workflow(asked).find(self.caller, key)

    def undo_parameters(self, parameters: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        """The same workflow, the other way round."""
        turned = {"to_version": parameters["from_version"], "from_version": parameters["to_version"]}
        return {**parameters, **turned}

    def _workflow(self, asked: Mapping[str, str]) -> github.Workflow:
        return github.workflow(self.manifest, asked, {asked["version_input"]: asked["to_version"]})


def make(outward: Outward, credentials: Mapping[str, str]) -> Action:
    return GithubRollback(outward, credentials)
