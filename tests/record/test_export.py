"""Exports: their form, what happens when they cannot be read, and what the stand-alone verifier tells people."""

import ast
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from handrail.kernel.errors import Conflict
from handrail.record import note, verifier
from handrail.record.export import verifier_source, write_export
from tests.record.synthetic import ORIGIN, SIGNER, START, TOTAL, Record, make_record

KEY = SIGNER.verifier.vkey


def exported(out: Path, record: Record | None = None) -> Path:
    write_export(record or make_record(), out, SIGNER.verifier, ORIGIN, "test", START)
    return out


def run(script: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-I", str(script), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_an_export_has_the_written_form(tmp_path: Path) -> None:
    record = make_record()
    out = exported(tmp_path / "export", record)

    manifest = json.loads((out / "manifest.json").read_text())
    lines = (out / "entries.jsonl").read_text().splitlines()
    alerts = [json.loads(line) for line in (out / "alerts.jsonl").read_text().splitlines()]

    assert manifest == {
        "format": "handrail-record-1", "origin": "handrail/test", "vkey": KEY, "size": TOTAL, "root": manifest["root"],
        "exported_at": "2026-01-05T09:00:00.000000Z", "instance": "test",
    }  # fmt: skip
    assert len(lines) == TOTAL
    assert json.loads(lines[10])["personal"] == {"salt": record.rows[10].salt, "content": '{"words":"note 10"}'}
    assert json.loads(lines[5])["personal"] is None
    assert [(each["batch"], each["position"]) for each in alerts[:8]] == [*((14, each) for each in range(7)), (37, 0)]
    assert note.split((out / "checkpoints.log").read_text(encoding="utf-8")) == record.notes
    assert sorted(each.name for each in (out / "evidence").iterdir()) == sorted(record.pieces)
    assert (out / "verify.py").read_bytes() == verifier_source()
    assert [each.name for each in tmp_path.iterdir()] == ["export"]


def test_a_zip_holds_the_same_and_verifies(tmp_path: Path) -> None:
    out = exported(tmp_path / "export.zip")
    folder = exported(tmp_path / "export")

    with zipfile.ZipFile(out) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}

    assert inside == {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert run(folder / "verify.py", str(out), "--key", KEY)[0] == 0


def test_a_zip_made_by_hand_around_the_folder_verifies(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export")
    with zipfile.ZipFile(tmp_path / "by-hand.zip", "w") as archive:
        for path in folder.rglob("*"):
            archive.write(path, path.relative_to(tmp_path))
    assert verifier.verify_export(tmp_path / "by-hand.zip").ok


def test_an_export_never_overwrites(tmp_path: Path) -> None:
    exported(tmp_path / "export")
    with pytest.raises(Conflict):
        exported(tmp_path / "export")


def test_a_failed_export_leaves_nothing(tmp_path: Path) -> None:
    record = make_record()
    record.pieces = {"../outside": b"x"}
    with pytest.raises(Exception, match="not named by its digest"):
        exported(tmp_path / "export", record)
    assert list(tmp_path.iterdir()) == []


def test_without_a_key_the_report_says_what_that_proves(tmp_path: Path) -> None:
    out = exported(tmp_path / "export")

    status, told, _ = run(out / "verify.py", str(out))

    assert status == 0
    assert "consistent, not who signed it" in told
    assert "VERIFIED" in told
    assert "entry 21  action.started  gate gat_1" in told
    assert "2 entries at the end are not covered" in told


def test_the_key_may_be_a_file(tmp_path: Path) -> None:
    out = exported(tmp_path / "export")
    (tmp_path / "log.vkey").write_text(KEY + "\n")

    status, told, _ = run(out / "verify.py", str(out), "--key", str(tmp_path / "log.vkey"))

    assert (status, "the one you gave" in told) == (0, True)


def test_another_key_fails_and_a_fault_is_told_with_its_index(tmp_path: Path) -> None:
    record = make_record()
    record.change(22, body="{}")
    out = exported(tmp_path / "export", record)
    other = note.Signer(ORIGIN, b"\x09" * 32).verifier.vkey

    assert run(out / "verify.py", str(out), "--key", other)[0] == 1
    status, told, _ = run(out / "verify.py", str(out), "--key", KEY)
    assert status == 1
    assert "FAILED: 1 fault; the first bad entry is 22." in told
    assert "changed_body: The body of entry 22 was changed." in told


def test_text_from_the_record_cannot_steer_the_terminal(tmp_path: Path) -> None:
    record = Record()
    record.append("run/run_1", "action.started", {"digest": "a" * 64, "authority": {"kind": "gate", "id": "\x1b[2J"}})
    record.sign()
    out = exported(tmp_path / "export", record)

    _, told, _ = run(out / "verify.py", str(out))

    assert "no_authority" in told
    assert "\x1b" not in told


def rewrite(name: str, change: Callable[[str], str]) -> Callable[[Path], object]:
    def run_on(out: Path) -> None:
        path = out / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    return run_on


SPOILT_BUT_READABLE: dict[str, tuple[Callable[[Path], object], int | None, str]] = {
    "line that is not JSON": (rewrite("entries.jsonl", lambda t: t.replace('{"leaf"', "{leaf", 1)), 0, "changed_leaf"),
    "line twice": (
        rewrite("entries.jsonl", lambda t: t.replace(t.splitlines(True)[9], t.splitlines(True)[9] * 2)),
        9, "inserted_entry",
    ),
    "foreign line": (
        rewrite("entries.jsonl", lambda t: t.replace("\n", "\n" + t.splitlines(True)[40], 1)), 1, "inserted_entry",
    ),
    "line added at the end": (
        rewrite("entries.jsonl", lambda t: t + t.splitlines(True)[-1].replace('\\"index\\":51', '\\"index\\":52')),
        52, "inserted_entry",
    ),
    "undecodable byte": (
        lambda out: (out / "entries.jsonl").write_bytes((out / "entries.jsonl").read_bytes().replace(b"1", b"\xff", 1)),
        0, "",
    ),
    "checkpoints stripped": (rewrite("checkpoints.log", lambda t: ""), None, "unsigned_record"),
    "manifest size too large": (rewrite("manifest.json", lambda t: t.replace(": 52", ": 53")), 52, "cut_tail"),
    "manifest root": (
        rewrite("manifest.json", lambda t: t.replace('"root": "', '"root": "0')), None, "changed_manifest",
    ),
    "manifest origin": (rewrite("manifest.json", lambda t: t.replace("n/test", "x").replace('"handrail/test"', '"x"')),
                        None, "other_log"),
    "alert line": (rewrite("alerts.jsonl", lambda t: "[]\n" + t), None, "unreadable_alert"),
    "evidence": (
        lambda out: next((out / "evidence").iterdir()).write_bytes(b"changed"), None, "changed_evidence",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT_BUT_READABLE)
def test_a_file_changed_by_hand_is_named(case: str, tmp_path: Path) -> None:
    spoil, index, kind = SPOILT_BUT_READABLE[case]
    out = exported(tmp_path / "export")
    spoil(out)

    report = verifier.verify_export(out, SIGNER.verifier.key)

    assert not report.ok
    assert report.first_bad_index == index
    assert not kind or (index, kind) in {(each.index, each.kind) for each in report.findings}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda out: (out / "manifest.json").unlink(),
        lambda out: (out / "entries.jsonl").unlink(),
        lambda out: (out / "alerts.jsonl").unlink(),
        lambda out: (out / "manifest.json").write_text("{"),
        lambda out: (out / "manifest.json").write_text('{"format":"another"}'),
        lambda out: (out / "manifest.json").write_text('{"format":"handrail-record-1","size":"1"}'),
        lambda out: rewrite("manifest.json", lambda text: text.replace("+", "-"))(out),
    ],
)
def test_what_cannot_be_read_exits_with_2_and_one_sentence(spoil: Callable[[Path], object], tmp_path: Path) -> None:
    out = exported(tmp_path / "export")
    script = tmp_path / "verify.py"
    (out / "verify.py").rename(script)
    spoil(out)

    status, told, complaint = run(script, str(out))

    assert (status, told) == (2, "")
    assert complaint.startswith("Cannot read: ") and complaint.count("\n") == 1


def test_a_missing_path_a_broken_zip_and_a_bad_key_exit_with_2(tmp_path: Path) -> None:
    out = exported(tmp_path / "export")
    script = out / "verify.py"
    packed = exported(tmp_path / "export.zip")
    packed.write_bytes(packed.read_bytes()[:-200])

    assert run(script, str(tmp_path / "nothing"))[0] == 2
    assert run(script, str(packed))[0] == 2
    assert run(script, str(out), "--key", "nonsense")[0] == 2
    assert run(script, str(out), "--checkpoints", str(tmp_path / "nothing"))[0] == 2


def test_the_verifier_imports_nothing_of_ours() -> None:
    tree = ast.parse(verifier_source(), feature_version=(3, 9))
    imported = {
        (each.module if isinstance(each, ast.ImportFrom) else each.names[0].name) or ""
        for each in ast.walk(tree)
        if isinstance(each, ast.Import | ast.ImportFrom)
    }
    outside = {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names)
    assert outside == {"cryptography"}


def test_a_row_with_half_an_erasure_is_exported_as_it_is(tmp_path: Path) -> None:
    record = make_record()
    record.rows[10] = replace(record.rows[10], personal=None)
    report = verifier.verify_export(exported(tmp_path / "export", record))
    assert [(each.index, each.kind) for each in report.findings] == [(10, "changed_personal")]


def test_a_deletion_before_the_export_is_named_once(tmp_path: Path) -> None:
    record = make_record()
    record.delete(25)
    report = verifier.verify_export(exported(tmp_path / "export", record))
    assert [(each.index, each.kind) for each in report.findings] == [(25, "missing_entry")]


def test_a_folder_of_lines_that_are_all_swapped_or_foreign_is_read_to_its_end(tmp_path: Path) -> None:
    out = exported(tmp_path / "export")
    lines = (out / "entries.jsonl").read_text().splitlines(keepends=True)
    (out / "entries.jsonl").write_text("".join(reversed(lines)))

    report = verifier.verify_export(out)

    assert (report.ok, report.first_bad_index) == (False, 0)
    assert len(report.findings) <= 100
