"""Documents that people write (policy, runbook, catalog, audience): versioned, and changed only through a gate.

The first version of a document is adopted at set-up; every later one waits for a gate.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from handrail.domain.noun import Decision, Noun, Row
from handrail.kernel.errors import Conflict, NotFound, Stale


@dataclass(frozen=True)
class DocumentProposed:
    id: str
    kind: str
    name: str
    version: int
    digest: str
    text: str
    by: str
    gate_id: str | None
    at: datetime
    TYPE: ClassVar[str] = "document.proposed"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class DocumentAdopted:
    kind: str
    name: str
    version: int
    digest: str
    gate_id: str | None
    at: datetime
    TYPE: ClassVar[str] = "document.adopted"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class DocumentDeclined:
    version: int
    at: datetime
    TYPE: ClassVar[str] = "document.declined"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Draft:
    version: int
    digest: str
    text: str
    by: str
    gate_id: str | None
    at: datetime


@dataclass(frozen=True)
class Document:
    """`text` and `digest` are those in force; `version` 0 means that nothing is in force yet."""

    id: str
    kind: str
    name: str
    version: int = 0
    digest: str = ""
    text: str = ""
    adopted_at: datetime | None = None
    draft: Draft | None = None
    last_version: int = 0


@dataclass(frozen=True)
class ProposeDocument:
    """`gate_id` is None only for a first version, which is adopted at once."""

    id: str
    kind: str
    name: str
    digest: str
    text: str
    by: str
    gate_id: str | None


@dataclass(frozen=True)
class AdoptDraft:
    gate_id: str
    digest: str


@dataclass(frozen=True)
class DeclineDraft:
    gate_id: str


def decide(document: Document | None, command: object, now: datetime) -> Decision:
    match command:
        case ProposeDocument():
            return _propose(document, command, now)
        case AdoptDraft() if document is not None:
            draft = document.draft
            if draft is None or draft.gate_id != command.gate_id:
                return Conflict("This draft is no longer the one in question.")
            if draft.digest != command.digest:
                return Stale("The text is not the one that was approved.", "authority_void")
            return [DocumentAdopted(document.kind, document.name, draft.version, draft.digest, draft.gate_id, now)]
        case DeclineDraft() if document is not None:
            draft = document.draft
            return [DocumentDeclined(draft.version, now)] if draft and draft.gate_id == command.gate_id else []
    return NotFound("There is no such document.")


def _propose(document: Document | None, command: ProposeDocument, now: datetime) -> Decision:
    if document is not None and document.digest == command.digest:
        return []
    if document is not None and document.draft is not None:
        return Conflict("Another version already waits at its gate; decide that one first.", "draft_waiting")
    if document is not None and document.version and command.gate_id is None:
        return Conflict("A document in force is changed only through a gate.", "no_gate")
    version = document.last_version + 1 if document else 1
    proposed = DocumentProposed(
        command.id, command.kind, command.name, version, command.digest, command.text, command.by, command.gate_id, now
    )
    if command.gate_id is not None:
        return [proposed]
    return [proposed, DocumentAdopted(command.kind, command.name, version, command.digest, None, now)]


def evolve(document: Document | None, event: object) -> Document:
    if isinstance(event, DocumentProposed):
        draft = Draft(event.version, event.digest, event.text, event.by, event.gate_id, event.at)
        known = document or Document(event.id, event.kind, event.name)
        return replace(known, draft=draft, last_version=event.version)
    assert document is not None and document.draft is not None
    if isinstance(event, DocumentAdopted):
        draft = document.draft
        return replace(
            document, version=draft.version, digest=draft.digest, text=draft.text, adopted_at=event.at, draft=None
        )
    assert isinstance(event, DocumentDeclined)
    return replace(document, draft=None)


def row(document: Document) -> Row:
    return Row("in force" if document.version else "draft", f"{document.kind} {document.name}")


NOUN = Noun("document", Document, (DocumentProposed, DocumentAdopted, DocumentDeclined), decide, evolve, row)
