"""Accounts, sign-in, sessions and tokens. Secrets stand only as hashes, in tables that are not part of the record."""

import secrets as random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from handrail.domain.account import (
    Account,
    CreateAccount,
    Deactivate,
    MakeToken,
    RevokeToken,
    SetPassword,
    SetRoles,
    SignIn,
)
from handrail.domain.people import Permission, Person, Role, require
from handrail.domain.registry import NOUNS
from handrail.kernel.clock import from_text, to_text
from handrail.kernel.errors import NotAllowed, NotFound, NotSignedIn, Unprocessable
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS
from handrail.kernel.secrets import new_password, new_token, token_hash
from handrail.operations.shell import HANDRAIL, Shell, Tx
from handrail.store import tables
from handrail.store.database import Database
from handrail.store.projections import decode


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _one_time_hasher() -> PasswordHasher:
    """One-time passwords are random enough to need no slow hash, and are hashed inside a transaction."""
    return PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)


@cache
def _nobody_hash() -> str:
    """Checked when an account is unknown, so that the answer takes as long as for a wrong password."""
    return _hasher().hash(random.token_hex(16))


@dataclass(frozen=True)
class SignedIn:
    """A session: its token is for the cookie alone, `csrf` for its forms."""

    token: str
    csrf: str
    account: Account
    expires_at: datetime


@dataclass(frozen=True)
class Caller:
    """Who is behind a request. `csrf` is None for a token, which no browser sends by itself."""

    person: Person
    account: Account
    csrf: str | None


def first_owner(shell: Shell) -> tuple[str, str] | None:
    """Make the owner at first start; returns (login, one-time password), or None when there is an account already."""

    def operation(tx: Tx) -> tuple[str, str] | None:
        any_account = sa.select(tables.noun.c.id).where(tables.noun.c.kind == "account").limit(1)
        if tx.connection.execute(any_account).first() is not None:
            return None
        password = new_password()
        account_id = new_id("usr")
        tx.change(
            "account", account_id, CreateAccount(account_id, "person", "owner", "Owner", (Role.OWNER,), (), HANDRAIL.id)
        )
        _set_password(tx, account_id, _one_time_hasher().hash(password), HANDRAIL.id, one_time=True)
        return "owner", password

    return shell.transact(HANDRAIL, operation, "first start")


def create(
    tx: Tx, login: str, name: str, roles: tuple[str, ...], teams: tuple[str, ...], machine: bool, person: Person
) -> tuple[Account, str | None]:
    """Make an account; a person's comes with a one-time password, which is shown once."""
    require(person, Permission.MANAGE_PEOPLE)
    account_id = new_id("usr")
    if tx.find("login", login):
        raise Unprocessable(f"The sign-in name “{login[:64]}” is taken.", "login_taken")
    kind = "machine" if machine else "person"
    tx.change("account", account_id, CreateAccount(account_id, kind, login, name, roles, teams, person.id))  # type: ignore[arg-type]
    password = None
    if not machine:
        password = new_password()
        _set_password(tx, account_id, _one_time_hasher().hash(password), person.id, one_time=True)
    account: Account = tx.get("account", account_id)
    return account, password


def set_roles(tx: Tx, account_id: str, roles: tuple[str, ...], teams: tuple[str, ...], person: Person) -> None:
    require(person, Permission.MANAGE_PEOPLE)
    account: Account = tx.get("account", account_id)
    if Role.OWNER in account.roles and Role.OWNER not in roles:
        _must_keep_an_owner(tx, account_id)
    tx.change("account", account_id, SetRoles(roles, teams, person.id))


def deactivate(tx: Tx, account_id: str, person: Person) -> None:
    """End an account: its sessions and tokens die with it."""
    require(person, Permission.MANAGE_PEOPLE)
    account: Account = tx.get("account", account_id)
    if Role.OWNER in account.roles:
        _must_keep_an_owner(tx, account_id)
    tx.change("account", account_id, Deactivate(person.id))
    tx.connection.execute(tables.session.delete().where(tables.session.c.account_id == account_id))
    tx.connection.execute(
        tables.token.update().where(tables.token.c.owner_id == account_id).values(revoked_at=to_text(tx.now))
    )


