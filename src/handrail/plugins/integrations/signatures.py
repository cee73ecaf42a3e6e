"""How senders sign: one pure function per scheme. Each returns nothing, or raises BadSignature and nothing else.

All of them work on the raw bytes, take every live secret, try each secret on each signature without stopping at the
first that fits, and compare in constant time. No secret, no signature and an unknown version are all refused.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from handrail.domain.source import is_sns_address
from handrail.kernel.errors import BadSignature
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Inbound, Verdict

_SECONDS = re.compile(r"[0-9]{1,12}\Z")
# The same hosts answer API calls that echo what was asked, so only the certificates' own paths are trusted.
_SNS_CERTIFICATE = re.compile(r"https://[^/]+/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem\Z")
_SNS_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_SNS_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}


def hmac_hex(body: bytes, header_value: str | None, secrets: Sequence[str], prefix: str = "sha256=") -> None:
    """One hex HMAC-SHA256 of the body after `prefix` (GitHub, Jira; Sentry and Grafana with an empty prefix)."""
    _require_hmac(body, _after_prefix([header_value or ""], prefix), secrets)


def hmac_hex_any(body: bytes, header_value: str | None, secrets: Sequence[str], prefix: str = "v1=") -> None:
    """A comma-separated list of hex HMAC-SHA256 of the body, of which one must fit (PagerDuty, while rotating).

    Entries of other versions are passed over; a header with none of ours is refused.
    """
    _require_hmac(body, _after_prefix((header_value or "").split(","), prefix), secrets)


def timestamped_hmac_hex(
    body: bytes,
    header_value: str | None,
    timestamp: str | None,
    secrets: Sequence[str],
    now: datetime,
    *,
    lead: str = "v0:{timestamp}:",
    prefix: str = "v0=",
    tolerance: timedelta = LIMITS.inbound_clock_skew,
) -> None:
    """A hex HMAC-SHA256 of `lead` and the body, with the sender's Unix seconds in `timestamp`, near to `now`.

    Slack: the defaults. Grafana with a timestamp header: lead="{timestamp}:", prefix="".
    """
    signed = lead.replace("{timestamp}", _fresh(timestamp, now, tolerance)).encode() + body
    _require_hmac(signed, _after_prefix([header_value or ""], prefix), secrets)


def stripe_hmac_hex(
    body: bytes,
    header_value: str | None,
    secrets: Sequence[str],
    now: datetime,
    tolerance: timedelta = LIMITS.inbound_clock_skew,
) -> None:
    """Stripe's form: `t=<Unix seconds>,v1=<hex>[,v1=<hex>]` over `{t}.{body}`."""
    parts = (header_value or "").split(",")
    times = _after_prefix(parts, "t=")
    signed = _fresh(times[0] if len(times) == 1 else None, now, tolerance).encode() + b"." + body
    _require_hmac(signed, _after_prefix(parts, "v1="), secrets)


def standard_webhooks(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: datetime,
    tolerance: timedelta = LIMITS.inbound_clock_skew,
) -> None:
    """Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` over `{id}.{timestamp}.{body}`.

    `headers` have lower-case names. Secrets: `whsec_<base64>` for v1 (HMAC-SHA256), `whpk_<base64>` for v1a (ed25519);
    one without a prefix is tried as base64 and as it stands. Remember `webhook-id` as `Parsed.replay_id`.
    """
    message_id = headers.get("webhook-id", "")
    if not message_id:
        raise _refused()
    timestamp = _fresh(headers.get("webhook-timestamp"), now, tolerance)
    signed = _utf8(f"{message_id}.{timestamp}.") + body
    given = headers.get("webhook-signature", "").split(" ")[: LIMITS.signatures_per_header]
    hmacs = [_base64(text) for text in _after_prefix(given, "v1,")]
    signatures = [_base64(text) for text in _after_prefix(given, "v1a,")]
    wanted = [hmac.digest(key, signed, hashlib.sha256) for secret in secrets for key in _webhook_keys(secret)]
    publics = [_base64(secret.removeprefix("whpk_")) for secret in secrets if secret.startswith("whpk_")]
    ed25519_fits = any(_ed25519_fits(key, item, signed) for key in publics for item in signatures)
    if not _any_equal(wanted, hmacs) and not ed25519_fits:
        raise _refused()


