"""Dynatrace's problem notifications."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.dynatrace.parse import parse
from handrail.plugins.integrations.dynatrace.tables import SEVERITIES

INTEGRATION = Integration(
    name="dynatrace",
    title="Dynatrace",
    parse=parse,
    severities=SEVERITIES,
    docs="""
Under Settings, Integration, Problem notifications, add a custom integration with https://handrail.example/in/<source>,
the header Authorization with “Bearer <token>”, “Call webhook if problem is closed” switched on, and this payload:

    {"PID": "{PID}", "ProblemID": "{ProblemID}", "ProblemTitle": "{ProblemTitle}", "State": "{State}",
     "ProblemSeverity": "{ProblemSeverity}", "ProblemImpact": "{ProblemImpact}", "ProblemURL": "{ProblemURL}",
     "ImpactedEntities": {ImpactedEntities}, "ProblemDetailsText": "{ProblemDetailsText}", "Tags": "{Tags}",
     "ProblemDetailsJSON": {ProblemDetailsJSON}}

OPEN fires, RESOLVED and MERGED resolve (a merged problem goes on under another id). The identity is `PID`, else
`ProblemID`. Severity: AVAILABILITY is critical, ERROR and MONITORING_UNAVAILABLE high, PERFORMANCE,
RESOURCE_CONTENTION and CUSTOM_ALERT medium, INFO info. Service: the first impacted entity of type SERVICE or
APPLICATION, or the tag `service`; resource: the first other entity. Times come from ProblemDetailsJSON.
""",
)
