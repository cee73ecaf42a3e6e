"""Statuspage: a vendor's status page that tells its subscribers by webhook."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.statuspage.parse import SEVERITIES, parse

INTEGRATION = Integration(
    name="statuspage",
    title="Statuspage",
    parse=parse,
    severities=SEVERITIES,
    docs=r"""
On the vendor's status page: Subscribe to updates, Webhook.

    URL: https://handrail.example/in/<source>/<token>

The page does not sign and sends no headers of its own, so the token goes into the address; the address that ends
the subscription is not kept.

A component is one alert and an incident is another. A component that is operational resolves; degraded performance
is medium, a partial outage high, a major outage critical; maintenance counts as acknowledged. An incident fires while
it is investigated and identified, is acknowledged while it is monitored, and resolves with `resolved`, `postmortem`
or `completed`. Severity of an incident: its impact (minor medium, major high, critical critical, none info).
""",
)
