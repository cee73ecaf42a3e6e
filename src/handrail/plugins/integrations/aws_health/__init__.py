"""AWS Health's events by EventBridge, bare or through SNS."""

from handrail.plugins.integrations.aws import certificate_url, verify_sns
from handrail.plugins.integrations.aws_health.parse import parse
from handrail.plugins.integrations.aws_health_events import SEVERITIES
from handrail.plugins.integrations.contract import Integration

INTEGRATION = Integration(
    name="aws_health",
    title="AWS Health",
    parse=parse,
    verify=verify_sns,
    certificate_url=certificate_url,
    severities=SEVERITIES,
    docs="""
Create an EventBridge rule with the pattern {"source": ["aws.health"]} (in us-east-1 as well, for global services), and
send it to an API destination at https://handrail.example/in/<source> with the header Authorization “Bearer <token>”,
or to an SNS topic that https://handrail.example/in/<source>/<token> is subscribed to. Do not transform the event.
A subscription of SNS has to be confirmed by a person; Handrail never opens the address in that message by itself.

The event's ARN is the alert's identity: updates, pages and several accounts are one alert. `closed` resolves it; where
an event has no status it ends with its `endTime`. An issue is high, an investigation medium, a scheduled change low,
an account notification info. Service is the AWS service, resource the first affected entity.
""",
)
