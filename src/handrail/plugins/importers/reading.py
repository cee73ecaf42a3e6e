"""What every importer begins with: bounded text, JSON and YAML from bytes that somebody else wrote."""

import json
from collections.abc import Iterator
from typing import Any

from handrail.kernel.errors import BadInput, Fault, TooLarge
from handrail.kernel.limits import LIMITS
from handrail.kernel.yamls import load_yaml


def read_text(body: bytes) -> str:
    """UTF-8 with or without a mark at its beginning. Raises TooLarge and BadInput."""
    if len(body) > LIMITS.catalog_import_bytes:
        raise TooLarge(f"The file has {len(body)} bytes; at most {LIMITS.catalog_import_bytes} are read.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"The file is not UTF-8 at byte {error.start}.", "import_unreadable") from None


def read_json(text: str, where: str = "1:1") -> Any:
    """Any JSON value. Raises BadInput with line and column."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"{error.lineno}:{error.colno}" if where == "1:1" else where
        raise BadInput("The file is not readable JSON.", "import_unreadable", (Fault(where, error.msg),)) from None
    except (RecursionError, ValueError):
        fault = Fault(where, "It is nested too deeply, or holds a number that is none.")
        raise BadInput("The file is not readable JSON.", "import_unreadable", (fault,)) from None


def _no_constant(word: str) -> None:
    raise ValueError(word)


def read_documents(body: bytes) -> list[Any]:
    """One JSON value, or all documents of a YAML text. Raises BadInput."""
    text = read_text(body)
    return [read_json(text)] if text.lstrip()[:1] in ("{", "[") else load_yaml(text)


def read_json_lines(body: bytes) -> Iterator[Any]:
    """One JSON value, or one in each line. Raises BadInput with the line."""
    text = read_text(body)
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > 1 and _is_whole(lines[0][1]):
        for n, line in lines:
            yield read_json(line, f"{n}:1")
    else:
        yield read_json(text)


def _is_whole(line: str) -> bool:
    return line.strip()[:1] == "{" and line.strip()[-1:] == "}"


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is a mapping, else an empty one: what others write is not always what their formats say."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def word(value: Any) -> str | None:
    """A text or number as text, without the space around it; None for anything else and for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None
