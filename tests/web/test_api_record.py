"""The record over the API: browsed, proved, verified, signed, exported, and personal text in it erased."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from handrail.record import note
from handrail.record.tree import verify_consistency, verify_inclusion
from handrail.record.verify import verify_export
from handrail.web.api import record
from tests.web.conftest import Site


@pytest.fixture
def lived(site: Site) -> Site:
    """A site with an incident behind it, and a signed record."""
    site.world.whole()
    site.context.checkpointer.run_once(site.world.clock.now())
    return site


def test_every_entry_is_proved_against_the_signed_checkpoint(lived: Site) -> None:
    hands = lived.as_(lived.auditor)
    head = hands.get("/record").json()
    verifier = note.Verifier.from_text(head["vkey"])
    assert head["origin"] == "handrail/ins_test"
    signed = note.open(head["checkpoint"]["note"], verifier)
    for index in (0, 7, signed.size - 1):
        entry = hands.get(f"/record/entries/{index}").json()
        proof = entry["proof"]
        hashes = [bytes.fromhex(each) for each in proof["hashes"]]
        leaf_hash = bytes.fromhex(entry["leaf_hash"])
        assert verify_inclusion(leaf_hash, index, signed.size, hashes, signed.root)
        assert json.loads(entry["leaf"])["index"] == index


def test_an_entry_beyond_the_last_checkpoint_has_no_proof_yet(lived: Site) -> None:
    hands = lived.as_(lived.auditor)
    size = hands.get("/record").json()["size"]
    assert hands.get(f"/record/entries/{size - 1}").json()["proof"] is None
    assert hands.post("/record/checkpoint").json() == {"signed_size": size}
    assert hands.get(f"/record/entries/{size - 1}").json()["proof"]["size"] == size
    assert hands.post("/record/checkpoint").json() == {"signed_size": None}
    assert [item["size"] for item in hands.get("/record/checkpoints").json()["items"]] == [size, size - 1]


def test_a_record_proves_that_it_only_grew(lived: Site) -> None:
    proved = lived.as_(lived.auditor).get("/record/consistency?first=5").json()
    assert verify_consistency(
        proved["first"], proved["second"], bytes.fromhex(proved["first_root"]), bytes.fromhex(proved["second_root"]),
        [bytes.fromhex(each) for each in proved["hashes"]],
    )  # fmt: skip
    refused = lived.as_(lived.auditor).get("/record/consistency?first=9&second=5")
    assert (refused.status_code, refused.json()["code"]) == (400, "no_such_size")


def test_entries_are_found_by_stream_and_type(lived: Site) -> None:
    hands = lived.as_(lived.auditor)
    stream = f"incident/{lived.world.incident_id}"
    found = hands.get(f"/record/entries?stream={stream}&type=incident.declared").json()["items"]
    assert [(entry["stream"], entry["seq"]) for entry in found] == [(stream, 0)]
    assert found[0]["personal"] == {"title": "Payments is failing"}
    assert found[0]["actor"] == {"kind": "person", "id": lived.world.commander.id, "on_behalf_of": None}


def test_a_whole_record_verifies_and_a_changed_one_names_the_entry(lived: Site) -> None:
    hands = lived.as_(lived.auditor)
    report = hands.post("/record/verify").json()
    assert (report["ok"], report["findings"], report["first_bad_index"]) == (True, [], None)
    assert len(report["acts"]) > 0
    with lived.world.shell.database.plain() as connection:
        connection.exec_driver_sql("UPDATE hr_entry SET body = '{}' WHERE idx = 12")
    report = hands.post("/record/verify").json()
    assert (report["ok"], report["first_bad_index"]) == (False, 12)


def test_an_export_verifies_offline_and_is_itself_an_entry(lived: Site, tmp_path: Path) -> None:
    hands = lived.as_(lived.auditor)
    vkey = hands.get("/record").json()["vkey"]
    answer = hands.post("/record/export")
    assert answer.headers["content-type"] == "application/zip"
    folder = tmp_path / "export"
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["instance"] == "ins_test"
    report = verify_export(folder, note.Verifier.from_text(vkey).key)
    assert report.ok, report.findings
    newest = hands.get("/record/entries?limit=1").json()["items"][0]
    assert (newest["type"], newest["body"]["by"]) == ("record.exported", lived.auditor.id)


def test_the_whole_record_is_read_by_one_at_a_time(lived: Site) -> None:
    with record._Turn():
        for act in ("verify", "export"):
            answer = lived.as_(lived.auditor).post(f"/record/{act}")
            assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
                429,
                "record_busy",
                "5",
            )


def test_personal_text_is_erased_by_an_owner_and_the_record_still_verifies(lived: Site) -> None:
    hands = lived.as_(lived.world.owner)
    declared: Any = hands.get("/record/entries?type=incident.declared").json()["items"][0]
    path = f"/record/entries/{declared['index']}/erase"
    assert lived.as_(lived.world.commander).post(path, {"reason": "Asked for."}).status_code == 403
    erased = hands.post(path, {"reason": "Asked for."}).json()
    assert (erased["personal"], erased["erased"]) == (None, True)
    assert hands.get(f"/incidents/{lived.world.incident_id}").json()["title"] == "[erased]"
    again = hands.post(path, {"reason": "Asked for."})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_erase")
    assert hands.post("/record/verify").json()["ok"] is True
