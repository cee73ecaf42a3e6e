"""Starting and stopping: one sentence and exit 2 where a start is not possible, a clean stop on a signal."""

import logging
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Runner, Server, environment


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A start in this process takes the log over; what comes after gets it back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_first_start_tells_the_password_once_and_a_signal_ends_it_well(run: Runner, tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    assert stat.S_IMODE(server.password_file.stat().st_mode) == 0o600
    assert stat.S_IMODE((server.data_dir / "record.key").stat().st_mode) == 0o600
    password = server.password_file.read_text().strip()
    first_log = (tmp_path / "log").read_text()
    assert password in first_log
    assert server.url in first_log
    second = run("up", "--data-dir", str(server.data_dir), "--port", "0", code=2)
    assert second.out == ""
    assert "already runs" in second.err
    assert "Traceback" not in second.err
    assert server.stop(signal.SIGTERM) == 0

    server.password_file.unlink()
    server.start()
    assert server.stop(signal.SIGINT) == 0
    assert not server.password_file.exists()
    assert password not in (tmp_path / "log").read_text().removeprefix(first_log)


def test_a_taken_port_is_one_sentence(run: Runner, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = run("up", "--port", str(port), "--data-dir", str(tmp_path / "data"), code=2)
    assert f"port {port}" in said.err
    assert "--port" in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--database", "mysql://u:geheim@h/d"), "HANDRAIL_DATABASE"),
        (("--database", "postgresql://u@h:port/d"), "no number"),
        (("--port", "70000"), "HANDRAIL_PORT"),
        (("--inbound-open", "everyone"), "HANDRAIL_INBOUND_OPEN"),
        (("--log-level", "LOUD"), "DEBUG, INFO, WARNING or ERROR"),
        (("--webhook-secret-file", "/nowhere"), "/nowhere"),
        (("--host", "256.256.256.256"), "no address"),
        (("--port", "many"), "--port"),
    ],
)
def test_a_wrong_setting_is_one_sentence_without_its_secret(run: Runner, options: tuple[str, str], words: str) -> None:
    said = run("up", *options, code=2)
    assert words in said.err
    assert "geheim" not in said.err
    assert "Traceback" not in said.err


def test_every_wrong_setting_is_told_at_once(run: Runner) -> None:
    run.variables = {"HANDRAIL_LOG_LEVEL": "LOUD", "HANDRAIL_INBOUND_OPEN": "x", "HANDRAIL_DATABASE": "y"}
    said = run("up", code=2)
    assert all(name in said.err for name in run.variables)


@pytest.mark.parametrize("what", ["database", "data folder"])
def test_a_database_that_is_away_is_one_sentence(run: Runner, tmp_path: Path, what: str) -> None:
    options = ["--database", "postgresql://nobody@127.0.0.1:1/none"]
    if what == "data folder":
        (tmp_path / "data").write_text("a file in the way")
        options = []
    said = run("up", "--port", "0", "--data-dir", str(tmp_path / "data"), *options, code=2)
    assert what in said.err
    assert "Traceback" not in said.err


def test_a_worker_on_sqlite_says_why_not(run: Runner, tmp_path: Path) -> None:
    said = run("worker", "--data-dir", str(tmp_path), code=2)
    assert "PostgreSQL" in said.err


def test_help_and_a_taken_port_import_no_server() -> None:
    """What `handrail --help` and a refused start import; a start costs what it imports."""
    script = (
        "import sys\nfrom handrail.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'fastapi', 'sqlalchemy', 'dbos', 'httpx2', 'rich', 'pydantic', 'handrail.wiring'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert done.stdout.startswith("Usage: handrail")


def test_a_worker_shares_the_work_of_a_server_on_postgresql(
    run: Runner, postgresql_server: str | None, tmp_path: Path
) -> None:
    from tests import databases

    if postgresql_server is None:
        pytest.skip(databases.NO_SERVER)
    with databases.empty_postgresql(postgresql_server) as url:
        server = Server(tmp_path).start("--database", url)
        ready = tmp_path / "worker-ready"
        arguments = ["worker", "--database", url, "--ready-file", str(ready), "--metrics-port", "0"]
        stranger = run(*arguments, "--data-dir", str(tmp_path / "other"), code=2)
        assert "record.key" in stranger.err
        assert not (tmp_path / "other" / "record.key").exists()
        worker = subprocess.Popen(
            [sys.executable, "-m", "handrail", *arguments, "--data-dir", str(server.data_dir)],
            env=environment(tmp_path), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert worker.stderr is not None
        lines = iter(worker.stderr.readline, "")
        said = next(line for line in lines if "is at work" in line)
        assert "http://127.0.0.1:" in said
        worker.send_signal(signal.SIGTERM)
        worker.stderr.read()
        worker.stderr.close()
        assert worker.wait(20) == 0
        assert server.stop() == 0
