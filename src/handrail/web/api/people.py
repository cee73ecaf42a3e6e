"""Accounts of people and machines, and API tokens."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from handrail.domain.account import Account
from handrail.domain.people import Permission, Role
from handrail.operations import accounts
from handrail.store import queries
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Asked, Newcomer, Nothing, Noun, Pages, Reader, Writer, answer

router = APIRouter(prefix="/api/v1", tags=["people"], route_class=ApiRoute)

Roles = Annotated[list[Role], Field(min_length=1, max_length=10, examples=[["responder"]])]
Team = Annotated[str, Field(min_length=1, max_length=64)]
Teams = Annotated[tuple[Team, ...], Field(max_length=50, examples=[["payments"]])]


class CreateAccount(Asked):
    login: Annotated[str, Field(max_length=64, examples=["jonas"])]
    name: Annotated[str, Field(max_length=120, examples=["Jonas Lind"])]
    roles: Roles
    teams: Teams = ()
    kind: Literal["person", "machine"] = "person"


class SetRoles(Asked):
    roles: Roles
    teams: Teams = ()


class MakeToken(Asked):
    """`scopes` narrow the token to these permissions; null gives it all that the roles grant."""

    name: Annotated[str, Field(min_length=1, max_length=120, examples=["laptop"])]
    scopes: Annotated[list[Permission] | None, Field(max_length=20, examples=[["read"]])] = None
    expires_in_days: Annotated[int | None, Field(ge=1, le=3650, examples=[90])] = None
    account_id: Annotated[str | None, Field(max_length=80, description="Whose it is; null for your own.")] = None


@router.get("/accounts", response_model=shapes.Page[shapes.Account], summary="List accounts")
def list_accounts(desk: Reader, asked: Pages, status: Literal["active", "inactive"] | None = None) -> Response:
    with desk.read() as connection:
        found = queries.page(connection, Account, queries.Wanted(status), asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.Account.model_validate(item.state), lambda item: (item.id,))


@router.get("/accounts/{account_id}", response_model=shapes.Account, summary="Get an account")
def get_account(desk: Reader, account_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Account, account_id)
    return answer(shapes.Account.model_validate(found.state), seq=found.seq)


@router.post("/accounts", response_model=shapes.NewAccount, status_code=201, summary="Create an account")
def create_account(desk: Writer, said: CreateAccount) -> Response:
    """A person's account comes with a one-time password, shown once."""
    roles = tuple(str(role) for role in said.roles)
    return desk.write(
        lambda tx, person: accounts.create(
            tx, said.login, said.name, roles, said.teams, said.kind == "machine", person
        ),
        lambda tx, made: shapes.NewAccount(account=shapes.Account.model_validate(made[0]), password=made[1]),
        made=lambda made: Noun("account", made[0].id),
        status=201,
        secret="password",  # noqa: S106  the name of a field
    )


@router.post("/accounts/{account_id}/roles", response_model=shapes.Account, summary="Set roles and teams")
def set_roles(desk: Writer, account_id: str, said: SetRoles) -> Response:
    roles = tuple(str(role) for role in said.roles)
    return desk.write(
        lambda tx, person: accounts.set_roles(tx, account_id, roles, said.teams, person),
        lambda tx, _: shapes.Account.model_validate(tx.get("account", account_id)),
        about=Noun("account", account_id),
    )


@router.post("/accounts/{account_id}/deactivate", response_model=shapes.Account, summary="End an account")
def deactivate_account(desk: Writer, account_id: str, said: Nothing | None = None) -> Response:
    """Its sessions, tokens and live streams end with it."""
    return desk.write(
        lambda tx, person: accounts.deactivate(tx, account_id, person),
        lambda tx, _: shapes.Account.model_validate(tx.get("account", account_id)),
        about=Noun("account", account_id),
    )


@router.post("/accounts/{account_id}/password", response_model=shapes.OneTimePassword, summary="Give a new password")
def reset_password(desk: Writer, account_id: str, said: Nothing | None = None) -> Response:
    """A one-time password, shown once; every session of the account ends."""
    return desk.write(
        lambda tx, person: accounts.reset_password(tx, account_id, person),
        lambda tx, password: shapes.OneTimePassword(account_id=account_id, password=password),
        about=Noun("account", account_id),
        secret="password",  # noqa: S106  the name of a field
    )


@router.get("/tokens", response_model=shapes.Page[shapes.Token], summary="List your own API tokens")
def list_tokens(desk: Newcomer) -> Response:
    with desk.read() as connection:
        found = queries.tokens_of(connection, desk.caller.account.id)
    return answer(shapes.Page[shapes.Token](items=[shapes.Token.model_validate(item) for item in found], next=None))


@router.post("/tokens", response_model=shapes.NewToken, status_code=201, summary="Make an API token")
def make_token(desk: Writer, said: MakeToken) -> Response:
    """The token is shown once. For another account this needs the permission to manage people."""
    scopes = tuple(str(scope) for scope in said.scopes) if said.scopes is not None else None
    expires_in = timedelta(days=said.expires_in_days) if said.expires_in_days else None
    account_id = said.account_id or desk.caller.account.id
    return desk.write(
        lambda tx, person: accounts.make_token(tx, account_id, said.name, scopes, expires_in, person),
        lambda tx, made: shapes.NewToken(id=made[0], token=made[1]),
        status=201,
        secret="token",  # noqa: S106  the name of a field
    )


class Revoked(shapes.Shape):
    id: str


@router.post("/tokens/{token_id}/revoke", response_model=Revoked, summary="Revoke an API token")
def revoke_token(desk: Writer, token_id: str, said: Nothing | None = None) -> Response:
    return desk.write(
        lambda tx, person: accounts.revoke_token(tx, token_id, person), lambda tx, _: Revoked(id=token_id)
    )
