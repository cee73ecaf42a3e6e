"""Splunk's webhook alert action."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.splunk.parse import parse
from handrail.plugins.integrations.splunk.tables import SEVERITIES

INTEGRATION = Integration(
    name="splunk",
    title="Splunk",
    parse=parse,
    severities=SEVERITIES,
    docs="""
In the saved search add the alert action Webhook with https://handrail.example/in/<source>/<token>. Splunk sends the
search's name, a link and the first result; it signs nothing and sets no headers, so the token stands in the address.

Splunk only ever fires. Make a second search that finds the end and write into both, with eval: `dedup_key` (the same
in both) and in the second `alert_status="resolved"` (or acknowledged, or any usual word for these). Without `dedup_key`
an alert is known by the search and what the result is about: its host, dest, src, dvc, user, service, object and the
like. A result's `status` counts where it says one of these words alone.

Severity: the result's `severity`, `urgency` or `priority` (critical, high, medium, low, info, or Splunk's numbers: 6
and 5 critical, 4 high, 3 medium, 2 and 1 info). Service: `service`, `app` or `dest_service`, else the host. Time:
`_time`. Title: the result's `alert_title`, else the search's name. Each short field of the result is a label, save
those that begin with _.
""",
)