def _must_keep_an_owner(tx: Tx, leaving: str) -> None:
    query = sa.select(tables.noun.c.id, tables.noun.c.state).where(
        tables.noun.c.kind == "account", tables.noun.c.status == "active"
    )
    owners = [row.id for row in tx.connection.execute(query) if Role.OWNER in decode(NOUNS["account"], row.state).roles]
    if not set(owners) - {leaving}:
        raise Unprocessable("This is the last owner; make another one first.", "last_owner")


@dataclass(frozen=True)
class Weighed:
    """An old password that was right, by the hash it was right against, and the hash of the new one."""

    before: str
    after: str


def weigh_password(database: Database, account_id: str, old: str, new: str) -> Weighed:
    """Check the old password and hash the new one: a third of a second, so it is done before the transaction."""
    with database.read() as connection:
        before = _check_password(connection, account_id, old)
    check_strength(new)
    if new == old:
        raise Unprocessable("The new password is the old one; choose another.", "password_same")
    return Weighed(before, _hasher().hash(new))


def change_password(tx: Tx, account_id: str, weighed: Weighed) -> None:
    """A person sets a new password with the old one. Every other session of theirs ends."""
    if _stored_hash(tx.connection, account_id) != weighed.before:
        raise NotSignedIn("The password was changed meanwhile; sign in again.", "wrong_password")
    _set_password(tx, account_id, weighed.after, account_id, one_time=False)


def reset_password(tx: Tx, account_id: str, person: Person) -> str:
    """An owner gives a new one-time password, shown once; all sessions of the account end."""
    require(person, Permission.MANAGE_PEOPLE)
    tx.get("account", account_id)
    password = new_password()
    _set_password(tx, account_id, _one_time_hasher().hash(password), person.id, one_time=True)
    return password


def check_strength(password: str) -> None:
    if not LIMITS.password_chars_min <= len(password) <= LIMITS.password_chars_max:
        raise Unprocessable(
            f"A password has {LIMITS.password_chars_min} to {LIMITS.password_chars_max} characters.", "password_length"
        )


def _set_password(tx: Tx, account_id: str, hashed: str, by: str, one_time: bool) -> None:
    tx.change("account", account_id, SetPassword(by, one_time))
    row = {"account_id": account_id, "password_hash": hashed}
    tx.database.upsert(tx.connection, tables.credential, [row], ("account_id",))
    tx.connection.execute(tables.session.delete().where(tables.session.c.account_id == account_id))


def _stored_hash(connection: sa.Connection, account_id: str | None) -> str | None:
    if account_id is None:
        return None
    query = sa.select(tables.credential.c.password_hash).where(tables.credential.c.account_id == account_id)
    found = connection.execute(query).scalar()
    return str(found) if found is not None else None


def _check_password(connection: sa.Connection, account_id: str | None, password: str) -> str:
    """The stored hash that the password fits. Every answer takes as long as that for an unknown account."""
    stored, given = _stored_hash(connection, account_id), password[: LIMITS.password_chars_max]
    fits = _fits(stored, given) if stored is not None else False
    if stored is None or _hasher().check_needs_rehash(stored):
        _fits(_nobody_hash(), given)
    if stored is None or not fits:
        raise NotSignedIn("The sign-in name or the password is wrong.", "wrong_password")
    return stored


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def sign_in(shell: Shell, login: str, password: str) -> SignedIn:
    """Check the password and open a session. Unknown name and wrong password look and take the same."""
    with shell.database.read() as connection:
        query = sa.select(tables.key.c.id).where(tables.key.c.name == "login", tables.key.c.value == login)
        account_id = connection.execute(query).scalar()
        _check_password(connection, account_id, password)

    def operation(tx: Tx) -> SignedIn:
        account: Account = tx.get("account", str(account_id))
        if not account.active:
            raise NotSignedIn("The sign-in name or the password is wrong.", "wrong_password")
        tx.change("account", account.id, SignIn())
        return open_session(tx, account)

    return shell.transact(HANDRAIL, operation, "sign-in")


