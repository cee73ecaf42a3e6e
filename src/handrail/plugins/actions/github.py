"""What the actions over GitHub Actions share: starting a workflow, and finding the run that an act started.

GitHub has no idempotency keys and says nothing of the run that it starts. So the act's key goes along as an input that
the workflow puts into its `run-name`, and the probe looks for it there. Runs show up late: not finding one proves
nothing, and so never leads to a second try.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handrail.kernel.errors import Fault
from handrail.plugins.actions.calling import Caller, content, not_learned, part, refusal, server, text, wrong
from handrail.plugins.actions.contract import Manifest, Outcome, OutcomeStatus

# A run is described in some 12 KB, and an answer is read up to a bound.
_RUNS_LOOKED_AT = 10

WHERE: Mapping[str, Any] = {
    "repository": text("Repository, as owner/name", pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$"),
    "workflow": text("File name or number of the workflow", pattern=r"^[A-Za-z0-9_.-]+$"),
    "ref": text("Branch or tag that it runs on"),
}
HOW: Mapping[str, Any] = {
    "marker_input": text("Input that takes the act's key and stands in the workflow's run-name", 100),
    "server": text("Address of the API", 512, default="https://api.github.com"),
}


@dataclass(frozen=True)
class Workflow:
    """A workflow, what it is started with, and the input that carries the act's key, if there is one."""

    url: str
    title: str
    ref: str
    inputs: Mapping[str, str]
    marker_input: str

    def lines(self) -> tuple[str, ...]:
        """The exact lines that people approve."""
        marker = {self.marker_input: "{key}"} if self.marker_input else {}
        given = sorted({**self.inputs, **marker}.items())
        return (
            f"POST {self.url}/dispatches",
            f"ref: {self.ref}",
            *(f"inputs.{name}: {value}" for name, value in given),
        )

    def start(self, caller: Caller, key: str) -> Outcome:
        """Start it once. Raises OutwardFailed."""
        marker = {self.marker_input: key} if self.marker_input else {}
        body = {"ref": self.ref, "inputs": {**self.inputs, **marker}}
        said = caller.post(f"{self.url}/dispatches", body, _headers(caller, self.url))
        if said.status not in (200, 204):
            return refusal(said, "GitHub")
        run_id = content(said).get("workflow_run_id")
        output = {"workflow": self.title} | ({"run_id": run_id} if isinstance(run_id, int) else {})
        return Outcome(OutcomeStatus.DONE, f"GitHub took the start of {self.title} on {self.ref}.", output)

    def find(self, caller: Caller, key: str) -> Outcome:
        """Look for the run by its name. Raises OutwardFailed."""
        if not self.marker_input:
            return Outcome(OutcomeStatus.UNKNOWN, "No input carries the key, so GitHub cannot be asked about the run.")
        url = f"{self.url}/runs?event=workflow_dispatch&per_page={_RUNS_LOOKED_AT}"
        said = caller.request("GET", url, _headers(caller, url))
        runs = content(said).get("workflow_runs")
        if said.status != 200 or not isinstance(runs, list):
            return not_learned(said, "GitHub")
        marked = re.compile(rf"(?<![\w:/.-]){re.escape(key)}(?![\w:/.-])")
        for run in runs:
            if isinstance(run, dict) and marked.search(str(run.get("display_title", ""))):
                names = ("id", "html_url", "status", "conclusion")
                output = {name: run[name] for name in names if isinstance(run.get(name), str | int)}
                return Outcome(OutcomeStatus.DONE, f"GitHub started {self.title} with this key.", output)
        return Outcome(OutcomeStatus.UNKNOWN, f"GitHub shows no run of {self.title} with this key yet; runs show late.")


def workflow(manifest: Manifest, asked: Mapping[str, str], given: Mapping[str, str]) -> Workflow:
    """The workflow that the parameters name. Raises Unprocessable."""
    owner, _, name = asked["repository"].partition("/")
    if {owner, name, asked["workflow"]} & {".", ".."}:
        raise wrong(manifest, Fault("/repository", "A repository and a workflow have names of their own."))
    if asked["marker_input"] in given:
        raise wrong(manifest, Fault("/marker_input", "This input has a value already; the key needs one of its own."))
    url = f"{server(manifest, asked)}/repos/{part(owner)}/{part(name)}/actions/workflows/{part(asked['workflow'])}"
    title = f"{asked['repository']} {asked['workflow']}"
    return Workflow(url, title, asked["ref"], given, asked["marker_input"])


def _headers(caller: Caller, url: str) -> dict[str, str]:
    return {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28", **caller.bearer(url)}
