"""A change: a deploy, flag, config or infrastructure change reported by CI/CD or cloud. It is told once and stays."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from handrail.domain.noun import Decision, Noun, Row
from handrail.kernel.errors import Conflict, NotFound


@dataclass(frozen=True)
class ChangeReported:
    """`at` is when it happened, by the source's word; `known_at` when Handrail knew. `evidence` is the raw payload.

    `verdict`: how the sender was known (verified, token or unsigned); empty in entries from before it was kept.
    """

    id: str
    source: str
    change_key: str
    kind: str
    service: str | None
    title: str
    at: datetime
    known_at: datetime
    version: str | None
    previous_version: str | None
    environment: str | None
    link: str | None
    evidence: str
    author: str = ""
    verdict: str = ""
    TYPE: ClassVar[str] = "change.reported"
    PERSONAL: ClassVar[tuple[str, ...]] = ("author",)


@dataclass(frozen=True)
class Change:
    id: str
    source: str
    change_key: str
    kind: str
    service: str | None
    title: str
    at: datetime
    known_at: datetime
    version: str | None
    previous_version: str | None
    environment: str | None
    link: str | None
    evidence: str
    author: str
    verdict: str = ""


@dataclass(frozen=True)
class ReportChange:
    event: ChangeReported


def decide(change: Change | None, command: object, now: datetime) -> Decision:
    if not isinstance(command, ReportChange):
        return NotFound("There is no such change.") if change is None else Conflict("A change is told once.")
    return [] if change is not None else [command.event]


def evolve(change: Change | None, event: object) -> Change:
    assert change is None and isinstance(event, ChangeReported)
    return Change(
        event.id, event.source, event.change_key, event.kind, event.service, event.title, event.at, event.known_at,
        event.version, event.previous_version, event.environment, event.link, event.evidence, event.author,
        event.verdict,
    )  # fmt: skip


def row(change: Change) -> Row:
    return Row("reported", change.title, keys=(("change", f"{change.source}\n{change.change_key}"),))


NOUN = Noun("change", Change, (ChangeReported,), decide, evolve, row)
