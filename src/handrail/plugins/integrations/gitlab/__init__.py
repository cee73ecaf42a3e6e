"""GitLab's webhooks: what was deployed, released, tagged, merged and switched."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.gitlab.parse import parse, verify

INTEGRATION = Integration(
    name="gitlab",
    title="GitLab",
    parse=parse,
    verify=verify,
    docs="""
In the project or group: Settings, Webhooks, Add new webhook. URL: https://handrail.example/in/<source>. Signing token
(newer GitLab, Standard Webhooks) or secret token (`X-Gitlab-Token`): the source's signing secret. The secret token
signs nothing, so such alerts count as “token”, not as “verified”. Triggers: Deployment events, Pipeline events, Push
events, Tag push events, Releases events, Feature flag events.

What becomes a change:
- a deployment that succeeded. Running, failed and cancelled ones are no change.
- in a pipeline, each job that succeeded in bringing something to an environment; the deployment event of that job is
  the same change. A deploy job that was skipped, failed or waits for a hand is no change, whatever the pipeline says.
- a push to the default branch, of kind “other”: code that may be deployed next.
- a new tag and a new release; of one name they are one change.
- a feature flag that was turned on or off.

All else is taken and says nothing. Service: the project's path with its namespace.
""",
)
