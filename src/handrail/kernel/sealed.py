"""Secrets that must be read back: sealed with AES-256-GCM under a data key, which is itself sealed by master keys.

The data key of a class of secrets is random and stays; the master keys stand outside the database, in a list of which
the first seals and all open. So a new master key means wrapping one data key again, not every secret. What is sealed
is bound to what it is about: moved to another row, it does not open.
"""

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from handrail.kernel.errors import Unavailable, Unprocessable

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "v1"
_HEX = re.compile(r"[0-9a-fA-F]{64}\Z")


@dataclass(frozen=True)
class DataKey:
    """Seals and opens the secrets of one class."""

    key: bytes = field(repr=False)

    def seal(self, secret: str, about: str) -> str:
        return f"{_VERSION}.{_encrypt(self.key, secret.encode(), about)}"

    def open(self, sealed: str, about: str) -> str:
        """The secret. Raises Unavailable when it was sealed with another key, for another thing, or was changed."""
        version, _, content = sealed.partition(".")
        found = _decrypt(self.key, content, about) if version == _VERSION else None
        if found is None:
            raise _closed("A sealed secret does not open: it, or the key that it was sealed with, has changed.")
        return found.decode()


@dataclass(frozen=True)
class MasterKeys:
    """An ordered list of 32-byte keys: the first wraps data keys, all unwrap them."""

    keys: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.keys or any(len(key) != KEY_BYTES for key in self.keys):
            raise Unprocessable(f"A key for secrets has {KEY_BYTES} bytes, and there is at least one.", "secret_keys")

    def wrap(self, data_key: DataKey, kind: str) -> str:
        first = self.keys[0]
        return f"{_VERSION}.{_name(first)}.{_encrypt(first, data_key.key, kind)}"

    def unwrap(self, wrapped: str, kind: str) -> DataKey:
        """The data key. Raises Unavailable when none of the master keys wrapped it."""
        version, _, rest = wrapped.partition(".")
        name, _, content = rest.partition(".")
        for key in self.keys:
            found = _decrypt(key, content, kind) if version == _VERSION and name == _name(key) else None
            if found is not None:
                return DataKey(found)
        raise _closed(
            f"The key of the “{kind}” secrets was wrapped by a master key that is not among those given. Add that one "
            "to the end of HANDRAIL_SECRET_KEYS_FILE, or copy secrets.key from the first node or from your backup."
        )

    def is_current(self, wrapped: str) -> bool:
        """Whether the first key wrapped it, so that the others are not needed for it."""
        return wrapped.startswith(f"{_VERSION}.{_name(self.keys[0])}.")


def new_data_key() -> DataKey:
    return DataKey(secrets.token_bytes(KEY_BYTES))


def read_master_keys(texts: Sequence[str]) -> MasterKeys:
    """Keys as an operator writes them: 64 hex digits or base64 of 32 bytes each. Raises Unprocessable, naming none."""
    keys = tuple(_read_key(text) for text in texts)
    for place, key in enumerate(keys, 1):
        if len(key) != KEY_BYTES or len(set(key)) < 8:
            raise Unprocessable(
                f"Key {place} of HANDRAIL_SECRET_KEYS is not {KEY_BYTES} random bytes as hex or base64. Make one with "
                "`openssl rand -hex 32`.",
                "secret_keys",
            )
    return MasterKeys(keys)


def _read_key(text: str) -> bytes:
    if _HEX.match(text):
        return bytes.fromhex(text)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _name(key: bytes) -> str:
    """What tells master keys apart without telling anything of them."""
    return hashlib.sha256(b"handrail master key" + key).hexdigest()[:16]


def _encrypt(key: bytes, content: bytes, about: str) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, content, about.encode())).decode()


def _decrypt(key: bytes, content: str, about: str) -> bytes | None:
    try:
        raw = base64.b64decode(content, validate=True)
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode())
    except (binascii.Error, ValueError, InvalidTag):
        return None


def _closed(detail: str) -> Unavailable:
    return Unavailable(detail, "secret_keys")
