"""What is kept of a request beside its body, so that it can be read again: the few headers that formats read.

Never what tells who sends: no authorization, no signature, no cookie. A token that stands in a value is masked.
"""

from collections.abc import Mapping

from handrail.kernel.limits import LIMITS

# Content, the kind of event, and ids and times of a delivery. A test holds that formats parse by no other header.
HEADERS = frozenset({
    "content-type", "content-encoding", "x-github-event", "x-github-delivery", "webhook-id", "idempotency-key",
    "x-atlassian-webhook-identifier", "x-amz-sns-message-id", "sentry-hook-resource", "sentry-hook-timestamp",
    "request-id",
})  # fmt: skip
CLOUDEVENTS = "ce-"


def kept_headers(headers: Mapping[str, str], token: str | None) -> dict[str, str]:
    """The headers that may be kept, within their bounds. A body is kept unpacked, so that gzip is none any more."""
    kept: dict[str, str] = {}
    for name, value in headers.items():
        is_read = name in HEADERS or name.startswith(CLOUDEVENTS)
        if not is_read or (name == "content-encoding" and "gzip" in value.lower()):
            continue
        if len(kept) == LIMITS.quarantine_headers or len(name) > LIMITS.label_chars:
            continue
        kept[name] = (value.replace(token, "[token]") if token else value)[: LIMITS.quarantine_header_chars]
    return kept
