"""The description of the API (OpenAPI 3.1): generated from the routes, committed, and checked for drift.

Run: python -m handrail.web.openapi --check | --write [FILE]
"""

import json
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from handrail.web.api.shapes import Problem
from handrail.web.app import build_api

FILE = Path(__file__).parents[3] / "docs" / "openapi.json"
_PUBLIC = frozenset({"/api/v1/sign-in", "/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"})
_UNSAFE_HEADERS: tuple[tuple[str, str], ...] = (
    ("Idempotency-Key", "The same key and request happen once; the second gets the first answer."),
    ("If-Match", "The ETag that you read; refused with 412 when it has changed since."),
    ("X-CSRF-Token", "The session's csrf; needed with a cookie, not with a token."),
)
_WORDS = {
    "400": "The input cannot be read.", "401": "Nobody is known.", "403": "Not allowed.", "404": "Not found.",
    "409": "The state does not allow it.", "410": "It expired.", "412": "Somebody else changed it first.",
    "413": "Too large.", "422": "Not acceptable; every fault is named.", "429": "Come back after Retry-After.",
    "503": "Something is away; trying again helps.",
}  # fmt: skip


def describe(api: FastAPI) -> dict[str, Any]:
    """The whole description, pages left out."""
    routes = [route for route in api.routes if _described(getattr(route, "path", ""))]
    made = get_openapi(
        title="Handrail",
        version="1",
        summary="Run major incidents: machines move fast, people hold the rail.",
        description="Errors are application/problem+json; each `code` is described at /docs/errors.",
        routes=routes,
        openapi_version="3.1.0",
    )
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schemas["Problem"].pop("$defs", {})
    made["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "handrail_session"},
    }
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            _complete(path, method, operation)
    return dict(made)


def _described(path: str) -> bool:
    return path.startswith("/api/v1/") or path in ("/live", "/healthz", "/readyz", "/metrics")


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    operation["operationId"] = _operation_id(operation["operationId"], path, method)
    operation["responses"].pop("422", None)
    statuses = ["400", "422"] if path.startswith("/api/") else []
    if path in _PUBLIC:
        operation["security"] = []
        statuses += ["401", "403", "413", "429"] if method == "post" else []
    else:
        operation["security"] = [{"token": []}, {"session": []}]
        statuses += ["401", "403", "503"]
        statuses += ["404"] if "{" in path else []
        statuses += ["404", "409", "410", "412", "413", "429"] if method == "post" else []
        if method == "post":
            operation.setdefault("parameters", []).extend(_header(*known) for known in _UNSAFE_HEADERS)
    for status in sorted(set(statuses)):
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        operation["responses"][status] = {"description": _WORDS[status], "content": content}


def _operation_id(generated: str, path: str, method: str) -> str:
    """The name of the route's function, which is unique; the generated id repeats its address."""
    return generated.removesuffix(f"_{method}").removesuffix("".join(c if c.isalnum() else "_" for c in path))


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": description}


def text_of(api: FastAPI) -> str:
    """The description as text, in a fixed order; made once."""
    found: str | None = getattr(api.state, "openapi_text", None)
    if found is None:
        found = api.state.openapi_text = json.dumps(describe(api), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    return found


def main(arguments: list[str]) -> int:
    file = Path(arguments[1]) if len(arguments) > 1 else FILE
    if not arguments or arguments[0] not in ("--check", "--write"):
        print("usage: python -m handrail.web.openapi --check | --write [FILE]", file=sys.stderr)
        return 2
    text = text_of(build_api())
    if arguments[0] == "--write":
        file.write_text(text)
    elif not file.is_file() or file.read_text() != text:
        print(f"{file} is out of date; run: python -m handrail.web.openapi --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
