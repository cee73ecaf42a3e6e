"""A source: one sender of alerts and changes. Its secrets stand apart; the record says when they moved."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from handrail.domain.noun import Decision, Noun, Row
from handrail.kernel.errors import Conflict, NotFound, Unprocessable

_NAME = re.compile(r"^[a-z][a-z0-9-]{0,63}\Z")


@dataclass(frozen=True)
class SourceAdded:
    id: str
    name: str
    integration: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.added"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceSecretMade:
    secret_id: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.secret_made"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceSecretRetired:
    secret_id: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.secret_retired"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceRemoved:
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.removed"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Source:
    id: str
    name: str
    integration: str
    added_at: datetime
    secrets: tuple[str, ...] = ()
    removed_at: datetime | None = None


@dataclass(frozen=True)
class AddSource:
    id: str
    name: str
    integration: str
    known_integrations: frozenset[str]
    by: str


@dataclass(frozen=True)
class MakeSecret:
    secret_id: str
    by: str


@dataclass(frozen=True)
class RetireSecret:
    secret_id: str
    by: str


@dataclass(frozen=True)
class RemoveSource:
    by: str


def decide(source: Source | None, command: object, now: datetime) -> Decision:
    if source is None:
        return _add(command, now) if isinstance(command, AddSource) else NotFound("There is no such source.")
    if source.removed_at is not None:
        return Conflict("This source was removed.")
    match command:
        case MakeSecret():
            return [SourceSecretMade(command.secret_id, command.by, now)]
        case RetireSecret():
            if command.secret_id not in source.secrets:
                return NotFound("This source has no such secret.")
            return [SourceSecretRetired(command.secret_id, command.by, now)]
        case RemoveSource():
            return [SourceRemoved(command.by, now)]
    return Conflict("The source does not know this command.")


def _add(command: AddSource, now: datetime) -> Decision:
    if not _NAME.match(command.name):
        return Unprocessable("Name a source in lower-case letters, digits and hyphens.", "bad_name")
    if command.integration not in command.known_integrations:
        known = ", ".join(sorted(command.known_integrations))
        return Unprocessable(f"“{command.integration}” is no integration; known: {known}.", "unknown_integration")
    return [SourceAdded(command.id, command.name, command.integration, command.by, now)]


def evolve(source: Source | None, event: object) -> Source:
    if isinstance(event, SourceAdded):
        return Source(event.id, event.name, event.integration, event.at)
    assert source is not None
    match event:
        case SourceSecretMade():
            return replace(source, secrets=(*source.secrets, event.secret_id))
        case SourceSecretRetired():
            return replace(source, secrets=tuple(item for item in source.secrets if item != event.secret_id))
        case SourceRemoved():
            return replace(source, removed_at=event.at)
    raise AssertionError(f"unknown source event {event!r}")


def row(source: Source) -> Row:
    keys = () if source.removed_at else (("source", source.name),)
    return Row("removed" if source.removed_at else "live", source.name, keys=keys)


NOUN = Noun("source", Source, (SourceAdded, SourceSecretMade, SourceSecretRetired, SourceRemoved), decide, evolve, row)
