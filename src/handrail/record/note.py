"""Signed checkpoints: C2SP signed notes in the tlog-checkpoint form, with Ed25519. Used as `note.sign`, `note.open`."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handrail.kernel.errors import BadInput, BadSignature
from handrail.record.verifier import (
    ED25519,
    LOG_SEPARATOR,
    Checkpoint,
    Forged,
    Key,
    Malformed,
    key_id_of,
    open_note,
    read_key,
    split_log,
)

__all__ = ["Checkpoint", "Signer", "Verifier", "join", "open", "sign", "split"]


@dataclass(frozen=True)
class Verifier:
    """The public half of a log's key."""

    key: Key

    @staticmethod
    def from_text(text: str) -> "Verifier":
        """Read a vkey: `<name>+<key id hex>+<base64(0x01 || public key)>`."""
        try:
            return Verifier(read_key(text))
        except Malformed as fault:
            raise BadInput(f"The verifier key cannot be read: {fault}.", "bad_vkey") from None

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def vkey(self) -> str:
        public = base64.b64encode(ED25519 + self.key.public).decode()
        return f"{self.key.name}+{self.key.key_id.hex()}+{public}"


class Signer:
    """The private half: signs checkpoints of the log that bears its name."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not name or "+" in name or any(letter.isspace() or not letter.isprintable() for letter in name):
            raise BadInput("The name of a log has no spaces and no plus sign.", "bad_log_name")
        if len(seed) != 32:
            raise BadInput("A signing seed is 32 bytes.", "bad_seed")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._private.public_key().public_bytes_raw()
        self.verifier = Verifier(Key(name, key_id_of(name, public), public))

    def sign(self, origin: str, size: int, root: bytes) -> str:
        """The signed note for a record of `size` entries. A signer signs for its own log only."""
        if origin != self.verifier.name:
            raise BadInput(f"The key of {self.verifier.name} does not sign for {origin}.", "other_log")
        if size < 0 or len(root) != 32:
            raise BadInput("A checkpoint has a size that is not negative, and a root of 32 bytes.", "bad_checkpoint")
        signed = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self.verifier.key.key_id + self._private.sign(signed.encode())).decode()
        return f"{signed}\n\u2014 {origin} {signature}\n"


def sign(signer: Signer, size: int, root: bytes) -> str:
    """Sign a checkpoint of the signer's own log."""
    return signer.sign(signer.verifier.name, size, root)


def open(text: str, verifier: Verifier) -> Checkpoint:
    """Read a checkpoint. Raises BadSignature when the key did not sign it, BadInput when it cannot be read.

    Signatures by others (witnesses) are passed over.
    """
    try:
        return open_note(text, verifier.key)
    except Forged as fault:
        raise BadSignature(f"The checkpoint is not to be trusted: {fault}.", "forged_checkpoint") from None
    except Malformed as fault:
        raise BadInput(f"The checkpoint cannot be read: {fault}.", "bad_checkpoint") from None


def split(text: str) -> list[str]:
    """The notes of a checkpoints.log, oldest first."""
    return split_log(text)


def join(notes: Iterable[str]) -> str:
    """A checkpoints.log: notes parted by lines `---`."""
    return f"{LOG_SEPARATOR}\n".join(notes)
