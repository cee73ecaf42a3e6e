"""Who is behind a request: a session's cookie or a bearer token; and what a browser must prove before it may write.

A cookie is sent by the browser whoever asks it to, so an unsafe request with one needs the session's own csrf value
and an origin on this host. A bearer token is never sent by itself and needs neither.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from handrail.kernel.clock import Clock
from handrail.kernel.errors import BadInput, NotAllowed, NotSignedIn, TooMany
from handrail.kernel.limits import LIMITS, Limits
from handrail.kernel.secrets import equal, token_hash
from handrail.operations import accounts
from handrail.operations.accounts import Caller, SignedIn
from handrail.operations.shell import Tx
from handrail.signals.bucket import Bucket
from handrail.web.context import Context

COOKIE = "handrail_session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SECRET_CHARS = 512


@dataclass(frozen=True)
class Credential:
    """What a request brings to say who it is."""

    kind: Literal["session", "token"]
    secret: str

    @property
    def hash(self) -> str:
        return token_hash(self.secret)


def context_of(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


def credential(request: Request) -> Credential | None:
    """The bearer token, or else the session's cookie."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise NotSignedIn("Write the header as “Authorization: Bearer TOKEN”.", "bad_authorization")
        return Credential("token", secret.strip()[:_SECRET_CHARS])
    cookie = request.cookies.get(COOKIE)
    return Credential("session", cookie[:_SECRET_CHARS]) if cookie else None


def identify(request: Request) -> Caller:
    """Who calls. Reads the database; raises NotSignedIn."""
    context, given = context_of(request), credential(request)
    if given is None:
        raise NotSignedIn("Sign in, or send an API token as “Authorization: Bearer TOKEN”.")
    database, now = context.shell.database, context.shell.clock.now()
    if given.kind == "token":
        caller = accounts.caller_by_token(database, given.secret, now)
        if caller is None:
            raise NotSignedIn("This token is not known, or it was revoked or has expired.", "bad_token")
    else:
        caller = accounts.caller_by_session(database, given.secret, now)
        if caller is None:
            raise NotSignedIn("This session is over; sign in again.", "session_over")
    request.scope["account_id"] = caller.account.id
    return caller


def must_come_from_here(request: Request, context: Context) -> None:
    """Refuse a browser's request that another site caused. Raises NotAllowed."""
    origin = request.headers.get("origin")
    if origin is not None:
        hosts = {request.headers.get("host", "").lower(), urlsplit(context.public_url).netloc.lower()}
        if origin != "null" and urlsplit(origin).netloc.lower() in hosts:
            return
    elif request.headers.get("sec-fetch-site") in ("same-origin", "none"):
        return
    raise NotAllowed("This request did not come from a page of this server; open the page here and try again.",
                     "wrong_origin")  # fmt: skip


def check_csrf(request: Request, caller: Caller, given: str | None) -> None:
    """An unsafe request of a session proves that our own page made it. Raises NotAllowed."""
    if request.method in _SAFE or caller.csrf is None:
        return
    must_come_from_here(request, context_of(request))
    if not given or not equal(given, caller.csrf):
        raise NotAllowed("The page is out of date: load it again and repeat what you did.", "csrf")


def check_password_set(caller: Caller) -> None:
    if caller.account.must_set_password:
        raise NotAllowed("Set your own password first; the one you have is for one use.", "password_must_be_set")


def arriving(request: Request) -> Caller:
    """A caller who may only set the password, sign out, or ask who they are."""
    caller = identify(request)
    check_csrf(request, caller, request.headers.get("x-csrf-token"))
    return caller


def api_caller(request: Request) -> Caller:
    """The caller of an API route; csrf comes in the header alone."""
    caller = arriving(request)
    check_password_set(caller)
    return caller


