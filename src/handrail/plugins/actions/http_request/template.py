"""Requests with places to fill: `{name}` from the given values, `{key}` with the act's key, `{secret:NAME}` with a
secret that is kept for the URL's host. Pure but for the secrets, which the caller gives."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from handrail.kernel.canonical import canonical
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.kernel.payload import read_json
from handrail.kernel.secrets import redact
from handrail.plugins.actions.calling import part
from handrail.plugins.outward import OutwardFailed, read_target

_PLACE = re.compile(r"\{(secret:)?([A-Za-z_][A-Za-z0-9_.-]{0,63})\}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
# What decides where a request ends and whom it reaches is the client's alone.
_OURS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "traceparent"}
_GUARDED = re.compile(r"authorization|cookie|token|secret|password|api-?key", re.IGNORECASE)


@dataclass(frozen=True)
class Template:
    """One request before it is filled; `body` as people wrote it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def faults(self, values: Mapping[str, str]) -> list[str]:
        """Everything that keeps it from being sent, in sentences."""
        found = []
        origin = "/".join(self.url.split("/")[:3])
        if "{" in origin:
            found.append("The URL's host is written out: it takes no value.")
        if any(secret for secret, _ in _PLACE.findall(self.url)):
            found.append("A secret does not go into a URL, which others log; put it into a header or the body.")
        else:
            found += _uncallable(self.shown_url(values))
        found += [
            f"“{{{name}}}” is in the request, but “values” does not name it."
            for secret, name in _PLACE.findall(f"{self.url} {' '.join(self.headers.values())} {self.body}")
            if not secret and name != "key" and name not in values
        ]
        found += _header_faults(self.headers)
        if redact(_PLACE.sub("", self.body)) != _PLACE.sub("", self.body) or redact(self.url) != self.url:
            found.append("This looks like a secret. Keep it in the credentials file and write {secret:NAME}.")
        if _is_json(self.headers, self.body) and isinstance(_parsed(self.body), BadInput):
            found.append("The body is no JSON; correct it or give another content-type in “headers”.")
        return found

    def shown_url(self, values: Mapping[str, str]) -> str:
        """The URL with its values; `{key}` stays, as the key is not known before the act."""
        return _PLACE.sub(lambda match: part(values[match[2]]) if match[2] in values else match[0], self.url)

    def shown(self, values: Mapping[str, str]) -> list[str]:
        """The exact lines that people approve. Secrets stand as their names."""
        lines = [f"{self.method} {self.shown_url(values)}"]
        lines += [f"{name}: {_shown(value, values)}" for name, value in sorted(self.headers.items())]
        if self.body:
            parsed = _parsed(self.body) if _is_json(self.headers, self.body) else self.body
            filled = _filled(parsed, lambda text: _shown(text, values))
            lines.append(f"body: {filled if isinstance(filled, str) else canonical(filled).decode()}")
        return lines

    def secrets(self) -> set[str]:
        """The names of the secrets that it needs."""
        everything = f"{' '.join(self.headers.values())} {self.body}"
        return {name for secret, name in _PLACE.findall(everything) if secret}

    def ready(
        self, values: Mapping[str, str], secrets: Mapping[str, str], key: str
    ) -> tuple[str, dict[str, str], bytes]:
        """URL, headers and body as they are sent."""
        known = {**values, "key": key}

        def fill(text: str) -> str:
            return _PLACE.sub(lambda match: secrets[match[2]] if match[1] else known[match[2]], text)

        url = _PLACE.sub(lambda match: part(known[match[2]]), self.url)
        headers = {name.lower(): fill(value) for name, value in self.headers.items()}
        if not self.body:
            return url, headers, b""
        if not _is_json(self.headers, self.body):
            return url, {"content-type": "text/plain; charset=utf-8", **headers}, fill(self.body).encode()
        return url, {"content-type": "application/json", **headers}, canonical(_filled(_parsed(self.body), fill))


def _uncallable(url: str) -> list[str]:
    try:
        read_target(url)
    except OutwardFailed as failure:
        return [failure.detail]
    return []


def _header_faults(headers: Mapping[str, str]) -> list[str]:
    found = []
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or not value.isascii() or not value.isprintable():
            found.append(f"The header “{name[:80]}” holds characters that HTTP does not carry.")
        elif name.lower() in _OURS:
            found.append(f"The header “{name}” is set by Handrail alone.")
        elif _GUARDED.search(name) and "{secret:" not in value:
            found.append(f"The header “{name}” carries a secret: write {{secret:NAME}}, kept in the credentials file.")
    return found


def _is_json(headers: Mapping[str, str], body: str) -> bool:
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return "json" in kind or (not kind and body.lstrip()[:1] in ("{", "["))


def _parsed(body: str) -> Any:
    """The body as JSON, or the error that says why it is none."""
    try:
        return read_json(body.encode(), LIMITS)
    except BadInput as error:
        return error


def _shown(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda match: match[0] if match[1] else values.get(match[2], match[0]), text)


def _filled(value: Any, fill: Callable[[str], str]) -> Any:
    """The same structure with every text filled: a value can never break out of its text."""
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, dict):
        return {key: _filled(one, fill) for key, one in value.items()}
    return [_filled(one, fill) for one in value] if isinstance(value, list) else value
