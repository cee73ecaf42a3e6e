"""`handrail incident`: declared, led through its stages, signed ready, closed."""

import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, Reason, group
from handrail.cli.text import listed, moment, span
from handrail.cli.trouble import USAGE, Trouble

app = group(
    "Incidents: declared, led through their stages, signed ready, closed.",
    """
    handrail incident list --status live
    handrail incident declare --severity SEV1 --title "Payments fail" --service payments
    handrail incident show INC-7
    handrail incident role INC-7 deputy jonas
    handrail incident note INC-7 "Cards fail, transfers work."
    """,
)
Which = Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id, or its reference such as INC-7.")]


class Status(StrEnum):
    LIVE = "live"
    CLOSED = "closed"


class Half(StrEnum):
    MACHINE = "machine"
    HUMAN = "human"


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List incidents, newest first."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect()
    found = client.pages(path_of("incidents"), {"status": status, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    names = Names(client)
    columns: list[output.Column] = [
        ("REFERENCE", lambda row: row["reference"]),
        ("SEVERITY", lambda row: row["severity"]),
        ("STAGE", lambda row: row["stage"]),
        ("DECLARED", lambda row: moment(row["declared_at"])),
        ("COMMANDER", lambda row: names.of(row["roles"].get("commander"))),
        ("SERVICES", lambda row: listed(row["services"])),
        ("TITLE", lambda row: row["title"]),
    ]
    return output.print_page(found, columns, "No incident. Declare one with `handrail incident declare`.")


@app.command()
def show(incident: Which, as_json: Json = False) -> None:
    """Show one incident with its stages, the likely cause, and what is proposed."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect()
    found = client.get(path_of("incidents", incident))
    parts = {name: client.get(path_of("incidents", incident, name))["items"] for name in ("findings", "proposals")}
    if as_json:
        return output.print_json({**found, **parts})
    names = Names(client)
    _print_incident(found, names)
    for finding in [each for each in parts["findings"] if each["status"] == "current"]:
        _print_finding(finding)
    for proposal in parts["proposals"]:
        _print_proposal(proposal, names)
    return None


def _print_incident(found: dict[str, Any], names: Any) -> None:
    output.print_fields(
        [
            ("Incident", f"{found['reference']}  {found['id']}"), ("Title", found["title"]),
            ("Severity", found["severity"]), ("Suggested", found["suggested_severity"]), ("Stage", found["stage"]),
            ("Services", listed(found["services"])),
            ("Roles", ", ".join(f"{role} {names.of(who)}" for role, who in sorted(found["roles"].items()))),
            ("Candidate", found["candidate_id"]), ("Began", moment(found["started_at"])),
            ("Detected", moment(found["detected_at"])),
            ("Declared", f"{moment(found['declared_at'])} by {names.of(found['declared_by'])}"),
            ("Acted on", moment(found["mitigated_at"])), ("Recovered", moment(found["recovered_at"])),
            ("Readiness", found["readiness_gate_id"]), ("Closed", moment(found["closed_at"])),
        ]
    )  # fmt: skip
    output.heading("Stages")
    halves: list[output.Column] = [
        ("STAGE", lambda row: row["stage"]),
        ("MACHINE", lambda row: _half(row["machine"], names)),
        ("HUMAN", lambda row: _half(row["human"], names)),
    ]
    output.print_rows(found["stages"], halves, "")


def _half(done: dict[str, Any] | None, names: Any) -> str:
    return f"{moment(done['at'])} {names.of(done['by'])}: {done['what']}" if done else "-"


def _print_finding(finding: dict[str, Any]) -> None:
    output.heading("Likely cause")
    output.print_fields(
        [
            ("Finding", finding["id"]), ("Claim", finding["claim"]),
            ("Confidence", f"{finding['confidence']} of 100. {finding['meaning']}"),
            ("Evidence", "\n".join(f"{item['shows']} ({item['evidence'][:12]})" for item in finding["citations"])),
            ("Instead of", "\n".join(f"{item['cause']}: {item['why_lower']}" for item in finding["alternatives"])),
        ]
    )  # fmt: skip


def _print_proposal(proposal: dict[str, Any], names: Any) -> None:
    preview = proposal["preview"]
    output.heading("Proposal")
    output.print_fields(
        [
            ("Proposal", f"{proposal['id']}  ({proposal['status']})"), ("Action", proposal["action"]),
            ("What", preview.get("summary")), ("Changes", "\n".join(preview.get("changes", ()))),
            ("Touches", listed(preview.get("blast_radius"))), ("Undo", preview.get("undo")),
            ("Signal", preview.get("signal")), ("By", names.of(proposal["proposer"])), ("Run", proposal["run_id"]),
        ]
    )  # fmt: skip
    if proposal["status"] == "open":
        output.talk(f"Start it with: handrail run start {proposal['incident_id']} --proposal {proposal['id']}")


@app.command()
def declare(
    severity: Annotated[str, typer.Option(help="SEV1, SEV2, SEV3 or SEV4.")],
    title: Annotated[str, typer.Option(help="What a colleague understands at once.")],
    service: Annotated[list[str] | None, typer.Option(help="A service it hits; may be given again.")] = None,
    started_at: Annotated[str, typer.Option(help="When the first symptom began, such as 2026-01-05T09:00:00Z.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Declare an incident by hand. From a candidate: `handrail candidate declare`."""
    from handrail.cli.client import connect, path_of

    body = {"title": title, "severity": severity, "services": service or [], "started_at": read_moment(started_at)}
    made = connect(dry_run).post(path_of("incidents"), body)
    output.done(made, f"Declared {made['reference']}: {made['severity']}. You command it.", as_json, made["id"])


def read_moment(text: str) -> str | None:
    """A moment with its zone, or None. Raises Trouble."""
    if not text:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        given = None
    if given is None or given.tzinfo is None:
        raise Trouble(f"“{text}” is no moment with a zone.", USAGE, "Write it as 2026-01-05T09:00:00Z.")
    return given.isoformat()


@app.command()
def role(
    incident: Which,
    role_name: Annotated[str, typer.Argument(metavar="ROLE", help="commander, deputy, scribe, communications, expert")],
    account: Annotated[str, typer.Argument(help="Sign-in name or id.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Give a role in the incident; who held it before hands it over."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    client = connect(dry_run)
    body = {"role": role_name, "account_id": Names(client).id_of(account)}
    done = client.post(path_of("incidents", incident, "roles"), body)
    output.done(done, f"{account} is {role_name} of {done['reference']}.", as_json)


@app.command()
def severity(
    incident: Which,
    level: Annotated[str, typer.Argument(metavar="SEVERITY", help="SEV1, SEV2, SEV3 or SEV4.")],
    reason: Reason,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Change the severity."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("incidents", incident, "severity"), {"severity": level, "reason": reason})
    output.done(done, f"{done['reference']} is {done['severity']}.", as_json)


@app.command()
def note(
    incident: Which,
    words: Annotated[str, typer.Argument(help="What you saw or did; - reads it from stdin.")],
    happened_at: Annotated[str, typer.Option(help="When it happened, where that is not now.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Write into the timeline."""
    from handrail.cli.client import connect, path_of

    body = {"words": sys.stdin.read().strip() if words == "-" else words, "happened_at": read_moment(happened_at)}
    done = connect(dry_run).post(path_of("incidents", incident, "notes"), body)
    output.done(done, f"Noted in {done['reference']}.", as_json)


@app.command()
def stage(
    incident: Which,
    stage_name: Annotated[str, typer.Argument(metavar="STAGE", help="triage, contain, remediate, recover, ...")],
    half: Annotated[Half, typer.Argument(help="Whose half was done.")],
    reason: Reason,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Do a half of a stage by hand, the machine's too, and say what was done."""
    from handrail.cli.client import connect, path_of

    path = path_of("incidents", incident, "stages", stage_name, half)
    done = connect(dry_run).post(path, {"reason": reason})
    output.done(done, f"{done['reference']} is in the stage {done['stage']}.", as_json)


@app.command()
def investigate(incident: Which, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Ask the analyst to look again."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("incidents", incident, "investigate"))
    output.done(done, f"The analyst looks at {done['reference']} again; see `handrail incident show`.", as_json)


@app.command()
def ready(incident: Which, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Ask the service's owner to sign readiness off; prints the gate at which it is decided."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("incidents", incident, "readiness"))
    output.done(done, "Asked. The service's owner decides at this gate:", as_json, done["gate_id"])


@app.command()
def close(incident: Which, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Close the incident; prints the review that was drafted from the record."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("incidents", incident, "close"))
    output.done(done, "Closed. Its review is drafted:", as_json, done["review_id"])


@app.command()
def timeline(
    incident: Which,
    after: Annotated[int, typer.Option(help="Only entries beyond this index.")] = -1,
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """Show the incident's entries, oldest first."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.entries import COLUMNS, with_actor
    from handrail.cli.names import Names

    client = connect()
    found = client.pages(path_of("incidents", incident, "timeline"), {"after": after, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    return output.print_page(found, [*COLUMNS[:2], with_actor(Names(client)), *COLUMNS[2:]], "No entries beyond that.")


@app.command()
def outcome(incident: Which, as_json: Json = False) -> None:
    """Show what came of it: times, waits at gates, and what people and machines each did."""
    from handrail.cli.client import connect, path_of

    found = connect().get(path_of("incidents", incident, "outcome"))
    if as_json:
        return output.print_json(found)
    times = found["times"]
    output.print_fields(
        [("Incident", f"{found['incident']} ({found['severity']})"), ("Services", listed(found["services"]))]
        + [(f"To {name}", span(times.get(f"{name}_seconds"))) for name in ("detect", "declare", "mitigate", "recover")]
        + [(f"By {kind}", f"{sum(acts.values())} entries") for kind, acts in found["acts"].items() if acts]
    )
    if found["gates"]:
        output.heading("Gates")
        columns: list[output.Column] = [
            ("GATE", lambda row: row["gate"]),
            ("ENDED", lambda row: row["ended"] or "open"),
            ("WAITED", lambda row: span(row["waited_seconds"])),
            ("ABOUT", lambda row: row["about"]),
        ]
        output.print_rows(found["gates"], columns, "")
    return None
