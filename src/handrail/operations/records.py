"""Operations on the record itself: erasing personal text, and noting that it was read out."""

from handrail.domain.people import Permission, Person, require
from handrail.domain.registry import NOUNS
from handrail.kernel.errors import Conflict, NotFound, Unprocessable
from handrail.operations.shell import Tx
from handrail.store import tables


def erase(tx: Tx, index: int, words: str, person: Person) -> None:
    """Erase the personal text of one entry. Its commitment stays, so that the record still verifies."""
    require(person, Permission.ERASE)
    if not words.strip():
        raise Unprocessable("Say why the text is erased; it stands in the record.", "reason_missing")
    found = tx.connection.execute(tables.entry.select().where(tables.entry.c.idx == index)).first()
    if found is None:
        raise NotFound(f"There is no entry {index}.")
    gone = tx.connection.execute(tables.personal.delete().where(tables.personal.c.idx == index))
    if gone.rowcount == 0:
        raise Conflict(f"Entry {index} holds no personal text, or it is erased already.", "nothing_to_erase")
    tx.append_plain("record/erasures", "record.erased", {"index": index}, {"words": words})
    kind, _, noun_id = found.stream.partition("/")
    if kind in NOUNS:
        tx.reproject(kind, noun_id)


def note_export(tx: Tx, person: Person, size: int) -> None:
    """An export leaves the house: that is an entry."""
    require(person, Permission.READ_RECORD)
    tx.append_plain("record/exports", "record.exported", {"by": person.id, "size": size})
