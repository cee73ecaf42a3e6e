"""`handrail token`: API tokens, hashed at rest and shown once."""

from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import DryRun, Json, group
from handrail.cli.text import listed, moment

app = group(
    "API tokens: shown once, narrowed by scopes, revoked at any time.",
    """
    handrail token create laptop --days 90
    handrail token create ci --user ci --scope ingest --days 365
    handrail token list
    handrail token revoke tok_01j...
    """,
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str] | None, typer.Option(help="Narrow it to this permission; may be given again.")] = None,
    days: Annotated[int | None, typer.Option(help="It ends after so many days; left out: never.")] = None,
    user: Annotated[str, typer.Option(help="Whose it is; left out: your own.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make a token; it is printed this once."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect(dry_run)
    account_id = Names(client).id_of(user) if user else None
    body = {"name": name, "scopes": scope or None, "expires_in_days": days, "account_id": account_id}
    made = client.post(path_of("tokens"), body)
    output.done(made, f"Made {made['id']}. The token is shown once:", as_json, made["token"])


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List your own tokens."""
    from handrail.cli.client import connect, path_of

    found = connect().get(path_of("tokens"))
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("TOKEN", lambda row: row["id"]),
        ("NAME", lambda row: row["name"]),
        ("ENDS IN", lambda row: f"…{row['last_four']}"),
        ("SCOPES", lambda row: "all" if row["scopes"] is None else listed(row["scopes"])),
        ("EXPIRES", lambda row: moment(row["expires_at"]) or "never"),
        ("REVOKED", lambda row: moment(row["revoked_at"])),
    ]
    return output.print_page(found, columns, "No token. Make one with `handrail token create`.")


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id (tok_...), never the token itself.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Revoke a token; it is refused from now on."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("tokens", token, "revoke"))
    output.done(done, f"{done['id']} is revoked.", as_json)
