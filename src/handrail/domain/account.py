"""Accounts of people and machines. Secrets (password and token hashes) are never part of it, nor of the record."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal

from handrail.domain.noun import ERASED, Decision, Noun, Row
from handrail.domain.people import Person, Role
from handrail.kernel.errors import Conflict, NotFound, Unprocessable

_LOGIN = re.compile(r"^[a-z][a-z0-9._-]{1,63}\Z")


@dataclass(frozen=True)
class AccountCreated:
    id: str
    kind: Literal["person", "machine"]
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    by: str
    at: datetime
    login: str = ""
    name: str = ""
    TYPE: ClassVar[str] = "account.created"
    PERSONAL: ClassVar[tuple[str, ...]] = ("login", "name")


@dataclass(frozen=True)
class RolesSet:
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    by: str
    at: datetime
    TYPE: ClassVar[str] = "account.roles_set"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class AccountDeactivated:
    by: str
    at: datetime
    TYPE: ClassVar[str] = "account.deactivated"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class PasswordSet:
    by: str
    one_time: bool
    at: datetime
    TYPE: ClassVar[str] = "account.password_set"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class TokenMade:
    token_id: str
    name: str
    scopes: tuple[str, ...] | None
    expires_at: datetime | None
    by: str
    at: datetime
    TYPE: ClassVar[str] = "account.token_made"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class TokenRevoked:
    token_id: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "account.token_revoked"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SignedIn:
    at: datetime
    TYPE: ClassVar[str] = "account.signed_in"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Account:
    id: str
    kind: Literal["person", "machine"]
    login: str
    name: str
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    created_at: datetime
    active: bool = True
    must_set_password: bool = False
    signed_in_at: datetime | None = None

    def person(self, incident_roles: frozenset[str] = frozenset(), scopes: frozenset[str] | None = None) -> Person:
        """The account as operations see it."""
        return Person(
            self.id, self.kind, frozenset(self.roles), frozenset(self.teams), self.active, scopes, incident_roles
        )


@dataclass(frozen=True)
class CreateAccount:
    id: str
    kind: Literal["person", "machine"]
    login: str
    name: str
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    by: str


@dataclass(frozen=True)
class SetRoles:
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    by: str


@dataclass(frozen=True)
class Deactivate:
    by: str


@dataclass(frozen=True)
class SetPassword:
    by: str
    one_time: bool


@dataclass(frozen=True)
class MakeToken:
    token_id: str
    name: str
    scopes: tuple[str, ...] | None
    expires_at: datetime | None
    by: str


@dataclass(frozen=True)
class RevokeToken:
    token_id: str
    by: str


@dataclass(frozen=True)
class SignIn:
    pass


def decide(account: Account | None, command: object, now: datetime) -> Decision:
    if account is None:
        return _create(command, now) if isinstance(command, CreateAccount) else NotFound("There is no such account.")
    match command:
        case SetRoles():
            if fault := _role_fault(account.kind, command.roles):
                return Unprocessable(fault, "unknown_role")
            return [RolesSet(command.roles, command.teams, command.by, now)]
        case Deactivate():
            if command.by == account.id:
                return Conflict("You cannot deactivate yourself; ask another owner.", "self_deactivation")
            return [AccountDeactivated(command.by, now)] if account.active else []
        case SetPassword():
            if account.kind == "machine":
                return Conflict("A machine account has tokens, not a password.")
            return [PasswordSet(command.by, command.one_time, now)]
        case MakeToken():
            if not account.active:
                return Conflict("This account is not active.")
            return [TokenMade(command.token_id, command.name, command.scopes, command.expires_at, command.by, now)]
        case RevokeToken():
            return [TokenRevoked(command.token_id, command.by, now)]
        case SignIn():
            return [SignedIn(now)]
    return Conflict("The account does not know this command.")


def _create(command: CreateAccount, now: datetime) -> Decision:
    if not _LOGIN.match(command.login):
        return Unprocessable(
            "A sign-in name starts with a letter and has lower-case letters, digits, . _ or -.", "bad_login"
        )
    if not command.name.strip():
        return Unprocessable("An account needs a name.", "name_missing")
    if fault := _role_fault(command.kind, command.roles):
        return Unprocessable(fault, "unknown_role")
    return [
        AccountCreated(
            command.id, command.kind, command.roles, command.teams, command.by, now, command.login, command.name.strip()
        )
    ]


def _role_fault(kind: str, roles: tuple[str, ...]) -> str | None:
    unknown = [role for role in roles if role not in set(Role)]
    if unknown or not roles:
        return f"“{', '.join(unknown)}” is no role; use one or more of {', '.join(Role)}."
    if (kind == "machine") != (set(roles) == {Role.MACHINE}):
        return "A machine account has the role machine alone, and a person never has it."
    return None


def evolve(account: Account | None, event: object) -> Account:
    if isinstance(event, AccountCreated):
        return Account(event.id, event.kind, event.login, event.name, event.roles, event.teams, event.at)
    assert account is not None
    match event:
        case RolesSet():
            return replace(account, roles=event.roles, teams=event.teams)
        case AccountDeactivated():
            return replace(account, active=False)
        case PasswordSet():
            return replace(account, must_set_password=event.one_time)
        case SignedIn():
            return replace(account, signed_in_at=event.at)
        case TokenMade() | TokenRevoked():
            return account
    raise AssertionError(f"unknown account event {event!r}")


def row(account: Account) -> Row:
    keys = () if account.login == ERASED else (("login", account.login),)
    return Row("active" if account.active else "inactive", account.name, keys=keys)


NOUN = Noun(
    "account",
    Account,
    (AccountCreated, RolesSet, AccountDeactivated, PasswordSet, TokenMade, TokenRevoked, SignedIn),
    decide,
    evolve,
    row,
)
