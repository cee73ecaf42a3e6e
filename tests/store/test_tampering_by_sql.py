"""A whole incident's record, changed by SQL in each way: every change is named with its index, on both databases.

The record is made once; each change is made inside of a transaction that is verified and then rolled back.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from handrail.record.leaf import Leaf
from handrail.record.source import Checkpointer, DatabaseSource
from handrail.record.verify import Report, verify
from handrail.store.database import Database
from tests import databases
from tests.records import SIGNER
from tests.worlds import SEAL_KEY, World, make_world


@dataclass(frozen=True)
class Honest:
    """The record before anybody touched it. `signed` is how many entries the exported checkpoints cover."""

    world: World
    exported: list[str]
    signed: int
    size: int

    @property
    def database(self) -> Database:
        return self.world.shell.database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def honest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Honest]:
    folder = tmp_path_factory.mktemp("honest")
    if request.param == "sqlite":
        database = databases.copied_sqlite(request.getfixturevalue("sqlite_template"), folder)
        yield _make(database, folder)
        database.dispose()
        return
    server = request.getfixturevalue("postgresql_server")
    if server is None:
        pytest.skip(databases.NO_SERVER)
    with databases.own_postgresql(server) as database:
        yield _make(database, folder)


def _make(database: Database, folder: Path) -> Honest:
    """Checkpoints at three moments, and entries after the last one."""
    world = make_world(database)
    checkpointer = Checkpointer(database, SIGNER, SEAL_KEY, folder / "checkpoints.log")
    world.to_consent()
    checkpointer.run_once(world.clock.now())
    world.act()
    checkpointer.run_once(world.clock.now())
    world.check()
    for task_id in ("confirm-impact", "verify-journey"):
        world.do_task(task_id)
    for task_id in ("tell-teams", "tell-executives"):
        world.send(world.message_of(task_id).id)
    world.become_quiet()
    signed = checkpointer.run_once(world.clock.now())
    assert signed is not None
    world.vote(world.ask_readiness().id)
    world.close()
    world.accept_review()
    with database.read() as connection:
        size = int(connection.exec_driver_sql("SELECT count(*) FROM hr_entry").scalar_one())
    return Honest(world, checkpointer.exported(), signed, size)


class Tamper:
    """A hand in the database: it knows the format, and no key."""

    def __init__(self, honest: Honest, connection: sa.Connection) -> None:
        self.honest = honest
        self.connection = connection

    def sql(self, statement: str, **values: Any) -> int:
        return self.connection.execute(sa.text(statement), values).rowcount

    def row(self, index: int) -> Any:
        return self.connection.execute(sa.text("SELECT * FROM hr_entry WHERE idx = :idx"), {"idx": index}).one()

    def find(self, kind: str, last: bool = False) -> int:
        order = "max" if last else "min"
        found = self.connection.execute(
            sa.text(f"SELECT {order}(idx) FROM hr_entry WHERE type = :type"), {"type": kind}
        )
        return int(found.scalar_one())

    def set(self, index: int, **columns: Any) -> None:
        names = ", ".join(f"{name} = :{name}" for name in columns)
        assert self.sql(f"UPDATE hr_entry SET {names} WHERE idx = :idx", idx=index, **columns) == 1

    def forge(self, index: int, **changes: Any) -> None:
        """Another leaf, with the hash that fits it."""
        content = json.loads(self.row(index).leaf) | changes
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self.set(index, leaf=text, leaf_hash=Leaf.from_text(text).hash().hex())

    def insert(self, index: int, **changes: Any) -> None:
        """A row of its own, made after the pattern of the first one."""
        values = dict(self.row(0)._mapping) | {"idx": index} | changes
        self.sql(
            "INSERT INTO hr_entry (idx, stream, seq, type, leaf, leaf_hash, body, seal) "
            "VALUES (:idx, :stream, :seq, :type, :leaf, :leaf_hash, :body, :seal)",
            **values,
        )

    def verify(self, exported: list[str] | None = None) -> Report:
        notes = self.honest.exported if exported is None else exported
        return verify(DatabaseSource(self.connection), SIGNER.verifier, notes, SEAL_KEY)


@pytest.fixture
def tamper(honest: Honest) -> Iterator[Tamper]:
    with honest.database.engine.connect() as connection, connection.begin() as transaction:
        yield Tamper(honest, connection)
        transaction.rollback()


def told(report: Report) -> set[tuple[int | None, str]]:
    return {(finding.index, finding.kind) for finding in report.findings}


Change = Callable[[Tamper, int], object]

PERSONAL = "incident.declared"


def swap(tamper: Tamper, left: int, right: int) -> None:
    aside = 10**9
    for before, after in ((left, aside), (right, left), (aside, right)):
        tamper.sql("UPDATE hr_entry SET idx = :after WHERE idx = :before", before=before, after=after)


WAYS: dict[str, tuple[str, Change, str]] = {
    "leaf": ("gate.voted", lambda t, i: t.set(i, leaf=t.row(i).leaf.replace("person", "machine", 1)), "changed_leaf"),
    "leaf_and_its_hash": ("gate.voted", lambda t, i: t.forge(i, reason="other"), "bad_seal"),
    "leaf_hash_alone": ("gate.voted", lambda t, i: t.set(i, leaf_hash="0" * 64), "changed_leaf"),
    "seal": ("gate.voted", lambda t, i: t.set(i, seal="0" * 64), "bad_seal"),
    "body": ("gate.opened", lambda t, i: t.set(i, body=t.row(i).body.replace('"quorum":1', '"quorum":0')),
             "changed_body"),
    "body_of_an_act": ("action.started", lambda t, i: t.set(i, body=t.row(i).body.replace("node-a", "node-b")),
                       "changed_body"),
    "column_type": ("gate.voted", lambda t, i: t.set(i, type="gate.withdrawn"), "changed_columns"),
    "column_stream": ("gate.voted", lambda t, i: t.set(i, stream="gate/other", seq=0), "changed_columns"),
    "column_seq": ("gate.voted", lambda t, i: t.set(i, seq=77), "changed_columns"),
    "personal_text": (PERSONAL, lambda t, i: t.sql(
        "UPDATE hr_personal SET content = :content WHERE idx = :idx", idx=i, content='{"title":"All is well"}'),
        "changed_personal"),
    "salt": (PERSONAL, lambda t, i: t.sql("UPDATE hr_personal SET salt = :salt WHERE idx = :idx", idx=i, salt="0" * 64),
             "changed_personal"),
    "personal_text_deleted": (PERSONAL, lambda t, i: t.sql("DELETE FROM hr_personal WHERE idx = :idx", idx=i),
                              "missing_personal"),
    "deleted": ("gate.voted", lambda t, i: t.sql("DELETE FROM hr_entry WHERE idx = :idx", idx=i), "missing_entry"),
    "three_deleted": ("gate.voted", lambda t, i: t.sql("DELETE FROM hr_entry WHERE idx IN (:a, :b, :c)", a=i, b=i + 1,
                                                       c=i + 2), "missing_entry"),
    "swapped_with_its_neighbour": ("gate.voted", lambda t, i: swap(t, i, i + 1), "swapped_entry"),
    "swapped_far_away": ("gate.voted", lambda t, i: swap(t, i, t.honest.size - 1), "swapped_entry"),
    "occurrence_changed": ("alerts.received", lambda t, i: t.sql(
        "UPDATE hr_occurrence SET leaf = replace(leaf, 'token', 'signed') "
        "WHERE batch = :idx AND position = 1", idx=i),
        "changed_alert"),
    "occurrence_deleted": ("alerts.received", lambda t, i: t.sql(
        "DELETE FROM hr_occurrence WHERE batch = :idx AND position = 1", idx=i), "missing_alert"),
    "occurrence_added": ("alerts.received", lambda t, i: t.sql(
        "INSERT INTO hr_occurrence (batch, position, alert_id, leaf, raw) "
        "VALUES (:idx, 3, 'alr_x', '{}', '{}')", idx=i),
        "inserted_alert"),
    "occurrences_swapped": ("alerts.received", lambda t, i: t.sql(
        "UPDATE hr_occurrence SET position = position + 10 WHERE batch = :idx AND position = 0", idx=i),
        "changed_alert"),
    "all_occurrences_of_a_batch_deleted": ("alerts.received", lambda t, i: t.sql(
        "DELETE FROM hr_occurrence WHERE batch = :idx", idx=i), "missing_alert"),
}  # fmt: skip


def test_the_honest_record_holds(honest: Honest, tamper: Tamper) -> None:
    report = tamper.verify()
    assert (report.ok, report.findings, report.size) == (True, [], honest.size)
    assert report.signed_size == honest.signed
    assert report.unsigned_tail == honest.size - honest.signed > 0
    assert report.counts["acts_by_gate"] == 5
    assert report.counts["batches"] == 2


@pytest.mark.parametrize("way", WAYS)
def test_every_change_by_sql_is_named_with_its_index(tamper: Tamper, way: str) -> None:
    kind, change, finding = WAYS[way]
    index = tamper.find(kind)
    assert index > 0
    change(tamper, index)
    report = tamper.verify()
    assert not report.ok
    assert report.first_bad_index == index
    assert (index, finding) in told(report)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "body_of_an_act"])
def test_every_change_of_the_unsigned_tail_is_named_with_its_index(tamper: Tamper, way: str) -> None:
    """Entries that no checkpoint covers yet are held by their chain and our seal."""
    kind, change, finding = WAYS[way]
    kinds = {PERSONAL: "review.edited"}
    index = tamper.find(kinds.get(kind, kind), last=True)
    change(tamper, index)
    report = tamper.verify()
    assert not report.ok
    assert report.first_bad_index == index
    assert (index, finding) in told(report)


def test_a_tail_cut_below_an_exported_checkpoint_is_named_at_its_first_missing_entry(
    honest: Honest, tamper: Tamper
) -> None:
    cut = honest.signed - 5
    tamper.sql("DELETE FROM hr_entry WHERE idx >= :cut", cut=cut)
    tamper.sql("DELETE FROM hr_checkpoint WHERE size > :cut", cut=cut)
    report = tamper.verify()
    assert report.first_bad_index == cut
    assert (cut, "cut_tail") in told(report)


def test_a_row_put_at_the_end_is_named(honest: Honest, tamper: Tamper) -> None:
    last = tamper.row(honest.size - 1)
    leaf = json.loads(last.leaf) | {
        "index": honest.size, "stream": "gate/forged", "seq": 0, "type": "gate.satisfied", "previous": last.leaf_hash,
    }  # fmt: skip
    text = json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    hashed = Leaf.from_text(text).hash().hex()
    for key in (b"a guessed key", SEAL_KEY[:31]):
        forged = hmac.new(key, hashed.encode(), hashlib.sha256).hexdigest()
        tamper.sql("DELETE FROM hr_entry WHERE idx = :idx", idx=honest.size)
        tamper.insert(
            honest.size, stream="gate/forged", seq=0, type="gate.satisfied", leaf=text, leaf_hash=hashed,
            body=last.body, seal=forged,
        )  # fmt: skip
        report = tamper.verify()
        assert report.first_bad_index == honest.size
        assert (honest.size, "bad_seal") in told(report)


def test_a_row_put_in_the_middle_is_named(honest: Honest, tamper: Tamper) -> None:
    """To make room, every later row is moved up by one, as somebody would who hides an insertion."""
    index = tamper.find("gate.voted")
    tamper.sql("UPDATE hr_entry SET idx = idx + 100000 WHERE idx >= :idx", idx=index)
    tamper.sql("UPDATE hr_entry SET idx = idx - 99999 WHERE idx >= 100000")
    tamper.insert(index, stream="gate/forged", seq=0)
    report = tamper.verify()
    assert report.first_bad_index == index
    assert (index, "swapped_entry") in told(report)


def test_a_history_written_anew_from_one_entry_on_is_named(honest: Honest, tamper: Tamper) -> None:
    """All hashes fit each other, the seals do not, and the exported checkpoints tell the fork."""
    index = tamper.find("gate.voted")
    previous = tamper.row(index - 1).leaf_hash
    for position in range(index, honest.size):
        tamper.forge(position, previous=previous, reason="command" if position > index else "rewritten")
        previous = tamper.row(position).leaf_hash
    sealed = tamper.verify()
    assert sealed.first_bad_index == index
    assert (index, "bad_seal") in told(sealed)
    bare = verify(DatabaseSource(tamper.connection), SIGNER.verifier, tamper.honest.exported, None)
    assert not bare.ok
    assert "fork" in {kind for _, kind in told(bare)}


def test_changed_evidence_is_named(tamper: Tamper) -> None:
    digest = tamper.connection.execute(sa.text("SELECT min(digest) FROM hr_evidence")).scalar_one()
    tamper.sql("UPDATE hr_evidence SET content = :content WHERE digest = :digest", content=b"other", digest=digest)
    report = tamper.verify()
    assert not report.ok
    assert any(finding.kind == "changed_evidence" and digest[:12] in finding.sentence for finding in report.findings)


def test_a_forged_checkpoint_in_the_database_is_named(tamper: Tamper) -> None:
    tamper.sql("UPDATE hr_checkpoint SET note = replace(note, 'handrail', 'handrai1')")
    report = tamper.verify()
    assert not report.ok
    assert {kind for _, kind in told(report)} <= {"forged_checkpoint", "unreadable_checkpoint"}
