"""`handrail document`: policy, runbooks, catalogue and audiences, versioned and changed through a gate."""

from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, group
from handrail.cli.reading import read_text
from handrail.cli.text import moment

app = group(
    "Documents that people write: policy, runbooks, catalogue, audiences. A new version waits at a gate.",
    """
    handrail document list
    handrail document show policy.default > policy.yaml
    handrail document propose policy.yaml
    """,
)


@app.command("list")
def list_(limit: Limit = PAGE, cursor: Cursor = "", as_json: Json = False) -> None:
    """List documents with the version in force."""
    from handrail.cli.client import connect, path_of

    found = connect().pages(path_of("documents"), {"cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("DOCUMENT", lambda row: row["id"]),
        ("VERSION", lambda row: row["version"]),
        ("DIGEST", lambda row: row["digest"][:12]),
        ("ADOPTED", lambda row: moment(row["adopted_at"])),
        ("NEXT WAITS AT", lambda row: row["waiting_gate_id"]),
    ]
    return output.print_page(found, columns, "No document.")


@app.command()
def show(
    document: Annotated[str, typer.Argument(help="Its id, such as policy.default.")],
    draft: Annotated[
        bool, typer.Option("--draft", help="The version that waits, instead of the one in force.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print a document's text, so that it can be edited and proposed."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.trouble import NOT_FOUND, Trouble

    found = connect().get(path_of("documents", document))
    if as_json:
        return output.print_json(found)
    if draft and not found["draft"]:
        raise Trouble(f"No version of {document} waits.", NOT_FOUND, f"See `handrail document show {document}`.")
    shown = found["draft"] if draft else found
    output.talk(f"{found['id']} version {shown['version']}, digest {shown['digest']}")
    return output.print_text(shown["text"].rstrip("\n"))


@app.command()
def propose(
    file: Annotated[str, typer.Argument(help="The YAML file; - reads it from stdin.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put a document forward. A first version is in force at once; a later one waits at a gate."""
    from handrail.cli.client import connect, path_of

    made = connect(dry_run).post_text(path_of("documents"), read_text(file), "application/yaml")
    draft = made["draft"]
    if draft and draft["gate_id"]:
        output.done(made, f"Version {draft['version']} of {made['id']} waits at this gate:", as_json, draft["gate_id"])
    else:
        output.done(made, f"Version {made['version']} of {made['id']} is in force.", as_json, made["id"])
