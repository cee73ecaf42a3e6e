"""Checkpoints: signed while there is news, kept outside of the database, and refused over a record that was touched."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from handrail.kernel.errors import BadInput, BadSignature, BrokenInvariant
from handrail.operations.shell import HANDRAIL
from handrail.record import note
from handrail.record.source import Checkpointer, head
from handrail.store import tables
from tests.records import ORIGIN, SIGNER, verified
from tests.worlds import SEAL_KEY, World


@pytest.fixture
def checkpointer(world: World, tmp_path: Path) -> Checkpointer:
    return Checkpointer(world.shell.database, SIGNER, SEAL_KEY, tmp_path / "away" / "checkpoints.log")


def run(world: World, checkpointer: Checkpointer) -> int | None:
    return checkpointer.run_once(world.clock.now())


def write(world: World, count: int = 3) -> None:
    def operation(tx: object) -> None:
        for number in range(count):
            tx.append_plain("test/x", "test.written", {"number": number})  # type: ignore[attr-defined]

    world.shell.transact(HANDRAIL, operation)


def sql(world: World, statement: str, **values: object) -> None:
    with world.shell.database.engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def cut(world: World, size: int) -> None:
    """Entries from `size` on are gone, and the head says what it would say without them."""
    with world.shell.database.engine.begin() as connection:
        rows = connection.execute(
            sa.select(tables.entry.c.leaf_hash).where(tables.entry.c.idx < size).order_by(tables.entry.c.idx)
        )
        hashes = [bytes.fromhex(text) for text in rows.scalars()]
        frontier = head(connection).__class__().extend(hashes)
        peaks = "[" + ", ".join(f'"{peak}"' for peak in frontier.to_json()) + "]"
        connection.execute(tables.entry.delete().where(tables.entry.c.idx >= size))
        connection.execute(tables.checkpoint.delete().where(tables.checkpoint.c.size > size))
        connection.execute(tables.head.update().values(size=size, leaf_hash=hashes[-1].hex(), frontier=peaks))


def test_a_checkpoint_is_made_while_there_is_news_and_kept_outside(world: World, checkpointer: Checkpointer) -> None:
    first = run(world, checkpointer)
    assert first is not None
    assert run(world, checkpointer) is None
    write(world)
    assert run(world, checkpointer) == first + 3
    exported = checkpointer.exported()
    assert [note.open(text, SIGNER.verifier).size for text in exported] == [first, first + 3]
    with world.shell.database.read() as connection:
        assert list(connection.execute(sa.select(tables.checkpoint.c.note)).scalars()) == exported
    report = verified(world.shell, exported)
    assert (report.ok, report.signed_size, report.unsigned_tail) == (True, first + 3, 0)


def test_a_cut_tail_is_never_signed_over(world: World, checkpointer: Checkpointer) -> None:
    size = run(world, checkpointer)
    assert size is not None
    cut(world, size - 2)
    with pytest.raises(BrokenInvariant, match=f"entries from {size - 2} on are gone") as broken:
        run(world, checkpointer)
    assert broken.value.code == "record_cut"
    assert len(checkpointer.exported()) == 1


def test_a_tail_that_was_cut_and_grew_again_is_never_signed_over(world: World, checkpointer: Checkpointer) -> None:
    size = run(world, checkpointer)
    assert size is not None
    cut(world, size - 2)
    write(world, 10)
    with pytest.raises(BrokenInvariant) as broken:
        run(world, checkpointer)
    assert broken.value.code == "record_forked"
    report = verified(world.shell, checkpointer.exported())
    assert not report.ok
    assert report.first_bad_index == size - 2 or any(finding.kind == "fork" for finding in report.findings)


@pytest.mark.parametrize("seal", ["0" * 64, ""])
def test_an_entry_without_our_seal_is_never_signed_over(world: World, checkpointer: Checkpointer, seal: str) -> None:
    run(world, checkpointer)
    write(world)
    sql(world, "UPDATE hr_entry SET seal = :seal WHERE idx = (SELECT max(idx) FROM hr_entry)", seal=seal)
    with pytest.raises(BrokenInvariant, match="does not bear our seal") as broken:
        run(world, checkpointer)
    assert broken.value.code == "bad_seal"
    assert len(checkpointer.exported()) == 1


def test_a_leaf_changed_before_it_was_signed_is_never_signed_over(world: World, checkpointer: Checkpointer) -> None:
    """The seal is over the stored hash; the text must fit that hash too, or what is signed is not what stands there."""
    run(world, checkpointer)
    write(world)
    with world.shell.database.read() as connection:
        row = connection.execute(sa.select(tables.entry).order_by(tables.entry.c.idx.desc()).limit(1)).one()
    changed = row.leaf.replace("test.written", "test.forgotten")
    sql(world, "UPDATE hr_entry SET leaf = :leaf WHERE idx = :idx", idx=row.idx, leaf=changed)
    with pytest.raises(BrokenInvariant, match=f"Entry {row.idx}"):
        run(world, checkpointer)


def test_an_entry_put_in_behind_the_head_is_never_signed_over(world: World, checkpointer: Checkpointer) -> None:
    size = run(world, checkpointer)
    with world.shell.database.read() as connection:
        row = connection.execute(sa.select(tables.entry).where(tables.entry.c.idx == 0)).one()._mapping
    with world.shell.database.engine.begin() as connection:
        connection.execute(tables.entry.insert().values({**row, "idx": size, "stream": "gate/forged"}))
    with pytest.raises(BrokenInvariant, match=f"Entry {size} was not written by Handrail"):
        run(world, checkpointer)
    with pytest.raises(BrokenInvariant, match="did not write"):
        write(world)
    report = verified(world.shell, checkpointer.exported())
    assert report.first_bad_index == size


def test_a_tail_cut_without_touching_the_head_is_told_at_once(world: World, checkpointer: Checkpointer) -> None:
    size = run(world, checkpointer)
    write(world)
    sql(world, "DELETE FROM hr_entry WHERE idx > :idx", idx=size)
    with pytest.raises(BrokenInvariant, match=f"entries from {(size or 0) + 1} on are gone"):
        run(world, checkpointer)


def test_a_hash_changed_below_a_checkpoint_is_never_signed_over(world: World, checkpointer: Checkpointer) -> None:
    run(world, checkpointer)
    write(world)
    sql(world, "UPDATE hr_entry SET leaf_hash = :hash WHERE idx = 2", hash="0" * 64)
    with pytest.raises(BrokenInvariant) as broken:
        run(world, checkpointer)
    assert broken.value.code == "record_forked"


def test_a_checkpoint_whose_export_was_interrupted_is_made_again(world: World, checkpointer: Checkpointer) -> None:
    size = run(world, checkpointer)
    checkpointer.file.unlink()
    assert run(world, checkpointer) == size
    assert [note.open(text, SIGNER.verifier).size for text in checkpointer.exported()] == [size]


def test_a_line_cut_short_by_a_power_cut_is_told_and_not_signed_over(world: World, checkpointer: Checkpointer) -> None:
    run(world, checkpointer)
    write(world)
    whole = checkpointer.file.read_text()
    checkpointer.file.write_text(whole[:-30])
    with pytest.raises((BadInput, BadSignature), match="checkpoint"):
        run(world, checkpointer)
    checkpointer.file.write_text(whole)
    assert run(world, checkpointer) is not None


def test_the_note_names_the_log_and_its_key(world: World, checkpointer: Checkpointer) -> None:
    run(world, checkpointer)
    lines = checkpointer.file.read_text().split("\n")
    assert lines[0] == ORIGIN
    assert lines[4].startswith(f"\u2014 {ORIGIN} ")
