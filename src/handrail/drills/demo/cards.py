"""Cards from what the API answers: the few things that people weigh before they decide."""

from collections.abc import Mapping, Sequence
from typing import Any

from handrail.drills.demo.telling import Card

_REASONS_MAX = 4
_ALTERNATIVES_MAX = 2


def candidate(found: Mapping[str, Any]) -> Card:
    """The candidate with one reason for each service, strongest first."""
    members = sorted(found["members"], key=lambda member: -member["score"])
    first = {member["service"]: member for member in reversed(members)}
    shown = sorted(first.values(), key=lambda member: -member["score"])[:_REASONS_MAX]
    rows = [(str(member["service"] or "?"), f"{member['title']}: {member['reason']}") for member in shown]
    return Card(
        "candidate", str(found["title"]),
        ((str(found["suggested_severity"]), str(found["severity_reason"])), *rows),
    )  # fmt: skip


def finding(found: Mapping[str, Any], proposal: Mapping[str, Any]) -> Card:
    """The likely cause, what speaks for it, what was set aside, and what is proposed."""
    return Card(
        "finding", f"Likely cause: {found['claim']}",
        (
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
    lines = [line for line in str(found["text"]).splitlines() if line.strip()]
    return Card("message", f"To {found['audience']}: {found['subject']}", tuple(("", line) for line in lines))


def _labelled(label: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """The label stands once, at the first of several."""
    return [(label if at == 0 else "", text) for at, text in enumerate(texts)]