async def page_arriving(request: Request) -> Caller:
    """As `arriving`, for pages: csrf comes in the header or in the form's field `csrf`."""
    caller = await run_in_threadpool(identify, request)
    given = request.headers.get("x-csrf-token")
    if given is None and request.method not in _SAFE and caller.csrf is not None:
        field = (await request.form()).get("csrf")
        given = field if isinstance(field, str) else None
    check_csrf(request, caller, given)
    return caller


async def page_caller(request: Request) -> Caller:
    """The caller of a page's route."""
    caller = await page_arriving(request)
    check_password_set(caller)
    return caller


ApiCaller = Annotated[Caller, Depends(api_caller)]
Arriving = Annotated[Caller, Depends(arriving)]
PageCaller = Annotated[Caller, Depends(page_caller)]
PageArriving = Annotated[Caller, Depends(page_arriving)]


class Tries:
    """How often a password may be wrong, per account and per address: one bucket each, refilled by the hour."""

    def __init__(self, clock: Clock, limits: Limits = LIMITS) -> None:
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def begin(self, login: str, address: str) -> None:
        """Count a try before the password is looked at. Raises TooMany."""
        with self._lock:
            for name, per_hour in self._names(login, address):
                try:
                    self._bucket(name, per_hour).take(1, self._clock.monotonic())
                except TooMany as full:
                    words = "Too many sign-ins failed; wait before the next one, or ask an owner for a new password."
                    raise TooMany(words, "sign_in_rate", retry_after=full.retry_after) from None

    def succeeded(self, login: str, address: str) -> None:
        """Only failures count: give the try back."""
        with self._lock:
            for name, per_hour in self._names(login, address):
                bucket = self._bucket(name, per_hour)
                bucket.level = min(bucket.burst, bucket.level + 1)

    def _names(self, login: str, address: str) -> tuple[tuple[str, int], ...]:
        limits = self._limits
        return (
            (f"account {login[:64]}", limits.sign_ins_per_account_hour),
            (f"address {address}", limits.sign_ins_per_address_hour),
        )

    def _bucket(self, name: str, per_hour: int) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(per_hour / 3600, per_hour, per_hour, self._clock.monotonic())
            if len(self._buckets) > self._limits.sign_in_names_remembered:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        return bucket


def tries_of(request: Request) -> Tries:
    found: Tries = request.app.state.tries
    return found


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def sign_in(request: Request, login: str, password: str) -> SignedIn:
    """Open a session, within the bound of tries. Call it in a thread: a password costs a tenth of a second to check."""
    context, tries, address = context_of(request), tries_of(request), address_of(request)
    if "origin" in request.headers or "sec-fetch-site" in request.headers:
        must_come_from_here(request, context)
    if not login or not password or "\0" in login + password:
        raise BadInput("Give a sign-in name and a password.", "sign_in_incomplete")
    tries.begin(login, address)
    signed_in = accounts.sign_in(context.shell, login, password)
    tries.succeeded(login, address)
    request.scope["account_id"] = signed_in.account.id
    return signed_in


def change_password(request: Request, caller: Caller, old: str, new: str) -> SignedIn:
    """Set one's own password; every session of the account ends and a fresh one begins. Call it in a thread."""
    context, tries, address = context_of(request), tries_of(request), address_of(request)
    login = caller.account.login
    tries.begin(login, address)

    weighed = accounts.weigh_password(context.shell.database, caller.account.id, old, new)

    def operation(tx: Tx) -> SignedIn:
        accounts.change_password(tx, caller.account.id, weighed)
        return accounts.open_session(tx, tx.get("account", caller.account.id))

    signed_in = context.shell.transact(caller.person.actor, operation, "password")
    tries.succeeded(login, address)
    return signed_in


def keep_session(response: Response, context: Context, signed_in: SignedIn) -> None:
    response.set_cookie(
        COOKIE, signed_in.token, max_age=int(LIMITS.session_age.total_seconds()), path="/", httponly=True,
        samesite="lax", secure=context.secure_cookies,
    )  # fmt: skip


def forget_session(response: Response, context: Context) -> None:
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=context.secure_cookies)
