"""Recorded payloads go to a source as its sender would send them, and can be read without a server."""

import json
from pathlib import Path

import pytest

from handrail.cli.replay import read_plan
from tests.cli.conftest import Cast, Runner


def file(folder: Path, name: str, content: object) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def with_token(run: Runner, source: str, integration: str = "generic") -> Runner:
    token = run("source", "add", source, "--integration", integration).word
    return Runner(run.patch, run.capture, {**run.variables, "HANDRAIL_SOURCE_TOKEN": token})


def test_a_payload_is_sent_and_its_repeat_is_one(cast: Cast, tmp_path: Path) -> None:
    run = with_token(cast.owner, "files")
    path = file(tmp_path, "a.json", {"title": "Disk nearly full", "occurred_at": "2026-11-24T03:00:00Z"})
    (first,) = run("ingest", path, "--source", "files", "--json").json
    assert (first["status"], first["accepted"], first["duplicate"]) == (202, 1, 0)
    (again,) = run("ingest", path, "--source", "files", "--json").json
    assert (again["accepted"], again["duplicate"]) == (0, 1)


def test_what_is_refused_says_why_and_fails(cast: Cast, tmp_path: Path) -> None:
    run = with_token(cast.owner, "broken")
    said = run("ingest", file(tmp_path, "b.json", "{"), "--source", "broken", code=1)
    assert "400" in said.out


def test_a_wrong_token_is_told_once(cast: Cast, tmp_path: Path) -> None:
    wrong = Runner(
        cast.owner.patch, cast.owner.capture, {**cast.owner.variables, "HANDRAIL_SOURCE_TOKEN": "no-such-token"}
    )
    assert "not known" in wrong("ingest", file(tmp_path, "a.json", {"title": "x"}), "--source", "files", code=4).err


def test_a_payload_is_read_without_a_server(run: Runner, tmp_path: Path) -> None:
    path = file(tmp_path, "a.json", {"title": "Disk nearly full", "severity": "critical", "service": "payments"})
    (row,) = run("ingest", path, "--read-as", "generic", "--json").json
    assert (row["what"], row["status"], row["service"], row["says"]) == (
        "alert", "firing", "payments", "Disk nearly full",
    )  # fmt: skip
    assert "known:" in run("ingest", path, "--read-as", "smoke", code=2).err


def test_a_recording_is_played_in_order_and_counted(cast: Cast, tmp_path: Path) -> None:
    run = with_token(cast.owner, "tape")
    file(tmp_path, "tape/10.5-resolve.json", {"title": "x", "dedup_key": "x", "status": "resolved"})
    file(tmp_path, "tape/3-fire.json", {"title": "x", "dedup_key": "x"})
    file(tmp_path, "tape/readme.md", "not a payload")
    assert [at for at, _, _ in read_plan(tmp_path)] == [0.0, 7.5]
    done = run("replay", str(tmp_path), "--speed", "1000", "--json").json
    assert done == {"sent": 2, "accepted": 2, "duplicate": 0, "rejected": 0, "refused": 0}
    (alert,) = [one for one in cast.owner.json("alert", "list")["items"] if one["source"] == "tape"]
    assert alert["status"] == "resolved"


@pytest.mark.parametrize("arguments", [("replay", "."), ("ingest", "nothing.json", "--source", "x")])
def test_what_is_not_there_is_told(run: Runner, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    run.patch.chdir(tmp_path)
    assert run(*arguments, code=2).err
