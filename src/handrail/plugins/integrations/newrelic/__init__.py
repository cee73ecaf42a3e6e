"""New Relic's issues (workflows) and its older incidents (notification channels)."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.newrelic.parse import parse
from handrail.plugins.integrations.newrelic.tables import SEVERITIES

INTEGRATION = Integration(
    name="newrelic",
    title="New Relic",
    parse=parse,
    severities=SEVERITIES,
    docs="""
Under Alerts, Destinations, add a webhook with https://handrail.example/in/<source> and a bearer token: <token>. In a
workflow choose it as the channel; the default template is read as it is, and may have more fields. A field `service`
or `labels` of your own is taken as such. Let the workflow notify when an issue is activated, acknowledged and closed.
Older notification channels (`incident_id`, `current_state`) send what is read as well; put the token in their header.

CREATED and ACTIVATED fire, an acknowledgement acknowledges, CLOSED resolves, all under the issue's `id` (the one in the
link may differ and is not asked). CRITICAL is critical, HIGH high, MEDIUM and WARN medium, LOW low. Service and
resource: the first impacted entity, or the first target.
""",
)
