"""How pages are served: addresses to screens, forms to operations, refusals shown on the page that they came from.

A page module says what stands at an address (`At`) and what a form does (`On`); everything about HTTP is here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from fastapi import APIRouter
from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import compile_path

from handrail import __version__
from handrail.domain.people import Permission, Person, require
from handrail.kernel.errors import HandrailError, NotFound
from handrail.operations.accounts import Caller
from handrail.operations.shell import Tx
from handrail.store import queries
from handrail.web import filters
from handrail.web import views as v
from handrail.web.auth import PageCaller, context_of
from handrail.web.context import Context
from handrail.web.pages import notices
from handrail.web.pages.visit import Screen, Visit

T = TypeVar("T")

_LOCAL = re.compile(r"^/(?![/\\])[^\\\x00-\x20\x7f]*$")
_APPROVALS = "approvals"


@dataclass(frozen=True)
class At:
    """A page. `parts` are its live parts by name, each a template that gets the same view; they stand below the page's
    own path, or below `parts_below`."""

    path: str
    show: Callable[[Visit], Screen]
    parts: Mapping[str, str] = field(default_factory=dict)
    parts_below: str = ""


@dataclass(frozen=True)
class Post:
    """A form that was sent. `where` holds the parts of its address that vary."""

    request: Request
    caller: Caller
    where: Mapping[str, str]
    fields: Mapping[str, Sequence[str]]

    @property
    def context(self) -> Context:
        return context_of(self.request)

    @property
    def person(self) -> Person:
        return self.caller.person

    def text(self, name: str) -> str:
        """The field's words without the space around them; empty when it was not sent."""
        return (self.fields.get(name) or ("",))[0].strip()

    def act(self, operation: Callable[[Tx, Person], T]) -> T:
        """Run one operation as the sender."""
        return self.context.shell.transact(self.person.actor, lambda tx: operation(tx, self.person))


@dataclass(frozen=True)
class Done:
    """What came of a form: the notice, and where to go on when not back to its page.

    `screen` is shown at once instead, for what must be shown only once.
    """

    said: str
    to: str | None = None
    screen: Callable[[Visit], Screen] | None = None
    kind: str = "done"


@dataclass(frozen=True)
class On:
    """A form. `fields` are its texts with the ids under which the page shows them: a refusal loses none of them.

    `again` draws a page of its own after a refusal, where the page alone would not explain it.
    """

    path: str
    act: Callable[[Post], Done]
    fields: Mapping[str, str] = field(default_factory=dict)
    again: Callable[[Visit, Post, HandrailError], Screen | None] | None = None


