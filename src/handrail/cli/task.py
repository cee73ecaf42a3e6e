"""`handrail task`: steps of runs that people claim, do, skip, or decide on."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, Reason, group
from handrail.cli.text import moment
from handrail.cli.trouble import USAGE, Trouble

app = group(
    "Tasks: steps of a run, with owner and due time. A task is named RUN/TASK, as the list prints it.",
    """
    handrail task list --mine
    handrail task claim run_01j.../verify
    handrail task done run_01j.../verify --result "One purchase went through"
    handrail task resolve run_01j.../rollback happened --reason "The version page says 2.4.0"
    """,
)
Which = Annotated[str, typer.Argument(metavar="RUN/TASK", help="As `task list` prints it.")]


class Choice(StrEnum):
    HAPPENED = "happened"
    DID_NOT = "did-not"
    LOOK_AGAIN = "look-again"


@app.command("list")
def list_(
    mine: Annotated[
        bool, typer.Option("--mine", help="Only mine: claimed, or owned by me, my role or my team.")
    ] = False,
    incident: Annotated[str, typer.Option(help="Only those of this incident.")] = "",
    all_: Annotated[bool, typer.Option("--all", help="With --incident: ended and waiting ones too.")] = False,
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List open tasks, due first."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.names import Names

    if all_ and (mine or not incident):
        raise Trouble("--all goes with --incident, and not with --mine.", USAGE, "Name the incident.")
    client = connect()
    path = path_of("incidents", incident, "tasks") if all_ else path_of("tasks")
    narrowed = {} if all_ else {"mine": "true" if mine else None, "incident": incident}
    found = client.pages(path, {**narrowed, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    return output.print_page(found, columns(Names(client)), "No task waits for you." if mine else "No open task.")


def columns(names: Any) -> list[output.Column]:
    return [
        ("TASK", lambda row: f"{row['run_id']}/{row['id']}"),
        ("STATUS", lambda row: row["status"]),
        ("DUE", lambda row: moment(row["due_at"])),
        ("", lambda row: "overdue" if row["overdue"] else ""),
        ("KIND", lambda row: row["kind"]),
        ("OWNER", lambda row: names.of(row["claimed_by"]) or row["owner"]),
        ("WAITS AT", lambda row: row["gate_id"] if row["status"] == "blocked" else row["message_id"]),
        ("TITLE", lambda row: row["title"]),
    ]


def read_task(text: str) -> tuple[str, str]:
    run, _, task = text.partition("/")
    if not run or not task:
        raise Trouble(f"“{text}” is no task.", USAGE, "Write RUN/TASK, as `handrail task list` prints it.")
    return run, task


def _act(which: str, verb: str, body: dict[str, Any], sentence: str, dry_run: bool, as_json: bool) -> None:
    from handrail.cli.client import connect, path_of

    run, task = read_task(which)
    done = connect(dry_run).post(path_of("runs", run, "tasks", task, verb), body)
    gate = f" It waits at {done['gate_id']}." if done["status"] == "blocked" and done["gate_id"] else ""
    output.done(done, f"{sentence} “{done['title']}” is {done['status']}.{gate}", as_json)


@app.command()
def claim(task: Which, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Take a task."""
    _act(task, "claim", {}, "It is yours.", dry_run, as_json)


@app.command()
def done(
    task: Which,
    result: Annotated[str, typer.Option(help="What came out.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Say that a task is done, and what came out."""
    _act(task, "done", {"result": result}, "Thank you.", dry_run, as_json)


@app.command()
def skip(task: Which, reason: Reason, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Pass over a task; a gate that waits for it becomes void."""
    _act(task, "skip", {"reason": reason}, "Skipped.", dry_run, as_json)


@app.command("ask-again")
def ask_again(task: Which, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Open a new gate for an action whose gate expired, was rejected or became void."""
    _act(task, "ask-again", {}, "Asked again.", dry_run, as_json)


@app.command()
def resolve(
    task: Which,
    choice: Annotated[Choice, typer.Argument(help="What became of the act, or that the machine looks again.")],
    reason: Reason,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Say what became of an act that nobody could tell."""
    body = {"choice": choice.replace("-", "_"), "reason": reason}
    _act(task, "resolve-unknown", body, "Decided.", dry_run, as_json)
