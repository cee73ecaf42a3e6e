"""`handrail source`: senders of alerts and changes, and their secrets."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, Yes, group
from handrail.cli.text import moment
from handrail.cli.trouble import NOT_FOUND, Trouble

app = group(
    "Senders of alerts and changes, and their secrets.",
    """
    handrail source list
    handrail source add prometheus-prod --integration alertmanager
    handrail source secret prometheus-prod                          one more, so that the sender moves without a gap
    handrail source secret prometheus-prod --retire tok_01j...
    handrail source remove prometheus-prod
    """,
)
Which = Annotated[str, typer.Argument(metavar="SOURCE", help="Its name or id.")]


class Status(StrEnum):
    LIVE = "live"
    REMOVED = "removed"


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List sources and how they are doing."""
    from handrail.cli.client import connect, path_of

    found = connect().pages(path_of("sources"), {"status": status, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("SOURCE", lambda row: row["name"]),
        ("ID", lambda row: row["id"]),
        ("FORMAT", lambda row: row["integration"]),
        ("ADDRESS", lambda row: row["address"]),
        ("LAST SEEN", lambda row: moment(row["last_seen_at"]) or "never"),
        ("ACCEPTED", lambda row: row["accepted"]),
        ("REPEATS", lambda row: row["duplicate"]),
        ("REFUSED", lambda row: row["refused"]),
        ("LAST REFUSAL", lambda row: row["last_refusal"]),
        ("REMOVED", lambda row: moment(row["removed_at"])),
    ]
    return output.print_page(found, columns, "No source. Add one with `handrail source add`.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens.")],
    integration: Annotated[str, typer.Option(help="The format it speaks, such as alertmanager, generic, cloudevents.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Add a source; its token is printed this once."""
    from handrail.cli.client import connect, path_of

    client = connect(dry_run)
    made = client.post(path_of("sources"), {"name": name, "integration": integration})
    address = f"{client.url}{made['source']['address']}"
    output.done(made, f"Let it post to {address} with this token as Bearer; it is shown once:", as_json, made["token"])


@app.command()
def secret(
    source: Which,
    retire: Annotated[str, typer.Option(help="End this secret instead (its id; `source list --json` has them).")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make one more token for a source, or retire one."""
    from handrail.cli.client import connect, path_of

    client = connect(dry_run)
    source_id = _id_of(client, source)
    if retire:
        done = client.post(path_of("sources", source_id, "secrets", retire, "retire"))
        return output.done(done, f"{retire} is refused from now on.", as_json)
    made = client.post(path_of("sources", source_id, "secrets"))
    return output.done(made, f"One more token ({made['secret_id']}); it is shown once:", as_json, made["token"])


@app.command()
def remove(source: Which, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Remove a source: its alerts stay, its tokens are refused. You type its name, or add --yes."""
    from handrail.cli.client import connect, path_of

    client = connect(dry_run)
    source_id = _id_of(client, source)
    if not dry_run:
        output.confirm(f"Everything that {source} sends is refused from then on.", source, yes)
    done = client.post(path_of("sources", source_id, "remove"))
    output.done(done, f"{done['name']} is removed.", as_json)


def _id_of(client: Any, name: str) -> str:
    """The id of a live source by its name; an id is itself."""
    from handrail.cli.client import path_of
    from handrail.kernel.limits import LIMITS

    if name.startswith("src_"):
        return name
    found = client.pages(path_of("sources"), {"status": "live"}, LIMITS.accounts_named)["items"]
    known = {str(each["name"]): str(each["id"]) for each in found}
    if name not in known:
        raise Trouble(f"There is no source “{name}”.", NOT_FOUND, "See `handrail source list`.", "no_source")
    return known[name]
