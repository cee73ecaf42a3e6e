"""The public API as one person uses it: signs in with a password, takes a token of their own, and reads and writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx2

from handrail.drills.demo.journal import StepFailed

_API = "/api/v1"
_CALL_SECONDS = 30.0


class Refusal(StepFailed):
    """The server said no: its stable code, its status, its sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class Client:
    """Calls as one account. Every write carries a key of its own, so that a repeat would do nothing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx2.Client(base_url=url, trust_env=False, timeout=_CALL_SECONDS, headers={"Origin": url})

    @classmethod
    def sign_in(cls, url: str, login: str, one_time: str, password: str) -> Self:
        """First sign-in: with the one-time password, set an own one, then work with a token."""
        client = cls(url)
        session = client.post("/sign-in", {"login": login, "password": one_time})
        client._http.headers["X-CSRF-Token"] = session["csrf"]
        session = client.post("/password", {"old": one_time, "new": password})
        client._http.headers["X-CSRF-Token"] = session["csrf"]
        token = client.post("/tokens", {"name": "demonstration"})["token"]
        client._http.headers["Authorization"] = f"Bearer {token}"
        return client

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self._call("GET", path, query=query).json()

    def items(self, path: str, query: Mapping[str, Any] | None = None) -> list[Any]:
        """The first page of a list; every list here is far shorter than a page."""
        found: list[Any] = self.get(path, query)["items"]
        return found

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._call("POST", path, body=body or {}, headers=_once())
        return answer.json() if answer.content else None

    def put_forward(self, text: str) -> Any:
        """Propose a document: its own text is the request's body."""
        return self._call("POST", "/documents", content=text, headers=_once("application/yaml")).json()

    def save(self, path: str, file: Path) -> None:
        """Write an answer that is a file. It is there whole or not at all."""
        partial = file.with_name(f".{file.name}.partial")
        try:
            with self._http.stream("POST", _API + path, json={}, headers=_once()) as answer, partial.open("wb") as out:
                if not answer.is_success:
                    answer.read()
                    raise _refusal(answer)
                for piece in answer.iter_bytes():
                    out.write(piece)
            partial.replace(file)
        except httpx2.HTTPError as error:
            raise StepFailed(f"{_API}{path} broke off: {type(error).__name__}.") from error
        finally:
            partial.unlink(missing_ok=True)

    def close(self) -> None:
        self._http.close()

    def _call(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
        content: str | None = None, headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:  # fmt: skip
        try:
            answer = self._http.request(
                method, _API + path, params=query, json=body, content=content, headers=dict(headers or {})
            )
        except httpx2.HTTPError as error:
            raise StepFailed(f"Handrail did not answer {method} {_API}{path}: {type(error).__name__}.") from error
        if answer.is_success:
            return answer
        raise _refusal(answer)


def _once(media_type: str = "application/json") -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex, "Content-Type": media_type}


def _refusal(answer: httpx2.Response) -> Refusal:
    try:
        problem = answer.json()
        return Refusal(answer.status_code, str(problem["code"]), str(problem["detail"]))
    except (ValueError, KeyError, TypeError):
        return Refusal(answer.status_code, "", f"{answer.request.url} answered with status {answer.status_code}.")
