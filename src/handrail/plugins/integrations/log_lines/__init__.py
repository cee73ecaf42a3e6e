"""Lines of logs from whoever can post them: JSON lines, a JSON list, GELF, or plain text."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.log_lines.parse import parse

INTEGRATION = Integration(
    name="log_lines",
    title="Log lines (JSON, GELF or plain text)",
    parse=parse,
    docs="""
For log shippers that speak no OTLP. Post batches; gzip is read. Lines are watched for what is unusual (docs/logs.md)
and not kept; unlike with OTLP, an error among them is no alert of its own.

    # Vector
    sinks: {handrail: {type: http, uri: "https://handrail.example/in/<source>", encoding: {codec: json},
            auth: {strategy: bearer, token: "<token>"}}}
    # Fluent Bit
    [OUTPUT]
        Name http
        Host handrail.example
        Port 443
        TLS On
        URI /in/<source>
        Format json_lines
        Header Authorization Bearer <token>
    # a file, by hand
    curl -H 'Authorization: Bearer <token>' -H 'Content-Type: text/plain' --data-binary @app.log \\
      'https://handrail.example/in/<source>?service=ledger'

A body is JSON objects one a line, a list of objects or texts, one object, or plain text, a message a line (with
`Content-Type: text/plain` also where it begins with a bracket). The message is `message`, `msg`, `short_message`
(GELF), `log`, `event`, `text` or `body`; the service `service`, `service.name`, `service_name`, `app`, `application`,
`component`, `container_name` or `_service`, else the address's `?service=`. An error is a `level`, `severity`,
`log.level`, `severity_text`, `levelname` or `lvl` that says so in words, or as a number: up to 3 (syslog, GELF) or from
50 on (pino, bunyan).
""",
)
