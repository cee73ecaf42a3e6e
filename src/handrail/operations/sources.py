"""Sources of alerts and changes: their tokens, their signing secrets, and what they ask to have confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from handrail.domain.people import Permission, Person, require
from handrail.domain.pull import Pull, place_of
from handrail.domain.severities import is_known
from handrail.domain.source import (
    AddSource,
    AnswerConfirmation,
    AskConfirmation,
    EndPull,
    MakeSecret,
    PendingConfirmation,
    RemoveSource,
    ReportConfirmation,
    RetireSecret,
    SetHeartbeat,
    SetPull,
    SetRate,
    SetSeverities,
    SetSigningSecret,
    Source,
)
from handrail.kernel.clock import to_text
from handrail.kernel.errors import Unavailable, Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.kernel.sealed import MasterKeys
from handrail.kernel.secrets import new_signing_secret, new_token
from handrail.operations.accounts import store_token
from handrail.operations.shell import Tx, Work
from handrail.plugins.integrations.contract import Confirmation
from handrail.plugins.integrations.registry import integrations
from handrail.store import intake, pulls, sealed, tables


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


def set_signing_secret(tx: Tx, source_id: str, person: Person, given: str = "") -> tuple[str, str]:
    """One more live signing secret: `given`, because the sender made it, or made here. Returns its id and itself.

    From now on the source is known by good signatures alone. The secret is not shown again.
    """
    require(person, Permission.MANAGE_SOURCES)
    source: Source = tx.get("source", source_id)
    integration = integrations().get(source.integration)
    if integration is None or integration.verify is None:
        raise Unprocessable(
            f"“{source.integration}” is not signed with a secret, so that nothing could be verified with one. Its "
            "token tells who sends.",
            "no_signature_scheme",
        )
    if given and not _is_secret(given):
        raise Unprocessable(
            f"A signing secret has {LIMITS.signing_secret_chars_min} to {LIMITS.signing_secret_chars_max} printable "
            "ASCII characters without space. Copy it again from the sender.",
            "signing_secret",
        )
    keys = _require_keys(tx)
    secret_id, secret = new_id("sec"), given or new_signing_secret()
    tx.change("source", source_id, SetSigningSecret(secret_id, bool(given), person.id))
    sealed.keep(tx.connection, keys, source_id, secret_id, secret, tx.now)
    return secret_id, secret


def retire_secret(tx: Tx, source_id: str, secret_id: str, person: Person) -> None:
    """End a token or a signing secret. When the last signing secret ends, the source's tokens alone tell who sends."""
    require(person, Permission.MANAGE_SOURCES)
    tx.change("source", source_id, RetireSecret(secret_id, person.id))
    revoked = tables.token.update().where(tables.token.c.id == secret_id).values(revoked_at=to_text(tx.now))
    tx.connection.execute(revoked)
    sealed.forget(tx.connection, source_id, secret_id)


def set_heartbeat(tx: Tx, source_id: str, every_seconds: int | None, person: Person) -> None:
    """Make silence for longer than this an alert; None ends it."""
    require(person, Permission.MANAGE_SOURCES)
    tx.change("source", source_id, SetHeartbeat(every_seconds, person.id))


def set_severities(tx: Tx, source_id: str, words: Mapping[str, str], label: str, person: Person) -> None:
    """Read the sender's words for severities this way from now on, and no longer as before."""
    require(person, Permission.MANAGE_SOURCES)
    tx.change("source", source_id, SetSeverities(dict(words), label, person.id))
    source: Source = tx.get("source", source_id)
    used = intake.words(tx.connection, source.name).get(source.name, ())
    # What is known by now makes room for words that are not: only so many are kept.
    known = [each.word for each in used if is_known(each.word, source.severities.words)]
    intake.forget_words(tx.connection, source.name, known)
    tx.topics.add("sources")


def set_rate(tx: Tx, source_id: str, alerts_per_second: int | None, person: Person) -> None:
    """Let the source send this many alerts a second; None: as many as any source may."""
    require(person, Permission.MANAGE_SOURCES)
    tx.change("source", source_id, SetRate(alerts_per_second, person.id))
    tx.topics.add("sources")


