"""PagerDuty's signature: hex HMAC-SHA256 of the body, several while a secret is changed for another."""

from collections.abc import Sequence
from datetime import datetime

from handrail.plugins.integrations.contract import Inbound, Verdict
from handrail.plugins.integrations.signatures import hmac_hex_any


def verify(inbound: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    """VERIFIED when one of the `v1=` entries fits one of the secrets, else BadSignature."""
    hmac_hex_any(inbound.body, inbound.headers.get("x-pagerduty-signature"), secrets, prefix="v1=")
    return Verdict.VERIFIED
