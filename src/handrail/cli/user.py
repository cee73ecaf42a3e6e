"""`handrail user`: accounts of people and machines."""

from enum import StrEnum
from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, Yes, group
from handrail.cli.text import listed, moment

app = group(
    "Accounts of people and machines. Roles: owner, manager, responder, observer, auditor, machine.",
    """
    handrail user create jonas --name "Jonas Lind" --role responder --team payments
    handrail user create ci --name "CI" --role machine --machine
    handrail user roles jonas --role manager --team payments
    handrail user deactivate jonas
    """,
)
Which = Annotated[str, typer.Argument(metavar="USER", help="Sign-in name or id.")]
Roles = Annotated[list[str], typer.Option("--role", help="May be given again.")]
Teams = Annotated[list[str] | None, typer.Option("--team", help="May be given again.")]


class Status(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List accounts."""
    from handrail.cli.client import connect, path_of

    found = connect().pages(path_of("accounts"), {"status": status, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("LOGIN", lambda row: row["login"]),
        ("ID", lambda row: row["id"]),
        ("NAME", lambda row: row["name"]),
        ("KIND", lambda row: row["kind"]),
        ("ROLES", lambda row: listed(row["roles"])),
        ("TEAMS", lambda row: listed(row["teams"])),
        ("ACTIVE", lambda row: "yes" if row["active"] else "no"),
        ("SIGNED IN", lambda row: moment(row["signed_in_at"]) or "never"),
    ]
    return output.print_page(found, columns, "No account.")


@app.command()
def create(
    login: Annotated[str, typer.Argument(help="Sign-in name: lower-case letters, digits, dot, hyphen.")],
    name: Annotated[str, typer.Option(help="As people call them.")],
    role: Roles,
    team: Teams = None,
    machine: Annotated[bool, typer.Option("--machine", help="A machine: it has tokens and no password.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Create an account. A person's one-time password is printed this once."""
    from handrail.cli.client import connect, path_of

    body = {
        "login": login,
        "name": name,
        "roles": role,
        "teams": team or [],
        "kind": "machine" if machine else "person",
    }
    made = connect(dry_run).post(path_of("accounts"), body)
    if machine:
        return output.done(made, f"Made the machine {login}; give it a token with `handrail token create`.", as_json,
                           made["account"]["id"])  # fmt: skip
    return output.done(made, f"Made {login}. The one-time password is shown once:", as_json, made["password"])


@app.command()
def roles(user: Which, role: Roles, team: Teams = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Set all roles and teams of an account; what is not named is taken away."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect(dry_run)
    done = client.post(path_of("accounts", Names(client).id_of(user), "roles"), {"roles": role, "teams": team or []})
    words = f"{done['login']} has the roles {listed(done['roles'])}"
    output.done(done, words + (f" and is in {listed(done['teams'])}." if done["teams"] else "."), as_json)


@app.command()
def deactivate(user: Which, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """End an account with its sessions and tokens. You type its name, or add --yes."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect(dry_run)
    account_id = Names(client).id_of(user)
    if not dry_run:
        output.confirm(f"The account {user} ends, with its sessions and tokens.", user, yes)
    done = client.post(path_of("accounts", account_id, "deactivate"))
    output.done(done, f"{done['login']} is deactivated.", as_json)


@app.command("reset-password")
def reset_password(user: Which, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Give a new one-time password, printed this once; every session of the account ends."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect(dry_run)
    done = client.post(path_of("accounts", Names(client).id_of(user), "password"))
    output.done(done, f"The one-time password of {user} is shown once:", as_json, done["password"])
