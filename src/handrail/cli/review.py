"""`handrail review`: the blameless review, compiled from the record, completed and accepted by people."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import DryRun, Json, group
from handrail.cli.reading import read_text
from handrail.cli.text import moment, span
from handrail.cli.trouble import USAGE, Trouble

app = group(
    "Reviews: compiled from the record when an incident closes, completed and accepted by people.",
    """
    handrail review show INC-7
    handrail review edit rev_01j... helped --words "The roll back was rehearsed."
    handrail review accept rev_01j...
    """,
)
Which = Annotated[str, typer.Argument(metavar="REVIEW", help="Its id.")]


class Section(StrEnum):
    SUMMARY = "summary"
    HELPED = "helped"
    HINDERED = "hindered"
    LUCKY = "lucky"
    ACTIONS = "actions"


@app.command()
def show(
    which: Annotated[str, typer.Argument(metavar="REVIEW|INCIDENT", help="A review's id, or an incident.")],
    as_json: Json = False,
) -> None:
    """Show a review: what the record tells, and what people wrote."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect()
    found = client.get(path_of("reviews", which) if which.startswith("rev_") else path_of("incidents", which, "review"))
    if as_json:
        return output.print_json(found)
    names, times = Names(client), found["compiled"].get("times", {})
    output.print_fields(
        [("Review", found["id"]), ("Incident", found["incident_id"]), ("Status", found["status"]),
         ("Drafted", moment(found["drafted_at"])), ("Accepted", moment(found["accepted_at"])),
         ("By", names.of(found["accepted_by"]))]
        + [(f"To {name}", span(times.get(f"{name}_seconds"))) for name in ("detect", "declare", "mitigate", "recover")]
    )  # fmt: skip
    for section in Section:
        editor = names.of(found["edited"].get(section))
        output.heading(section.capitalize() + (f" (by {editor})" if editor else ""))
        output.print_text(found["sections"].get(section) or "-")
    output.heading("Acts")
    output.print_text(json.dumps(found["compiled"].get("acts", {}), indent=2))
    return None


@app.command()
def edit(
    review: Which,
    section: Annotated[Section, typer.Argument(help="Which section.")],
    words: Annotated[str, typer.Option(help="What it says now.")] = "",
    words_file: Annotated[str, typer.Option(help="A file with the words; - reads them from stdin.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Write a section."""
    from handrail.cli.client import connect, path_of

    if bool(words) == bool(words_file):
        raise Trouble("Give either --words or --words-file.", USAGE)
    body = {"section": section, "words": read_text(words_file) if words_file else words}
    done = connect(dry_run).post(path_of("reviews", review, "edit"), body)
    output.done(done, f"The section {section} is written.", as_json)


@app.command()
def accept(review: Which, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Accept the review; with it the incident's last stage is passed."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("reviews", review, "accept"))
    output.done(done, f"The review is {done['status']}.", as_json)
