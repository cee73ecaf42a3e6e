"""`handrail up`: one process with everything. Modules of the server are imported only once the settings are right."""

import gc
import os
import socket
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import starting
from handrail.cli.options import single
from handrail.cli.output import talk
from handrail.cli.trouble import USAGE, Trouble
from handrail.kernel.limits import LIMITS

if TYPE_CHECKING:
    from handrail.wiring import Handrail

app = single()


@app.command()
def up(
    data_dir: starting.DataDir = None,
    database: starting.DatabaseUrl = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on [8400]; 0 takes any free one.")] = None,
    public_url: Annotated[str | None, typer.Option(help="How browsers reach this server.")] = None,
    inbound_open: Annotated[str | None, typer.Option(help="Networks whose senders need no token.")] = None,
    outward_allow: Annotated[
        str | None, typer.Option(help="host:port of private addresses that may be called, with commas.")
    ] = None,
    webhook_url: Annotated[str | None, typer.Option(help="Where the webhook channel posts messages.")] = None,
    webhook_secret_file: Annotated[str | None, typer.Option(help="File with the webhook's signing secret.")] = None,
    control_tokens_file: Annotated[str | None, typer.Option(help="File with lines “host:port token”.")] = None,
    log_level: starting.LogLevel = None,
    trace_file: starting.TraceFile = None,
    otlp_endpoint: starting.Otlp = None,
    ready_file: starting.ReadyFile = None,
    first_password_file: Annotated[
        Path | None, typer.Option(help="Write the owner's one-time password here at first start, for you alone.")
    ] = None,
) -> None:
    """Start Handrail here: pages, API, inbound and engine in one process.

    \b
    Examples:
      handrail up
      handrail up --port 9000 --data-dir /var/lib/handrail
      handrail up --database postgresql://handrail@db/handrail
    """
    # Thousands of modules' objects are made now and none is garbage: collecting among them is a tenth of the start.
    gc.disable()
    settings = starting.settings(
        data_dir=data_dir, database=database, host=host, port=port, public_url=public_url, inbound_open=inbound_open,
        outward_allow=outward_allow, webhook_url=webhook_url, webhook_secret_file=webhook_secret_file,
        control_tokens_file=control_tokens_file, log_level=log_level, trace_file=trace_file,
        otlp_endpoint=otlp_endpoint,
    )  # fmt: skip
    with closing(listen(settings.host, settings.port)) as listener, starting.stopped_by_signal():
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        with starting.assembled(settings, "handrail") as handrail:
            # At once, because the password is known nowhere else: a crash from here on must not lose it.
            starting.tell_first_password(handrail, first_password_file)
            _serve(handrail, listener, ready_file)


def _serve(handrail: "Handrail", listener: socket.socket, ready_file: Path | None) -> None:
    from handrail.serve import make_server

    def on_started() -> None:
        starting.settle()
        talk(f"Handrail serves at {handrail.settings.url}  (stop it with Ctrl-C)")
        if ready_file is not None:
            starting.write_ready(ready_file, handrail.settings.url)

    server = make_server(handrail, on_started)
    server.run(sockets=[listener])
    if not server.started:
        raise Trouble("The server could not start; its log above says why.", USAGE)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises Trouble with one sentence when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Trouble(
            f"“{host}” is no address of this machine ({error.strerror}).", USAGE, "Give another --host."
        ) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(LIMITS.listen_backlog)
    except OSError as error:
        listener.close()
        why = os.strerror(error.errno) if error.errno else str(error)
        raise Trouble(
            f"Handrail cannot listen on {host} port {port}: {why.lower()}.", USAGE,
            "Stop the program that holds it, or give another --port (0 takes any free one).", "port_taken",
        ) from None  # fmt: skip
    return listener