class Site:
    """All pages and forms."""

    def __init__(self, pages: Sequence[At], forms: Sequence[On]) -> None:
        self.router = APIRouter(default_response_class=HTMLResponse)
        self._pages = [(compile_path(page.path)[0], page) for page in pages]
        for page in pages:
            self.router.add_api_route(page.path, self._get(page), methods=["GET"], response_class=HTMLResponse)
            if page.parts:
                path = f"{page.parts_below or page.path}/parts/{{live_part}}"
                self.router.add_api_route(path, self._get_part(page), methods=["GET"], response_class=HTMLResponse)
        for form in forms:
            self.router.add_api_route(form.path, self._post(form), methods=["POST"], response_class=HTMLResponse)

    def _get(self, page: At) -> Callable[..., Any]:
        async def get(request: Request, caller: PageCaller) -> Response:
            return await run_in_threadpool(self._page, request, caller, page)

        return get

    def _page(self, request: Request, caller: Caller, page: At) -> Response:
        notice = notices.read(request, caller.csrf or "")
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        found = self._draw(request, caller, page.show, path, request.path_params, request.query_params, notice)
        if notices.COOKIE in request.cookies:
            notices.forget(found)
        return found

    def _get_part(self, page: At) -> Callable[..., Any]:
        async def get(request: Request, caller: PageCaller) -> Response:
            return await run_in_threadpool(self._part, request, caller, page)

        return get

    def _part(self, request: Request, caller: Caller, page: At) -> Response:
        where = dict(request.path_params)
        template = page.parts.get(where.pop("live_part"))
        if template is None:
            raise NotFound("This page has no such part.", "no_such_address")
        path = page.path.format(**where) + (f"?{request.url.query}" if request.url.query else "")
        return self._draw(
            request, caller, page.show, path, where, request.query_params, None, template=template
        )  # fmt: skip

    def _draw(
        self, request: Request, caller: Caller, show: Callable[[Visit], Screen], path: str,
        where: Mapping[str, str], query: QueryParams, notice: v.Notice | None, *,
        template: str | None = None, typed: Mapping[str, str] | None = None, status: int = 200,
    ) -> HTMLResponse:  # fmt: skip
        """One page or part of it, from one snapshot."""
        context = context_of(request)
        require(caller.person, Permission.READ)
        seen = context.live.seen()
        with context.shell.database.read() as connection:
            now = context.shell.clock.now()
            visit = Visit(context, connection, caller.account, caller.person, now, path, where, query, seen)
            screen = show(visit)
            page = page_of(visit, screen, caller.csrf or "", notice, typed or {})
        return html(template or screen.template, page, screen.view, status)

    def _post(self, form: On) -> Callable[..., Any]:
        async def post(request: Request, caller: PageCaller) -> Response:
            sent = await request.form()
            fields = {name: [value for value in sent.getlist(name) if isinstance(value, str)] for name in sent}
            posted = Post(request, caller, dict(request.path_params), fields)
            return await run_in_threadpool(self._act, request, form, posted)

        return post

    def _act(self, request: Request, form: On, post: Post) -> Response:
        back = local(post.text("back"))
        try:
            done = form.act(post)
        except HandrailError as refusal:
            if refusal.status >= 500 and not refusal.retry_helps:
                raise
            return self._refused(request, form, post, back, refusal)
        if done.screen is not None:
            path = urlsplit(done.to or back).path
            notice = v.Notice(done.kind, done.said)
            return self._draw(request, post.caller, done.screen, path, {}, QueryParams(), notice)
        response = RedirectResponse(done.to or back, 303)
        notices.keep(response, post.context, post.caller.csrf or "", v.Notice(done.kind, done.said))
        return response

    def _refused(self, request: Request, form: On, post: Post, back: str, refusal: HandrailError) -> Response:
        """The page that the form came from, with the sentence of the refusal and what was typed."""
        found = self.find(back)
        if found is None:
            raise refusal
        page, where, query = found
        typed = {place.format(**post.where): post.text(name) for name, place in form.fields.items() if post.text(name)}

        def show(visit: Visit) -> Screen:
            own = form.again(visit, post, refusal) if form.again else None
            return own or page.show(visit)

        notice = v.Notice("refused", sentence(refusal))
        return self._draw(
            request, post.caller, show, back, where, query, notice, typed=typed, status=refusal.status
        )  # fmt: skip

    def find(self, address: str) -> tuple[At, Mapping[str, str], QueryParams] | None:
        """The page at a local address."""
        parts = urlsplit(address)
        for pattern, page in self._pages:
            match = pattern.match(parts.path)
            if match:
                return page, match.groupdict(), QueryParams(parts.query)
        return None


def sentence(refusal: HandrailError) -> str:
    """What is wrong, with every fault of the input."""
    faults = " ".join(fault.what for fault in refusal.faults)
    return f"{refusal.detail} {faults}".strip()


def local(address: str) -> str:
    """An address on this server, or the board: nobody is sent elsewhere by a link to us."""
    return address if _LOCAL.match(address) else "/"


def sign_in_address(request: Request) -> str:
    """Where somebody unknown goes, and where they come back to afterwards."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/sign-in?next={quote(wanted)}" if request.method == "GET" and wanted != "/" else "/sign-in"


@cache
def templates() -> Environment:
    return filters.environment()


def html(template: str, page: v.Page, view: object, status: int = 200) -> HTMLResponse:
    return HTMLResponse(filters.render(templates(), template, page, view), status)


def page_of(
    visit: Visit, screen: Screen, csrf: str, notice: v.Notice | None, typed: Mapping[str, str]
) -> v.Page:  # fmt: skip
    """What every page has, for somebody known."""
    account, person = visit.account, visit.person
    rights = frozenset(str(permission) for permission in Permission if visit.may(permission))
    topics = screen.topics if _APPROVALS in screen.topics else (*screen.topics, _APPROVALS)
    return v.Page(
        title=screen.title,
        path=visit.path,
        now=visit.now,
        csrf=csrf,
        viewer=v.Viewer(account.id, account.name, account.roles, rights),
        active=screen.active,
        topics=topics,
        index=queries.record_size(visit.connection) - 1,
        approvals_waiting=len(queries.gates_of(visit.connection, person)),
        notice=notice,
        version=__version__,
        typed=typed,
    )


def stranger_page(context: Context, title: str, path: str, csrf: str = "") -> v.Page:
    """What a page has for somebody unknown: nothing of what is inside."""
    return v.Page(title, path, context.shell.clock.now(), csrf, version=__version__)
