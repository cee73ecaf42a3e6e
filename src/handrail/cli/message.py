"""`handrail message`: words for one audience, drafted from facts, edited by people, sent after their gate."""

from enum import StrEnum
from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, group
from handrail.cli.reading import read_text
from handrail.cli.text import listed, moment

app = group(
    "Messages: words for one audience, drafted from facts, edited by people, sent after their gate.",
    """
    handrail message draft INC-7 --audience executives --stage update
    handrail message show msg_01j...
    handrail message edit msg_01j... --text-file words.txt
    handrail message submit msg_01j...
    """,
)
Which = Annotated[str, typer.Argument(metavar="MESSAGE", help="Its id.")]


class Status(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    REJECTED = "rejected"


class Stage(StrEnum):
    DECLARED = "declared"
    UPDATE = "update"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    incident: Annotated[str, typer.Option(help="All of this incident; the status does not apply.")] = "",
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List messages, newest first."""
    from handrail.cli.client import connect, path_of

    path = path_of("incidents", incident, "messages") if incident else path_of("messages")
    found = connect().pages(path, {"status": None if incident else status, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("MESSAGE", lambda row: row["id"]),
        ("STATUS", lambda row: row["status"]),
        ("AUDIENCE", lambda row: row["audience"]),
        ("CHANNELS", lambda row: listed(row["channels"])),
        ("DRAFTED", lambda row: moment(row["drafted_at"])),
        ("SUBJECT", lambda row: row["subject"]),
    ]
    return output.print_page(found, columns, "No message. Draft one with `handrail message draft`.")


@app.command()
def show(message: Which, as_json: Json = False) -> None:
    """Show a message with the facts it rests on and what became of each channel."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect()
    found = client.get(path_of("messages", message))
    if as_json:
        return output.print_json(found)
    names = Names(client)
    facts = [f"{fact['words']}" + (f" (entry {fact['entry']})" if fact["entry"] is not None else "")
             for fact in found["facts"]]  # fmt: skip
    output.print_fields(
        [
            ("Message", found["id"]), ("Status", found["status"]), ("Incident", found["incident_id"]),
            ("Audience", found["audience"]), ("Channels", listed(found["channels"])), ("Gate", found["gate_id"]),
            ("Drafted", f"{moment(found['drafted_at'])} by {names.of(found['drafted_by'])}"),
            ("Last editor", names.of(found["last_editor"])), ("Facts", "\n".join(facts)),
            ("Subject", found["subject"]), ("Text", found["text"]),
        ]
    )  # fmt: skip
    if found["deliveries"]:
        output.heading("Deliveries")
        columns: list[output.Column] = [
            ("CHANNEL", lambda row: row["channel"]),
            ("STATUS", lambda row: row["status"]),
            ("TRIES", lambda row: row["attempts"]),
            ("AT", lambda row: moment(row["at"])),
            ("RECEIPT", lambda row: row["receipt"] or row["why"]),
        ]
        output.print_rows(found["deliveries"], columns, "")
    return None


@app.command()
def draft(
    incident: Annotated[str, typer.Argument(help="Its id or reference.")],
    audience: Annotated[str, typer.Option(help="Who it is for, such as teams or executives.")],
    stage: Annotated[Stage, typer.Option(help="What it tells.")] = Stage.UPDATE,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Draft a message from the facts of the record."""
    from handrail.cli.client import connect, path_of

    body = {"audience": audience, "stage": stage}
    made = connect(dry_run).post(path_of("incidents", incident, "messages"), body)
    output.done(made, f"Drafted for {made['audience']}: {made['subject']}", as_json, made["id"])


@app.command()
def edit(
    message: Which,
    subject: Annotated[str, typer.Option(help="A new subject; left out: as it is.")] = "",
    text: Annotated[str, typer.Option(help="A new text; left out: as it is.")] = "",
    text_file: Annotated[str, typer.Option(help="A file with the new text; - reads it from stdin.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Change the words. A consent asked for or given before is void: it was for other words."""
    from handrail.cli.client import connect, path_of

    client = connect(dry_run)
    found = client.get(path_of("messages", message))
    words = read_text(text_file) if text_file else text
    body = {"subject": subject or found["subject"], "text": words or found["text"]}
    done = client.post(path_of("messages", message, "edit"), body)
    output.done(done, f"Changed. The message is {done['status']}.", as_json)


@app.command()
def submit(message: Which, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Put the message to its gate, or send it at once where the policy says so."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("messages", message, "submit"))
    if done["gate_id"]:
        output.done(done, "It waits for approval at this gate:", as_json, done["gate_id"])
    else:
        output.done(done, f"The policy sends it without a gate; it is {done['status']}.", as_json)
