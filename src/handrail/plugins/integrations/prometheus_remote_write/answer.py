"""What senders of remote write want to hear: 204, or 400 that names the series which were not taken."""

from handrail.plugins.integrations.contract import Inbound, Parsed, Reply
from handrail.plugins.integrations.prometheus_remote_write.parse import written


def answer(inbound: Inbound, parsed: Parsed) -> Reply:
    """A sender gives up what was answered with 400, and sends again what was answered with 5xx; the good are kept.

    A sender of 2.0 takes an answer that does not count what was written for that of a server which knows 1.0 alone, and
    everything for lost.
    """
    counts = written(inbound, {item.index for item in parsed.rejected})
    headers = [(f"x-prometheus-remote-write-{name}-written".encode(), str(count).encode()) for name, count in counts]
    if not parsed.rejected:
        return 204, b"", b"text/plain", headers
    first = parsed.rejected[0]
    said = f"{len(parsed.rejected)} series were not taken, the others were; series {first.index}: {first.reason}"
    return 400, said.encode(), b"text/plain; charset=utf-8", headers
