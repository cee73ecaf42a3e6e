"""The record at the command line: verified by the server, and on an export without one."""

import stat
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Cast, Runner


def test_an_export_verifies_without_a_server_and_each_fault_is_named(cast: Cast, run: Runner, tmp_path: Path) -> None:
    signed = cast.ada.json("record", "checkpoint")
    key, log, out = tmp_path / "log.vkey", tmp_path / "kept.log", tmp_path / "record.zip"
    key.write_text(signed["vkey"] + "\n")
    log.write_text(signed["checkpoint"]["note"])
    said = cast.ada("record", "export", str(out))
    assert said.word == str(out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert cast.ada("record", "export", str(out), code=2).err

    good = run("record", "verify", str(out), "--key", str(key), "--checkpoints", str(log))
    assert "VERIFIED" in good.out
    report = run("record", "verify", str(out), "--json").json
    assert (report["ok"], report["key_given"], report["unsigned_tail"]) == (True, False, 0)

    folder = tmp_path / "record"
    zipfile.ZipFile(out).extractall(folder)
    entries = (folder / "entries.jsonl").read_text()
    (folder / "entries.jsonl").write_text(entries.replace("policy", "polity", 1))
    broken = run("record", "verify", str(folder), "--json", code=1)
    assert broken.json["first_bad_index"] is not None
    assert "FAILED" in run("record", "verify", str(folder), code=1).out
    assert "\x1b" not in run("record", "verify", str(folder), code=1).out


@pytest.mark.parametrize("what", ["nothing", "text", "zip"])
def test_what_is_no_export_cannot_be_read(run: Runner, tmp_path: Path, what: str) -> None:
    file = tmp_path / "export.zip"
    if what == "text":
        file.write_text("no zip")
    elif what == "zip":
        zipfile.ZipFile(file, "w").close()
    said = run("record", "verify", str(file), code=2)
    assert said.err.startswith("It cannot be read")
    assert "Traceback" not in said.err


def test_a_key_that_is_none_is_told(run: Runner, tmp_path: Path) -> None:
    assert "key" in run("record", "verify", str(tmp_path), "--key", "nonsense", code=2).err
    assert "export" in run("record", "verify", "--key", "nonsense", code=2).err


def test_the_server_verifies_its_record_and_entries_are_proved_here(cast: Cast) -> None:
    cast.ada("record", "checkpoint")
    assert "VERIFIED" in cast.ada("record", "verify").out
    assert cast.ada.json("record", "verify")["ok"] is True
    shown = cast.ada("record", "show", "0")
    assert "covers it" in shown.err and "Leaf hash" in shown.out
    assert cast.ada.json("record", "show", "0")["proof_holds"] is True
    assert "document.adopted" in cast.ada("record", "list", "--type", "document.adopted").out
    assert cast.ada("record", "show", "99999999", code=3).err
    assert cast.ada("record", "show", "-1", code=2).err


def test_personal_text_is_erased_by_an_owner_alone_and_the_record_still_verifies(cast: Cast) -> None:
    incident = cast.jonas("incident", "declare", "--severity", "SEV4", "--title", "A name to erase").word
    cast.jonas("incident", "note", incident, "Called Mrs. Example")
    (entry,) = cast.ada.json("record", "list", "--stream", f"incident/{incident}", "--type", "incident.note_added")[
        "items"
    ]
    index = str(entry["index"])
    assert cast.maria("record", "erase", index, "--reason", "asked", "--yes", code=4).err
    assert "terminal" in cast.owner("record", "erase", index, "--reason", "asked", code=2).err
    cast.owner("record", "erase", index, "--reason", "She asked for it", "--yes")
    shown = cast.ada("record", "show", index)
    assert "Mrs. Example" not in shown.out and "erased" in shown.out
    assert cast.owner("record", "erase", index, "--reason", "again", "--yes", code=5).err
    assert "VERIFIED" in cast.ada("record", "verify").out
