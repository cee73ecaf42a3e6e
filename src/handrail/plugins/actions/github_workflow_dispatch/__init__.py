"""Start a workflow of GitHub Actions with given inputs."""

from collections.abc import Mapping
from typing import Any

from handrail.domain.catalog import Catalog
from handrail.plugins.actions import github
from handrail.plugins.actions.calling import HttpAction, inputs, no_undo, text, texts, touched
from handrail.plugins.actions.contract import Action, Manifest, Outcome, Preview, Risk
from handrail.plugins.outward import Outward

_INPUTS = inputs(github.WHERE, {"inputs": text("Inputs of the workflow, as JSON object", 4096), **github.HOW})


class GithubWorkflowDispatch(HttpAction):
    """Done means that GitHub took the start; what the workflow does shows in the service's signal."""

    manifest = Manifest(
        "github.workflow_dispatch", "Start a GitHub workflow", Risk.HIGH, reversible=False, inputs=_INPUTS
    )

    def preview_of(self, asked: Mapping[str, str], catalog: Catalog) -> Preview:
        workflow = self._workflow(asked)
        return Preview(
            summary=f"Start {workflow.title} on {workflow.ref} for {asked['service']}.",
            changes=workflow.lines(),
            blast_radius=touched(asked, catalog),
            undo="What a workflow did is not taken back by a machine.",
            signal=f"{asked['service']} error rate and p95 latency",
        )

    def act(self, asked: Mapping[str, str], key: str) -> Outcome:
        return self._workflow(asked).start(self.caller, key)

    def find(self, asked: Mapping[str, str], key: str) -> Outcome:
        return self._workflow(asked).find(self.caller, key)

    def undo_parameters(self, parameters: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        raise no_undo(self.manifest, "only the workflow itself knows what it did.")

    def _workflow(self, asked: Mapping[str, str]) -> github.Workflow:
        return github.workflow(self.manifest, asked, texts(self.manifest, asked, "inputs"))


def make(outward: Outward, credentials: Mapping[str, str]) -> Action:
    return GithubWorkflowDispatch(outward, credentials)
