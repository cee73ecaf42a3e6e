"""What the server answers becomes a sentence and an exit code."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from handrail.cli.client import Client, connect, path_of
from handrail.cli.trouble import DryRun, Trouble, exit_code_of


def client(answer: Callable[[httpx2.Request], httpx2.Response], dry_run: bool = False) -> Client:
    return Client("http://handrail.test", "hrt_secret", dry_run, httpx2.MockTransport(answer))


def problem(status: int, **fields: Any) -> Callable[[httpx2.Request], httpx2.Response]:
    return lambda _: httpx2.Response(status, json={"detail": "It may not be.", "code": "some_code", **fields})


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (401, 4), (403, 4), (404, 3), (409, 5), (410, 5), (412, 5), (413, 2), (422, 2), (428, 5), (429, 1),
     (500, 1), (503, 1)],
)  # fmt: skip
def test_every_refusal_has_its_exit_code(status: int, code: int) -> None:
    assert exit_code_of(status) == code
    with pytest.raises(Trouble) as caught:
        client(problem(status)).get("/api/v1/incidents")
    assert caught.value.exit_code == code
    assert caught.value.what == "It may not be."
    assert caught.value.code == "some_code"


def test_every_fault_of_the_input_is_told_with_its_place() -> None:
    errors = [{"pointer": "/title", "detail": "This is missing."}, {"where": "3:1", "what": "not YAML"}, {"odd": 1}]
    with pytest.raises(Trouble) as caught:
        client(problem(422, errors=errors)).post("/api/v1/incidents", {})
    assert caught.value.faults == ("/title: This is missing.", "3:1: not YAML", '{"odd": 1}')


def test_a_refused_sign_in_names_the_next_command() -> None:
    with pytest.raises(Trouble) as caught:
        client(problem(401)).get("/api/v1/me")
    assert "handrail login" in caught.value.next_step


def test_too_many_requests_says_when_to_come_back() -> None:
    answer = httpx2.Response(429, json={"detail": "Slow down."}, headers={"retry-after": "7"})
    with pytest.raises(Trouble) as caught:
        client(lambda _: answer).get("/api/v1/me")
    assert caught.value.next_step == "Try again in 7 seconds."


@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"[]", b'{"title": "x"}', b"\xff\xfe"])
def test_an_answer_that_is_no_problem_is_told_by_its_status(body: bytes) -> None:
    with pytest.raises(Trouble) as caught:
        client(lambda _: httpx2.Response(502, content=body)).get("/api/v1/me")
    assert "502" in caught.value.what
    assert caught.value.exit_code == 1


def test_a_success_that_is_no_json_is_a_failure() -> None:
    with pytest.raises(Trouble) as caught:
        client(lambda _: httpx2.Response(200, content=b"<html>")).get("/api/v1/me")
    assert caught.value.exit_code == 1


def test_a_redirect_is_not_followed_so_that_the_token_stays_here() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(302, headers={"location": "http://elsewhere.test/"})

    with pytest.raises(Trouble):
        client(answer).get("/api/v1/me")
    assert asked == ["http://handrail.test/api/v1/me"]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (httpx2.ConnectError("Connection refused"), 1, "does not answer"),
        (httpx2.ReadTimeout("slow"), 1, "in time"),
        (httpx2.UnsupportedProtocol("no scheme"), 2, "no address"),
    ],
)
def test_a_server_that_is_away_is_one_sentence(error: Exception, code: int, words: str) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise error

    with pytest.raises(Trouble) as caught:
        client(answer).get("/api/v1/me")
    assert caught.value.exit_code == code
    assert words in caught.value.what
    assert caught.value.next_step


def test_a_write_carries_the_token_and_a_key_of_its_own() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(201, json={"id": "inc_1"})

    caller = client(answer)
    assert caller.post("/api/v1/incidents", {"title": "x"}) == {"id": "inc_1"}
    caller.post("/api/v1/incidents", {"title": "x"})
    assert seen[0].headers["authorization"] == "Bearer hrt_secret"
    assert json.loads(seen[0].content) == {"title": "x"}
    assert seen[0].headers["idempotency-key"] != seen[1].headers["idempotency-key"]


def test_a_dry_run_asks_the_server_for_nothing() -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise AssertionError("asked")

    with pytest.raises(DryRun) as caught:
        client(answer, dry_run=True).post("/api/v1/incidents", {"title": "x"})
    assert caught.value.request == {
        "method": "POST", "url": "http://handrail.test/api/v1/incidents", "body": {"title": "x"}
    }  # fmt: skip


def test_pages_are_read_until_there_are_enough() -> None:
    asked: list[dict[str, str]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(dict(request.url.params))
        at, size = int(request.url.params.get("cursor", "0")), int(request.url.params["limit"])
        return httpx2.Response(200, json={"items": list(range(at, at + size)), "next": str(at + size)})

    found = client(answer).pages("/api/v1/alerts", {"status": "firing", "service": None}, limit=250)
    assert found == {"items": list(range(250)), "next": "250"}
    assert asked == [{"status": "firing", "limit": "200"}, {"status": "firing", "limit": "50", "cursor": "200"}]


def test_what_a_person_types_cannot_leave_its_place_in_the_address() -> None:
    assert path_of("gates", "../users?x=1#y", "approve") == "/api/v1/gates/..%2Fusers%3Fx%3D1%23y/approve"


def test_without_a_token_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("HANDRAIL_TOKEN", "HANDRAIL_TOKEN_FILE", "HANDRAIL_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(Trouble) as caught:
        connect()
    assert caught.value.exit_code == 4
    assert "handrail login" in caught.value.next_step
