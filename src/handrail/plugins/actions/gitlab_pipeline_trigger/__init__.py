"""Start a pipeline of GitLab with given variables.

GitLab has no idempotency keys. The act's key goes along as the variable `HANDRAIL_KEY`, and the probe looks for it
among the newest pipelines. A first request may still be on its way, so not finding it never leads to a second try.
"""

from collections.abc import Mapping
from typing import Any

from handrail.domain.catalog import Catalog
from handrail.kernel.errors import BadInput, Fault
from handrail.plugins.actions.calling import (
    HttpAction,
    content,
    inputs,
    no_undo,
    not_learned,
    part,
    refusal,
    server,
    text,
    texts,
    touched,
    wrong,
)
from handrail.plugins.actions.contract import Action, Manifest, Outcome, OutcomeStatus, Preview, Risk
from handrail.plugins.outward import Answer, Outward

_KEY_VARIABLE = "HANDRAIL_KEY"
# Each of them costs one more request.
_PIPELINES_LOOKED_AT = 10
_INPUTS = inputs(
    {"project": text("Project, as its number or group/name"), "ref": text("Branch or tag that it runs on")},
    {
        "variables": text("Variables of the pipeline, as JSON object", 4096),
        "server": text("Address of GitLab", 512, default="https://gitlab.com"),
    },
)


class GitlabPipelineTrigger(HttpAction):
    """Done means that GitLab created the pipeline; what it does shows in the service's signal."""

    manifest = Manifest(
        "gitlab.pipeline_trigger", "Start a GitLab pipeline", Risk.HIGH, reversible=False, inputs=_INPUTS
    )

    def preview_of(self, asked: Mapping[str, str], catalog: Catalog) -> Preview:
        variables = self._variables(asked)
        lines = [f"POST {self._project(asked)}/pipeline", f"ref: {asked['ref']}"]
        lines += [f"{name}: {value}" for name, value in sorted({**variables, _KEY_VARIABLE: "{key}"}.items())]
        return Preview(
            summary=f"Start a pipeline of {asked['project']} on {asked['ref']} for {asked['service']}.",
            changes=tuple(lines),
            blast_radius=touched(asked, catalog),
            undo="What a pipeline did is not taken back by a machine.",
            signal=f"{asked['service']} error rate and p95 latency",
        )

    def act(self, asked: Mapping[str, str], key: str) -> Outcome:
        url = f"{self._project(asked)}/pipeline"
        variables = {**self._variables(asked), _KEY_VARIABLE: key}
        listed = [{"key": name, "value": value} for name, value in sorted(variables.items())]
        said = self.caller.post(url, {"ref": asked["ref"], "variables": listed}, self.caller.bearer(url))
        pipeline = content(said)
        if said.status != 201 or not isinstance(pipeline.get("id"), int):
            return refusal(said, "GitLab")
        return Outcome(OutcomeStatus.DONE, f"GitLab created the pipeline {pipeline['id']}.", _kept(pipeline))

    def find(self, asked: Mapping[str, str], key: str) -> Outcome:
        project = self._project(asked)
        url = f"{project}/pipelines?source=api&ref={part(asked['ref'])}&per_page={_PIPELINES_LOOKED_AT}"
        said = self.caller.request("GET", url, self.caller.bearer(url))
        pipelines = _listed(said)
        if pipelines is None:
            return not_learned(said, "GitLab")
        for pipeline in pipelines[:_PIPELINES_LOOKED_AT]:
            if not isinstance(pipeline.get("id"), int):
                continue
            url = f"{project}/pipelines/{pipeline['id']}/variables"
            said = self.caller.request("GET", url, self.caller.bearer(url))
            variables = _listed(said)
            if variables is None:
                return not_learned(said, "GitLab")
            if any(one.get("key") == _KEY_VARIABLE and one.get("value") == key for one in variables):
                detail = f"GitLab created the pipeline {pipeline['id']} with this key."
                return Outcome(OutcomeStatus.DONE, detail, _kept(pipeline))
        return Outcome(OutcomeStatus.UNKNOWN, "GitLab shows no pipeline with this key yet.")

    def undo_parameters(self, parameters: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        raise no_undo(self.manifest, "only the pipeline itself knows what it did.")

    def _project(self, asked: Mapping[str, str]) -> str:
        return f"{server(self.manifest, asked)}/api/v4/projects/{part(asked['project'])}"

    def _variables(self, asked: Mapping[str, str]) -> dict[str, str]:
        variables = texts(self.manifest, asked, "variables")
        if _KEY_VARIABLE in variables:
            raise wrong(self.manifest, Fault("/variables", f"{_KEY_VARIABLE} is the act's own; name it otherwise."))
        return variables


def _listed(said: Answer) -> list[dict[str, Any]] | None:
    try:
        value = said.json() if said.status == 200 else None
    except BadInput:
        return None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else None


def _kept(pipeline: Mapping[str, Any]) -> dict[str, Any]:
    return {name: pipeline[name] for name in ("id", "status", "web_url") if isinstance(pipeline.get(name), str | int)}


def make(outward: Outward, credentials: Mapping[str, str]) -> Action:
    return GitlabPipelineTrigger(outward, credentials)
