"""What came of one incident, computed from its entries alone: times, gates and their waits, acts, messages, timeline.

Times are seconds. To detect: first symptom to candidate. To declare: candidate to declaration. To mitigate and to
recover: first symptom to the carried-out action, and to the recovered signal.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handrail.domain.incident import Incident
from handrail.kernel.clock import to_text


@dataclass(frozen=True)
class Line:
    """One entry of the incident's timeline."""

    index: int
    stream: str
    type: str
    actor_kind: str
    actor_id: str
    happened_at: datetime
    recorded_at: datetime
    body: dict[str, Any]


def outcome(incident: Incident, lines: Sequence[Line]) -> dict[str, Any]:
    """Everything that a review and a summary state, as plain data."""
    return {
        "incident": incident.reference,
        "severity": incident.severity,
        "services": list(incident.services),
        "times": times(incident),
        "acts": acts(lines),
        "gates": gates(lines),
        "messages": messages(lines),
        "timeline": [
            {
                "entry": line.index, "happened_at": to_text(line.happened_at), "known_at": to_text(line.recorded_at),
                "who": line.actor_kind, "type": line.type,
            }
            for line in lines
        ],
    }  # fmt: skip


def times(incident: Incident) -> dict[str, Any]:
    def since(start: datetime, moment: datetime | None) -> float | None:
        return round((moment - start).total_seconds(), 3) if moment else None

    return {
        "started_at": to_text(incident.started_at),
        "detect_seconds": since(incident.started_at, incident.detected_at),
        "declare_seconds": since(incident.detected_at, incident.declared_at),
        "mitigate_seconds": since(incident.started_at, incident.mitigated_at),
        "recover_seconds": since(incident.started_at, incident.recovered_at),
        "close_seconds": since(incident.started_at, incident.closed_at),
    }


def acts(lines: Sequence[Line]) -> dict[str, dict[str, int]]:
    """How many entries of each type people and machines made."""
    counts: dict[str, Counter[str]] = {"person": Counter(), "machine": Counter(), "model": Counter()}
    for line in lines:
        counts[line.actor_kind][line.type] += 1
    return {kind: dict(sorted(counter.items())) for kind, counter in counts.items()}


def gates(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Each gate with how it ended and how long it waited."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line.type == "gate.opened":
            found[line.stream] = {
                "gate": line.body["id"], "about": line.body["subject"]["title"], "opened_entry": line.index,
                "ended": None, "waited_seconds": None, "_at": line.recorded_at,
            }  # fmt: skip
        elif line.stream in found and line.type in (
            "gate.satisfied", "gate.rejected", "gate.expired", "gate.withdrawn", "gate.voided",
        ) and found[line.stream]["ended"] is None:  # fmt: skip
            opened = found[line.stream]["_at"]
            found[line.stream] |= {
                "ended": line.type.removeprefix("gate."),
                "waited_seconds": round((line.recorded_at - opened).total_seconds(), 3),
            }
    return [{name: value for name, value in gate.items() if name != "_at"} for gate in found.values()]


def messages(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Each message with its audience and what became of each channel."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line.type == "message.drafted":
            found[line.stream] = {"message": line.body["id"], "audience": line.body["audience"],
                                  "stage": line.body["stage"], "delivered": [], "failed_tries": 0}  # fmt: skip
        elif line.type == "message.delivered":
            found[line.stream]["delivered"].append(line.body["channel"])
        elif line.type == "message.delivery_failed":
            found[line.stream]["failed_tries"] += 1
    return list(found.values())
