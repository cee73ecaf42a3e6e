"""Opening a gate over exact content, under the ruling of the policy in force."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from handrail.domain.gate import OpenGate, Rung, Subject
from handrail.domain.policy import NOBODY, Ruling
from handrail.kernel.canonical import digest
from handrail.kernel.errors import NotAllowed
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.operations.shell import Tx


@dataclass(frozen=True)
class Ask:
    """What is put to people: `kind` and `id` tell what the gate is about, `content` is exactly what they approve."""

    kind: str
    id: str
    title: str
    content: dict[str, Any]
    proposer: str
    last_editor: str | None
    incident_id: str | None = None


def open_gate(tx: Tx, ask: Ask, ruling: Ruling, policy: str) -> str:
    """Open the gate that the ruling asks for; returns its id. Raises NotAllowed when the policy forbids the act."""
    if ruling.verdict == "forbid":
        raise NotAllowed(f"The policy forbids this ({ruling.rule}).", "policy_forbids")
    gate_id = new_id("gat")
    open_for = timedelta(minutes=ruling.open_for_minutes)
    ladder = () if ruling.escalate_to == NOBODY else (Rung(ruling.escalate_to, int(open_for.total_seconds())),)
    tx.change(
        "gate",
        gate_id,
        OpenGate(
            id=gate_id, incident_id=ask.incident_id,
            subject=Subject(ask.kind, ask.id, digest(ask.content), ask.title), content=ask.content,
            proposer=ask.proposer, last_editor=ask.last_editor, eligible=ruling.approvers, quorum=ruling.quorum,
            policy=policy, rule=ruling.rule, open_for=open_for, usable_for=LIMITS.gate_usable, ladder=ladder,
        ),
    )  # fmt: skip
    return gate_id
