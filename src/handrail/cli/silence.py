"""`handrail silence`: alerts that nobody wants to hear of for a while, always with an end."""

import re
from enum import StrEnum
from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, Reason, group
from handrail.cli.text import moment
from handrail.cli.trouble import USAGE, Trouble

app = group(
    "Silences, maintenance windows and shelvings: alerts are kept and shown, and become no candidate until the end.",
    """
    handrail silence list --status live
    handrail silence add service=payments --for 2h --reason "known, fixed in 2.5.1"
    handrail silence add label.cluster=eu-1 --kind maintenance --from 2026-12-01T22:00:00Z --for 4h --reason CHG-17
    handrail silence shelve alr_01j... --for 30m --reason "waits for the vendor"
    handrail silence end sil_01j...
    """,
)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"^(\d{1,6})([smhd])\Z")
Span = Annotated[str, typer.Option("--for", metavar="SPAN", help="How long: 45s, 30m, 2h or 3d.")]


class Status(StrEnum):
    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    OVER = "over"


class Kind(StrEnum):
    SILENCE = "silence"
    MAINTENANCE = "maintenance"


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List silences, newest first."""
    from handrail.cli.client import connect, path_of

    found = connect().pages(path_of("silences"), {"status": status, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("SILENCE", lambda row: row["id"]),
        ("KIND", lambda row: row["kind"]),
        ("STATUS", lambda row: row["status"]),
        ("ALERTS WHERE", lambda row: " and ".join(row["matchers"])),
        ("FROM", lambda row: moment(row["starts_at"])),
        ("UNTIL", lambda row: moment(row["ends_at"])),
        ("REASON", lambda row: row["reason"]),
    ]
    return output.print_page(found, columns, "No silence. Every alert may become a candidate.")


@app.command()
def add(
    matchers: Annotated[list[str], typer.Argument(metavar="CONDITION...", help="FIELD=VALUE, also !=, ^=, *=.")],
    span: Span,
    reason: Reason,
    kind: Annotated[Kind, typer.Option(help="A maintenance window may begin later.")] = Kind.SILENCE,
    start: Annotated[str, typer.Option("--from", metavar="MOMENT", help="RFC 3339; now when left out.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Silence the alerts for which all conditions hold."""
    from handrail.cli.client import connect, path_of

    asked = {"kind": kind, "matchers": matchers, "reason": reason, "seconds": seconds(span)}
    made = connect(dry_run).post(path_of("silences"), asked | ({"starts_at": start} if start else {}))
    output.done(made, f"In force until {moment(made['ends_at'])}:", as_json, made["id"])


@app.command()
def shelve(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Its id.")],
    span: Span,
    reason: Reason,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put one alert aside for a while."""
    from handrail.cli.client import connect, path_of

    made = connect(dry_run).post(path_of("alerts", alert, "shelve"), {"seconds": seconds(span), "reason": reason})
    output.done(made, f"Shelved until {moment(made['ends_at'])}:", as_json, made["id"])


@app.command()
def end(
    silence: Annotated[str, typer.Argument(metavar="SILENCE", help="Its id.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """End a silence now; what it held back and still fires is placed at once."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("silences", silence, "end"))
    output.done(done, "It has ended.", as_json)


def seconds(span: str) -> int:
    """Seconds of a span such as 30m. Raises Trouble."""
    found = _SPAN.match(span.strip())
    if found is None:
        raise Trouble(f"“{span}” is no span.", USAGE, "Write 45s, 30m, 2h or 3d.")
    return int(found[1]) * _UNITS[found[2]]
