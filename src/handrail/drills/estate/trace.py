"""W3C trace context: the one header that ties a customer's request to all that it caused."""

import re
import secrets
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True)
class Trace:
    """One span. `parent_id` is None at the start of a trace."""

    trace_id: str
    span_id: str
    parent_id: str | None

    @property
    def header(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-01"


def continue_trace(header: str | None) -> Trace:
    """A new span under the caller's, or a new trace where the caller sent none that can be read."""
    match = _TRACEPARENT.fullmatch(header or "")
    if match is None or not match[1].strip("0"):
        return Trace(secrets.token_hex(16), secrets.token_hex(8), None)
    return Trace(match[1], secrets.token_hex(8), match[2])
