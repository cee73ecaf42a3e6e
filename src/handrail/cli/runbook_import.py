"""`handrail runbook import`: another system's runbook in our own form, and what that form could not hold."""

from pathlib import Path
from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import Json
from handrail.cli.reading import read_bytes
from handrail.cli.trouble import CONFLICT, USAGE, Trouble, exit_code_of


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The other system's runbook; - reads it from stdin.")],
    kind: Annotated[
        str, typer.Option("--as", metavar="KIND", help="cutover, markdown, orquesta, rundeck or ssm-automation.")
    ] = "",
    out: Annotated[str, typer.Option("--out", metavar="PATH", help="Write the runbook to this new file.")] = "",
    as_json: Json = False,
) -> None:
    """Read a runbook of another system into our form, with tasks for people alone. Nothing is put forward."""
    from handrail.kernel.errors import HandrailError
    from handrail.plugins.importers.registry import guess_runbook_importer, runbook_importer
    from handrail.plugins.importers.runbook_draft import as_yaml

    body = read_bytes(file)
    try:
        chosen = runbook_importer(kind) if kind else guess_runbook_importer(body)
        read = chosen.read(body)
    except HandrailError as error:
        faults = tuple(f"{fault.where}: {fault.what}" for fault in error.faults)
        step = "docs/runbooks-import.md tells what each kind reads."
        raise Trouble(error.detail, exit_code_of(error.status), step, error.code, faults) from None
    text = as_yaml(read)
    if out:
        _write_new(out, text)
    losses = [{"where": loss.where, "what": loss.what, "do": loss.do} for loss in read.losses]
    if as_json:
        return output.print_json({"kind": chosen.name, "runbook": read.document, "text": text, "losses": losses})
    for loss in read.losses:
        output.talk(f"{loss.where}: {loss.what} {loss.do}")
    output.talk(f"{chosen.title}: {len(read.document['tasks'])} tasks, {len(losses)} losses. Nothing was put forward.")
    return None if out else output.print_text(text.rstrip("\n"))


def _write_new(path: str, text: str) -> None:
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Trouble(f"{path} is there already.", CONFLICT, "Name a new file.") from None
    except OSError as error:
        raise Trouble(f"{path} cannot be written: {error.strerror}.", USAGE, "Name another file.") from None
