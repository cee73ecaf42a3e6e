"""`handrail run`: one execution of one version of a runbook."""

from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import DryRun, Json, Reason, Yes, group
from handrail.cli.text import moment
from handrail.cli.trouble import USAGE, Trouble

app = group(
    "Runs: started by the commander, moved on by people and machines.",
    """
    handrail run start INC-7 --proposal prp_01j...
    handrail run start INC-7 --runbook bad-release-rollback --input service=payments --input to_version=2.4.0
    handrail run show run_01j...
    handrail run cancel run_01j... --reason "Wrong plan"
    """,
)
Which = Annotated[str, typer.Argument(metavar="RUN", help="Its id.")]


@app.command()
def start(
    incident: Annotated[str, typer.Argument(help="Its id or reference.")],
    proposal: Annotated[str, typer.Option(help="Choose this proposal; its exact inputs are used.")] = "",
    runbook: Annotated[str, typer.Option(help="Or this runbook, with inputs of your own.")] = "",
    input_: Annotated[list[str] | None, typer.Option("--input", help="name=value; may be given again.")] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Start a run in an incident."""
    from handrail.cli.client import connect, path_of

    if bool(proposal) == bool(runbook):
        raise Trouble("Give either --proposal or --runbook.", USAGE, "See `handrail incident show` for proposals.")
    inputs = dict(read_input(text) for text in input_ or ())
    body = {"proposal_id": proposal} if proposal else {"runbook": runbook, "inputs": inputs}
    made = connect(dry_run).post(path_of("incidents", incident, "runs"), body)
    gates = [task["gate_id"] for task in made["tasks"] if task["gate_id"]]
    waits = f" It waits at {', '.join(gates)}." if gates else ""
    output.done(made, f"Started {made['runbook']} with {len(made['tasks'])} tasks.{waits}", as_json, made["id"])


def read_input(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise Trouble(f"“{text}” is no input.", USAGE, "Write --input name=value.")
    return name, value


@app.command()
def show(run: Which, as_json: Json = False) -> None:
    """Show a run with its tasks."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names
    from handrail.cli.task import columns

    client = connect()
    found = client.get(path_of("runs", run))
    if as_json:
        return output.print_json(found)
    names = Names(client)
    output.print_fields(
        [
            ("Run", found["id"]), ("Runbook", f"{found['runbook']} ({found['runbook_digest'][:12]})"),
            ("Status", found["status"]), ("Incident", found["incident_id"]), ("Proposal", found["proposal_id"]),
            ("Inputs", "\n".join(f"{name}={value}" for name, value in sorted(found["inputs"].items()))),
            ("Started", f"{moment(found['started_at'])} by {names.of(found['started_by'])}"),
            ("Ended", moment(found["ended_at"])),
        ]
    )  # fmt: skip
    output.heading("Tasks")
    output.print_rows(found["tasks"], [*columns(names), ("RESULT", lambda row: row["result"] or row["why"])], "")
    return None


@app.command()
def cancel(run: Which, reason: Reason, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Cancel a run; its open gates become void. You type its id, or add --yes."""
    from handrail.cli.client import connect, path_of

    client = connect(dry_run)
    if not dry_run:
        output.confirm(f"The run {run} is cancelled for good, and its open gates become void.", run, yes)
    done = client.post(path_of("runs", run, "cancel"), {"reason": reason})
    output.done(done, f"The run is {done['status']}.", as_json)
