"""`handrail replay`: play a folder of recorded payloads to their sources, in order and in time."""

import re
import time
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import DryRun, Json, single
from handrail.cli.trouble import FAILED, USAGE, Trouble

app = single()
_OFFSET = re.compile(r"^(\d{1,9}(?:\.\d{1,6})?)(?=[-_.]|$)")


@app.command()
def replay(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="One folder a source, named as the source is.")],
    speed: Annotated[float, typer.Option(min=0.001, max=1_000_000, help="How many times faster than recorded.")] = 1.0,
    content_type: Annotated[str, typer.Option(help="What the senders would say that it is.")] = "application/json",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Play recorded payloads. A file's name begins with its second: DIR/SOURCE/12.5-anything.json is sent 12.5 s after
    the start. HANDRAIL_SOURCE_TOKEN_<SOURCE> (capitals, _ for -) or HANDRAIL_SOURCE_TOKEN holds a source's token.

    \b
    Examples:
      handrail replay recordings/2026-11-24 --speed 10
      handrail replay recordings/2026-11-24 --dry-run --json
    """
    from handrail.cli.sending import posted

    plan = read_plan(directory)
    if not plan:
        raise Trouble(f"{directory} has no folders with files that begin with their second.", USAGE)
    totals = {"sent": 0, "accepted": 0, "duplicate": 0, "rejected": 0, "refused": 0}
    if dry_run:
        content = [{"at": at, "source": source, "file": str(file)} for at, source, file in plan]
        return output.print_json({"dry_run": {"speed": speed, "send": content}})
    began = time.monotonic()
    for at, source, file in plan:
        wait = at / speed - (time.monotonic() - began)
        if wait > 0:
            time.sleep(wait)
        done = posted(source, str(file), file.read_bytes(), content_type, False)
        totals["sent"] += 1
        for name in ("accepted", "duplicate", "rejected"):
            totals[name] += done[name]
        if done["status"] >= 300:
            totals["refused"] += 1
            output.talk(f"{file}: {done['status']} {done['why']}")
    if as_json:
        output.print_json(totals)
    else:
        columns: list[output.Column] = [(name.upper(), itemgetter(name)) for name in totals]
        output.print_rows([totals], columns, "")
    if totals["refused"]:
        raise typer.Exit(FAILED)
    return None


def read_plan(directory: Path) -> list[tuple[float, str, Path]]:
    """(second, source, file) in the order in which they are sent; the first is at 0."""
    found = [
        (float(begins[1]), file.parent.name, file)
        for file in directory.glob("*/*")
        if file.is_file() and (begins := _OFFSET.match(file.name))
    ]
    first = min((at for at, _, _ in found), default=0.0)
    return sorted((at - first, source, file) for at, source, file in found)
