"""Grafana's unified alerting: the webhook contact point (Grafana 8 and newer)."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.grafana.parse import SEVERITIES, parse
from handrail.plugins.integrations.grafana.verify import verify

INTEGRATION = Integration(
    name="grafana",
    title="Grafana alerting",
    parse=parse,
    verify=verify,
    severities=SEVERITIES,
    docs="""
In Grafana: Alerting, Contact points, New contact point, type Webhook.

    URL:                     https://handrail.example/in/<source>
    HTTP method:             POST
    Authorization header:    Bearer <token>
    Optional HMAC signature: the source's signing secret (Grafana 12 and newer)
    Timestamp header:        X-Grafana-Alerting-Timestamp   (then a recorded request cannot be sent again)

Leave “Disable resolved message” off, and use no custom payload. One alert is known by Grafana's organisation and its
fingerprint, so that its resolve meets it. Title: annotation `summary`, else the name of the rule. Severity: label
`severity` or `priority`. Service: label `service`, `job` or `app`, else the folder of the rule. A rule without data
arrives as DatasourceNoData and is firing. Link: panel, else dashboard, else rule.
""",
)
