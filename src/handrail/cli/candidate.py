"""`handrail candidate`: alerts correlated into what may be an incident; a person declares or dismisses."""

from enum import StrEnum
from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, Reason, group
from handrail.cli.text import listed, moment
from handrail.cli.trouble import USAGE, Trouble

app = group(
    "What may be an incident: alerts correlated, each with why it is there. A person declares or dismisses.",
    """
    handrail candidate list --status open
    handrail candidate show can_01j...
    handrail candidate declare can_01j... --severity SEV1
    handrail candidate dismiss can_01j... --reason "Known maintenance of payments"
    handrail candidate split can_01j... alr_01j... alr_01k... --reason "The mail server is another matter"
    handrail candidate merge can_01k... --into can_01j... --reason "Same cause"
    handrail candidate move can_01j... alr_01j... --to can_01k... --reason "It belongs there"
    """,
)
Which = Annotated[str, typer.Argument(metavar="CANDIDATE", help="Its id.")]
Chosen = Annotated[list[str], typer.Argument(metavar="ALERT...", help="Ids of the alerts.")]
_MEMBERS: list[output.Column] = [
    ("ALERT", lambda row: row["alert_id"]),
    ("SCORE", lambda row: row["score"]),
    ("SERVICE", lambda row: row["service"]),
    ("TITLE", lambda row: row["title"]),
    ("WHY IT IS HERE", lambda row: row["reason"]),
]


class Status(StrEnum):
    OPEN = "open"
    DECLARED = "declared"
    DISMISSED = "dismissed"
    MERGED = "merged"


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List candidates, newest first."""
    from handrail.cli.client import connect, path_of

    found = connect().pages(path_of("candidates"), {"status": status, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("CANDIDATE", lambda row: row["id"]),
        ("STATUS", lambda row: row["status"]),
        ("SUGGESTED", lambda row: row["suggested_severity"]),
        ("ALERTS", lambda row: row["count"]),
        ("BEGAN", lambda row: moment(row["started_at"])),
        ("SERVICES", lambda row: listed(row["services"])),
        ("TITLE", lambda row: row["title"]),
    ]
    return output.print_page(found, columns, "No candidate. Alerts that belong together appear here.")


@app.command()
def show(candidate: Which, as_json: Json = False) -> None:
    """Show one candidate with its alerts and why each is there."""
    from handrail.cli.client import connect, path_of

    found = connect().get(path_of("candidates", candidate))
    if as_json:
        return output.print_json(found)
    output.print_fields(
        [
            ("Candidate", found["id"]), ("Title", found["title"]), ("Status", found["status"]),
            ("Incident", found["incident_id"]), ("Merged into", found["merged_into"]),
            ("Split from", found["split_from"]), ("Suggested", found["suggested_severity"]),
            ("Why", found["severity_reason"]), ("Services", listed(found["services"])),
            ("Began", moment(found["started_at"])), ("Alerts", found["count"]),
        ]
    )  # fmt: skip
    output.heading("Alerts")
    output.print_rows(found["members"], _MEMBERS, "")
    if found["count"] > len(found["members"]):
        output.talk(f"All {found['count']} of them: handrail candidate members {found['id']}")
    if found["status"] == "open":
        severity = found["suggested_severity"]
        output.talk(f"Declare it with: handrail candidate declare {found['id']} --severity {severity}")
    return None


@app.command()
def members(candidate: Which, limit: Limit = PAGE, cursor: Cursor = "", as_json: Json = False) -> None:
    """List the alerts of a candidate with why each is there, newest first."""
    from handrail.cli.client import connect, path_of

    found = connect().pages(path_of("candidates", candidate, "members"), {"cursor": cursor}, limit)
    return output.print_json(found) if as_json else output.print_page(found, _MEMBERS, "No alert is left in it.")


@app.command()
def declare(
    candidate: Which,
    severity: Annotated[str, typer.Option(help="SEV1, SEV2, SEV3 or SEV4: you confirm or correct what is suggested.")],
    title: Annotated[str, typer.Option(help="Instead of the candidate's own.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Declare a candidate as an incident. You command it until you hand the role over."""
    from handrail.cli.client import connect, path_of

    body = {"severity": severity, "title": title or None}
    made = connect(dry_run).post(path_of("candidates", candidate, "declare"), body)
    output.done(made, f"Declared {made['reference']}: {made['severity']}. You command it.", as_json, made["id"])


