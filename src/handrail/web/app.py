"""The web layer as one ASGI application: API, live stream, pages and static files behind one edge."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from handrail import __version__
from handrail.kernel.limits import LIMITS
from handrail.web import problems, stream
from handrail.web.api import (
    alerts,
    documents,
    gates,
    incidents,
    messages,
    people,
    record,
    runs,
    service,
    session,
    sources,
)
from handrail.web.auth import Tries
from handrail.web.context import Context
from handrail.web.filters import STATIC
from handrail.web.idempotency import Once
from handrail.web.middleware import Application, Edge
from handrail.web.problems import ErrorPage

_DESCRIPTION = "Machines detect, correlate, investigate, draft and execute; people decide at gates."
_API = (session, alerts, incidents, gates, runs, messages, documents, sources, people, record, service)


def make_api(pages: Sequence[APIRouter] = ()) -> FastAPI:
    """All routes, without a context yet: enough to describe the API."""
    app = FastAPI(
        title="Handrail", version=__version__, description=_DESCRIPTION, openapi_url=None, docs_url=None, redoc_url=None
    )
    for module in _API:
        app.include_router(module.router)
    app.include_router(stream.router)
    for router in pages:
        app.include_router(router, include_in_schema=False)
    app.mount("/static", _Static(directory=STATIC), name="static")
    problems.install(app)
    return app


def make_app(context: Context, pages: Sequence[APIRouter] = (), error_page: ErrorPage | None = None) -> Application:
    """The application of one process. `error_page` draws a problem for people; without it problems stay JSON."""
    app = make_api(pages)
    app.state.context = context
    app.state.once = Once()
    app.state.tries = Tries(context.shell.clock)
    app.state.error_page = error_page
    return Edge(app, context.secure_cookies, LIMITS.api_body_bytes)


class _Static(StaticFiles):
    """Static files are asked for under the digest of their content, so a browser may keep them for ever."""

    def file_response(self, *args: object, **kwargs: object):  # type: ignore[no-untyped-def]
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response
