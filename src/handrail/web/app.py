"""The web application: what senders post goes to the intake untouched; the rest passes the edge to API and pages."""

import html
import re
from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from handrail.kernel.errors import NotFound
from handrail.kernel.limits import LIMITS
from handrail.web import problems, stream
from handrail.web.api import (
    alerts,
    candidates,
    catalog,
    documents,
    gates,
    incidents,
    messages,
    people,
    record,
    runs,
    service,
    session,
    silences,
    sources,
)
from handrail.web.auth import Tries
from handrail.web.context import Context
from handrail.web.idempotency import Once
from handrail.web.middleware import Application, Edge, Receive, Scope, Send
from handrail.web.problems import ErrorPage

STATIC = Path(__file__).parent / "static"
_DOCS = (Path(__file__).parent / "errors.md", Path(__file__).parents[3] / "docs" / "errors.md")
_HEADING = re.compile(r"^## `?([a-z0-9_]+)`?$")

ROUTERS: tuple[APIRouter, ...] = (
    session.router, people.router, sources.router, silences.router, alerts.router, candidates.router,
    incidents.router, gates.router, runs.router, messages.router, documents.router, catalog.router, record.router,
    stream.router, service.router,
)  # fmt: skip

_INBOUND_PREFIXES = ("/in/", "/t/", "/api/v2/")
_INBOUND = frozenset({"/v2/enqueue", "/-/healthy", "/-/ready"})


def make_app(context: Context, pages: Sequence[APIRouter] = (), error_page: ErrorPage | None = None) -> Application:
    """The ASGI application of one process. `error_page` draws a problem for people, where a page was asked for."""
    api = build_api(pages)
    api.state.context = context
    api.state.error_page = error_page
    api.state.tries = Tries(context.shell.clock)
    api.state.once = Once()
    api.state.watch = stream.Watch(context)
    return Front(context.inbound, Edge(api, context.secure_cookies, LIMITS.api_body_bytes))


def build_api(pages: Sequence[APIRouter] = ()) -> FastAPI:
    """API and pages without anything behind them: enough to describe them."""
    api = FastAPI(title="Handrail", docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(api)
    for router in (*ROUTERS, *pages):
        # Taken as they are: including routers would build each route a second time at the first request.
        api.router.routes.extend(router.routes)
    api.add_api_route("/docs/errors", error_docs, methods=["GET"], include_in_schema=False)
    api.mount("/static", _Static(directory=STATIC), name="static")
    return api


class Front:
    """Tells senders from everybody else by the address alone: the storm path passes nothing that it does not need."""

    def __init__(self, inbound: Application, rest: Application) -> None:
        self._inbound = inbound
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        target = self._inbound if scope["type"] == "http" and is_inbound(scope["method"], scope["path"]) else self._rest
        await target(scope, receive, send)


def is_inbound(method: str, path: str) -> bool:
    return path.startswith(_INBOUND_PREFIXES) or path in _INBOUND or (path == "/api/v1/alerts" and method == "POST")


class _Static(StaticFiles):
    """Files whose address bears the digest of their content may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        named = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if named else "no-cache"
        return response


def error_docs(request: Request) -> Response:
    """What each error code means: where the `type` of every problem leads."""
    for file in _DOCS:
        if file.is_file():
            return HTMLResponse(_draw(file.read_text()))
    raise NotFound("The description of the error codes is not part of this installation.", "no_such_address")


def _draw(text: str) -> str:
    """The few forms that the file uses: headings with an anchor each, and paragraphs."""
    parts = []
    for block in text.split("\n\n"):
        line = block.strip()
        heading = _HEADING.match(line)
        if heading:
            parts.append(f'<h2 id="{heading[1]}">{heading[1]}</h2>')
        elif line.startswith("#"):
            parts.append(f"<h1>{html.escape(line.lstrip('# '))}</h1>")
        elif line:
            parts.append(f"<p>{html.escape(line)}</p>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Errors · Handrail</title></head>'
        f"<body>{''.join(parts)}</body></html>"
    )