@app.command()
def dismiss(candidate: Which, reason: Reason, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Say that a candidate is no incident, and why."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("candidates", candidate, "dismiss"), {"reason": reason})
    output.done(done, "Dismissed.", as_json)


@app.command()
def split(
    candidate: Which, alerts: Chosen, reason: Reason, dry_run: DryRun = False, as_json: Json = False
) -> None:  # fmt: skip
    """Split alerts off as a candidate of their own; later alerts of these kinds are kept apart as well."""
    from handrail.cli.client import connect, path_of

    body = {"alerts": alerts, "reason": reason}
    made = connect(dry_run).post(path_of("candidates", candidate, "split"), body)
    output.done(made, f"Split off “{made['title']}”:", as_json, made["id"])


@app.command()
def merge(
    candidate: Which,
    reason: Reason,
    into: Annotated[str, typer.Option(metavar="CANDIDATE", help="The one that gets everything, open or declared.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Merge an open candidate, with everything in it, into another."""
    from handrail.cli.client import connect, path_of

    body = {"into": into, "reason": reason}
    done = connect(dry_run).post(path_of("candidates", candidate, "merge"), body)
    output.done(done, f"Merged; “{done['title']}” has everything now.", as_json)


@app.command()
def move(
    candidate: Which,
    alerts: Chosen,
    reason: Reason,
    to: Annotated[str, typer.Option(metavar="CANDIDATE", help="The candidate where they go.")] = "",
    out: Annotated[bool, typer.Option("--out", help="Out of every candidate, instead of --to.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Move alerts to another candidate, or out of any."""
    from handrail.cli.client import connect, path_of

    if bool(to) == out:
        raise Trouble("Say where the alerts go.", USAGE, "Give either --to CANDIDATE or --out.")
    body = {"alerts": alerts, "to": to or None, "reason": reason}
    done = connect(dry_run).post(path_of("candidates", candidate, "move"), body)
    output.done(done, f"Moved; “{done['title']}” is what is left.", as_json)


@app.command()
def add(
    candidate: Which, alerts: Chosen, reason: Reason, dry_run: DryRun = False, as_json: Json = False
) -> None:  # fmt: skip
    """Put alerts that belong to no candidate into this one."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("candidates", candidate, "add"), {"alerts": alerts, "reason": reason})
    output.done(done, f"Put into “{done['title']}”.", as_json)


@app.command()
def corrections(
    over: Annotated[bool, typer.Option("--over", help="Those that have ended, instead of those in force.")] = False,
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List what corrections say of later alerts: which kinds belong together, and which do not."""
    from handrail.cli.client import connect, path_of

    found = connect().pages(path_of("corrections"), {"status": "over" if over else "live", "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("CORRECTION", lambda row: row["id"]),
        ("MADE", lambda row: moment(row["at"])),
        ("UNTIL", lambda row: moment(row["ends_at"])),
        ("ALERTS LIKE", lambda row: _kinds(row["kinds"])),
        ("APART FROM", lambda row: _kinds(row["apart_from"])),
        ("TOGETHER WITH", lambda row: _kinds(row["together_with"])),
    ]
    return output.print_page(found, columns, "No correction. Split, merge or move alerts, and it appears here.")


@app.command()
def forget(
    correction: Annotated[str, typer.Argument(metavar="CORRECTION", help="Its id.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """End what a correction says of later alerts; the alerts stay where they are."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("corrections", correction, "end"))
    output.done(done, "It teaches nothing any more.", as_json)


def _kinds(kinds: list[dict[str, str]]) -> str:
    return listed([f"{kind['name']} on {kind['service'] or 'no service'}" for kind in kinds])
