"""GitHub's webhooks: what was deployed, released and merged."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.github.parse import parse, verify

INTEGRATION = Integration(
    name="github",
    title="GitHub",
    parse=parse,
    verify=verify,
    docs="""
In the repository or organisation: Settings, Webhooks, Add webhook. Payload URL: https://handrail.example/in/<source>.
Content type: application/json (the form type is read too). Secret: the source's signing secret; GitHub then signs each
delivery (`X-Hub-Signature-256`). Choose single events: Deployments, Deployment statuses, Workflow runs, Pushes,
Releases.

What becomes a change:
- a deployment, when it is created (many tools never report its end) and when a status says that it succeeded; both
  are one change. Leave Deployments out to hear only of those that succeeded. A failed one is no change.
- a workflow run that completed with success and says by its name or file that it deploys, releases, rolls out or
  rolls back; not runs for pull requests, and not test runs.
- a push to the default branch, of kind “other”: code that may be deployed next.
- a published release (no drafts).

All else (pings, other branches, tags, stars) is taken and says nothing. Service: the repository's full name. A
redelivery (`X-GitHub-Delivery`) is one delivery.
""",
)
