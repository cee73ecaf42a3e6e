"""Graylog: HTTP notifications of event definitions (3.1 and newer), and the older stream alerts."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.graylog.parse import PRIORITIES, parse

INTEGRATION = Integration(
    name="graylog",
    title="Graylog",
    parse=parse,
    severities=PRIORITIES,
    docs="""
In Graylog: Alerts, Notifications, Create notification, type HTTP Notification (not “Custom”).

    URL:        https://handrail.example/in/<source>
    API Key:    not needed; set a header Authorization: Bearer <token>, or end the address with /<token>
    Then name the notification in each event definition.

An event definition and its key (else its group-by fields) are one alert. Graylog tells when a condition is met and
never when it is over: close such alerts by hand. Severity: the event's priority (1 low, 2 normal, 3 high, 4 critical).
Service: the event's field `service`; resource: its field `host`, else its source. The
alerts of older versions (“check_result” and “stream”) are known by their condition; the stream is the service.
""",
)
