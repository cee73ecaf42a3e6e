"""What a person sees when a page cannot be shown: the sentence, what to do next, and the way back."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handrail.kernel.errors import HandrailError
from handrail.web import views as v
from handrail.web.auth import context_of, forget_session, identify
from handrail.web.pages.site import html, local, sign_in_address, stranger_page
from handrail.web.problems import Problem

_NEXT_STEPS = {
    "csrf": "Go back, load the page again, and repeat what you did.",
    "wrong_origin": "Open the page at the address of this server and repeat what you did.",
    "not_allowed": "Ask an owner for the role that grants it, or somebody who has it.",
}
_NEXT_BY_STATUS = {
    404: "Check the address, or begin at the board.",
    405: "Go back and use the form of the page.",
    410: "Ask again from where you came.",
    412: "Load the page again and look at what changed.",
    413: "Send less at once.",
    429: "Wait a little, then try again.",
    500: "Look into the log of the server under this trace.",
    503: "Wait a little, then try again; nothing was lost.",
}


def error_page(request: Request, problem: Problem) -> Response:
    """Somebody unknown is led to the sign-in, somebody with a one-time password to setting their own."""
    if problem.status == 401:
        response = RedirectResponse(sign_in_address(request), 303)
        if problem.code == "session_over":
            forget_session(response, context_of(request))
        return response
    if problem.code == "password_must_be_set":
        return RedirectResponse("/password", 303)
    view = v.ErrorView(
        status=problem.status,
        code=problem.code,
        sentence=problem.detail,
        next_step=_NEXT_STEPS.get(problem.code) or _NEXT_BY_STATUS.get(problem.status, ""),
        faults=tuple(fault.what for fault in problem.faults),
        trace=str(request.scope.get("request_id", "")),
        back=_back(request),
    )
    return html("error.html", _page(request, problem), view, problem.status)


def _page(request: Request, problem: Problem) -> v.Page:
    """The frame with its menu for somebody known. Whatever is broken must not keep the error from being shown."""
    page = stranger_page(context_of(request), problem.title, "/")
    if problem.status >= 500:
        return page
    try:
        caller = identify(request)
    except HandrailError:
        return page
    account = caller.account
    viewer = v.Viewer(account.id, account.name, account.roles)
    return v.Page(page.title, "/", page.now, caller.csrf or "", viewer, version=page.version)


def _back(request: Request) -> str:
    """The page of ours that led here, or the board."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc.lower() != request.headers.get("host", "").lower() or parts.path == request.url.path:
        return "/"
    return local(parts.path + (f"?{parts.query}" if parts.query else ""))