def set_pull(tx: Tx, source_id: str, pull: Pull, person: Person, secret: str | None = None) -> None:
    """Pull metrics this way from now on. `secret` None keeps the one there is as long as the server stays the same,
    for it is never shown to another; empty: none is shown."""
    require(person, Permission.MANAGE_SOURCES)
    source: Source = tx.get("source", source_id)
    before = source.pull
    earlier = before.secret_id if before else None
    stays = secret is None and before is not None and place_of(pull.url) == before.place
    secret_id = earlier if stays else new_id("sec") if secret else None
    if secret and not _is_shown(secret):
        raise Unprocessable(
            f"A secret for a server has up to {LIMITS.pull_secret_chars} printable ASCII characters without space.",
            "bad_pull",
        )
    tx.change("source", source_id, SetPull(replace(pull, secret_id=secret_id), person.id))
    if secret and secret_id is not None:
        sealed.keep(tx.connection, _require_keys(tx), source_id, secret_id, secret, tx.now, sealed.PULL)
    if earlier is not None and not stays:
        sealed.forget(tx.connection, source_id, earlier)
    pulls.forget(tx.connection, source_id)
    tx.topics.add("sources")


def end_pull(tx: Tx, source_id: str, person: Person) -> None:
    """Pull no metrics any more; the secret that was shown for it is forgotten."""
    require(person, Permission.MANAGE_SOURCES)
    before: Source = tx.get("source", source_id)
    tx.change("source", source_id, EndPull(person.id))
    if before.pull is not None and before.pull.secret_id is not None:
        sealed.forget(tx.connection, source_id, before.pull.secret_id)
    pulls.forget(tx.connection, source_id)
    tx.topics.add("sources")


def remove(tx: Tx, source_id: str, person: Person) -> None:
    require(person, Permission.MANAGE_SOURCES)
    tx.change("source", source_id, RemoveSource(person.id))
    revoked = tables.token.update().where(tables.token.c.owner_id == source_id).values(revoked_at=to_text(tx.now))
    tx.connection.execute(revoked)
    sealed.forget(tx.connection, source_id)
    pulls.forget(tx.connection, source_id)


def ask_confirmations(tx: Tx, source_id: str, asked: Sequence[Confirmation]) -> None:
    """Keep what a sender asks to have confirmed until a person looks at it. Nothing is called."""
    for each in asked:
        url, topic = each.url[: LIMITS.link_chars], each.topic[: LIMITS.label_chars]
        tx.change("source", source_id, AskConfirmation(new_id("cnf"), url, topic))
    tx.topics.add("sources")


def answer_confirmation(tx: Tx, source_id: str, confirmation_id: str, agreed: bool, person: Person) -> None:
    """Agree that the sender is called, or dismiss what it asks. The call itself is one machine step."""
    require(person, Permission.MANAGE_SOURCES)
    tx.change("source", source_id, AnswerConfirmation(confirmation_id, agreed, person.id))
    tx.topics.add("sources")
    if agreed:
        seq = tx.seq("source", source_id)
        arguments = {"source_id": source_id, "confirmation_id": confirmation_id}
        tx.enqueue(Work("confirm", f"confirm/{confirmation_id}/{seq}", arguments))


def agreed_confirmation(tx: Tx, source_id: str, confirmation_id: str) -> PendingConfirmation | None:
    """A confirmation that a person has agreed to and that was not called yet, on a source that is still there."""
    source: Source | None = tx.load("source", source_id)
    found = source.confirmation(confirmation_id) if source and source.removed_at is None else None
    return found if found and found.status == "agreed" else None


def report_confirmation(tx: Tx, source_id: str, confirmation_id: str, confirmed: bool, detail: str) -> None:
    if agreed_confirmation(tx, source_id, confirmation_id) is None:
        return
    tx.change("source", source_id, ReportConfirmation(confirmation_id, confirmed, detail[: LIMITS.reason_chars]))
    tx.topics.add("sources")


def _require_keys(tx: Tx) -> MasterKeys:
    if tx.ports.secret_keys is None:
        raise Unavailable("This process was given no key to keep secrets with.", "secret_keys")
    return tx.ports.secret_keys


def _is_shown(given: str) -> bool:
    """Tokens of other makers are as long as they like, and stand in a header."""
    return len(given) <= LIMITS.pull_secret_chars and given.isascii() and given.isprintable() and " " not in given


def _is_secret(given: str) -> bool:
    in_bounds = LIMITS.signing_secret_chars_min <= len(given) <= LIMITS.signing_secret_chars_max
    return in_bounds and given.isascii() and given.isprintable() and " " not in given


def leave_quarantine(tx: Tx, item_id: str, source: str, counted: tuple[int, int, int], person: Person) -> None:
    """A payload was read again: it leaves the quarantine, and the record says who had that done.

    `counted` is how many of what it says were accepted, were known already, and were still not read.
    """
    require(person, Permission.MANAGE_SOURCES)
    tx.connection.execute(tables.quarantine.delete().where(tables.quarantine.c.id == item_id))
    accepted, duplicate, rejected = counted
    body = {"id": item_id, "source": source, "accepted": accepted, "duplicate": duplicate, "rejected": rejected}
    tx.append_plain("alerts/quarantine", "quarantine.retried", body)
    tx.topics.add("sources")
