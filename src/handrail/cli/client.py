"""The one way in which commands call the API. Every refusal becomes a Trouble with its sentence and exit code."""

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx2

from handrail.cli import credentials
from handrail.cli.trouble import CONFLICT, DENIED, FAILED, NOT_FOUND, USAGE, DryRun, Trouble, exit_code_of
from handrail.kernel.limits import LIMITS

API = "/api/v1"
_NEXT_STEPS = {
    DENIED: "Ask an owner for the role, or use another account: `handrail login`.",
    NOT_FOUND: "List what there is, such as `handrail incident list`, and copy the id.",
    CONFLICT: "Look at its present state with `show`, then decide again.",
}


@dataclass
class Client:
    """Calls to one server with one token. Answers are decoded JSON."""

    url: str
    token: str | None
    dry_run: bool = False
    transport: httpx2.BaseTransport | None = None
    _http: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        headers = {"Accept": "application/json", "User-Agent": "handrail-cli"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        timeout = httpx2.Timeout(LIMITS.cli_answer_seconds, connect=LIMITS.outward_connect_seconds)
        # A proxy of the environment is for the outside; it cannot reach this machine's own address.
        self._http = httpx2.Client(
            base_url=self.url, headers=headers, timeout=timeout, trust_env=not _is_this_machine(self.url),
            transport=self.transport, follow_redirects=False,
        )  # fmt: skip

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The answer to a read."""
        return _content(self._send("GET", path, params=_given(query)))

    def pages(self, path: str, query: Mapping[str, Any] | None = None, limit: int = LIMITS.page_size) -> dict[str, Any]:
        """Up to `limit` items over as many pages as that takes: {"items": [...], "next": cursor or None}."""
        items: list[Any] = []
        cursor = (query or {}).get("cursor")
        while len(items) < limit:
            size = min(limit - len(items), LIMITS.page_size_max)
            page = self.get(path, {**(query or {}), "limit": size, "cursor": cursor})
            items += page["items"]
            cursor = page.get("next")
            if not cursor:
                break
        return {"items": items, "next": cursor}

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to a write."""
        self._stop_when_dry("POST", path, body)
        return _content(self._send("POST", path, json=body or {}, headers=_key()))

    def post_text(self, path: str, text: str, media_type: str) -> Any:
        """The answer to a write whose body is a document."""
        self._stop_when_dry("POST", path, {"text": text})
        headers = {**_key(), "Content-Type": media_type}
        return _content(self._send("POST", path, content=text.encode(), headers=headers))

    def post_for_bytes(self, path: str) -> Iterator[bytes]:
        """The bytes of an answer that may be large."""
        self._stop_when_dry("POST", path, None)
        try:
            with self._http.stream("POST", path, json={}, headers=_key()) as response:
                if not response.is_success:
                    response.read()
                    raise trouble_of(response)
                yield from response.iter_bytes()
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise unreachable(self.url, error) from None

    def as_page(self, csrf: str) -> None:
        """Go on as a browser's session does: its cookie is kept, and this proves that the request is its own."""
        self._http.headers.update({"X-CSRF-Token": csrf, "Origin": self.url})

    def _stop_when_dry(self, method: str, path: str, body: Mapping[str, Any] | None) -> None:
        if self.dry_run:
            raise DryRun({"method": method, "url": f"{self.url}{path}", "body": body})

    def _send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        try:
            response = self._http.request(method, path, **request)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise unreachable(self.url, error) from None
        if response.is_success:
            return response
        raise trouble_of(response)


def _key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def connect(dry_run: bool = False) -> Client:
    """The client for the address and token in force. Raises Trouble when nobody has signed in."""
    url = credentials.server_url()
    token = credentials.token_for(url)
    if token is None:
        raise Trouble(
            f"Nobody is signed in at {url}.", DENIED,
            "Run `handrail login`, or set HANDRAIL_TOKEN or HANDRAIL_TOKEN_FILE.", "not_signed_in",
        )  # fmt: skip
    return Client(url, token, dry_run)


def path_of(*parts: str) -> str:
    """An address under the API; parts that people typed are quoted whole."""
    return "/".join([API, *(quote(part, safe="") for part in parts)])


def unreachable(url: str, error: Exception) -> Trouble:
    if isinstance(error, httpx2.TimeoutException):
        what = f"Handrail at {url} did not answer in time."
    elif isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return Trouble(f"“{url}” is no address of a server.", USAGE, "Set HANDRAIL_URL, such as http://127.0.0.1:8400.")
    else:
        what = f"Handrail does not answer at {url} ({error})."
    return Trouble(what, FAILED, "Start it with `handrail up`, or set HANDRAIL_URL.", "unreachable")


def trouble_of(response: httpx2.Response) -> Trouble:
    """What an answer that is no success means for the person: problem+json where there is one."""
    try:
        problem = response.json()
    except (ValueError, httpx2.HTTPError):
        problem = None
    code = exit_code_of(response.status_code)
    if not isinstance(problem, dict) or not problem.get("detail"):
        return Trouble(
            f"The server answered with status {response.status_code}.", code, "Check that HANDRAIL_URL is a Handrail."
        )
    step = _NEXT_STEPS.get(code, "")
    if response.status_code == 401:
        step = "Sign in with `handrail login`, or set another HANDRAIL_TOKEN."
    elif response.status_code == 429:
        step = f"Try again in {response.headers.get('retry-after', 'a few')} seconds."
    elif response.status_code == 503:
        step = "Try again shortly; `handrail doctor` on the server tells what is away."
    return Trouble(str(problem["detail"]), code, step, str(problem.get("code", "")), _faults(problem.get("errors")))


def _faults(errors: Any) -> tuple[str, ...]:
    if not isinstance(errors, list):
        return ()
    return tuple(_fault(error) for error in errors)


def _fault(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    where = next((error[name] for name in ("where", "pointer", "index") if error.get(name) not in (None, "")), "")
    what = next((error[name] for name in ("what", "detail", "reason", "message") if error.get(name)), json.dumps(error))
    return f"{where}: {what}" if where != "" else str(what)


def _content(response: httpx2.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        raise Trouble(
            "The server's answer cannot be read as JSON.", FAILED, "Check that HANDRAIL_URL is a Handrail."
        ) from None


def _given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value not in (None, "", ())}


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
