"""One real server for all commands, on SQLite, and people who use it through the command line alone."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from handrail.cli.main import main

_START_SECONDS = 60.0


@dataclass
class Server:
    """`python -m handrail up` as a process."""

    folder: Path
    process: "subprocess.Popen[str] | None" = None
    url: str = ""

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def password_file(self) -> Path:
        return self.folder / "first-password"

    def start(self, *options: str) -> "Server":
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "handrail", "up", "--data-dir", str(self.data_dir), "--port", "0",
             "--ready-file", str(ready), "--first-password-file", str(self.password_file), *options],
            stdout=subprocess.PIPE, stderr=(self.folder / "log").open("a"), text=True, env=environment(self.folder),
        )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while not ready.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)
        said = json.loads(ready.read_text())
        assert said["pid"] == self.process.pid
        self.url = said["url"]
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(20)
        assert self.process.stdout is not None
        assert self.process.stdout.read() == ""
        self.process.stdout.close()
        return status


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's environment without anybody's Handrail settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
    return {**kept, "XDG_CONFIG_HOME": str(home / "config"), "HOME": str(home), "COLUMNS": "200", **more}


@dataclass
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def word(self) -> str:
        """The one line of data, such as an id or a secret."""
        (line,) = self.out.splitlines()
        return line


@dataclass
class Runner:
    """Runs commands in this process as one person; each must end with the code that is expected."""

    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    variables: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, code: int = 0) -> Said:
        for name in [name for name in os.environ if name.startswith("HANDRAIL_")]:
            self.patch.delenv(name)
        for name, value in self.variables.items():
            self.patch.setenv(name, value)
        self.capture.readouterr()
        status = 0
        try:
            main(list(arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
        captured = self.capture.readouterr()
        said = Said(status, captured.out, captured.err)
        assert said.code == code, f"{arguments} ended with {said.code}:\n{said.out}\n{said.err}"
        return said

    def json(self, *arguments: str) -> Any:
        return self(*arguments, "--json").json


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server")).start()
    yield running
    assert running.stop() == 0


@dataclass
class Person:
    """Somebody's own home folder, in which login keeps their token."""

    home: Path
    id: str


@pytest.fixture(scope="session")
def people(server: Server) -> dict[str, Person]:
    """owner, maria (manager of team-payments), jonas (responder), ada (auditor): each signed in by `login`."""
    folder, found = server.folder, {}

    def enter(login: str, account_id: str, one_time: Path) -> None:
        home = folder / login
        home.mkdir()
        own = home / "password"
        own.write_text(f"{login}-long-enough-password\n")
        files = ("--password-file", str(one_time), "--new-password-file", str(own))
        _printed(home, server.url, "login", "--user", login, *files)
        found[login] = Person(home, account_id)

    enter("owner", "", server.password_file)
    for login, (role, team) in _PEOPLE.items():
        options = ("--name", f"{login.title()} Lind", "--role", role, "--team", team, "--json")
        made = json.loads(_printed(folder / "owner", server.url, "user", "create", login, *options))
        one_time = folder / f"{login}.once"
        one_time.write_text(made["password"])
        enter(login, made["account"]["id"], one_time)
    return found


_PEOPLE = {
    "maria": ("manager", "team-payments"),
    "jonas": ("responder", "team-orders"),
    "ada": ("auditor", "team-audit"),
}


def _printed(home: Path, url: str, *arguments: str) -> str:
    """What a command of somebody with this home prints; it must end well."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out:
        for name, value in environment(home, HANDRAIL_URL=url).items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        assert not ended.value.code
        return out.getvalue()


@dataclass
class Cast:
    """`cast.owner("incident", "list")` runs a command as that person."""

    runners: dict[str, Runner]
    ids: dict[str, str]

    def __getattr__(self, login: str) -> Runner:
        return self.runners[login]


@pytest.fixture
def cast(
    server: Server, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cast:
    monkeypatch.setenv("COLUMNS", "200")
    runners = {}
    for login, person in people.items():
        variables = {"HANDRAIL_URL": server.url, "HANDRAIL_TOKEN": _token(person.home, server.url)}
        runners[login] = Runner(monkeypatch, capsys, variables)
    return Cast(runners, {login: person.id for login, person in people.items()})


def _token(home: Path, url: str) -> str:
    kept = json.loads((home / "config" / "handrail" / "credentials").read_text())
    return str(kept["tokens"][url]["token"])


@pytest.fixture
def server_copy(server: Server, cast: Cast, tmp_path: Path) -> Path:
    """A copy of the running server's data folder, as a backup would hold it."""
    cast.ada("record", "checkpoint")
    copy = tmp_path / "copy"
    copy.mkdir()
    with sqlite3.connect(server.data_dir / "handrail.db") as source, sqlite3.connect(copy / "handrail.db") as target:
        source.backup(target)
    source.close()
    target.close()
    for name in ("record.key", "checkpoints.log"):
        shutil.copy(server.data_dir / name, copy / name)
    return copy


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    """Commands of nobody, in an empty home."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "200")
    return Runner(monkeypatch, capsys)
