"""What senders of remote write want to hear: 204, or 400 that names the series which were not taken."""

from handrail.plugins.integrations.contract import Inbound, Parsed


def answer(inbound: Inbound, parsed: Parsed) -> tuple[int, bytes, bytes]:
    """A sender gives up what was answered with 400, and sends again what was answered with 5xx; the good are kept."""
    if not parsed.rejected:
        return 204, b"", b"text/plain"
    first = parsed.rejected[0]
    said = f"{len(parsed.rejected)} series were not taken, the others were; series {first.index}: {first.reason}"
    return 400, said.encode(), b"text/plain; charset=utf-8"
