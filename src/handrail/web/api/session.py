"""Signing in and out, one's own password, and who one is."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from handrail.kernel.limits import LIMITS
from handrail.operations import accounts
from handrail.operations.accounts import SignedIn
from handrail.web import auth
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Asked, Newcomer, Nothing, answer

router = APIRouter(prefix="/api/v1", tags=["session"], route_class=ApiRoute)

Password = Annotated[str, Field(min_length=1, max_length=LIMITS.password_chars_max)]


class SignIn(Asked):
    login: Annotated[str, Field(min_length=1, max_length=64, examples=["mira"])]
    password: Annotated[Password, Field(examples=["correct horse battery staple"])]


class ChangePassword(Asked):
    """`old` is the present one, or the one-time password."""

    old: Annotated[Password, Field(examples=["3f9a1c-77be02-a1b2c3-d4e5f6"])]
    new: Annotated[Password, Field(examples=["correct horse battery staple"])]


@router.post("/sign-in", response_model=shapes.Session, summary="Sign in with a password")
def sign_in(said: SignIn, request: Request) -> Response:
    """Sets the session's cookie. Programs use an API token instead."""
    return _opened(request, auth.sign_in(request, said.login, said.password))


@router.post("/sign-out", status_code=204, summary="End this session")
def sign_out(desk: Newcomer, said: Nothing | None = None) -> Response:
    given = auth.credential(desk.request)
    if given is not None and given.kind == "session":
        accounts.sign_out(desk.context.shell, given.secret)
    response = Response(status_code=204)
    auth.forget_session(response, desk.context)
    return response


@router.post("/password", response_model=shapes.Session, summary="Set your own password")
def change_password(desk: Newcomer, said: ChangePassword) -> Response:
    """Ends every session of the account and opens a fresh one."""
    return _opened(desk.request, auth.change_password(desk.request, desk.caller, said.old, said.new))


@router.get("/me", response_model=shapes.Me, summary="Who you are and what you may do")
def me(desk: Newcomer) -> Response:
    return answer(shapes.Me.of(desk.caller))


def _opened(request: Request, signed_in: SignedIn) -> Response:
    session = shapes.Session(
        csrf=signed_in.csrf, expires_at=signed_in.expires_at, account=shapes.Account.model_validate(signed_in.account),
        must_set_password=signed_in.account.must_set_password,
    )  # fmt: skip
    response = answer(session)
    auth.keep_session(response, auth.context_of(request), signed_in)
    return response
