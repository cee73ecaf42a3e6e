"""Sentry's signature: bare hex HMAC-SHA256 of the body with the integration's client secret."""

from collections.abc import Sequence
from datetime import datetime

from handrail.plugins.integrations.contract import Inbound, Verdict
from handrail.plugins.integrations.signatures import hmac_hex


def verify(inbound: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    """VERIFIED, or BadSignature."""
    hmac_hex(inbound.body, inbound.headers.get("sentry-hook-signature"), secrets, prefix="")
    return Verdict.VERIFIED
