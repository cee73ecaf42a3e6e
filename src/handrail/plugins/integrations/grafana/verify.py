"""Grafana's optional signature (12 and newer): over the body, or over a timestamp and the body."""

from collections.abc import Sequence
from datetime import datetime

from handrail.plugins.integrations.contract import Inbound, Verdict
from handrail.plugins.integrations.signatures import hmac_hex, timestamped_hmac_hex

SIGNATURE = "x-grafana-alerting-signature"
TIMESTAMP = "x-grafana-alerting-timestamp"


def verify(inbound: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    """VERIFIED, or BadSignature. With the timestamp header both the time and the signature over it must fit."""
    signature, timestamp = inbound.headers.get(SIGNATURE), inbound.headers.get(TIMESTAMP)
    if timestamp is None:
        hmac_hex(inbound.body, signature, secrets, prefix="")
    else:
        timestamped_hmac_hex(inbound.body, signature, timestamp, secrets, now, lead="{timestamp}:", prefix="")
    return Verdict.VERIFIED
