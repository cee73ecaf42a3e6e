"""CloudEvents 1.0 (structured, binary and batch), and CDEvents inside or without them."""

from handrail.plugins.integrations.cloudevents.parse import parse
from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.signatures import verify_standard_webhook

INTEGRATION = Integration(
    name="cloudevents",
    title="CloudEvents and CDEvents",
    parse=parse,
    verify=verify_standard_webhook,
    docs="""
Post CloudEvents 1.0 over HTTP in any of its three modes: structured (application/cloudevents+json), binary (ce-*
headers) or batch (application/cloudevents-batch+json). CDEvents are read inside of CloudEvents, and as bare JSON.
Azure Event Grid (event schema: CloudEvents v1.0) asks before it sends; with https://handrail.example/in/<source>/<token>
as its webhook it is answered that it may.

A type that names an alert, an incident or a problem makes an alert: status from `data.status` or the type
(…resolved), severity from `data.severity` or the extension `severity`, identity from `data.dedup_key` (or alert_id,
incident_id, problem_id, fingerprint), the subject or the data's own id; all within the event's source. Every other
event is a change: deploy, rollback, release, flag, config or infrastructure by its type, else “other”. One that says by
its type or its status that it failed or was cancelled changed nothing. Of CDEvents about pipelines only a run that
succeeded and whose name says that it deploys is a change; task runs, builds, tests, branches, reviews and tickets are
taken and say nothing.

`data` may hold service, version, previous_version, environment, author, title and link, and a `change_key` (or
deployment_id) where several events tell of one change.

`source` and `id` name a delivery: the same event sent twice is one. A source with signing secrets is signed as Standard
Webhooks say (`webhook-id`, `webhook-timestamp`, `webhook-signature`).
""",
)
