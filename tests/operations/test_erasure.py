"""Personal text can be erased: what shows it says so, and the record still verifies."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from handrail.domain.account import Account
from handrail.domain.incident import Incident
from handrail.kernel.errors import Conflict, NotAllowed, NotFound, Stale, Unprocessable
from handrail.operations import accounts, incidents, records
from handrail.store import tables
from handrail.store.projections import dump, rebuild
from tests.records import verified
from tests.worlds import World, add_person, look


def entry_of(world: World, stream: str, kind: str) -> int:
    with world.shell.database.read() as connection:
        query = sa.select(tables.entry.c.idx).where(tables.entry.c.stream == stream, tables.entry.c.type == kind)
        return int(connection.execute(query.order_by(tables.entry.c.idx)).scalars().first() or -1)


def erase(world: World, index: int) -> None:
    world.by(world.owner, lambda tx: records.erase(tx, index, "Asked for by the person.", world.owner))


def everything(world: World) -> str:
    """Every text that the database holds."""
    parts: list[str] = []
    with world.shell.database.read() as connection:
        for table in tables.metadata.sorted_tables:
            parts += [json.dumps([str(value) for value in row], ensure_ascii=False)
                      for row in connection.execute(sa.select(table))]  # fmt: skip
    return "\n".join(parts)


def test_an_erased_title_reads_erased_and_the_record_still_verifies(world: World) -> None:
    world.to_gate()
    index = entry_of(world, f"incident/{world.incident_id}", "incident.declared")
    erase(world, index)
    incident: Incident = world.incident
    assert incident.title == "[erased]"
    assert incident.number == 1
    report = verified(world.shell)
    assert (report.ok, report.findings) == (True, [])
    assert report.counts["erased"] == 1
    with world.shell.database.read() as connection:
        row = connection.execute(sa.select(tables.noun).where(tables.noun.c.id == world.incident_id)).one()
    assert row.title == "[erased]"


def test_an_erased_note_is_nowhere_in_the_database(world: World) -> None:
    world.declare()
    world.by(
        world.member,
        lambda tx: incidents.add_note(tx, world.incident_id, "Anna Zweig called from 0151 2345", world.member),
    )
    assert "Zweig" in everything(world)
    erase(world, entry_of(world, f"incident/{world.incident_id}", "incident.note_added"))
    assert "Zweig" not in everything(world)
    assert verified(world.shell).ok


def test_erased_words_of_a_message_are_nowhere_in_the_database(world: World) -> None:
    """The words stand in the message, and in the gate at which they were approved."""
    world.to_gate()
    message_id = world.write_message()
    world.edit_message(message_id, text="Anna Zweig is on it.")
    gate = world.submit(message_id)
    world.vote(gate.id, world.commander)
    for channel in ("mailbox", "webhook"):
        world.deliver(message_id, channel)
    erase(world, entry_of(world, f"message/{message_id}", "message.edited"))
    erase(world, entry_of(world, f"gate/{gate.id}", "gate.opened"))
    assert "Zweig" not in everything(world)
    assert world.gate(gate.id).content == {"erased": True}
    assert world.message(message_id).text == "[erased]"
    assert verified(world.shell).ok


def test_nobody_approves_what_was_erased(world: World) -> None:
    gate = world.to_gate()
    erase(world, entry_of(world, f"gate/{gate.id}", "gate.opened"))
    with pytest.raises(Stale, match="erased"):
        world.vote(gate.id)


def test_two_people_can_be_erased(world: World) -> None:
    for login in ("anna.zweig", "ben.drei"):
        person = add_person(world.shell, login, ("responder",))
        erase(world, entry_of(world, f"account/{person.id}", "account.created"))
        account: Account = look(world.shell, lambda tx, who=person.id: tx.get("account", who))  # type: ignore[misc]
        assert (account.login, account.name, account.roles) == ("[erased]", "[erased]", ("responder",))
    held = everything(world)
    assert "zweig" not in held.lower()
    assert verified(world.shell).ok
    again, _ = world.by(
        world.owner,
        lambda tx: accounts.create(tx, "anna.zweig", "Anna", ("responder",), (), False, world.owner),
    )
    assert again.login == "anna.zweig"


def test_a_rebuild_after_an_erasure_gives_the_same_projections(world: World) -> None:
    world.to_gate()
    erase(world, entry_of(world, f"incident/{world.incident_id}", "incident.declared"))
    erase(world, entry_of(world, f"account/{world.member.id}", "account.created"))
    database = world.shell.database
    with database.write() as connection:
        before = dump(connection)
        rebuild(database, connection)
        assert dump(connection) == before


def test_only_an_owner_erases_with_a_reason_once_and_only_what_is_there(world: World) -> None:
    world.declare()
    index = entry_of(world, f"incident/{world.incident_id}", "incident.declared")
    for person in (world.commander, world.outsider):
        with pytest.raises(NotAllowed):
            world.by(person, lambda tx, who=person: records.erase(tx, index, "Because.", who))  # type: ignore[misc]
    with pytest.raises(Unprocessable):
        world.by(world.owner, lambda tx: records.erase(tx, index, "  ", world.owner))
    with pytest.raises(NotFound):
        erase(world, 10_000)
    erase(world, index)
    with pytest.raises(Conflict, match="erased already"):
        erase(world, index)
    bodies: list[Any] = []
    with world.shell.database.read() as connection:
        query = sa.select(tables.entry.c.body).where(tables.entry.c.type == "record.erased")
        bodies = [json.loads(text) for text in connection.execute(query).scalars()]
    assert bodies == [{"index": index}]
