"""OpenTelemetry's protocol over HTTP: errors in logs become alerts; lines of logs and points of metrics are for
detectors."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.otlp.answer import answer
from handrail.plugins.integrations.otlp.parse import parse

INTEGRATION = Integration(
    name="otlp",
    title="OpenTelemetry (OTLP over HTTP)",
    parse=parse,
    answer=answer,
    docs="""
Point an exporter or a Collector here; JSON and protobuf are read, plain or gzip:

    exporters:
      otlphttp/handrail:
        endpoint: https://handrail.example/in/<source>
        headers: {Authorization: Bearer <token>}

It posts to /v1/logs and /v1/metrics below that address. Traces are refused: leave that signal out of the pipeline.

Logs: records of severity error and above (number 17 to 24; without a number, the severity text decides) become alerts,
one for each service and kind of message: numbers, ids, addresses and quoted values in the body do not make it another
alert. Service: resource attribute `service.name`. A log has no end, so such an alert is closed by people or with its
incident. All records, those below error too, are watched for what is unusual: docs/logs.md.

Metrics: gauges, sums, and the count and sum of histograms and summaries are read to points with the resource's and the
point's attributes as labels (`service.name` is `service_name`).
""",
)
