"""A finding: a statement with evidence, confidence and provenance; and the proposals that follow from it.

Code checks each citation before a finding is made; what fails is dropped, and the drop is part of the record.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from handrail.domain.noun import Decision, Noun, Row
from handrail.kernel.errors import Conflict, NotFound, Unprocessable


@dataclass(frozen=True)
class Citation:
    """Evidence (digest of its content), the part that supports the claim, and what it shows in words."""

    evidence: str
    quote: str
    shows: str


@dataclass(frozen=True)
class Alternative:
    cause: str
    confidence: int
    why_lower: str


@dataclass(frozen=True)
class Provenance:
    method: str
    version: str
    inputs_digest: str
    policy: str


@dataclass(frozen=True)
class FindingMade:
    """`confidence` is 0 to 100, computed and not self-reported; `meaning` says what it is made of."""

    id: str
    incident_id: str
    claim: str
    cause_kind: Literal["change", "service", "inconclusive"]
    cause_id: str | None
    service: str | None
    confidence: int
    meaning: str
    citations: tuple[Citation, ...]
    alternatives: tuple[Alternative, ...]
    looked_at: tuple[str, ...]
    would_change: str
    dropped: tuple[str, ...]
    provenance: Provenance
    at: datetime
    TYPE: ClassVar[str] = "finding.made"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class FindingSuperseded:
    by_finding: str
    at: datetime
    TYPE: ClassVar[str] = "finding.superseded"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Finding:
    id: str
    incident_id: str
    claim: str
    cause_kind: str
    cause_id: str | None
    service: str | None
    confidence: int
    meaning: str
    citations: tuple[Citation, ...]
    alternatives: tuple[Alternative, ...]
    looked_at: tuple[str, ...]
    would_change: str
    dropped: tuple[str, ...]
    provenance: Provenance
    made_at: datetime
    status: Literal["current", "superseded"] = "current"


@dataclass(frozen=True)
class MakeFinding:
    finding: FindingMade


@dataclass(frozen=True)
class Supersede:
    by_finding: str


def decide(finding: Finding | None, command: object, now: datetime) -> Decision:
    match command, finding:
        case MakeFinding(), None:
            if command.finding.cause_kind != "inconclusive" and not command.finding.citations:
                return Unprocessable("A finding without evidence is not made.", "no_evidence")
            return [replace(command.finding, at=now)]
        case _, None:
            return NotFound("There is no such finding.")
        case Supersede(), Finding():
            return [FindingSuperseded(command.by_finding, now)] if finding.status == "current" else []
    return Conflict("The finding does not know this command.")


def evolve(finding: Finding | None, event: object) -> Finding:
    if isinstance(event, FindingMade):
        return Finding(
            event.id, event.incident_id, event.claim, event.cause_kind, event.cause_id, event.service,
            event.confidence, event.meaning, event.citations, event.alternatives, event.looked_at,
            event.would_change, event.dropped, event.provenance, event.at,
        )  # fmt: skip
    assert finding is not None and isinstance(event, FindingSuperseded)
    return replace(finding, status="superseded")


def row(finding: Finding) -> Row:
    return Row(finding.status, finding.claim, finding.incident_id)


NOUN = Noun("finding", Finding, (FindingMade, FindingSuperseded), decide, evolve, row)


def as_json(finding: Finding) -> dict[str, Any]:
    """What the inputs of a proposal need to say about the finding it rests on."""
    return {"finding": finding.id, "claim": finding.claim, "evidence": [item.evidence for item in finding.citations]}