def open_session(tx: Tx, account: Account) -> SignedIn:
    token, csrf = new_token(), random.token_urlsafe(24)
    expires_at = tx.now + LIMITS.session_age
    tx.connection.execute(
        tables.session.insert().values(
            token_hash=token_hash(token), account_id=account.id, csrf=csrf, expires_at=to_text(expires_at)
        )
    )
    tx.connection.execute(tables.session.delete().where(tables.session.c.expires_at < to_text(tx.now)))
    return SignedIn(token, csrf, account, expires_at)


def sign_out(shell: Shell, token: str) -> None:
    with shell.database.plain() as connection:
        connection.execute(tables.session.delete().where(tables.session.c.token_hash == token_hash(token)))


def make_token(
    tx: Tx, account_id: str, name: str, scopes: tuple[str, ...] | None, expires_in: timedelta | None, person: Person
) -> tuple[str, str]:
    """Make an API token; returns (id, token). The token is shown once. One's own, or any as an owner."""
    if account_id != person.id:
        require(person, Permission.MANAGE_PEOPLE)
    unknown = [scope for scope in scopes or () if scope not in set(Permission)]
    if unknown:
        raise Unprocessable(f"“{unknown[0]}” is no scope; use {', '.join(Permission)}.", "unknown_scope")
    if person.scopes is not None and (scopes is None or not set(scopes) <= person.scopes):
        raise NotAllowed("A token cannot be given more than the one that makes it may do.", "token_scope")
    token_id, token = new_id("tok"), new_token()
    expires_at = tx.now + expires_in if expires_in else None
    tx.change("account", account_id, MakeToken(token_id, name[:120], scopes, expires_at, person.id))
    store_token(tx, token_id, "account", account_id, name[:120], token, scopes, expires_at)
    return token_id, token


def store_token(
    tx: Tx, token_id: str, owner_kind: str, owner_id: str, name: str, token: str,
    scopes: tuple[str, ...] | None = None, expires_at: datetime | None = None,
) -> None:  # fmt: skip
    tx.connection.execute(
        tables.token.insert().values(
            id=token_id, owner_kind=owner_kind, owner_id=owner_id, name=name, token_hash=token_hash(token),
            last_four=token[-4:], scopes=msgspec.json.encode(scopes).decode() if scopes is not None else None,
            expires_at=to_text(expires_at) if expires_at else None, revoked_at=None,
        )
    )  # fmt: skip


def revoke_token(tx: Tx, token_id: str, person: Person) -> None:
    found = tx.connection.execute(sa.select(tables.token).where(tables.token.c.id == token_id)).first()
    if found is None or found.owner_kind != "account":
        raise NotFound("There is no such token.")
    if found.owner_id != person.id:
        require(person, Permission.MANAGE_PEOPLE)
    tx.change("account", found.owner_id, RevokeToken(token_id, person.id))
    tx.connection.execute(tables.token.update().where(tables.token.c.id == token_id).values(revoked_at=to_text(tx.now)))


def caller_by_session(database: Database, token: str, now: datetime) -> Caller | None:
    with database.read() as connection:
        query = sa.select(tables.session).where(tables.session.c.token_hash == token_hash(token))
        found = connection.execute(query).first()
        if found is None or from_text(found.expires_at) <= now:
            return None
        account = _account(connection, found.account_id)
    return Caller(account.person(), account, found.csrf) if account and account.active else None


def caller_by_token(database: Database, token: str, now: datetime) -> Caller | None:
    with database.read() as connection:
        query = sa.select(tables.token).where(
            tables.token.c.token_hash == token_hash(token), tables.token.c.owner_kind == "account"
        )
        found = connection.execute(query).first()
        if found is None or found.revoked_at is not None:
            return None
        if found.expires_at is not None and from_text(found.expires_at) <= now:
            return None
        account = _account(connection, found.owner_id)
    scopes = frozenset(msgspec.json.decode(found.scopes)) if found.scopes is not None else None
    return Caller(account.person(scopes=scopes), account, None) if account and account.active else None


def _account(connection: sa.Connection, account_id: str) -> Account | None:
    query = sa.select(tables.noun.c.state).where(tables.noun.c.kind == "account", tables.noun.c.id == account_id)
    text = connection.execute(query).scalar()
    account: Account | None = decode(NOUNS["account"], text) if text is not None else None
    return account
