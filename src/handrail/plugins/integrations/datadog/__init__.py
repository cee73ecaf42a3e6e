"""Datadog's webhooks, with its default template and with templates that people write."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.datadog.parse import parse
from handrail.plugins.integrations.datadog.tables import SEVERITIES

INTEGRATION = Integration(
    name="datadog",
    title="Datadog",
    parse=parse,
    severities=SEVERITIES,
    docs="""
In Datadog's Webhooks integration add a webhook with https://handrail.example/in/<source>, the custom header
{"Authorization": "Bearer <token>"} and this payload, and name it (@webhook-...) in the monitors' messages:

    {"alert_id": "$ALERT_ID", "alert_scope": "$ALERT_SCOPE", "alert_transition": "$ALERT_TRANSITION",
     "alert_priority": "$ALERT_PRIORITY", "alert_type": "$ALERT_TYPE", "alert_title": "$ALERT_TITLE",
     "aggreg_key": "$AGGREG_KEY", "hostname": "$HOSTNAME", "tags": "$TAGS", "link": "$LINK", "date": "$DATE",
     "last_updated": "$LAST_UPDATED", "event_type": "$EVENT_TYPE", "title": "$EVENT_TITLE",
     "body": "$TEXT_ONLY_MSG", "id": "$ID", "org": {"id": "$ORG_ID", "name": "$ORG_NAME"}}

Names may be written as you like (alertId, ALERT_ID), more fields are kept, and “Encode as form” may be on or off.
Datadog's default payload is read as well: the transition then comes from the title (“[Triggered] ...”, “[Recovered]
...”). A test of a monitor is an alert of its own.

Triggered, Warn, No Data and their repeats fire, Recovered resolves. Identity: monitor and scope, else the aggregation
key, else the monitor that the body links and the title without its brackets. Severity: the monitor's priority (P1
critical to P5 info), else Warn is medium, else `alert_type`. Service and resource: the tags service and host.
""",
)
