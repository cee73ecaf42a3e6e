"""`handrail gate`: what needs authority. A vote is for the exact content that was shown, bound by its digest."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, Reason, Yes, group
from handrail.cli.text import moment
from handrail.cli.trouble import CONFLICT, DENIED, Trouble

app = group(
    "What needs authority: exact content, who may decide, votes.",
    """
    handrail gate list --mine
    handrail gate show gat_01j...
    handrail gate approve gat_01j... --reason "The release broke payments; the roll back was rehearsed"
    handrail gate reject gat_01j... --reason "Wrong service"
    """,
)
Which = Annotated[str, typer.Argument(metavar="GATE", help="Its id.")]
Digest = Annotated[
    str, typer.Option("--digest", help="Vote only if the content still has this digest, as `gate show` gave it.")
]


class Status(StrEnum):
    OPEN = "open"
    SATISFIED = "satisfied"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    VOIDED = "voided"


@app.command("list")
def list_(
    mine: Annotated[bool, typer.Option("--mine", help="Only those that wait for my decision.")] = False,
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    incident: Annotated[str, typer.Option(help="Only those of this incident.")] = "",
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List gates, newest first."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect()
    query = {"mine": "true" if mine else None, "status": status, "incident": incident, "cursor": cursor}
    found = client.pages(path_of("gates"), query, limit)
    if as_json:
        return output.print_json(found)
    names = Names(client)
    columns: list[output.Column] = [
        ("GATE", lambda row: row["id"]),
        ("STATUS", lambda row: row["status"]),
        ("EXPIRES", lambda row: moment(row["expires_at"])),
        ("VOTES", lambda row: f"{_approvals(row)} of {row['quorum']}"),
        ("PROPOSED BY", lambda row: names.of(row["proposer"])),
        ("YOU", lambda row: "may vote" if row["may_vote"] else "-"),
        ("ABOUT", lambda row: row["subject"]["title"]),
    ]
    return output.print_page(found, columns, "Nothing waits for you." if mine else "No gate.")


def _approvals(gate: Any) -> int:
    return sum(vote["vote"] == "approve" for vote in gate["votes"])


@app.command()
def show(gate: Which, as_json: Json = False) -> None:
    """Show exactly what is approved, its digest, and who may decide."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect()
    found = client.get(path_of("gates", gate))
    if as_json:
        return output.print_json(found)
    print_gate(found, Names(client))
    if found["may_vote"]:
        output.talk(f"Decide with: handrail gate approve {found['id']} --reason ...   (or reject)")
    elif found["why_not"]:
        output.talk(f"You may not vote: {found['why_not']}")
    return None


def print_gate(gate: dict[str, Any], names: Any) -> None:
    """Everything that a voter must know before a vote."""
    eligible = gate["eligible"]
    who = [f"role {role}" for role in eligible["roles"]] + [f"team {team}" for team in eligible["teams"]]
    who += [names.of(person) for person in eligible["people"]]
    votes = [f"{names.of(vote['by'])} {vote['vote']}s: {vote['reason']}" for vote in gate["votes"]]
    output.print_fields(
        [
            ("Gate", gate["id"]), ("About", gate["subject"]["title"]), ("Status", gate["status"]),
            ("Why", gate["why"]), ("Incident", gate["incident_id"]), ("Proposed by", names.of(gate["proposer"])),
            ("Last editor", names.of(gate["last_editor"])), ("Who may decide", " or ".join(who)),
            ("Approvals", f"{_approvals(gate)} of {gate['quorum']}"), ("Votes", "\n".join(votes)),
            ("Rule", gate["rule"]), ("Opened", moment(gate["opened_at"])), ("Expires", moment(gate["expires_at"])),
            ("Usable until", moment(gate["usable_until"])), ("Digest", gate["subject"]["digest"]),
        ]
    )  # fmt: skip
    output.heading("Content (exactly this is decided)")
    output.print_text(json.dumps(gate["content"], indent=2, ensure_ascii=False))


@app.command()
def approve(
    gate: Which,
    reason: Reason,
    digest: Digest = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Approve exactly what is shown. Without --yes it is shown first, and you type the gate's id."""
    _vote("approve", gate, reason, digest, yes, dry_run, as_json)


@app.command()
def reject(
    gate: Which,
    reason: Reason,
    digest: Digest = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Reject what is shown. Without --yes it is shown first, and you type the gate's id."""
    _vote("reject", gate, reason, digest, yes, dry_run, as_json)


def _vote(choice: str, gate: str, reason: str, digest: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Read the gate, show it, and send the digest of what was shown: a change in between is refused by the server."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect(dry_run)
    found = client.get(path_of("gates", gate))
    shown = check_content(found, digest)
    if found["why_not"] and not dry_run:
        code = CONFLICT if found["status"] != "open" else DENIED
        raise Trouble(f"You may not vote: {found['why_not']}", code, f"See `handrail gate show {gate}`.", "no_vote")
    if not yes and not dry_run:
        print_gate(found, Names(client))
    if not dry_run:
        output.confirm(f"You {choice}: {found['subject']['title']}", gate, yes)
    done = client.post(path_of("gates", gate, "vote"), {"vote": choice, "digest": shown, "reason": reason})
    output.done(done, f"Your vote stands ({choice}). The gate is {done['status']}.", as_json)


def check_content(gate: dict[str, Any], expected: str) -> str:
    """The digest of the content as it came, computed here. Raises Trouble where it is not what the gate binds to."""
    from handrail.kernel.canonical import digest

    computed = digest(gate["content"])
    if computed != gate["subject"]["digest"]:
        raise Trouble("The content shown does not have the digest that the gate binds to. Do not vote on it.", CONFLICT,
                      "Verify the record: `handrail record verify`.", "digest_differs")  # fmt: skip
    if expected and expected != computed:
        raise Trouble("The content is not what you expect: its digest is another one.", CONFLICT,
                      f"Look at it again: `handrail gate show {gate['id']}`.", "digest_differs")  # fmt: skip
    return computed


@app.command()
def withdraw(gate: Which, reason: Reason, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Take your own question back."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("gates", gate, "withdraw"), {"reason": reason})
    output.done(done, f"Withdrawn. The gate is {done['status']}.", as_json)
