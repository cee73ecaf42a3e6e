"""`handrail ingest`: hand payloads from files to a source, as its sender would; or see what they would be read as."""

from pathlib import Path
from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import DryRun, Json, single
from handrail.cli.text import moment
from handrail.cli.trouble import FAILED, USAGE, Trouble

app = single()


@app.command()
def ingest(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="One payload each, as the sender writes it.")],
    source: Annotated[str, typer.Option(help="The source that it is for.")] = "",
    read_as: Annotated[str, typer.Option(metavar="FORMAT", help="Only show what it is read as, here.")] = "",
    content_type: Annotated[str, typer.Option(help="What the sender would say that it is.")] = "application/json",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send recorded payloads to a source. HANDRAIL_SOURCE_TOKEN, or _FILE, holds the source's token.

    \b
    Examples:
      handrail ingest payload.json --source grafana-prod
      handrail ingest samples/*.json --read-as grafana
    """
    from handrail.cli.sending import posted, read_here

    if bool(source) == bool(read_as):
        raise Trouble("Say for which --source it is, or --read-as which format.", USAGE)
    bodies = [(str(file), _bytes(file)) for file in files]
    if read_as:
        rows = [row for name, body in bodies for row in read_here(read_as, name, body, content_type)]
        columns: list[output.Column] = [
            ("FILE", lambda row: row["file"]),
            ("WHAT", lambda row: row["what"]),
            ("STATUS", lambda row: row["status"]),
            ("SEVERITY", lambda row: row["severity"]),
            ("SERVICE", lambda row: row["service"]),
            ("AT", lambda row: moment(row["at"]) if row["at"] else ""),
            ("KEY", lambda row: row["key"]),
            ("SAYS", lambda row: row["says"]),
        ]
        if as_json:
            output.print_json(rows)
        else:
            output.print_rows(rows, columns, "Nothing was said.")
        refused = sum(row["what"] == "refused" for row in rows)
    else:
        rows = [posted(source, name, body, content_type, dry_run) for name, body in bodies]
        columns = [
            ("FILE", lambda row: row["file"]),
            ("ANSWER", lambda row: row["status"]),
            ("ACCEPTED", lambda row: row["accepted"]),
            ("REPEATS", lambda row: row["duplicate"]),
            ("REJECTED", lambda row: row["rejected"]),
            ("WHY", lambda row: row["why"]),
        ]
        if as_json:
            output.print_json(rows)
        else:
            output.print_rows(rows, columns, "Nothing was sent.")
        refused = sum(row["status"] >= 300 for row in rows)
    if refused:
        raise typer.Exit(FAILED)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}.", USAGE) from None
