"""Jira Cloud's signature: hex HMAC-SHA256 of the body."""

from collections.abc import Sequence
from datetime import datetime

from handrail.plugins.integrations.contract import Inbound, Verdict
from handrail.plugins.integrations.signatures import hmac_hex


def verify(inbound: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    """VERIFIED, or BadSignature."""
    hmac_hex(inbound.body, inbound.headers.get("x-hub-signature"), secrets, prefix="sha256=")
    return Verdict.VERIFIED
