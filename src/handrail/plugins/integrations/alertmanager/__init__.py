"""Alertmanager: its webhook (version 4), and the alerts that Prometheus posts to its API (version 2)."""

from handrail.plugins.integrations.alertmanager.parse import parse
from handrail.plugins.integrations.contract import Integration

INTEGRATION = Integration(
    name="alertmanager",
    title="Prometheus and Alertmanager",
    parse=parse,
    docs="""
Two ways to send, and both give one alert the same identity (Alertmanager's own fingerprint of the labels).

From Alertmanager, as a receiver:

    receivers:
      - name: handrail
        webhook_configs:
          - url: https://handrail.example/in/<source>
            send_resolved: true
            http_config: {authorization: {credentials: <token>}}

From Prometheus, in place of Alertmanager (it posts to /api/v2/alerts):

    alerting:
      alertmanagers:
        - static_configs: [{targets: [handrail.example]}]
          authorization: {credentials: <token>}

Title: annotation `summary`, else the alert's name. Severity: label `severity`. Service: label `service`, `job` or
`app`. A zero `endsAt` means that the alert is open. Bad alerts of a batch are named, the others are kept.
""",
)
