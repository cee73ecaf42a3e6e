"""One entry of the record: its leaf, the digests and seal that bind to it, and the row that a database keeps of it."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handrail.domain.people import Actor
from handrail.kernel.canonical import canonical, digest_bytes
from handrail.kernel.clock import from_text, to_text
from handrail.kernel.errors import BadInput
from handrail.record import verifier

__all__ = ["Actor", "EntryRow", "Leaf", "body_digest", "personal_digest", "seal"]


@dataclass(frozen=True)
class Leaf:
    """What is hashed into the tree. `previous` is the leaf hash of the entry before, None at index 0."""

    index: int
    stream: str
    seq: int
    type: str
    actor: Actor
    happened_at: datetime
    recorded_at: datetime
    reason: str
    body_digest: str
    personal_digest: str | None
    previous: str | None

    def to_bytes(self) -> bytes:
        """The canonical text: what the leaf hash is made of."""
        return canonical(
            {
                "index": self.index,
                "stream": self.stream,
                "seq": self.seq,
                "type": self.type,
                "actor": {
                    "kind": self.actor.kind,
                    "id": self.actor.id,
                    "on_behalf_of": self.actor.on_behalf_of,
                },
                "happened_at": to_text(self.happened_at),
                "recorded_at": to_text(self.recorded_at),
                "reason": self.reason,
                "body_digest": self.body_digest,
                "personal_digest": self.personal_digest,
                "previous": self.previous,
            }
        )

    def hash(self) -> bytes:
        return verifier.leaf_hash(self.to_bytes())

    @staticmethod
    def from_text(text: str) -> "Leaf":
        """Read a leaf. Raises BadInput for any text that `to_bytes` would not have written."""
        try:
            content = verifier.read_leaf(text)
        except verifier.Malformed as fault:
            raise BadInput(f"The leaf cannot be read: {fault}.", "bad_leaf") from None
        leaf = _from_content(content)
        if leaf.to_bytes() != verifier.utf8(text):
            raise BadInput("The leaf is not in its canonical spelling.", "bad_leaf")
        return leaf


def _from_content(content: dict[str, Any]) -> Leaf:
    return Leaf(
        index=content["index"],
        stream=content["stream"],
        seq=content["seq"],
        type=content["type"],
        actor=Actor(**content["actor"]),
        happened_at=from_text(content["happened_at"]),
        recorded_at=from_text(content["recorded_at"]),
        reason=content["reason"],
        body_digest=content["body_digest"],
        personal_digest=content["personal_digest"],
        previous=content["previous"],
    )


@dataclass(frozen=True)
class EntryRow:
    """An entry as the database keeps it. Texts are literal; hashes, seal and salt are hex.

    `stream`, `seq` and `type` repeat what the leaf says, for queries. `salt` and `personal` are None when there was no
    personal text or it was erased.
    """

    index: int
    stream: str
    seq: int
    type: str
    leaf: str
    leaf_hash: str
    body: str
    seal: str | None
    salt: str | None
    personal: str | None


def body_digest(content: bytes) -> str:
    """The digest of a canonical body."""
    return digest_bytes(content)


def personal_digest(salt: bytes, content: bytes) -> str:
    """The commitment to canonical personal text. Without the salt it tells nothing about the text."""
    return verifier.personal_digest(salt, content)


def seal(key: bytes, leaf_hash: str) -> str:
    """What shows that Handrail itself wrote the entry, before the next checkpoint signs it. Over the hash as hex."""
    return hmac.new(key, leaf_hash.encode(), hashlib.sha256).hexdigest()
