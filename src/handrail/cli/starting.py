"""What `up` and `worker` share: settings from options, a clean stop, and one sentence where a start is not possible."""

import gc
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli.credentials import write_private
from handrail.cli.output import talk
from handrail.cli.trouble import USAGE, Trouble

if TYPE_CHECKING:
    from handrail.settings import Settings
    from handrail.wiring import Handrail

DataDir = Annotated[
    str | None, typer.Option("--data-dir", help="Where database, keys and checkpoints live [handrail-data].")
]
DatabaseUrl = Annotated[
    str | None, typer.Option("--database", help="sqlite:///FILE or postgresql://... [SQLite in the data folder].")
]
LogLevel = Annotated[str | None, typer.Option("--log-level", help="DEBUG, INFO, WARNING or ERROR [INFO].")]
TraceFile = Annotated[str | None, typer.Option("--trace-file", help="Write OpenTelemetry spans to this file.")]
Otlp = Annotated[str | None, typer.Option("--otlp-endpoint", help="Send OpenTelemetry spans there.")]
ReadyFile = Annotated[
    Path | None, typer.Option("--ready-file", help="Write {url, pid} here as JSON once it is serving.")
]


def settings(**given: object) -> "Settings":
    """Settings from options and environment. Raises Trouble with one line per fault."""
    from handrail.kernel.errors import Unprocessable
    from handrail.settings import read_settings

    try:
        return read_settings(**given)
    except Unprocessable as refused:
        faults = tuple(f"{fault.where}: {fault.what}" for fault in refused.faults)
        step = "Correct the option or the variable, or leave it out."
        raise Trouble(refused.detail, USAGE, step, refused.code, faults) from None


@contextmanager
def stopped_by_signal() -> Iterator[None]:
    """SIGTERM and SIGINT end the block in good order, wherever it is; a second one ends the process at once."""

    def stop(number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise _Stop

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except _Stop:
        talk("Stopped.")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stop(BaseException):
    """No `except Exception` on the way may take a stop for a fault."""


@contextmanager
def assembled(wanted: "Settings", service: str) -> Iterator["Handrail"]:
    """A started Handrail, stopped at the end. Raises Trouble where it cannot start."""
    from handrail import telemetry

    telemetry.set_up(wanted, service)
    handrail = None
    # No collection while modules come in: a start makes a hundred thousand objects and drops almost none of them.
    gc.disable()
    try:
        from handrail.wiring import assemble

        with _told_in_a_sentence(wanted):
            handrail = assemble(wanted)
            handrail.start()
        yield handrail
    finally:
        gc.enable()
        if handrail is not None:
            handrail.stop()


def settle() -> None:
    """Started: what is there stays, so later collections need not look at it again."""
    gc.freeze()
    # A storm makes many small things that die young, and almost no cycles: looking for those less often is a tenth.
    gc.set_threshold(20_000, 50, 100)
    gc.enable()


@contextmanager
def _told_in_a_sentence(wanted: "Settings") -> Iterator[None]:
    from handrail.kernel.errors import HandrailError

    try:
        yield
    except HandrailError as error:
        raise Trouble(error.detail, USAGE, _next_step(error.code), error.code) from None
    except OSError as error:
        raise Trouble(
            f"The data folder {wanted.data_dir} cannot be used: {error}.", USAGE, "Give another --data-dir.", "data_dir"
        ) from None


def _next_step(code: str) -> str:
    steps = {"database_away": "Start the database or correct --database; `handrail doctor` tells more."}
    return steps.get(code, "")


def tell_first_password(handrail: "Handrail", file: Path | None) -> None:
    """At the very first start: as whom to sign in."""
    if handrail.first_password is None:
        return
    login, password = handrail.first_password
    talk(f"Sign in as “{login}” with the one-time password  {password}\nIt is shown once; you choose your own then.")
    if file is not None:
        write_file(file, password + "\n")


def write_ready(file: Path, url: str) -> None:
    write_file(file, json.dumps({"url": url, "pid": os.getpid()}) + "\n")


def write_file(file: Path, text: str) -> None:
    """Write a file for this user alone. Raises Trouble where that cannot be done."""
    try:
        write_private(file, text)
    except OSError as error:
        raise Trouble(f"{file} cannot be written: {error.strerror}.", USAGE, "Give another file.") from None
