"""Each way to change a record, tried on the database's rows and on an export: each is named with its index."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from handrail.record import note
from handrail.record.export import write_export
from handrail.record.leaf import Leaf, body_digest
from handrail.record.tree import Frontier
from tests.record.synthetic import (
    ACT,
    BATCH,
    ENGINE,
    ERASED,
    ERASURE,
    ORIGIN,
    SIGNER,
    START,
    TOTAL,
    Record,
    changed,
    make_record,
    row_of,
)


@dataclass(frozen=True)
class Tampering:
    """A way to change the record, the index to be named first, and the kinds with the seal key, and in an export.

    An empty kind means that it cannot show there, and why stands in docs/record.md.
    """

    name: str
    do: Callable[[Record], object]
    index: int | None
    online: str
    offline: str


def change_leaf(index: int, with_hash: bool) -> Callable[[Record], None]:
    return lambda record: record.change(index, **changed(record.rows[index], with_hash))


def insert_at_tail(record: Record, previous: str) -> None:
    leaf = Leaf.from_text(record.rows[-1].leaf)
    forged = replace(leaf, index=TOTAL, seq=leaf.seq + 99, stream="incident/inc_x", previous=previous)
    row = row_of(replace(forged, seq=0), record.rows[-1].body)
    record.rows.append(replace(row, seal="0" * 64))


def sign_another_root(record: Record) -> None:
    record.notes.insert(3, note.sign(SIGNER, 40, b"\x00" * 32))


def forge_signature(record: Record) -> None:
    forger = note.Signer(ORIGIN, b"forger" + b"." * 26)
    record.notes[2] = note.sign(forger, 30, b"\x00" * 32)


def change_occurrence(record: Record) -> None:
    record.batches[BATCH][2] += " "


TAMPERINGS = [
    Tampering("leaf", change_leaf(17, False), 17, "changed_leaf", "changed_leaf"),
    Tampering("leaf_and_hash", change_leaf(17, True), 17, "bad_seal", "changed_leaf"),
    Tampering("first_leaf", change_leaf(0, True), 0, "bad_seal", "changed_leaf"),
    Tampering("leaf_before_the_last_checkpoint", change_leaf(49, True), 49, "bad_seal", "changed_leaf"),
    Tampering("leaf_that_is_no_leaf", lambda r: r.change(17, leaf="{}"), 17, "changed_leaf", "changed_leaf"),
    Tampering("two_neighbours", lambda r: (change_leaf(17, True)(r), change_leaf(18, True)(r)), 17, "bad_seal",
              "broken_link"),
    Tampering("body", lambda r: r.change(22, body='{"number":23}'), 22, "changed_body", "changed_body"),
    Tampering("personal_text", lambda r: r.change(10, personal='{"words":"no"}'), 10, "changed_personal",
              "changed_personal"),
    Tampering("salt", lambda r: r.change(10, salt="0" * 64), 10, "changed_personal", "changed_personal"),
    Tampering("lost_salt", lambda r: r.change(10, salt=None), 10, "changed_personal", "changed_personal"),
    Tampering("added_personal_text", lambda r: r.change(11, salt="0" * 64, personal="{}"), 11, "changed_personal",
              "changed_personal"),
    Tampering("column_type", lambda r: r.change(12, type="incident.closed"), 12, "changed_columns", ""),
    Tampering("column_stream", lambda r: r.change(12, stream="incident/inc_9"), 12, "changed_columns", ""),
    Tampering("column_seq", lambda r: r.change(12, seq=77), 12, "changed_columns", ""),
    Tampering("column_leaf_hash", lambda r: r.change(12, leaf_hash="0" * 64), 12, "changed_leaf", ""),
    Tampering("seal_removed", lambda r: r.change(12, seal=None), 12, "bad_seal", ""),
    Tampering("deleted", lambda r: r.delete(25), 25, "missing_entry", "missing_entry"),
    Tampering("first_deleted", lambda r: r.delete(0), 0, "missing_entry", "missing_entry"),
    Tampering("several_deleted", lambda r: r.delete(24, 25, 26), 24, "missing_entry", "missing_entry"),
    Tampering("every_second_deleted", lambda r: r.delete(23, 25, 27), 23, "missing_entry", "missing_entry"),
    Tampering("inserted_that_does_not_follow", lambda r: insert_at_tail(r, "0" * 64), TOTAL, "bad_seal", "broken_link"),
    Tampering("inserted_that_follows", lambda r: insert_at_tail(r, r.rows[-1].leaf_hash), TOTAL, "bad_seal", ""),
    Tampering("swapped_neighbours", lambda r: r.swap(24, 25), 24, "swapped_entry", "swapped_entry"),
    Tampering("swapped_far_apart", lambda r: r.swap(12, 41), 12, "swapped_entry", "swapped_entry"),
    Tampering("swapped_first_and_last", lambda r: r.swap(0, TOTAL - 1), 0, "swapped_entry", "swapped_entry"),
    Tampering("tail_cut_below_a_checkpoint", lambda r: r.delete(*range(47, TOTAL)), 47, "cut_tail", "cut_tail"),
    Tampering("erased_without_an_entry", lambda r: r.change(15, salt=None, personal=None), 15, "missing_personal",
              "missing_personal"),
    Tampering("another_root_signed", sign_another_root, 30, "fork", "fork"),
    Tampering("signature_forged", forge_signature, None, "forged_checkpoint", "forged_checkpoint"),
    Tampering("checkpoint_unreadable", lambda r: r.notes.append("x\n"), None, "unreadable_checkpoint",
              "unreadable_checkpoint"),
    Tampering("occurrence_changed", change_occurrence, BATCH, "changed_alert", "changed_alert"),
    Tampering("occurrence_missing", lambda r: r.batches[BATCH].pop(2), BATCH, "missing_alert", "missing_alert"),
    Tampering("occurrence_added", lambda r: r.batches[BATCH].append("{}"), BATCH, "inserted_alert", "inserted_alert"),
    Tampering("batch_missing", lambda r: r.batches.pop(BATCH), BATCH, "missing_alert", "missing_alert"),
    Tampering("batch_unknown", lambda r: r.batches.update({3: ["{}"]}), 3, "unknown_alerts", "unknown_alerts"),
    Tampering("evidence", lambda r: r.pieces.update({"0" * 64: b"x"}), None, "changed_evidence", "changed_evidence"),
]  # fmt: skip


def named(tampering: Tampering) -> str:
    return tampering.name


def run_verifier(export: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the verifier that the export brings along, in a Python that does not see our package."""
    script = export / "verify.py"
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(export), "--json", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def export_of(record: Record, out: Path) -> Path:
    write_export(record, out, SIGNER.verifier, ORIGIN, "test", START)
    return out


