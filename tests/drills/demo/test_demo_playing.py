"""The demonstration as a person starts it, and what it leaves behind: every claim of its summary is checked again."""

import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
from contextlib import closing
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from handrail.store.database import Database
from handrail.store.projections import dump, rebuild

pytestmark = [pytest.mark.timeout(400)]

STEPS = [
    "server", "owner", "sources", "people", "estate", "catalogue", "baseline", "release", "alerts", "candidate",
    "declare", "finding", "roles", "plan", "impact", "self-approval", "approve", "act", "write-teams", "approve-teams",
    "deliver-teams", "recover", "verify-journey", "write-executives", "approve-executives", "deliver-executives",
    "quiet", "ask-readiness", "sign-readiness", "close", "review", "export", "verify",
]  # fmt: skip


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "handrail", "demo", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def left_over(folder: Path) -> list[str]:
    """Command lines of processes that still work in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in words and "pytest" not in words:
                found.append(words)
    return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, str]:
    out = tmp_path_factory.mktemp("demo")
    running = start("--exit", "--port", "0", "--out", str(out))
    said, _ = running.communicate(timeout=300)
    assert running.returncode == 0, said
    return json.loads((out / "summary.json").read_text()), out, said


def test_every_step_holds_in_its_order(played: tuple[dict[str, Any], Path, str]) -> None:
    summary, _, said = played
    assert [step["name"] for step in summary["steps"]] == STEPS
    assert summary["ok"] and all(step["ok"] for step in summary["steps"])
    assert summary["address"].startswith("http://127.0.0.1:") and summary["address"] in said
    assert all(summary["times"][f"{name}_seconds"] > 0 for name in ("detect", "declare", "mitigate", "recover"))
    assert summary["acts"]["person"]["gate.voted"] == 4
    assert summary["acts"]["machine"]["action.finished"] == 1


def test_nothing_of_it_runs_on(played: tuple[dict[str, Any], Path, str]) -> None:
    assert left_over(played[1]) == []


def test_the_export_is_verified_again_by_the_verifier_that_was_left(played: tuple[dict[str, Any], Path, str]) -> None:
    summary, out, _ = played
    command = [sys.executable, "-I", str(out / "verify.py"), str(out / "record-export.zip"), "--json"]
    done = subprocess.run([*command, "--key", summary["record"]["vkey"]], capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report["ok"] and report["key_given"]
    assert (report["size"], report["root"]) == (summary["record"]["size"], summary["record"]["root"])
    with zipfile.ZipFile(out / "record-export.zip") as export:
        assert export.read("verify.py") == (out / "verify.py").read_bytes()


def test_the_projections_follow_from_the_record_alone(played: tuple[dict[str, Any], Path, str]) -> None:
    database = Database(f"sqlite:///{played[0]['data_dir']}/handrail.db")
    with closing(database.engine.connect()) as connection, connection.begin() as transaction:
        before = dump(connection)
        rebuild(database, connection)
        after = dump(connection)
        transaction.rollback()
    database.dispose()
    assert sum(len(rows) for rows in before.values()) > 50
    assert after == before


def test_payments_was_rolled_back_once_and_for_real(played: tuple[dict[str, Any], Path, str]) -> None:
    (deploys,) = played[1].glob("work-*/estate/deploys-payments.jsonl")
    versions = [json.loads(line)["version"] for line in deploys.read_text().splitlines()]
    assert versions == ["2.4.1", "2.4.0"]


def test_both_audiences_have_their_mail_and_executives_read_of_the_recovery(
    played: tuple[dict[str, Any], Path, str],
) -> None:
    files = Path(played[0]["data_dir"], "mailbox").glob("*.eml")
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
    words = {mail["X-Handrail-Audience"]: mail.get_content() for mail in mails}
    assert set(words) == {"teams", "executives"} and len(mails) == 2
    assert "Signals recovered at" in words["executives"]
    assert "The deploy 2.4.1 of payments" in words["teams"]


def test_a_taken_port_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        running = start("--exit", "--port", str(port), "--out", str(tmp_path / "out"))
        said, _ = running.communicate(timeout=60)
    assert running.returncode == 2
    assert said.splitlines() == [
        f"Port {port} cannot be used (address already in use). Stop the program that holds it, or give another with "
        "--port; --port 0 takes any free one."
    ]
    assert list((tmp_path / "out").iterdir()) == []


def test_a_database_with_a_record_is_left_alone(played: tuple[dict[str, Any], Path, str], tmp_path: Path) -> None:
    url = f"sqlite:///{played[0]['data_dir']}/handrail.db"
    running = start("--exit", "--port", "0", "--database", url, "--out", str(tmp_path / "out"))
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 2
    assert f"holds a Handrail record of {played[0]['record']['size']} entries already" in said


def test_an_interrupt_in_the_middle_stops_everything(tmp_path: Path) -> None:
    running = start("--exit", "--port", "0", "--out", str(tmp_path / "out"))
    assert running.stdout is not None
    for line in running.stdout:
        if "adds two sources" in line:
            break
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 130
    assert left_over(tmp_path) == []
