"""VMware Aria Operations (vRealize Operations): the REST notification plug-in."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.vrealize.parse import CRITICALITIES, parse

INTEGRATION = Integration(
    name="vrealize",
    title="VMware Aria Operations (vRealize)",
    parse=parse,
    severities=CRITICALITIES,
    docs="""
In Aria Operations (vRealize Operations): Configure, Outbound settings, Add, plug-in type Rest Notification Plugin.

    Url:          https://handrail.example/in/<source>/<token>
    Content type: application/json

Then a notification rule (Configure, Notifications) with that instance as its method, and with the updates and the
cancellation of alerts ticked. The plug-in adds the alert's id to the address; that is taken.

One alert is known by its id. ACTIVE, NEW and UPDATED fire, CANCELED resolves, SUSPENDED counts as acknowledged.
Severity: the criticality (CRITICAL critical, IMMEDIATE high, WARNING medium, INFORMATION info). Resource: its name.
""",
)
