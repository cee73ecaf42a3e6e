"""Grafana's legacy alerting (up to Grafana 10): the webhook notification channel."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.grafana_legacy.parse import SEVERITIES, parse

INTEGRATION = Integration(
    name="grafana_legacy",
    title="Grafana legacy alerting",
    parse=parse,
    severities=SEVERITIES,
    docs="""
In Grafana (before unified alerting): Alerting, Notification channels, New channel, type webhook.

    Url:         https://handrail.example/in/<source>/<token>
    Http Method: POST
    Leave “Disable Resolve Message” off.

One rule of one organisation is one alert: `alerting` and `no_data` fire, `ok` resolves, `paused` counts as
acknowledged (somebody put it aside). The format has no severity and no time: tag the rule with `severity` and
`service` (critical, high, medium, low, info); without a tag, `no_data` is medium and `pending` is low. The time is
that of arrival. Where one series alone matched, its labels are kept and name the service and the host.
""",
)
