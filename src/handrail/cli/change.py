"""`handrail change`: deploys and other changes, as sources reported them."""

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, Json, Limit, group
from handrail.cli.text import moment

app = group(
    "Deploys, flags, configuration and other changes, as sources reported them.",
    """
    handrail change list
    handrail change list --limit 200 --json
    """,
)


@app.callback()
def _change() -> None:
    """Keeps `list` a verb of its own, though it is the only one."""


@app.command("list")
def list_(limit: Limit = PAGE, cursor: Cursor = "", as_json: Json = False) -> None:
    """List changes, newest first."""
    from handrail.cli.client import connect, path_of

    found = connect().pages(path_of("changes"), {"cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("CHANGE", lambda row: row["id"]),
        ("AT", lambda row: moment(row["at"])),
        ("KIND", lambda row: row["kind"]),
        ("SERVICE", lambda row: row["service"]),
        ("VERSION", _version),
        ("BY", lambda row: row["author"]),
        ("TITLE", lambda row: row["title"]),
    ]
    return output.print_page(found, columns, "No change. CI/CD reports them to a source: `handrail source add`.")


def _version(row: output.Row) -> str:
    before, after = row["previous_version"], row["version"]
    return f"{before} -> {after}" if before and after else str(after or "")
