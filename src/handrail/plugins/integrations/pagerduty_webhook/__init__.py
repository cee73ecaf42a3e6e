"""PagerDuty's outgoing webhooks: version 3, and the older versions 1 and 2 with a list of messages."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.pagerduty_webhook.parse import SEVERITIES, parse
from handrail.plugins.integrations.pagerduty_webhook.verify import verify

INTEGRATION = Integration(
    name="pagerduty_webhook",
    title="PagerDuty webhooks",
    parse=parse,
    verify=verify,
    severities=SEVERITIES,
    docs="""
In PagerDuty: Integrations, Generic Webhooks (v3), New Webhook.

    Webhook URL:        https://handrail.example/in/<source>
    Event Subscription: incident.triggered, incident.acknowledged, incident.unacknowledged, incident.reopened,
                        incident.escalated, incident.priority_updated, incident.resolved
    Custom Header:      Authorization: Bearer <token>

PagerDuty shows the signing secret once, when the webhook is made: store it as the source's signing secret. Several
live secrets are taken while one is changed for another.

One incident is one alert, known by its id, else by its incident key. Severity: the priority's name (P1 to P5), else
the urgency. Events that say nothing of an incident's state (notes, responders, status updates, the test ping) are
taken and change nothing. Old webhooks (v1 and v2, with “messages”) are read as well; they carry no signature.
""",
)
