"""Who acts and who may: actors, account roles, incident roles, and the one decision function.

Account roles hold everywhere; incident roles hold in one incident and for as long as they are held.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from handrail.kernel.errors import NotAllowed


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    RESPONDER = "responder"
    OBSERVER = "observer"
    AUDITOR = "auditor"
    MACHINE = "machine"


class IncidentRole(StrEnum):
    COMMANDER = "commander"
    DEPUTY = "deputy"
    SCRIBE = "scribe"
    COMMUNICATIONS = "communications"
    EXPERT = "expert"


class Permission(StrEnum):
    """What an operation asks for. Votes on gates are decided by the gate's own approvers as well."""

    READ = "read"
    READ_RECORD = "read_record"
    INGEST = "ingest"
    DECLARE = "declare"
    COMMAND = "command"
    PROPOSE = "propose"
    WORK = "work"
    VOTE = "vote"
    WRITE_MESSAGE = "write_message"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_SOURCES = "manage_sources"
    MANAGE_DOCUMENTS = "manage_documents"
    ERASE = "erase"


_READER = frozenset({Permission.READ})
_RESPONDER = _READER | {Permission.DECLARE, Permission.PROPOSE, Permission.WORK, Permission.VOTE,
                        Permission.WRITE_MESSAGE, Permission.COMMAND}  # fmt: skip
_MANAGER = _RESPONDER | {Permission.MANAGE_SOURCES, Permission.MANAGE_DOCUMENTS, Permission.READ_RECORD}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission) - {Permission.INGEST},
    Role.MANAGER: _MANAGER,
    Role.RESPONDER: _RESPONDER | {Permission.READ_RECORD},
    Role.OBSERVER: _READER,
    Role.AUDITOR: _READER | {Permission.READ_RECORD},
    Role.MACHINE: _READER | {Permission.INGEST, Permission.PROPOSE},
}


@dataclass(frozen=True)
class Actor:
    """Who does it: in every leaf of the record."""

    kind: Literal["person", "machine", "model"]
    id: str
    on_behalf_of: str | None = None


@dataclass(frozen=True)
class Person:
    """An account as an operation sees it. `scopes` narrow a token; None means all that the roles grant.

    `incident_roles` are those held in the incident at hand.
    """

    id: str
    kind: Literal["person", "machine"]
    roles: frozenset[str]
    teams: frozenset[str] = frozenset()
    active: bool = True
    scopes: frozenset[str] | None = None
    incident_roles: frozenset[str] = frozenset()

    @property
    def actor(self) -> Actor:
        return Actor(self.kind, self.id)


def permitted(person: Person, permission: Permission) -> bool:
    """The one decision function: deny unless a role grants it and the token's scopes, if any, include it."""
    if not person.active:
        return False
    if person.scopes is not None and permission not in person.scopes:
        return False
    if person.kind == "machine" and permission in (Permission.VOTE, Permission.DECLARE):
        return False
    return any(permission in GRANTS[Role(role)] for role in person.roles)


def require(person: Person, permission: Permission) -> None:
    """Raise NotAllowed, naming the permission that is missing."""
    if not permitted(person, permission):
        raise NotAllowed(f"This needs the permission “{permission}”, which your roles do not grant.", "not_allowed")


@dataclass(frozen=True)
class Eligible:
    """Who may approve: anyone who has one of the roles (account or incident), teams or account ids."""

    roles: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    def admits(self, person: Person) -> bool:
        held = person.roles | person.incident_roles
        return bool(held & set(self.roles) or person.teams & set(self.teams) or person.id in self.people)

    def words(self) -> str:
        """The eligible as a phrase for people."""
        parts = [f"role {role}" for role in self.roles] + [f"team {team}" for team in self.teams]
        parts += [f"account {person}" for person in self.people]
        return " or ".join(parts) or "nobody"
