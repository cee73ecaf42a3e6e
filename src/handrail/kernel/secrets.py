"""Random tokens, their hashes, constant-time comparison, and the masking of secrets in text."""

import base64
import hashlib
import hmac
import re
import secrets

TOKEN_PREFIX = "hrt_"  # noqa: S105  a prefix that leak scanners can search for, not a secret

_SECRET_IN_TEXT = re.compile(
    r"(hrt_[A-Za-z0-9_-]{8}|whsec_)[A-Za-z0-9_+/=-]+"
    r"|((?:password|passwd|secret|token|api[_-]?key|authorization)[\"']?\s*[:=]\s*[\"']?(?:Bearer\s+|Basic\s+)?)[^\s\"',;&]+"
    r"|(://[^/\s:@]*:)[^@\s/]+(?=@)",
    re.IGNORECASE,
)


def new_token() -> str:
    """A bearer token of 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_signing_secret() -> str:
    """A signing secret of 256 random bits, in the form of Standard Webhooks, which other schemes take as plain text."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def new_password() -> str:
    """A one-time password that a person can type."""
    return "-".join(secrets.token_hex(3) for _ in range(4))


def token_hash(token: str) -> str:
    """Hex SHA-256: enough for secrets of full entropy, and searchable."""
    return hashlib.sha256(token.encode()).hexdigest()


def equal(left: str | bytes, right: str | bytes) -> bool:
    """Compare in constant time."""
    left_bytes = left.encode() if isinstance(left, str) else left
    right_bytes = right.encode() if isinstance(right, str) else right
    return hmac.compare_digest(left_bytes, right_bytes)


def redact(text: str) -> str:
    """Mask what looks like a secret in text that is logged, shown or sent."""
    return _SECRET_IN_TEXT.sub(lambda match: (match[1] or match[2] or match[3] or "") + "…", text)
