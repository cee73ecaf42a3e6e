"""`handrail demo`: hands over to the practice estate's demonstration, which reads its own options."""

from typing import Annotated

import typer

from handrail.cli.options import single

app = single()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def demo(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Watch one real outage being handled."""
    from handrail.drills import demo as demonstration

    raise typer.Exit(demonstration.main(arguments or []))
