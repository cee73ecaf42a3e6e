"""Options that many commands share, with one wording."""

from typing import Annotated, Any

import typer

from handrail.kernel.limits import LIMITS

Json = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be asked of the server, and ask nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it stands in the record.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")]
Cursor = Annotated[str, typer.Option("--cursor", help="Go on from the “next” of the page before.")]
PAGE = LIMITS.page_size


def group(lines: str, examples: str) -> typer.Typer:
    """A noun with its verbs. Help gives examples first."""
    shown = "\n".join(f"  {line.strip()}" for line in examples.strip().splitlines())
    made: Any = typer.Typer(
        help=f"{lines}\n\n\b\nExamples:\n{shown}",
        no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False,
    )  # fmt: skip
    return made  # type: ignore[no-any-return]


def single() -> typer.Typer:
    """A command without verbs."""
    return typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
