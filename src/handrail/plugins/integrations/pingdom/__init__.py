"""Pingdom's webhook (state change of an uptime or transaction check)."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.pingdom.parse import SEVERITIES, parse

INTEGRATION = Integration(
    name="pingdom",
    title="Pingdom",
    parse=parse,
    severities=SEVERITIES,
    docs="""
In Pingdom: Integrations, Add integration, Type Webhook.

    URL: https://handrail.example/in/<source>/<token>

Then tick the integration in each check (Edit, Connect integrations). Pingdom does not sign and sends no headers of
its own, so the source's token goes into the address.

One check is one alert: DOWN and FAILING fire, UP and SUCCESS resolve, PAUSED counts as acknowledged. Severity: the
check's importance (HIGH or LOW). Resource: the host that is checked. Service: the tag `service:<name>`.
""",
)
