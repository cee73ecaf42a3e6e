"""Rundeck's webhook notification of a job."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.rundeck.parse import SEVERITIES, parse

INTEGRATION = Integration(
    name="rundeck",
    title="Rundeck",
    parse=parse,
    severities=SEVERITIES,
    docs=r"""
In Rundeck, in each job: Notifications, On Failure and On Success, Send Webhook.

    URL:          https://handrail.example/in/<source>/<token>
    Method:       POST
    Payload type: JSON (XML is not read)

A job is one alert: a failed, aborted or timed-out run fires, and the next run that succeeds resolves it. A run that
takes longer than usual (average duration exceeded) fires as low. A run that has only started says nothing of the
job's health: it is taken and changes nothing. Severity: failed and timed out high, aborted medium. Service: the
project.
""",
)
