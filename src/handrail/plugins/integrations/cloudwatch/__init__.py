"""Amazon CloudWatch's alarms by SNS, EventBridge or Lambda action, and the other events of EventBridge."""

from handrail.plugins.integrations.aws import certificate_url, verify_sns
from handrail.plugins.integrations.cloudwatch.parse import parse
from handrail.plugins.integrations.cloudwatch.tables import EVENT_SEVERITIES
from handrail.plugins.integrations.contract import Integration

INTEGRATION = Integration(
    name="cloudwatch",
    title="AWS: CloudWatch alarms and EventBridge events",
    parse=parse,
    verify=verify_sns,
    certificate_url=certificate_url,
    severities=EVENT_SEVERITIES,
    docs="""
Three ways to send, and all give one alarm the same identity (its ARN), so that they may be mixed.

By SNS: create a topic, let the alarms notify it for ALARM and for OK, and subscribe
https://handrail.example/in/<source>/<token> by HTTPS. SNS then asks to be confirmed. Handrail never opens the address
in that message by itself: a person confirms it. Raw message delivery may be on or off. SNS's signature is checked where
its certificate can be fetched. Give the topic's ARN as the source's signing secret to take that topic's signed messages
alone, also without a token.

By EventBridge: a rule with an API destination at https://handrail.example/in/<source> and a connection whose API key
is the header Authorization with “Bearer <token>”. The event may be sent as it is; do not transform it.

By a function: an alarm's Lambda action that posts its event as it is.

ALARM fires and OK resolves. INSUFFICIENT_DATA fires as well (nobody knows how it is), as low. Alarms have no severity:
a word in the alarm's name gives it (critical, sev1, p2, warning, info, ...; high, low and error only in brackets,
since “cpu-high” says no severity), or “severity: high” or “[high]” in the description; without one it is medium.
Service and resource come from the dimensions.
Metric, metric math, anomaly detection and composite alarms are read.

Of EventBridge's other events, AWS Health's events, findings (GuardDuty, Security Hub) and types that name an alert, an
incident or a problem become alerts. Everything else is a change: an instance's state, a deployment, a pipeline, a call
that changed a setting. A change is known by the event's id, so that an archived event that is played again is no second
change.
""",
)
