"""Sources of alerts and changes, and their secrets."""

from handrail.domain.people import Permission, Person, require
from handrail.domain.source import AddSource, MakeSecret, RemoveSource, RetireSecret, Source
from handrail.kernel.clock import to_text
from handrail.kernel.errors import Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.secrets import new_token
from handrail.operations.accounts import store_token
from handrail.operations.shell import Tx
from handrail.store import tables


def add(tx: Tx, name: str, integration: str, known: frozenset[str], person: Person) -> tuple[Source, str]:
    """Add a source; returns it with its first token, which is shown once."""
    require(person, Permission.MANAGE_SOURCES)
    if tx.find("source", name):
        raise Unprocessable(f"There is a source “{name[:64]}” already.", "source_exists")
    source_id = new_id("src")
    tx.change("source", source_id, AddSource(source_id, name, integration, known, person.id))
    token = make_secret(tx, source_id, person)
    source: Source = tx.get("source", source_id)
    return source, token


def make_secret(tx: Tx, source_id: str, person: Person) -> str:
    """One more live token, so that a sender can be moved over without a gap."""
    require(person, Permission.MANAGE_SOURCES)
    secret_id, token = new_id("tok"), new_token()
    tx.change("source", source_id, MakeSecret(secret_id, person.id))
    store_token(tx, secret_id, "source", source_id, "token", token)
    return token


def retire_secret(tx: Tx, source_id: str, secret_id: str, person: Person) -> None:
    require(person, Permission.MANAGE_SOURCES)
    tx.change("source", source_id, RetireSecret(secret_id, person.id))
    revoked = tables.token.update().where(tables.token.c.id == secret_id).values(revoked_at=to_text(tx.now))
    tx.connection.execute(revoked)


def remove(tx: Tx, source_id: str, person: Person) -> None:
    require(person, Permission.MANAGE_SOURCES)
    tx.change("source", source_id, RemoveSource(person.id))
    revoked = tables.token.update().where(tables.token.c.owner_id == source_id).values(revoked_at=to_text(tx.now))
    tx.connection.execute(revoked)
