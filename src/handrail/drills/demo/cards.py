"""Cards from what the API answers: the few things that people weigh before they decide."""

from collections.abc import Mapping, Sequence
from typing import Any

from handrail.drills.demo.telling import Card

_REASONS_MAX = 4
_ALTERNATIVES_MAX = 2


def candidate(found: Mapping[str, Any]) -> Card:
    """The candidate with one reason for each service, in the order in which they came."""
    first: dict[str, Mapping[str, Any]] = {}
    for member in found["members"]:
        first.setdefault(str(member["service"] or "?"), member)
    rows = [
        row
        for service, member in list(first.items())[:_REASONS_MAX]
        for row in ((service, str(member["title"])), ("", str(member["reason"])))
    ]
    severity = (str(found["suggested_severity"]), str(found["severity_reason"]))
    return Card("candidate", "One candidate", (("", str(found["title"])), severity, *rows))


def finding(found: Mapping[str, Any], proposal: Mapping[str, Any]) -> Card:
    """The likely cause, what speaks for it, what was set aside, and what is proposed."""
    return Card(
        "finding", "Likely cause",
        (
            ("claim", str(found["claim"])),
            ("confidence", f"{found['confidence']} of 100. {found['meaning']}"),
            *_labelled("evidence", [str(one["shows"]) for one in found["citations"]][:_REASONS_MAX]),
            *_labelled(
                "set aside",
                [f"{one['cause']} ({one['confidence']}): {one['why_lower']}" for one in found["alternatives"]][
                    :_ALTERNATIVES_MAX
                ],
            ),
            ("proposal", str(proposal["preview"]["summary"])),
        ),
    )  # fmt: skip


def gate(found: Mapping[str, Any]) -> Card:
    """Exactly what is put to approval, and who may decide."""
    content = found["content"]
    preview, eligible = content["preview"], found["eligible"]
    who = [f"team {name}" for name in eligible["teams"]] + [f"role {name}" for name in eligible["roles"]]
    return Card(
        "gate", f"Put to approval: {found['subject']['title']}",
        (
            ("action", f"{content['action']}, risk {content['risk']}"),
            ("exactly", ", ".join(f"{name}={value}" for name, value in sorted(content["parameters"].items()))),
            ("touches", ", ".join(preview["blast_radius"])),
            ("undo", str(preview["undo"])),
            ("must recover", str(preview["signal"])),
            ("may approve", f"{found['quorum']} of {' or '.join(who)}; never the proposer or the last editor"),
            ("digest", str(found["subject"]["digest"])),
        ),
    )  # fmt: skip


def message(found: Mapping[str, Any]) -> Card:
    """The words as they would be sent."""
    lines = [("", line) for line in str(found["text"]).splitlines() if line.strip()]
    return Card("message", f"To {found['audience']}", (("", str(found["subject"])), *lines))


def _labelled(label: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """The label stands once, at the first of several."""
    return [(label if at == 0 else "", text) for at, text in enumerate(texts)]
