"""Azure Monitor's alerts in the common alert schema."""

from handrail.plugins.integrations.azure_monitor.parse import parse
from handrail.plugins.integrations.azure_monitor.tables import SEVERITIES
from handrail.plugins.integrations.contract import Integration

INTEGRATION = Integration(
    name="azure_monitor",
    title="Azure Monitor",
    parse=parse,
    severities=SEVERITIES,
    docs="""
In the action group add an action of type Webhook with the address https://handrail.example/in/<source>/<token>, and
switch on “Enable the common alert schema”. Azure signs nothing: the token in the address tells who sends. Where you
would rather not have it there, use a Logic App that sends the header Authorization with “Bearer <token>”.

Read are metric, log (both versions), activity log, service health, resource health and availability alerts. Fired
fires, Resolved resolves, both under the alert's id. Service health has no such pair: its tracking id is the identity,
and its stage (Resolved, Complete, RCA, ...) resolves. Resource health is known by its resource, and Available
resolves it. Sev0 is critical, Sev1 high, Sev2 medium, Sev3 low, Sev4 info.

Service: the custom property `service`, else the service that service health names, else the target. Resource: the
first configuration item, else the target.
""",
)
