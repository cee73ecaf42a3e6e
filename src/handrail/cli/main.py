"""The `handrail` command. A command's module is imported when it is run, so that each starts as fast as it can."""

import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from handrail.cli.trouble import FAILED, DryRun, Trouble, exit_code_of

_RUNNING = "Run Handrail"
_HANDLING = "Handle an incident"
_KEEPING = "Keep the installation"

# name: (module, heading, one line)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("up", _RUNNING, "Start Handrail here: pages, API, inbound and engine"),
    "worker": ("worker", _RUNNING, "Start one more node without pages (PostgreSQL only)"),
    "demo": ("demo", _RUNNING, "Watch one real outage being handled"),
    "doctor": ("doctor", _RUNNING, "Check this installation and say how to mend it"),
    "login": ("login", _RUNNING, "Sign in and keep a token for later commands"),
    "logout": ("logout", _RUNNING, "Forget the token that login kept"),
    "incident": ("incident", _HANDLING, "Incidents: list, show, declare, role, severity, note, stage, close, ..."),
    "candidate": ("candidate", _HANDLING, "What may be an incident: list, show, declare, split, merge, ..."),
    "alert": ("alert", _HANDLING, "Alerts: list, show"),
    "change": ("change", _HANDLING, "Deploys and other changes: list"),
    "gate": ("gate", _HANDLING, "What needs authority: list, show, approve, reject, withdraw"),
    "task": ("task", _HANDLING, "Tasks: list, claim, done, skip, ask-again, resolve"),
    "run": ("run", _HANDLING, "Runs of runbooks: start, show, cancel"),
    "message": ("message", _HANDLING, "Messages: list, show, draft, edit, submit"),
    "review": ("review", _HANDLING, "Reviews: show, edit, accept"),
    "record": ("record", _KEEPING, "The record: list, show, verify, export, checkpoint, erase"),
    "document": ("document", _KEEPING, "Policy, runbooks, catalogue, audiences: list, show, propose"),
    "ingest": ("ingest", _KEEPING, "Hand payloads from files to a source, or see what they are read as"),
    "replay": ("replay", _KEEPING, "Play a folder of recorded payloads to their sources"),
    "catalog": ("catalog", _KEEPING, "Services and rules: show, import, resolve, unresolved, schema"),
    "silence": ("silence", _KEEPING, "Alerts not to hear of for a while: list, add, shelve, end"),
    "source": ("source", _KEEPING, "Senders of alerts and changes: list, add, show, secret, heartbeat, ..."),
    "user": ("user", _KEEPING, "Accounts: list, create, roles, deactivate, reset-password"),
    "token": ("token", _KEEPING, "API tokens: create, list, revoke"),
    "detect": ("detect", _KEEPING, "Find what is out of the ordinary in CSV or Parquet files"),
    "logs": ("logs", _KEEPING, "Sort the lines of log files into messages, and say which are new"),
    "eval": ("eval", _KEEPING, "Score the shipped methods on benchmark data: metrics, logs, group"),
    "openapi": ("openapi", _KEEPING, "Print the API's description"),
}

HELP = """Handrail runs major incidents: machines move fast, people hold the rail.

Examples:
  handrail up                                   start here, on SQLite
  handrail login                                sign in at HANDRAIL_URL (or this machine)
  handrail incident list                        what is being handled
  handrail gate list --mine                     what waits for my decision
  handrail record verify record.zip --key vkey  check an export without a server
"""

ENDING = """Every command takes --json. Data goes to stdout, talk to stderr.
Environment: HANDRAIL_URL, HANDRAIL_TOKEN or HANDRAIL_TOKEN_FILE, NO_COLOR; settings of `up` as HANDRAIL_<NAME>.
Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 denied, 5 conflict."""


class Commands(TyperGroup):
    """The commands of `COMMANDS`, each made from its module's `app` when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"handrail.cli.{COMMANDS[cmd_name][0]}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Written out here, because asking every command for its line would import them all."""
        formatter.write(f"Usage: handrail COMMAND [OPTIONS]\n\n{HELP}")
        for heading in (_RUNNING, _HANDLING, _KEEPING):
            formatter.write(f"\n{heading}:\n")
            rows = [(name, line) for name, (_, under, line) in COMMANDS.items() if under == heading]
            formatter.write("".join(f"  {name:<11}{line}\n" for name, line in rows))
        formatter.write("\nOptions:\n  --version             print the version\n")
        formatter.write("  --install-completion  complete commands in your shell\n")
        formatter.write(f"  --help                this, also after any command\n\n{ENDING}\n")


app = typer.Typer(
    cls=Commands, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, name="handrail"
)


def _version(asked: bool) -> None:
    if asked:
        from handrail import __version__

        print(f"handrail {__version__}")
        raise typer.Exit


@app.callback()
def _handrail(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    _print_what_can_be_printed()
    try:
        app(arguments, prog_name="handrail")
    except DryRun as shown:
        from handrail.cli.output import print_json

        print_json(shown.request)
    except Trouble as trouble:
        _end(trouble, as_json)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        _end(_trouble_of(error), as_json)


def _print_what_can_be_printed() -> None:
    """A letter that the terminal's encoding does not have must not end a command half way."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _end(trouble: Trouble, as_json: bool) -> None:
    from handrail.cli.output import complain

    complain(trouble, as_json)
    sys.exit(trouble.exit_code)


def _trouble_of(error: Exception) -> Trouble:
    """A refusal of our own code in its own words; for anything else the traceback too: that is our fault."""
    from handrail.kernel.errors import HandrailError

    if isinstance(error, HandrailError):
        faults = tuple(f"{fault.where}: {fault.what}" for fault in error.faults)
        return Trouble(error.detail, exit_code_of(error.status), "", error.code, faults)
    import traceback

    traceback.print_exc()
    return Trouble("This is a fault of Handrail itself.", FAILED, "Report it with the lines above.", "internal")
