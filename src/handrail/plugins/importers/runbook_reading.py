"""What every importer of runbooks begins with: bounded text, and values of which nothing is dropped unseen."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from handrail.kernel.errors import BadInput, Fault, TooLarge
from handrail.kernel.limits import LIMITS
from handrail.kernel.yamls import load_yaml
from handrail.plugins.importers import reading

_INTEGER_BITS_MAX = 256


def read_source(body: bytes) -> str:
    """UTF-8 with or without a mark at its beginning. Raises TooLarge and BadInput."""
    if len(body) > LIMITS.runbook_import_bytes:
        raise TooLarge(f"The file has {len(body)} bytes; at most {LIMITS.runbook_import_bytes} of a runbook are read.")
    return reading.read_text(body)


def has_key(text: str, *keys: str) -> bool:
    """Whether each of the keys stands somewhere in a JSON or YAML text, as a key would."""
    return all(re.search(rf"""(?m)(^|[\s{{,"'-]){re.escape(key)}["']?\s*:""", text) for key in keys)


def read_values(body: bytes) -> list["Part"]:
    """One JSON value, or all documents of a YAML text. Raises BadInput, also where a key stands twice in one place."""
    text = read_source(body)
    values = [_read_json(text)] if text.lstrip()[:1] in ("{", "[") else load_yaml(text, unique_keys=True)
    places = [f"/{n}" if len(values) > 1 else "" for n in range(len(values))]
    return [Part(_plain(value, where, 1), where) for value, where in zip(values, places, strict=True)]


def _read_json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise BadInput(f"The key “{twice[:60]}” stands twice in one object; keep one.", "import_unreadable")
        return made

    reading.read_json(text)
    return json.loads(text, object_pairs_hook=once)


def _plain(value: Any, where: str, depth: int) -> Any:
    """The value as JSON could hold it. Raises BadInput where it is too deep, or no such value."""
    if depth > LIMITS.json_depth:
        what = f"It is nested deeper than {LIMITS.json_depth}."
        raise BadInput("The file cannot be read.", "import_unreadable", (Fault(where, what),))
    if isinstance(value, dict):
        made = {str(key): _plain(item, f"{where}/{key}", depth + 1) for key, item in value.items()}
        if len(made) < len(value):
            what = "Two keys are the same word."
            raise BadInput("The file cannot be read.", "import_unreadable", (Fault(where, what),))
        return made
    if isinstance(value, list | tuple | set):
        return [_plain(item, f"{where}/{n}", depth + 1) for n, item in enumerate(value)]
    if isinstance(value, int) and value.bit_length() > _INTEGER_BITS_MAX:
        raise BadInput("The file cannot be read.", "import_unreadable", (Fault(where, "This number is too long."),))
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


class Part:
    """A value of the source and its place. What nobody took by the end is told by `left`."""

    def __init__(self, value: Any, where: str, taken: set[str] | None = None) -> None:
        self.value, self.where = value, where
        self._taken: set[str] = set() if taken is None else taken

    def get(self, key: str) -> "Part":
        """What stands under the key; a part without a value where nothing does."""
        held = self.value.get(key) if isinstance(self.value, dict) else None
        return self._at(key, held)

    def fields(self) -> Iterator[tuple[str, "Part"]]:
        """Each key with its part, where this is a mapping."""
        for key, value in self.value.items() if isinstance(self.value, dict) else ():
            yield key, self._at(key, value)

    def parts(self) -> Iterator["Part"]:
        """Each item, where this is a list."""
        for n, value in enumerate(self.value if isinstance(self.value, list) else ()):
            yield self._at(str(n), value)

    def _at(self, key: str, value: Any) -> "Part":
        escaped = key.replace("~", "~0").replace("/", "~1")
        return Part(value, f"{self.where}/{escaped}", self._taken)

    def __bool__(self) -> bool:
        return self.value not in (None, "", [], {})

    def take(self) -> None:
        """All of it is in the result, or was told as a loss."""
        self._taken.add(self.where)

    def text(self) -> str:
        """Take a text, number or truth value as text; what is none stays untaken, and gives nothing."""
        if self.value is None or isinstance(self.value, dict | list):
            return ""
        self.take()
        return shown(self.value)

    def whole(self) -> str:
        """Take all of it, written out for a person to read."""
        self.take()
        return shown(self.value)

    def left(self) -> Iterator["Part"]:
        """The parts that nobody took, each as wide as nobody touched it."""
        opened = {where[:end] for where in self._taken for end, sign in enumerate(where) if sign == "/"}
        yield from self._left(opened)

    def _left(self, opened: set[str]) -> Iterator["Part"]:
        if self.where in self._taken or not self:
            return
        if self.where not in opened:
            yield self
            return
        for _, part in self.fields():
            yield from part._left(opened)
        for part in self.parts():
            yield from part._left(opened)


def shown(value: Any) -> str:
    """A value as a person reads it: a text as it is, anything else as YAML."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return str(value)
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000).strip()
