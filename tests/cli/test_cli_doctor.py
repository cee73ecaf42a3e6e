"""`handrail doctor` names each fault with its fix, and changes nothing."""

import json
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from handrail.record.tree import Frontier
from tests.cli.conftest import Runner, Server


def verdicts(report: Any) -> dict[str, str]:
    return {check["name"]: check["verdict"] for check in report["checks"]}


def failed(run: Runner, folder: Path) -> dict[str, str]:
    report = run("doctor", "--data-dir", str(folder), "--json", code=1).json
    assert report["ok"] is False
    return {check["name"]: check["sentence"] for check in report["checks"] if check["verdict"] == "fail"}


@pytest.fixture(autouse=True)
def _free_port(run: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        run.variables = {"HANDRAIL_PORT": str(free.getsockname()[1])}


def test_a_new_installation_is_well_and_nothing_is_made(run: Runner, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    report = run("doctor", "--data-dir", str(folder), "--json").json
    assert report["ok"] is True
    assert set(verdicts(report).values()) == {"ok"}
    assert not folder.exists()


def test_a_running_installation_is_well(run: Runner, server_copy: Path, server: Server) -> None:
    run.variables = {"HANDRAIL_PORT": server.url.rpartition(":")[2]}
    report = run("doctor", "--data-dir", str(server_copy), "--json").json
    assert "fail" not in verdicts(report).values()
    assert {"database", "clock", "checkpoint", "exported checkpoints"} <= set(verdicts(report))
    told = run("doctor", "--data-dir", str(server_copy))
    assert f"Handrail serves at {server.url}" in told.out


def test_a_data_folder_that_is_a_file_fails_with_the_fix(run: Runner, tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("in the way")
    said = run("doctor", "--data-dir", str(file), code=1)
    assert f"{file} is no folder" in said.out
    assert "--data-dir" in said.out


def test_a_data_folder_below_a_file_fails(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "cannot be written to" in failed(run, tmp_path / "file" / "data")["data folder"]


@pytest.mark.parametrize("content", ["", "zz", "00ff", "00" * 33])
def test_a_broken_record_key_fails(run: Runner, tmp_path: Path, content: str) -> None:
    (tmp_path / "record.key").write_text(content)
    (tmp_path / "record.key").chmod(0o600)
    assert "record key" in failed(run, tmp_path)


def test_a_record_key_that_others_may_read_fails_with_the_fix(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "record.key").write_text("00" * 32)
    (tmp_path / "record.key").chmod(0o644)
    said = run("doctor", "--data-dir", str(tmp_path), code=1)
    assert f"chmod 600 {tmp_path / 'record.key'}" in said.out


@pytest.mark.parametrize("content", ["", "zz", "00" * 32])
def test_broken_secret_keys_fail(run: Runner, tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets.key").write_text(content)
    (tmp_path / "secrets.key").chmod(0o600)
    assert "secret keys" in failed(run, tmp_path)


def test_secret_keys_that_others_may_read_fail_with_the_fix(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "secrets.key").write_text(bytes(range(32)).hex())
    (tmp_path / "secrets.key").chmod(0o640)
    assert f"chmod 600 {tmp_path / 'secrets.key'}" in run("doctor", "--data-dir", str(tmp_path), code=1).out


def test_a_port_held_by_another_program_fails(run: Runner, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as other:
        run.variables = {"HANDRAIL_PORT": str(other.getsockname()[1])}
        other.close()
        with socket.create_server(("127.0.0.1", int(run.variables["HANDRAIL_PORT"]))) as held:
            held.listen(1)
            import threading

            threading.Thread(target=lambda: held.accept()[0].close(), daemon=True).start()
            assert "port" in failed(run, tmp_path)


def test_a_lost_database_with_checkpoints_fails(run: Runner, server_copy: Path) -> None:
    (server_copy / "handrail.db").unlink()
    assert "checkpoints" in failed(run, server_copy)


def test_a_lost_record_key_fails(run: Runner, server_copy: Path) -> None:
    (server_copy / "record.key").unlink()
    assert "its key is gone" in failed(run, server_copy)["record key"]


def test_another_key_than_the_records_fails(run: Runner, server_copy: Path) -> None:
    (server_copy / "record.key").write_text("11" * 32)
    assert "not signed by this installation's key" in failed(run, server_copy)["exported checkpoints"]


def test_a_record_that_was_rewritten_fails(run: Runner, server_copy: Path) -> None:
    with sqlite3.connect(server_copy / "handrail.db") as connection:
        connection.execute("UPDATE hr_entry SET leaf_hash = ? WHERE idx = 1", ("ab" * 32,))
    connection.close()
    assert "not those that were signed" in failed(run, server_copy)["exported checkpoints"]


@pytest.mark.parametrize("careful", [True, False])
def test_a_record_whose_signed_tail_is_gone_fails(run: Runner, server_copy: Path, careful: bool) -> None:
    with sqlite3.connect(server_copy / "handrail.db") as connection:
        connection.execute("DELETE FROM hr_entry WHERE idx >= (SELECT size - 1 FROM hr_head)")
        left = [bytes.fromhex(row[0]) for row in connection.execute("SELECT leaf_hash FROM hr_entry ORDER BY idx")]
        peaks = [peak.hex() for peak in Frontier().extend(left).peaks] if careful else []
        connection.execute("UPDATE hr_head SET size = ?, frontier = ?", (len(left), json.dumps(peaks)))
    connection.close()
    named = failed(run, server_copy)
    assert "are gone" in named["exported checkpoints"] if careful else "does not fit" in named["record"]


def test_a_clock_that_stands_before_the_record_fails(
    run: Runner, server_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    from handrail.cli import checks

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Earlier":
            return cls(2020, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(checks, "datetime", Earlier)
    assert "before the newest entry" in failed(run, server_copy)["clock"]


def test_a_database_that_is_none_fails_in_one_sentence(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "handrail.db").write_text("no database, and long enough to be looked at as one" * 20)
    assert "database" in failed(run, tmp_path)


def test_a_wrong_setting_is_told(run: Runner, tmp_path: Path) -> None:
    run.variables = {"HANDRAIL_LOG_LEVEL": "LOUD"}
    assert "HANDRAIL_LOG_LEVEL" in failed(run, tmp_path)["settings"]
