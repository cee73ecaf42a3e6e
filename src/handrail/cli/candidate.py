"""`handrail candidate`: alerts correlated into what may be an incident; a person declares or dismisses."""

from enum import StrEnum
from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, Reason, group
from handrail.cli.text import listed, moment

app = group(
    "What may be an incident: alerts correlated, each with why it is there. A person declares or dismisses.",
    """
    handrail candidate list --status open
    handrail candidate show can_01j...
    handrail candidate declare can_01j... --severity SEV1
    handrail candidate dismiss can_01j... --reason "Known maintenance of payments"
    """,
)
Which = Annotated[str, typer.Argument(metavar="CANDIDATE", help="Its id.")]


class Status(StrEnum):
    OPEN = "open"
    DECLARED = "declared"
    DISMISSED = "dismissed"


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
            ("Incident", found["incident_id"]), ("Suggested", found["suggested_severity"]),
            ("Why", found["severity_reason"]), ("Services", listed(found["services"])),
            ("Began", moment(found["started_at"])), ("Alerts", found["count"]),
        ]
    )  # fmt: skip
    columns: list[output.Column] = [
        ("ALERT", lambda row: row["alert_id"]),
        ("SCORE", lambda row: row["score"]),
        ("SERVICE", lambda row: row["service"]),
        ("TITLE", lambda row: row["title"]),
        ("WHY IT IS HERE", lambda row: row["reason"]),
    ]
    output.heading("Alerts")
    output.print_rows(found["members"], columns, "")
    if found["status"] == "open":
        severity = found["suggested_severity"]
        output.talk(f"Declare it with: handrail candidate declare {found['id']} --severity {severity}")
    return None


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