def verify_standard_webhook(inbound: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    """`Integration.verify` of formats that have no signature of their own."""
    standard_webhooks(inbound.headers, inbound.body, secrets, now)
    return Verdict.VERIFIED


def equal_token(given: str | None, secrets: Sequence[str]) -> None:
    """A plain secret in a header (GitLab's `X-Gitlab-Token`): it signs nothing, so it proves no more than a token."""
    if not given or not _any_equal([_utf8(secret) for secret in secrets], [_utf8(given)]):
        raise _refused()


def sns_certificate_url(message: Mapping[str, object]) -> str | None:
    """Where the certificate of an SNS message lies; None unless it is one of Amazon's certificate addresses."""
    url = message.get("SigningCertURL")
    return url if isinstance(url, str) and is_sns_address(url) and _SNS_CERTIFICATE.match(url) else None


def sns(
    message: Mapping[str, object],
    certificates: Mapping[str, bytes],
    now: datetime,
    tolerance: timedelta = LIMITS.sns_clock_skew,
) -> None:
    """An SNS message, SignatureVersion 1 (RSA, SHA-1) or 2 (RSA, SHA-256), not raw delivery.

    `certificates`: PEM by address, as `Inbound.certificates` holds what was fetched (it cannot be fetched in here).
    Without the certificate this refuses. A caller that holds `sns_certificate_url(message)` against
    `inbound.certificates` first may answer `Verdict.TOKEN` instead, where the source has a token.
    Remember `MessageId` as `Parsed.replay_id`.
    """
    url = sns_certificate_url(message)
    pem = certificates.get(url) if url else None
    algorithm = _SNS_HASHES.get(str(message.get("SignatureVersion")))
    signature = message.get("Signature")
    if pem is None or algorithm is None or not isinstance(signature, str):
        raise _refused()
    _require_sns_time(message.get("Timestamp"), now, tolerance)
    key = _sns_key(pem, now)
    try:
        key.verify(_base64(signature), _sns_signed(message), padding.PKCS1v15(), algorithm())
    except (InvalidSignature, UnsupportedAlgorithm):
        raise _refused() from None


def _sns_signed(message: Mapping[str, object]) -> bytes:
    fields = _SNS_FIELDS.get(str(message.get("Type")))
    if fields is None:
        raise _refused()
    lines: list[str] = []
    for name in fields:
        value = message.get(name)
        if value is None and name == "Subject":
            continue
        if not isinstance(value, str):
            raise _refused()
        lines += [name, value]
    return _utf8("\n".join(lines) + "\n")


def _sns_key(pem: bytes, now: datetime) -> RSAPublicKey:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
        is_valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    except (ValueError, UnsupportedAlgorithm):
        raise _refused() from None
    if not is_valid or not isinstance(key, RSAPublicKey):
        raise _refused()
    return key


def _require_sns_time(said: object, now: datetime, tolerance: timedelta) -> None:
    try:
        at = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or abs(now - at) > tolerance:
        raise _refused()


def _fresh(timestamp: str | None, now: datetime, tolerance: timedelta) -> str:
    """The sender's Unix seconds as they were written, when they are near to `now`, before or after."""
    if timestamp is None or not _SECONDS.match(timestamp):
        raise _refused()
    if abs(now.timestamp() - int(timestamp)) > tolerance.total_seconds():
        raise _refused()
    return timestamp


def _after_prefix(values: Iterable[str], prefix: str) -> list[str]:
    stripped = [value.strip() for value in values]
    found = [value[len(prefix) :] for value in stripped if value.startswith(prefix)]
    return found[: LIMITS.signatures_per_header]


def _require_hmac(signed: bytes, given: Sequence[str], secrets: Sequence[str]) -> None:
    wanted = [hmac.new(_utf8(secret), signed, hashlib.sha256).hexdigest().encode() for secret in secrets if secret]
    if not _any_equal(wanted, [_utf8(value.lower()) for value in given]):
        raise _refused()


def _any_equal(wanted: Sequence[bytes], given: Sequence[bytes]) -> bool:
    # All pairs are compared, so that the time tells neither which secret fits nor which signature.
    return sum(hmac.compare_digest(left, right) for left in wanted for right in given) > 0


def _webhook_keys(secret: str) -> list[bytes]:
    if secret.startswith("whpk_"):
        return []
    if secret.startswith("whsec_"):
        key = _base64(secret.removeprefix("whsec_"))
        return [key] if key else []
    return [key for key in (_base64(secret), _utf8(secret)) if key]


def _ed25519_fits(key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (ValueError, InvalidSignature):
        return False
    return True


def _utf8(text: str) -> bytes:
    # JSON can hold half a surrogate pair, which must end in a refusal and not in a fault of ours.
    return text.encode("utf-8", "surrogatepass")


def _base64(text: str) -> bytes:
    """What base64 text holds; nothing where it is none, which fits no signature."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _refused() -> BadSignature:
    return BadSignature("The signature does not fit.")


__all__ = [
    "equal_token", "hmac_hex", "hmac_hex_any", "is_sns_address", "sns", "sns_certificate_url", "standard_webhooks",
    "stripe_hmac_hex", "timestamped_hmac_hex", "verify_standard_webhook",
]  # fmt: skip
