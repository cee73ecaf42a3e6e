"""`handrail alert`: symptoms as their sources told them. Their text is hostile; it is shown with nothing to obey."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, Json, Limit, group
from handrail.cli.text import moment

app = group(
    "Alerts: one symptom from one source each, with everything that was said about it.",
    """
    handrail alert list --status firing
    handrail alert list --incident INC-7 --json
    handrail alert show alr_01j... --raw
    """,
)


class Status(StrEnum):
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    source: Annotated[str, typer.Option(help="Only from this source.")] = "",
    candidate: Annotated[str, typer.Option(help="Only those of this candidate.")] = "",
    incident: Annotated[str, typer.Option(help="Only those of this incident; the other filters do not apply.")] = "",
    search: Annotated[str, typer.Option(help="Looked for in title, service and labels.")] = "",
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List alerts, newest first."""
    from handrail.cli.client import connect, path_of

    path = path_of("incidents", incident, "alerts") if incident else path_of("alerts")
    narrowed = {} if incident else {"status": status, "source": source, "candidate": candidate, "search": search}
    found = connect().pages(path, {**narrowed, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("ALERT", lambda row: row["id"]),
        ("STATUS", lambda row: row["status"]),
        ("SEVERITY", lambda row: row["severity"]),
        ("LAST", lambda row: moment(row["last_at"])),
        ("TIMES", lambda row: row["count"]),
        ("SOURCE", lambda row: row["source"]),
        ("SERVICE", lambda row: row["service"]),
        ("TITLE", lambda row: row["title"]),
    ]
    return output.print_page(found, columns, "No alert. Connect a sender with `handrail source add`.")


@app.command()
def show(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Its id.")],
    raw: Annotated[bool, typer.Option("--raw", help="The sender's own words too.")] = False,
    as_json: Json = False,
) -> None:
    """Show one alert with what was said about it, newest first."""
    from handrail.cli.client import connect, path_of

    client = connect()
    found = client.get(path_of("alerts", alert))
    said = client.get(path_of("alerts", alert, "occurrences"))["items"]
    if as_json:
        return output.print_json({**found, "occurrences": said})
    _print_alert(found)
    output.heading("Said about it")
    for each in said:
        leaf = each["leaf"]
        output.print_text(f"entry {each['batch']}, position {each['position']}: {json.dumps(leaf, ensure_ascii=False)}")
        if raw:
            output.print_text(each["raw"])
    return None


def _print_alert(found: dict[str, Any]) -> None:
    pairs = [f"{name}={value}" for name, value in sorted(found["labels"].items())]
    notes = [f"{name}: {value}" for name, value in sorted(found["annotations"].items())]
    output.print_fields(
        [
            ("Alert", found["id"]), ("Title", found["title"]), ("Status", found["status"]),
            ("Severity", found["severity"]), ("In their word", found["severity_raw"]), ("Source", found["source"]),
            ("Known by", found["verdict"]), ("Service", found["service"]), ("Resource", found["resource"]),
            ("Summary", found["summary"]), ("Began", moment(found["starts_at"])), ("Ended", moment(found["ends_at"])),
            ("First", moment(found["first_at"])), ("Last", moment(found["last_at"])), ("Times", found["count"]),
            ("Late", found["late"] or None), ("Candidate", found["candidate_id"]), ("Link", found["link"]),
            ("Labels", "\n".join(pairs)), ("Annotations", "\n".join(notes)),
        ]
    )  # fmt: skip