def test_an_honest_record_holds_online_and_in_an_export(tmp_path: Path) -> None:
    record = make_record()

    report = record.verify(record.notes)
    status, told = run_verifier(export_of(record, tmp_path / "export"), "--key", SIGNER.verifier.vkey)

    assert (report.ok, report.findings, report.size, report.unsigned_tail) == (True, [], TOTAL, 2)
    assert report.root == Frontier().extend(bytes.fromhex(row.leaf_hash) for row in record.rows).root().hex()
    assert report.counts == told["counts"]
    assert report.counts == {
        "entries": 52, "checkpoints": 5, "acts": 2, "acts_by_gate": 1, "acts_by_policy": 1, "erased": 1, "batches": 2,
        "occurrences": 10, "evidence": 2, "checkpoints_fitting": 5, "checkpoints_unfit": 0,
    }  # fmt: skip
    assert (status, told["ok"], told["size"], told["root"]) == (0, True, TOTAL, report.root)
    assert [each["index"] for each in told["acts"]] == [ACT, 33]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=named)
def test_tampering_with_the_database_is_named_with_its_index(tampering: Tampering) -> None:
    record = make_record()
    exported = list(record.notes)
    tampering.do(record)

    report = record.verify(exported)

    assert not report.ok
    assert report.first_bad_index == tampering.index
    assert (tampering.index, tampering.online) in {(each.index, each.kind) for each in report.findings}


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=named)
def test_tampering_with_an_export_is_named_with_its_index(tampering: Tampering, tmp_path: Path) -> None:
    record = make_record()
    tampering.do(record)

    status, told = run_verifier(export_of(record, tmp_path / "export"), "--key", SIGNER.verifier.vkey)

    assert status == (1 if tampering.offline else 0)
    if tampering.offline:
        assert told["first_bad_index"] == tampering.index
        assert (tampering.index, tampering.offline) in {(each["index"], each["kind"]) for each in told["findings"]}


@pytest.mark.parametrize("index", range(TOTAL))
def test_a_change_of_any_one_entry_is_named_alone_and_leaves_the_checkpoints_whole(index: int) -> None:
    record = make_record()
    change_leaf(index, True)(record)

    sealed, bare = record.verify(), record.verify(seal_key=None)

    assert [(each.index, each.kind) for each in sealed.findings] == [(index, "bad_seal")]
    assert sealed.counts["checkpoints_unfit"] == 0
    if index < 50:
        assert [(each.index, each.kind) for each in bare.findings] == [(index, "changed_leaf")]
        assert bare.counts["checkpoints_fitting"] == 5


@pytest.mark.parametrize("index", [each for each in range(TOTAL) if each != ERASURE])
def test_a_deletion_of_any_one_entry_is_named(index: int) -> None:
    record = make_record()
    exported = list(record.notes)
    record.delete(index)

    report = record.verify(exported)

    assert report.first_bad_index == (index if index < TOTAL - 1 else None)


