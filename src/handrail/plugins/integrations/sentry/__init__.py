"""Sentry: issues, issue alerts and metric alerts of an internal integration, and the older webhook plugin."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.sentry.parse import SEVERITIES, parse
from handrail.plugins.integrations.sentry.verify import verify

INTEGRATION = Integration(
    name="sentry",
    title="Sentry",
    parse=parse,
    verify=verify,
    severities=SEVERITIES,
    docs="""
In Sentry: Settings, Developer Settings, New Internal Integration.

    Webhook URL:       https://handrail.example/in/<source>
    Alert Rule Action: on
    Permissions:       Issue & Event: Read
    Webhooks:          issue

Save, copy the Client Secret, and store it as the source's signing secret: Sentry signs every request with it. Then
name the integration as an action of your issue alerts and metric alerts.

An issue is one alert by its id; an issue alert (“triggered”) tells of the same issue and so of the same alert. A
metric alert is known by its own incident. `created`, `unresolved` and `triggered` fire, `assigned`, `ignored` and
`archived` acknowledge, `resolved` resolves; a metric alert's `critical` and `warning` are its severity. Service: the
tag `service`, else the project. The older webhook plugin's object is read as well (it never resolves).
""",
)
