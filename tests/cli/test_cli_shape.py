"""What holds for every command: one wording of options, help, documentation, completion, and no secret as an option."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from handrail.cli.main import COMMANDS, Commands, app
from tests.cli.conftest import Runner

DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
# These print no data: they are the server, or hand over to a program with options of its own.
WITHOUT_DATA = {"up", "worker", "demo"}
READS = {
    "list", "show", "timeline", "outcome", "verify", "doctor", "openapi", "login", "logout", "eval", "detect", "logs",
    "unresolved", "schema", "catalog resolve", "source try", "candidate members", "candidate corrections",
}  # fmt: skip


def commands() -> Iterator[tuple[str, Any]]:
    root = typer.main.get_command(app)
    assert isinstance(root, Commands)
    for name in COMMANDS:
        found: Any = root.get_command(None, name)
        verbs = getattr(found, "commands", None)
        yield from ((f"{name} {verb}", made) for verb, made in verbs.items()) if verbs else [(name, found)]


ALL = dict(commands())


def options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help_and_stands_in_the_documentation(name: str, run: Runner) -> None:
    assert ALL[name].help
    assert f"`{name}" in DOCS, f"docs/cli.md does not tell of `{name}`"
    assert run(*name.split(), "--help").out.startswith("Usage: handrail")


@pytest.mark.parametrize("name", sorted(set(ALL) - WITHOUT_DATA))
def test_every_command_with_data_prints_json_and_every_write_can_be_tried_dry(name: str) -> None:
    assert "--json" in options(ALL[name])
    assert ("--dry-run" in options(ALL[name])) == (name not in READS and name.split()[-1] not in READS)


@pytest.mark.parametrize("name", ALL)
def test_no_secret_is_an_option(name: str) -> None:
    for option in options(ALL[name]):
        assert not {"--token", "--password", "--secret", "--key-file"} & {option}


def test_help_gives_examples_first(run: Runner) -> None:
    for name in COMMANDS:
        text = run(name, "--help").out
        assert text.index("Examples:") < text.index("Options:")


def test_the_list_of_commands_is_what_it_says(run: Runner) -> None:
    told = run("--help").out
    for name, (_, _, line) in COMMANDS.items():
        assert name in told
        verbs = [named.split()[1] for named in ALL if named.startswith(f"{name} ")]
        if verbs and "..." not in line:
            assert all(verb in line for verb in verbs), (name, verbs)


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("incident", "nonsense"), ("incident", "show"), ("gate", "list", "--nonsense")]
)
def test_wrong_use_ends_with_2_and_says_how(run: Runner, arguments: tuple[str, ...]) -> None:
    assert "--help" in run(*arguments, code=2).err


def test_the_version_is_data(run: Runner) -> None:
    assert run("--version").word.startswith("handrail ")


@pytest.mark.parametrize(("typed", "offered"), [("handrail inc", "incident"), ("handrail gate app", "approve")])
def test_a_shell_completes_nouns_and_verbs(typed: str, offered: str) -> None:
    words = typed.split()
    variables = {"_HANDRAIL_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "handrail"], capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )
    assert done.stdout.split() == [offered]


def test_no_colour_is_printed_where_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from io import StringIO

    from handrail.cli import output

    class Screen(StringIO):
        def isatty(self) -> bool:
            return True

    def printed() -> str:
        screen = Screen()
        monkeypatch.setattr("sys.stdout", screen)
        output.print_rows([{"status": "firing"}], (("STATUS", lambda row: row["status"]),), "")
        return screen.getvalue()

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31m" in printed()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in printed()