@pytest.mark.parametrize("left", range(0, TOTAL, 5))
@pytest.mark.parametrize("span", [1, 2, 7, 40])
def test_a_swap_of_any_two_entries_is_named(left: int, span: int) -> None:
    record = make_record()
    right = min(left + span, TOTAL - 1)
    if left == right:
        return
    record.swap(left, right)

    report = record.verify()

    assert report.first_bad_index == left
    assert {left, right} <= {each.index for each in report.findings if each.kind == "swapped_entry"}


def test_a_checkpoint_kept_outside_shows_a_tail_that_was_cut_with_its_checkpoints(tmp_path: Path) -> None:
    record = make_record()
    kept = tmp_path / "checkpoints.log"
    kept.write_text(note.join(record.notes), encoding="utf-8")
    record.delete(*range(44, TOTAL))
    del record.notes[4:]
    export = export_of(record, tmp_path / "export")

    assert run_verifier(export)[0] == 0
    status, told = run_verifier(export, "--checkpoints", str(kept))
    assert (status, told["first_bad_index"], told["findings"][0]["kind"]) == (1, 44, "cut_tail")
    assert "entries 44 to 49 are missing" in told["findings"][0]["sentence"]


def test_a_checkpoint_kept_outside_shows_a_record_rewritten_and_signed_anew(tmp_path: Path) -> None:
    record = make_record()
    kept = list(record.notes)
    record.rewrite_from(23)
    record.notes = []
    record.sign()

    report = record.verify(kept, seal_key=None)

    assert (report.first_bad_index, report.findings[0].kind) == (20, "fork")


def test_a_stream_that_skips_a_number_is_named() -> None:
    record = make_record()
    record.append("incident/inc_1", "incident.noted", {}, seq=900)
    assert [(each.index, each.kind) for each in record.verify().findings] == [(TOTAL, "stream_gap")]


def test_a_deletion_explains_the_gap_in_its_stream() -> None:
    record = make_record()
    record.delete(25)
    assert [(each.index, each.kind) for each in record.verify().findings] == [(25, "missing_entry")]


def test_a_body_that_is_not_json_is_named_when_it_matters() -> None:
    record = make_record()
    record.append("record/log", "record.erased", {})
    row = record.rows[-1]
    leaf = replace(Leaf.from_text(row.leaf), body_digest=body_digest(b"[" * 100_000))
    record.rows[-1] = row_of(leaf, "[" * 100_000)
    assert [(each.index, each.kind) for each in record.verify().findings] == [(TOTAL, "unreadable_body")]


def test_an_erasure_recorded_before_its_entry_explains_nothing() -> None:
    record = Record()
    record.append("record/log", "record.erased", {"index": 1})
    record.append("incident/inc_1", "incident.noted", {}, ENGINE, {"words": "x"})
    record.change(1, salt=None, personal=None)
    assert [(each.index, each.kind) for each in record.verify().findings] == [(1, "missing_personal")]


def test_faults_without_end_are_counted_and_the_first_hundred_kept() -> None:
    record = Record()
    for _ in range(150):
        record.append("incident/inc_1", "incident.noted", {})
    for index in range(150):
        record.change(index, body="{ }")

    report = record.verify()

    assert (report.finding_count, len(report.findings), report.first_bad_index) == (150, 100, 0)


def test_a_stored_tile_that_is_wrong_or_missing_is_named() -> None:
    record = Record()
    for number in range(600):
        record.append(f"incident/inc_{number}", "incident.noted", {})
    record.store_tiles()
    assert record.verify().ok

    record.stored_tiles[1] = replace(record.stored_tiles[1], root=b"\x00" * 32)
    assert [(each.index, each.kind) for each in record.verify().findings] == [(256, "changed_tile")]

    del record.stored_tiles[0]
    assert [each.index for each in record.verify().findings] == [0, 256]


def test_a_record_rewritten_with_all_its_hashes_is_named_by_seals_exactly_and_else_by_checkpoints(
    tmp_path: Path,
) -> None:
    record = make_record()
    record.rewrite_from(23)

    _, told = run_verifier(export_of(record, tmp_path / "export"), "--key", SIGNER.verifier.vkey)

    assert record.verify().first_bad_index == 23
    assert [(each["index"], each["kind"]) for each in told["findings"]] == [(20, "fork")]
    assert told["counts"]["checkpoints_unfit"] == 3


def test_a_second_root_signed_for_the_newest_size_is_a_fork() -> None:
    record = make_record()
    record.notes.append(note.sign(SIGNER, 50, b"\x00" * 32))
    assert [(each.index, each.kind) for each in record.verify().findings] == [(40, "fork")]


def test_the_deletion_of_the_entry_that_records_an_erasure_names_both() -> None:
    record = make_record()
    record.delete(ERASURE)
    assert [(each.index, each.kind) for each in record.verify().findings] == [
        (ERASED, "missing_personal"), (ERASURE, "missing_entry"),
    ]  # fmt: skip


def test_an_empty_record_holds() -> None:
    record = Record()
    record.sign()
    report = record.verify()
    assert (report.ok, report.size, report.root[:8], report.unsigned_tail) == (True, 0, "e3b0c442", 0)
