"""Who sends: live sources with their tokens and signing secrets, held for at most a second, and where a request has
its token."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import sqlalchemy as sa

from handrail.domain.severities import SeverityMapping
from handrail.domain.source import Source
from handrail.kernel.clock import Clock, to_text
from handrail.kernel.errors import BadSignature
from handrail.kernel.limits import LIMITS, Limits
from handrail.kernel.sealed import MasterKeys
from handrail.kernel.secrets import token_hash
from handrail.operations.shell import Committed
from handrail.store import sealed, tables
from handrail.store.database import Database


@dataclass(frozen=True)
class Sender:
    """A source as the intake needs it. `severities` is None where its words are read as its format's."""

    id: str
    name: str
    integration: str
    severities: SeverityMapping | None = None
    alerts_per_second: int | None = None


@dataclass(frozen=True)
class Known:
    """All live sources, tokens and signing secrets at one moment. Tokens are found by their hash, never compared.

    `signing` has every source that signs, also one whose secrets cannot be read: nothing fits that one.
    """

    by_name: Mapping[str, Sender]
    by_token: Mapping[str, tuple[Sender, str | None]]
    signing: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    def owner(self, token: str, now: datetime) -> Sender | None:
        """The source that a token belongs to, unless the token has expired."""
        found = self.by_token.get(token_hash(token))
        if found is None or (found[1] is not None and found[1] <= to_text(now)):
            return None
        return found[0]


class Senders:
    """Asks the database at most once a second; `on_commit` makes it ask again as soon as a source changed here."""

    def __init__(
        self, database: Database, clock: Clock, limits: Limits = LIMITS, secret_keys: MasterKeys | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits
        self._secret_keys = secret_keys
        self._known: Known | None = None
        self._read_at = 0.0
        self._changes = 0
        self._reading = asyncio.Lock()

    def on_commit(self, committed: Committed) -> None:
        """A shell listener."""
        if "source" in committed.topics:
            self.forget()

    def forget(self) -> None:
        self._changes += 1
        self._known = None

    async def current(self) -> Known:
        known = self._fresh()
        if known is not None:
            return known
        async with self._reading:
            known = self._fresh()
            if known is None:
                changes, read_at = self._changes, self._clock.monotonic()
                known = await asyncio.to_thread(self._read)
                # A change that came in while reading may not be in what was read.
                if changes == self._changes:
                    self._known, self._read_at = known, read_at
            return known

    def _fresh(self) -> Known | None:
        known = self._known
        if known is None or self._clock.monotonic() - self._read_at > self._limits.sender_cache_seconds:
            return None
        return known

    def _read(self) -> Known:
        noun, token = tables.noun, tables.token
        with self._database.read() as connection:
            states = connection.execute(
                sa.select(noun.c.state).where(noun.c.kind == "source", noun.c.status == "live")
            ).scalars()
            sources = [msgspec.json.decode(text, type=Source) for text in states]
            senders = {source.id: _sender(source) for source in sources}
            tokens = connection.execute(
                sa.select(token.c.token_hash, token.c.owner_id, token.c.expires_at).where(
                    token.c.owner_kind == "source", token.c.revoked_at.is_(None)
                )
            ).all()
            signing = sealed.live(connection, self._secret_keys)
        by_token = {
            row.token_hash: (senders[row.owner_id], row.expires_at) for row in tokens if row.owner_id in senders
        }
        return Known({sender.name: sender for sender in senders.values()}, by_token, signing)


def _sender(source: Source) -> Sender:
    mapping = source.severities if source.severities.words or source.severities.label else None
    return Sender(source.id, source.name, source.integration, mapping, source.alerts_per_second)


def header_token(headers: Mapping[str, str]) -> str | None:
    """The token in a request's headers: Bearer, the password of Basic, or X-Handrail-Token."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    value = value.strip()
    match scheme.lower():
        case "bearer":
            return value
        case "basic":
            return _password(value)
    return headers.get("x-handrail-token")


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def unknown_sender() -> BadSignature:
    """The one refusal for every way of not being known, so that it tells nothing."""
    return BadSignature(
        "The sender could not be verified. Check the address, the token and the signing secret of this source."
    )
