"""The page of all integrations, written from their manifests: `python -m handrail.plugins.integrations.page`."""

import sys
from textwrap import dedent

from handrail.domain.alert import Severity
from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.registry import integrations

_HEAD = """# Integrations

What Handrail reads, and how each sender is set up. Written from the integrations' own manifests by
`python -m handrail.plugins.integrations.page > docs/integrations.md`; a test holds this page equal to them.

Every source has one integration. Add it under **Sources**, or with `handrail source add NAME --integration FORMAT`; the
sender then posts to `/in/NAME` with the token that is shown once. See [alerts](alerts.md) for what is promised, and
[signatures](signatures.md) for senders that sign. `handrail ingest FILE --read-as FORMAT` shows what a payload is read
as, without a server.
"""


def text() -> str:
    """The whole page as Markdown."""
    found = sorted(integrations().values(), key=lambda each: each.title.lower())
    lines = [_HEAD, "| sender | format | signature checked |", "|---|---|---|"]
    lines += [
        f"| [{each.title}](#{each.name}) | `{each.name}` | {'yes' if each.verify else 'token'} |" for each in found
    ]
    for each in found:
        lines += [
            "",
            f'<a id="{each.name}"></a>',
            f"## {each.title}",
            "",
            f"`{each.name}`",
            "",
            dedent(each.docs).strip(),
            *_severities(each),
        ]
    return "\n".join(lines) + "\n"


def _severities(each: Integration) -> list[str]:
    """The format's own words for severities by rung; a source's own mapping goes before them."""
    if not each.severities:
        return []
    by_rung = {rung: [word for word, means in each.severities.items() if means == rung] for rung in Severity}
    said = "; ".join(f"{rung.value}: {', '.join(words)}" for rung, words in by_rung.items() if words)
    return ["", f"Its words for severities: {said}."]


if __name__ == "__main__":
    sys.stdout.write(text())
