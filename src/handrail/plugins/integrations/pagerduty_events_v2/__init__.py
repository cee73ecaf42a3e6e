"""PagerDuty Events API v2, as its target: existing senders change only the URL."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.pagerduty_events_v2.parse import parse, routing_key

INTEGRATION = Integration(
    name="pagerduty_events_v2",
    title="PagerDuty Events API v2",
    parse=parse,
    token_in_body=routing_key,
    docs="""
Senders post to /v2/enqueue on this server with the source's token as `routing_key`; everything else stays as it was.

`trigger` needs `payload.summary`, `payload.source` and `payload.severity` (critical, error, warning or info).
`acknowledge` and `resolve` need the `dedup_key`. Where a trigger has none, it is made of source, summary, component,
group and class, so that the same event sent twice is one alert; the answer tells it, as PagerDuty's does.

Service: `custom_details.service`, else `component`, else `group`. Resource: `source`. Short values of
`custom_details` become labels, long ones annotations.
""",
)
