"""`handrail worker`: one more node for the engine, timers and correlation, without pages or API."""

import threading
from typing import Annotated

import typer

from handrail.cli import starting
from handrail.cli.options import single
from handrail.cli.output import talk
from handrail.cli.trouble import USAGE, Trouble

app = single()


@app.command()
def worker(
    data_dir: starting.DataDir = None,
    database: starting.DatabaseUrl = None,
    outward_allow: Annotated[
        str | None, typer.Option(help="host:port of private addresses that may be called, with commas.")
    ] = None,
    webhook_url: Annotated[str | None, typer.Option(help="Where the webhook channel posts messages.")] = None,
    webhook_secret_file: Annotated[str | None, typer.Option(help="File with the webhook's signing secret.")] = None,
    control_tokens_file: Annotated[str | None, typer.Option(help="File with lines “host:port token”.")] = None,
    metrics_host: Annotated[str, typer.Option(help="The address that metrics are served on.")] = "127.0.0.1",
    metrics_port: Annotated[int | None, typer.Option(help="Serve Prometheus metrics on this port.")] = None,
    log_level: starting.LogLevel = None,
    trace_file: starting.TraceFile = None,
    otlp_endpoint: starting.Otlp = None,
    ready_file: starting.ReadyFile = None,
) -> None:
    """Start one more node without pages: it carries out approved actions, watches signals and tells timers.

    \b
    Examples:
      handrail worker --database postgresql://handrail@db/handrail
      handrail worker --database postgresql://handrail@db/handrail --metrics-port 9400
    """
    settings = starting.settings(
        data_dir=data_dir, database=database, outward_allow=outward_allow, webhook_url=webhook_url,
        webhook_secret_file=webhook_secret_file, control_tokens_file=control_tokens_file, log_level=log_level,
        trace_file=trace_file, otlp_endpoint=otlp_endpoint,
    )  # fmt: skip
    if settings.database_url.startswith("sqlite"):
        raise Trouble(
            "A worker needs PostgreSQL: SQLite is for one process, and `handrail up` is that process already.", USAGE,
            "Give --database postgresql://USER@HOST/NAME to both.", "worker_on_sqlite",
        )  # fmt: skip
    with starting.stopped_by_signal(), starting.assembled(settings, "handrail-worker") as handrail:
        starting.tell_first_password(handrail, None)
        starting.settle()
        metrics = _serve_metrics(metrics_host, metrics_port) if metrics_port is not None else ""
        talk(f"Worker {handrail.node} is at work{metrics}  (stop it with Ctrl-C)")
        if ready_file is not None:
            starting.write_ready(ready_file, metrics.removeprefix(", metrics at "))
        threading.Event().wait()


def _serve_metrics(host: str, port: int) -> str:
    from prometheus_client import start_http_server

    try:
        server, _ = start_http_server(port, host)
    except OSError as error:
        raise Trouble(
            f"Metrics cannot be served on {host} port {port}: {error.strerror}.", USAGE, "Give another --metrics-port."
        ) from None
    return f", metrics at http://{host}:{server.server_port}/metrics"
