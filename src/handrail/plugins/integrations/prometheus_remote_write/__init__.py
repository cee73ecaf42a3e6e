"""Prometheus remote write, versions 1 and 2: samples for detectors, no alerts."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.prometheus_remote_write.answer import answer
from handrail.plugins.integrations.prometheus_remote_write.parse import parse

INTEGRATION = Integration(
    name="prometheus_remote_write",
    title="Prometheus remote write",
    parse=parse,
    answer=answer,
    docs="""
In Prometheus' configuration:

    remote_write:
      - url: https://handrail.example/in/<source>
        authorization: {credentials: <token>}
        write_relabel_configs:
          - {source_labels: [__name__], regex: "http_requests_total|up|node_load1", action: keep}

Keep few series: those whose behaviour tells of trouble. Both protocols are read: 1.0 (prometheus.WriteRequest) and 2.0
(io.prometheus.write.v2.Request, `protobuf_message` in the configuration), always snappy. Grafana Agent, Alloy, Vector,
VictoriaMetrics' vmagent and the OpenTelemetry Collector send the same.

Samples become points; of native histograms the count and the sum. Stale markers and values that are no finite number
are left out. Metadata and exemplars are not kept.
""",
)
