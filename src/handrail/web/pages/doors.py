"""In and out: sign-in, the own password, sign-out. These take callers whom no other page takes."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handrail.kernel.errors import BadInput, HandrailError, NotSignedIn, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.operations import accounts
from handrail.web import views as v
from handrail.web.auth import (
    PageArriving,
    change_password,
    context_of,
    credential,
    forget_session,
    keep_session,
    must_come_from_here,
    sign_in,
)
from handrail.web.context import Context
from handrail.web.pages import notices
from handrail.web.pages.site import html, local, stranger_page

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
async def show_sign_in(request: Request) -> Response:
    return _sign_in_page(context_of(request), v.SignInView(next=local(request.query_params.get("next", "/"))))


def _sign_in_page(context: Context, view: v.SignInView, status: int = 200) -> Response:
    return html("sign_in.html", stranger_page(context, "Sign in", "/sign-in"), view, status)


@router.post("/sign-in")
async def enter(request: Request) -> Response:
    """Open a session and go on to where they wanted. A form of another site opens none."""
    context, form = context_of(request), await request.form()
    login, password, wanted = (str(form.get(name) or "") for name in ("login", "password", "next"))
    try:
        must_come_from_here(request, context)
        signed_in = await run_in_threadpool(sign_in, request, login.strip(), password)
    except HandrailError as refusal:
        if refusal.status >= 500 and not refusal.retry_helps:
            raise
        view = v.SignInView(refused=refusal.detail, login=login[: LIMITS.label_chars], next=local(wanted))
        return _sign_in_page(context, view, refusal.status)
    must_set = signed_in.account.must_set_password
    response = RedirectResponse("/password" if must_set else local(wanted), 303)
    keep_session(response, context, signed_in)
    return response


@router.post("/sign-out")
async def leave(request: Request, caller: PageArriving) -> Response:
    context, given = context_of(request), credential(request)
    if given is not None and given.kind == "session":
        await run_in_threadpool(accounts.sign_out, context.shell, given.secret)
    response = RedirectResponse("/sign-in", 303)
    forget_session(response, context)
    return response


@router.get("/password")
async def show_password(request: Request, caller: PageArriving) -> Response:
    return _password_page(request, caller)


def _password_page(request: Request, caller: PageArriving, refused: str = "", status: int = 200) -> Response:
    context, account = context_of(request), caller.account
    forced = account.must_set_password
    viewer = None if forced else v.Viewer(account.id, account.name, account.roles)
    page = v.Page("Password", "/password", context.shell.clock.now(), caller.csrf or "", viewer)
    return html("set_password.html", page, v.PasswordView(forced, LIMITS.password_chars_min, refused), status)


@router.post("/password")
async def set_password(request: Request, caller: PageArriving) -> Response:
    """The new password holds at once; every other session of the account ends."""
    context, form = context_of(request), await request.form()
    current, new, again = (str(form.get(name) or "") for name in ("current", "password", "again"))
    try:
        if new != again:
            raise Unprocessable("The two new passwords differ; type the same twice.", "passwords_differ")
        if "\0" in new:
            raise BadInput("A password has no such character.", "password_character")
        fresh = await run_in_threadpool(change_password, request, caller, current, new)
    except NotSignedIn:
        words = "The one-time password is wrong." if caller.account.must_set_password else "The present one is wrong."
        return _password_page(request, caller, f"{words} Nothing was changed.", 422)
    except HandrailError as refusal:
        return _password_page(request, caller, refusal.detail, refusal.status)
    response = RedirectResponse("/", 303)
    keep_session(response, context, fresh)
    notices.keep(response, context, fresh.csrf, v.Notice("done", "Your password is set. Other sessions have ended."))
    return response
