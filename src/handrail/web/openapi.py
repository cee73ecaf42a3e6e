"""The description of the API that is committed: `python -m handrail.web.openapi --write`, or `--check` for drift."""

import json
import sys
from pathlib import Path

from fastapi import FastAPI

FILE = Path("docs/openapi.json")


def text_of(app: FastAPI) -> str:
    """OpenAPI 3.1 as text, the same bytes for the same routes."""
    description = app.openapi()
    for path in description["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault(
                "default",
                {
                    "description": "A problem (RFC 9457) with a stable code",
                    "content": {"application/problem+json": {"schema": {"type": "object"}}},
                },
            )
    return json.dumps(description, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    from handrail.web.app import make_api

    text = text_of(make_api())
    if arguments == ["--write"]:
        FILE.write_text(text)
        return 0
    if arguments == ["--check"]:
        if FILE.exists() and FILE.read_text() == text:
            return 0
        print(f"{FILE} is not what the routes say; run: python -m handrail.web.openapi --write", file=sys.stderr)
        return 1
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
