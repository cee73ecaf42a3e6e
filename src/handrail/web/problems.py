"""Every refusal and fault in one form: application/problem+json (RFC 9457), with a stable code, all faults at once."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from handrail.kernel.errors import BadInput, Fault, HandrailError, NotFound, TooMany, Unprocessable

_log = logging.getLogger("handrail.web")
MEDIA_TYPE = "application/problem+json"
DOCS = "/docs/errors"


@dataclass(frozen=True)
class Problem:
    """What went wrong, as it is told. `retry` says that the same request may succeed later."""

    status: int
    code: str
    title: str
    detail: str
    faults: Sequence[Fault] = ()
    retry: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, instance: str, request_id: str) -> dict[str, Any]:
        return {
            "type": f"{DOCS}#{self.code}", "title": self.title, "status": self.status, "detail": self.detail,
            "instance": instance, "code": self.code,
            "errors": [{"pointer": fault.where, "detail": fault.what} for fault in self.faults],
            "request_id": request_id, "retry": self.retry,
        }  # fmt: skip


ErrorPage = Callable[[Request, Problem], Response]


def of_error(error: HandrailError) -> Problem:
    """A leaf of the error tree as a problem. What a broken invariant says is for the log, not for the caller."""
    headers: dict[str, str] = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    elif error.status == 503:
        headers["Retry-After"] = "2"
    elif error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="handrail"'
    return Problem(error.status, error.code, error.title, error.detail, error.faults, error.retry_helps, headers)


def internal() -> Problem:
    """What nobody foresaw: the log has it under the request's id."""
    detail = "Handrail met a fault of its own; its log has the details under this request's id. Nothing was half done."
    return Problem(500, "internal", "Something went wrong", detail)


def of_http(error: HTTPException) -> Problem:
    """What the framework refuses by itself."""
    if isinstance(error.__cause__, HandrailError):
        return of_error(error.__cause__)
    if error.status_code == 404:
        return of_error(NotFound("There is nothing at this address; check it for a typing error.", "no_such_address"))
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        detail = f"This address does not take that method; it takes {allowed or 'another one'}."
        return Problem(
            405, "method_not_allowed", "Method not allowed", detail, headers={"Allow": allowed} if allowed else {}
        )
    if error.status_code == 400:
        return of_error(BadInput("The body could not be read.", "body_unreadable"))
    return Problem(error.status_code, "http_error", "The request was refused", str(error.detail))


def of_validation(error: RequestValidationError) -> Problem:
    """Every fault of the input at once, each with where it stands; what was sent is not repeated."""
    faults = tuple(_fault(item) for item in error.errors())
    detail = f"The input has {len(faults)} fault(s); each is named with where it stands."
    return of_error(Unprocessable(detail, "validation", faults))


def _fault(item: Mapping[str, Any]) -> Fault:
    where, *rest = (str(part) for part in item["loc"])
    if where == "body":
        if not rest or item["type"] in ("model_attributes_type", "json_invalid"):
            return Fault("", "Send one JSON object, with Content-Type: application/json.")
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in rest)
        return Fault(pointer, _sentence(item))
    return Fault("/".join([where, *rest]), _sentence(item))


def _sentence(item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return "This field is not known here; check its name or leave it out."
    if item["type"] == "missing":
        return "This is missing."
    words = str(item["msg"]).removeprefix("Value error, ")
    return words if words.endswith(".") else f"{words}."


def respond(request: Request, problem: Problem) -> Response:
    """The problem as a page where a person looks, and as problem+json everywhere else."""
    page: ErrorPage | None = getattr(request.app.state, "error_page", None)
    if page is not None and wants_page(request):
        response = page(request, problem)
    else:
        body = problem.body(request.url.path, request.scope.get("request_id", ""))
        response = Response(json.dumps(body, ensure_ascii=False), problem.status, media_type=MEDIA_TYPE)
    for name, value in problem.headers.items():
        response.headers.setdefault(name, value)
    return response


def wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


async def on_handrail_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HandrailError)
    if error.status >= 500 and not error.retry_helps:
        _log.error("a request failed: %s", error.detail, exc_info=error)
    return respond(request, of_error(error))


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return respond(request, of_http(error))


async def on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return respond(request, of_validation(error))


async def on_unforeseen(request: Request, error: Exception) -> Response:
    _log.error("a request failed", exc_info=error, extra={"request_id": request.scope.get("request_id", "")})
    return respond(request, internal())


def install(app: FastAPI) -> None:
    app.add_exception_handler(HandrailError, on_handrail_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(Exception, on_unforeseen)
