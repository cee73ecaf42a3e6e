"""Writers at once: one total order without gaps, one row per noun, and nothing of what was refused."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from handrail.domain.incident import AddNote
from handrail.domain.review import DraftReview
from handrail.kernel.errors import Conflict, Unavailable, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.operations import incidents
from handrail.operations.shell import HANDRAIL, Committed, Shell, Tx, Work
from handrail.record.source import DatabaseTiles, head
from handrail.record.tree import (
    TILE,
    consistency_proof_from,
    inclusion_proof_from,
    root,
    root_from,
    verify_consistency,
    verify_inclusion,
)
from handrail.store import tables
from handrail.store.projections import dump, rebuild
from handrail.store.statements import execute_many, together
from tests.records import verified
from tests.worlds import World


def entries(shell: Shell) -> list[Any]:
    with shell.database.read() as connection:
        return list(connection.execute(sa.select(tables.entry).order_by(tables.entry.c.idx)))


def test_eight_writers_at_once_make_one_order_without_gaps(world: World) -> None:
    shell = world.shell
    world.declare()
    before = len(entries(shell))

    def write(writer: int) -> None:
        for number in range(12):

            def operation(tx: Tx, number: int = number) -> None:
                tx.append_plain(f"test/{writer}", "test.written", {"number": number})
                tx.change("incident", world.incident_id, AddNote("usr_x", f"{writer}.{number}"))

            shell.transact(HANDRAIL, operation)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    found = entries(shell)
    assert [row.idx for row in found] == list(range(before + 8 * 12 * 2))
    for writer in range(8):
        own = [row for row in found if row.stream == f"test/{writer}"]
        assert [(row.seq, json.loads(row.body)["number"]) for row in own] == [(n, n) for n in range(12)]
    notes = [row.seq for row in found if row.stream == f"incident/{world.incident_id}"]
    assert notes == list(range(len(notes)))
    report = verified(shell)
    assert (report.ok, report.findings, report.size) == (True, [], len(found))


def test_every_entry_can_be_proved_to_stand_in_the_tree(world: World) -> None:
    """Past the first full tile, so that proofs read stored tiles as well."""

    def operation(tx: Tx) -> None:
        for number in range(100):
            tx.append_plain("test/tiles", "test.written", {"number": number})

    world.shell.transact(HANDRAIL, operation)
    with world.shell.database.read() as connection:
        older = head(connection)
    for _ in range(4):
        world.shell.transact(HANDRAIL, operation)
    with world.shell.database.read() as connection:
        frontier, nodes = head(connection), DatabaseTiles(connection).nodes()
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.tile)).scalar() == frontier.size // TILE
        assert root_from(nodes, frontier.size) == frontier.root()
        for index in (0, 1, 255, 256, 300, frontier.size - 1):
            query = sa.select(tables.entry.c.leaf_hash).where(tables.entry.c.idx == index)
            leaf = bytes.fromhex(connection.execute(query).scalar_one())
            proof = inclusion_proof_from(nodes, index, frontier.size)
            assert verify_inclusion(leaf, index, frontier.size, proof, frontier.root())
        proof = consistency_proof_from(nodes, older.size, frontier.size)
        assert verify_consistency(older.size, frontier.size, older.root(), frontier.root(), proof)


def test_two_declarations_of_one_candidate_make_one_incident(world: World) -> None:
    world.open_candidate()

    def declare(_: int) -> str:
        try:
            return world.by(
                world.commander, lambda tx: incidents.declare(tx, world.commander, "", "SEV1", world.candidate_id)
            ).reference
        except Conflict as refusal:
            return refusal.code

    with ThreadPoolExecutor(4) as pool:
        assert Counter(pool.map(declare, range(4))) == {"INC-1": 1, "candidate_decided": 3}


def test_incidents_declared_at_once_get_numbers_of_their_own(world: World) -> None:
    def declare(_: int) -> str:
        return world.by(
            world.commander, lambda tx: incidents.declare(tx, world.commander, "It fails", "SEV2")
        ).reference

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(declare, range(6))) == [f"INC-{n}" for n in range(1, 7)]


def test_an_operation_that_fails_at_its_end_leaves_nothing(world: World) -> None:
    world.declare()
    with world.shell.database.read() as connection:
        before = dump(connection)
    size = len(entries(world.shell))

    def operation(tx: Tx) -> None:
        tx.change("incident", world.incident_id, AddNote("usr_x", "lost"))
        tx.keep_evidence(b"lost", "text/plain", "test")
        tx.change("review", "rev_1", DraftReview("rev_1", world.incident_id, {}, "lost"))
        tx.flush()
        raise Conflict("no")

    with pytest.raises(Conflict):
        world.shell.transact(HANDRAIL, operation)
    with world.shell.database.read() as connection:
        assert dump(connection) == before
        query = sa.select(tables.evidence.c.about).where(tables.evidence.c.about == "test")
        assert connection.execute(query).first() is None
    assert len(entries(world.shell)) == size
    assert verified(world.shell).ok


def test_an_engine_that_refuses_work_undoes_the_operation_that_wanted_it(world: World) -> None:
    world.open_candidate()

    class Broken:
        def enqueue(self, connection: sa.Connection, work: Work) -> None:
            raise Unavailable("The engine has not started yet.")

    world.shell.engine = Broken()
    with pytest.raises(Unavailable):
        world.declare()
    world.shell.engine = world.engine
    assert world.candidate().status == "open"
    world.declare()
    assert world.incident.reference == "INC-1"


def test_listeners_hear_after_the_commit_and_only_of_what_changed(world: World) -> None:
    heard: list[tuple[Committed, int]] = []
    world.shell.listeners.append(lambda committed: heard.append((committed, len(entries(world.shell)))))
    world.declare()
    world.shell.transact(HANDRAIL, lambda tx: tx.get("incident", world.incident_id))
    [(committed, seen)] = heard
    assert committed.index == seen - 1
    assert {"board", "incident", f"incident:{world.incident_id}"} <= committed.topics


def test_a_deadlock_is_tried_again_and_given_up_after_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("handrail.operations.shell.time.sleep", waits.append)
    tries = 0

    class Deadlock(Exception):
        sqlstate = "40P01"

    def operation(tx: Tx, until: int) -> str:
        nonlocal tries
        tries += 1
        tx.append_plain("test/deadlock", "test.written", {"try": tries})
        if tries < until:
            raise OperationalError("UPDATE", {}, Deadlock("deadlock detected"))
        return "done"

    assert world.shell.transact(HANDRAIL, lambda tx: operation(tx, 3)) == "done"
    assert [json.loads(row.body) for row in entries(world.shell) if row.stream == "test/deadlock"] == [{"try": 3}]
    tries = 0
    with pytest.raises(Unavailable) as refusal:
        world.shell.transact(HANDRAIL, lambda tx: operation(tx, 1000))
    assert (refusal.value.code, tries) == ("database_busy", LIMITS.transaction_attempts)
    assert len([row for row in entries(world.shell) if row.stream == "test/deadlock"]) == 1


def test_a_title_with_a_nul_is_kept_exactly_and_found_without_it(world: World) -> None:
    incident = world.by(world.commander, lambda tx: incidents.declare(tx, world.commander, "A \0 B", "SEV1"))
    assert incident.title == "A \0 B"
    with world.shell.database.read() as connection:
        query = sa.select(tables.noun.c.title).where(tables.noun.c.id == incident.id)
        assert connection.execute(query).scalar() == "A \ufffd B"


def test_text_that_cannot_be_stored_is_refused_as_the_callers(world: World) -> None:
    world.declare()
    for words in ("half of a pair \ud800", "\udfff"):
        with pytest.raises(Unprocessable) as refusal:
            world.by(
                world.member,
                lambda tx, said=words: incidents.add_note(tx, world.incident_id, said, world.member),  # type: ignore[misc]
            )
        assert refusal.value.code == "not_storable"
    if world.shell.database.is_sqlite:
        return
    with pytest.raises(Unprocessable):
        world.shell.transact(HANDRAIL, lambda tx: tx.append_plain("test/\0", "test.written", {}))


def test_a_database_that_is_away_is_unavailable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("server closed the connection unexpectedly"))

    monkeypatch.setattr(type(world.shell.database.engine), "begin", away)
    with pytest.raises(Unavailable) as refusal:
        world.declare()
    assert refusal.value.code == "database_away"


def test_the_projections_of_a_whole_incident_are_rebuilt_byte_for_byte(world: World) -> None:
    world.whole()
    database = world.shell.database
    with database.write() as connection:
        before = dump(connection)
        rebuild(database, connection)
        after = dump(connection)
    assert {name: len(rows) for name, rows in before.items() if rows}.keys() >= {"hr_noun", "hr_key", "hr_timeline"}
    assert after == before


def test_the_projections_in_the_middle_of_an_incident_are_rebuilt_byte_for_byte(world: World) -> None:
    world.to_gate()
    database = world.shell.database
    with database.write() as connection:
        before = dump(connection)
        assert before["hr_timer"]
        rebuild(database, connection)
        assert dump(connection) == before


def test_projections_that_a_hand_changed_are_mended_by_a_rebuild(world: World) -> None:
    world.to_gate()
    database = world.shell.database
    with database.write() as connection:
        before = dump(connection)
        connection.execute(tables.noun.update().values(status="satisfied", state="{}"))
        connection.execute(tables.timer.delete())
        connection.execute(tables.key.delete())
        rebuild(database, connection)
        assert dump(connection) == before


def test_reading_sees_one_moment_while_others_write(world: World) -> None:
    with world.shell.database.read() as connection:
        count = sa.select(sa.func.count()).select_from(tables.entry)
        before = connection.execute(count).scalar()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(world.declare).result()
        assert connection.execute(count).scalar() == before
    assert len(entries(world.shell)) > (before or 0)


def test_entries_sent_in_one_round_trip_fill_tiles_as_any_others_do(world: World) -> None:
    def many(tx: Tx) -> None:
        for number in range(2 * TILE + 3):
            tx.append_plain("alerts/log", "alerts.received", {"root": f"{number:064x}", "count": 1})
        with together(tx.connection):
            tx.writer.flush()

    world.shell.transact(HANDRAIL, many)
    with world.shell.database.read() as connection:
        size, nodes = head(connection).size, DatabaseTiles(connection).nodes()
        hashes = connection.execute(sa.select(tables.entry.c.leaf_hash).order_by(tables.entry.c.idx)).scalars()
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.tile)).scalar_one() == size // TILE
        assert root_from(nodes, size) == root([bytes.fromhex(text) for text in hashes])


def test_what_the_database_refuses_in_one_round_trip_is_told_in_words_and_undone(world: World) -> None:
    before = len(entries(world.shell))

    def twice(tx: Tx) -> None:
        tx.append_plain("alerts/log", "alerts.received", {"count": 1})
        with together(tx.connection):
            tx.writer.flush()
            execute_many(
                tx.connection, "INSERT INTO hr_tile (level, position, hash) VALUES (?, ?, ?)", [(9, 9, "x")] * 2
            )

    with pytest.raises(Conflict):
        world.shell.transact(HANDRAIL, twice)
    assert len(entries(world.shell)) == before
    world.declare()
