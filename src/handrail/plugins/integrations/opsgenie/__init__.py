"""Opsgenie's outgoing webhook."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.opsgenie.parse import SEVERITIES, parse

INTEGRATION = Integration(
    name="opsgenie",
    title="Opsgenie",
    parse=parse,
    severities=SEVERITIES,
    docs="""
In Opsgenie: Settings, Integrations, Add integration, Webhook.

    Webhook URL:    https://handrail.example/in/<source>
    Custom headers: Authorization: Bearer <token>
    Tick “Add alert description to payload” and “Add alert details to payload”.
    Alert actions: created, acknowledged, unacknowledged, snoozed, snooze ended, closed, deleted, escalated.

One alert is known by its alias, else by its id. `Create`, `UnAcknowledge`, `SnoozeEnded` and `Escalate` fire,
`Acknowledge` and `Snooze` acknowledge, `Close` and `Delete` resolve. Notes, tags, teams and other edits say nothing
of the state: they are taken and change nothing. Severity: the priority, as “P1” or as 1. Resource: the entity, else
the source. Service: the detail or tag `service`. Opsgenie does not sign: the source's token tells who sends.
""",
)
