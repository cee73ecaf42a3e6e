"""`handrail demo`: the practice estate's demonstration."""

from pathlib import Path
from typing import Annotated

import typer

from handrail.cli.options import single

app = single()


@app.command()
def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="End when the story does: 0 when every step held, else 1.")
    ] = False,
    hands_on: Annotated[
        bool, typer.Option("--hands-on", help="You do the human steps in the browser; the demo says which is next.")
    ] = False,
    database: Annotated[
        str | None, typer.Option(help="An empty database, such as postgresql://USER@HOST/NAME [SQLite].")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Leave summary.json, the record's export and verify.py in this folder.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where Handrail listens; 0 takes any free port.")] = 8400,
) -> None:
    """Watch one real outage being handled, from the first alert to a verified record.

    \b
    Examples:
      handrail demo
      handrail demo --hands-on
      handrail demo --exit --out /tmp/demo
    """
    from handrail.drills.demo import main

    raise typer.Exit(main(leave, hands_on, database, out, port))
