"""Google Cloud Monitoring's incidents, by webhook or Pub/Sub push."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.gcp_monitoring.parse import SEVERITIES, parse

INTEGRATION = Integration(
    name="gcp_monitoring",
    title="Google Cloud Monitoring",
    parse=parse,
    severities=SEVERITIES,
    docs="""
By webhook: under Alerting, Edit notification channels, add a webhook with https://handrail.example/in/<source>/<token>.
By Pub/Sub: add a Pub/Sub channel, and to its topic a push subscription with the same address; payload unwrapping may
be on or off. Google signs neither: the token in the address tells who sends.

`open` fires, `closed` resolves, both under the incident's id. Severity is the policy's own, else the policy's user
label `severity`; without one it is medium. Service: the user label `service`, else the resource's labels (service_name,
module_id, container_name, function_name, database_id, ...), else the resource. Versions 1.0, 1.1, 1.2 and the test
notification are read.
""",
)
