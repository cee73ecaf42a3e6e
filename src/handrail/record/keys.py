"""The installation's keys, derived from one seed: one signs checkpoints, another seals entries."""

import hashlib
import hmac
from dataclasses import dataclass

from handrail.record.note import Signer


@dataclass(frozen=True)
class Keys:
    """`seed` is 32 bytes that stand in one file, outside the database and its backups."""

    seed: bytes

    @property
    def seal_key(self) -> bytes:
        return hmac.new(self.seed, b"handrail seal", hashlib.sha256).digest()

    def signer(self, instance: str) -> Signer:
        """The signer of this installation's record; its name is the record's origin."""
        return Signer(f"handrail/{instance}", hmac.new(self.seed, b"handrail checkpoint", hashlib.sha256).digest())
