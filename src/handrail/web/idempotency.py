"""Idempotency keys: the same request sent twice happens once, and the second gets the first answer.

The answer is kept in the transaction of the effect. A refusal is kept right after, so that it too is final. What is
shown only once (a password, a token) is not kept: the replay says so by leaving it empty.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends
from starlette.requests import Request

from handrail.kernel.clock import from_text, to_text
from handrail.kernel.errors import BadInput, Conflict, Unprocessable
from handrail.kernel.limits import LIMITS, Limits
from handrail.store import tables
from handrail.store.database import Database

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"


@dataclass(frozen=True)
class Claim:
    """A request that is to happen once. `hash` covers method, address and body."""

    key: str
    hash: str


@dataclass(frozen=True)
class Kept:
    """The first answer."""

    status: int
    body: str


async def read_claim(request: Request) -> Claim | None:
    """The claim that a request makes, if any. Raises BadInput for a key that cannot be one."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= LIMITS.idempotency_key_chars or not key.isprintable():
        raise BadInput(
            f"An idempotency key has 1 to {LIMITS.idempotency_key_chars} printable characters.", "bad_idempotency_key"
        )
    said = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    return Claim(key, hashlib.sha256(said).hexdigest())


Claimed = Annotated[Claim | None, Depends(read_claim)]


@dataclass
class Once:
    """The keys under way in this process, and the answers that are kept. One per application."""

    limits: Limits = LIMITS
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _under_way: set[tuple[str, str]] = field(default_factory=set)
    _dropped_at: datetime | None = None

    @contextmanager
    def under_way(self, account_id: str, claim: Claim | None) -> Iterator[None]:
        """Hold the key while the request runs. Raises Conflict when it runs already."""
        if claim is None:
            yield
            return
        name = (account_id, claim.key)
        with self._lock:
            if name in self._under_way:
                raise Conflict(
                    "A request with this key is still under way; wait for its answer.", "idempotency_running"
                )
            self._under_way.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(name)

    def find(self, connection: sa.Connection, account_id: str, claim: Claim, now: datetime) -> Kept | None:
        """The answer kept under the key. Raises Unprocessable when it answered another request."""
        table = tables.idempotency
        query = sa.select(table).where(table.c.account_id == account_id, table.c.key == claim.key)
        row = connection.execute(query).first()
        if row is None or from_text(row.at) < now - self.limits.idempotency_age:
            return None
        if row.request_hash != claim.hash:
            raise Unprocessable(
                "This key was used for another request; take a new key for a new request.", "idempotency_key_reused"
            )
        return Kept(int(row.status), row.body)

    def keep(
        self, database: Database, connection: sa.Connection, account_id: str, claim: Claim, kept: Kept, now: datetime
    ) -> None:
        row = {"account_id": account_id, "key": claim.key, "request_hash": claim.hash, "status": kept.status,
               "body": kept.body, "at": to_text(now)}  # fmt: skip
        database.upsert(connection, tables.idempotency, [row], ("account_id", "key"))
        self._drop_old(connection, now)

    def _drop_old(self, connection: sa.Connection, now: datetime) -> None:
        """Looked at once an hour: the table has no index by age, and nothing hangs on the moment."""
        if self._dropped_at is not None and (now - self._dropped_at).total_seconds() < 3600:
            return
        self._dropped_at = now
        oldest = to_text(now - self.limits.idempotency_age)
        connection.execute(tables.idempotency.delete().where(tables.idempotency.c.at < oldest))
