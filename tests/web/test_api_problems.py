"""Whatever is wrong with a request is answered in one form, within bounds, and tells nothing that it should not."""

from typing import Any

import pytest

from handrail.kernel.errors import BrokenInvariant, Unavailable
from handrail.kernel.limits import LIMITS
from tests.web.conftest import Hands, Site

FIELDS = {"type", "title", "status", "detail", "instance", "code", "errors", "request_id", "retry"}


@pytest.fixture
def hands(empty_site: Site) -> Hands:
    return empty_site.as_(empty_site.world.owner)


def code_of(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == FIELDS
    assert (body["status"], body["type"]) == (answer.status_code, f"/docs/errors#{body['code']}")
    assert body["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, body["code"]


def test_every_fault_of_the_input_is_named_at_once_with_its_place(hands: Hands) -> None:
    answer = hands.post("/accounts", {"login": "x" * 65, "roles": ["king"], "teams": [""], "surplus": "secret-value"})
    assert code_of(answer) == (422, "validation")
    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert pointers == {"/login", "/name", "/roles/0", "/teams/0", "/surplus"}
    assert "secret-value" not in answer.text


def test_a_fault_of_the_address_is_named_with_its_place(hands: Hands) -> None:
    answer = hands.get("/incidents?limit=201&status=odd")
    assert code_of(answer) == (422, "validation")
    assert {fault["pointer"] for fault in answer.json()["errors"]} == {"query/limit", "query/status"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "json_invalid"),
        (b'{"title":"a","title":"b","severity":"SEV1"}', 400, "json_duplicate_key"),
        (b"[" * 5000, 400, "json_depth"),
        (b'{"title":"a\xff"}', 400, "json_encoding"),
        (b'{"title":"a\\u0000"}', 400, "json_string"),
        (b'{"title":NaN}', 400, "json_number"),
        (b"[]", 422, "validation"),
        (b'"text"', 422, "validation"),
        (b"", 422, "validation"),
    ],
)
def test_hostile_json_is_refused_with_its_code(hands: Hands, body: bytes, status: int, code: str) -> None:
    answer = hands.send("POST", "/incidents", content=body, headers={"Content-Type": "application/json"})
    assert code_of(answer) == (status, code)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_foreign_form_can_send_is_not_read(hands: Hands, media_type: str) -> None:
    body = b'{"title":"a","severity":"SEV1"}'
    answer = hands.send("POST", "/incidents", content=body, headers={"Content-Type": media_type})
    assert code_of(answer) == (422, "validation")


@pytest.mark.parametrize("surplus", [1, 20 * 1024 * 1024])
def test_a_body_beyond_the_bound_is_refused(hands: Hands, surplus: int) -> None:
    body = b"x" * (LIMITS.api_body_bytes + surplus)
    answer = hands.send("POST", "/incidents", content=body, headers={"Content-Type": "application/json"})
    assert code_of(answer) == (413, "body_too_large")


def test_a_body_of_undeclared_length_is_refused_at_the_bound(hands: Hands) -> None:
    pieces = (b"x" * 65536 for _ in range(LIMITS.api_body_bytes // 65536 + 2))
    answer = hands.send("POST", "/incidents", content=pieces, headers={"Content-Type": "application/json"})
    assert code_of(answer) == (413, "body_too_large")


def test_a_body_at_the_bound_is_read(hands: Hands) -> None:
    body = b" " * (LIMITS.api_body_bytes - 2) + b"{}"
    answer = hands.send("POST", "/incidents", content=body, headers={"Content-Type": "application/json"})
    assert code_of(answer) == (422, "validation")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "no_such_address"),
        ("DELETE", "/incidents", 405, "method_not_allowed"),
        ("TRACE", "/incidents", 405, "method_not_allowed"),
        ("GET", "/gates/a%00b", 400, "bad_address"),
        ("GET", "/alerts?search=%00", 400, "bad_address"),
        ("GET", "/incidents?cursor=nonsense", 400, "bad_cursor"),
        ("GET", "/incidents?cursor=WzFd", 400, "bad_cursor"),
        ("GET", "/incidents?cursor=%C3%A9", 400, "bad_cursor"),
        ("GET", "/record/entries?cursor=WyJhIl0", 400, "bad_cursor"),
        ("GET", "/record/entries/99999999999999999999999", 422, "validation"),
        ("GET", "/record/entries/-1", 422, "validation"),
        ("GET", "/incidents/../../etc/passwd", 404, "no_such_address"),
        ("GET", "/alerts/%F0%9F%92%A9'%20OR%201=1", 404, "not_found"),
    ],
)
def test_odd_addresses_are_answered_with_a_problem(
    hands: Hands, method: str, path: str, status: int, code: str
) -> None:
    assert code_of(hands.send(method, path)) == (status, code)


def test_a_method_that_is_not_declared_is_told_which_are(hands: Hands) -> None:
    assert "GET" in hands.send("PATCH", "/me").headers["allow"]


def test_a_fault_of_ours_tells_its_request_and_nothing_else(
    hands: Hands, empty_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("select secret from table")

    monkeypatch.setattr("handrail.web.api.incidents.queries.page", broken)
    answer = hands.get("/incidents", headers={"X-Request-Id": "mine-7"})
    assert code_of(answer) == (500, "internal")
    assert answer.headers["x-request-id"] == "mine-7"
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (Unavailable("The database does not answer.", "database_away"), 503, True),
        (BrokenInvariant("It does not hold."), 500, False),
    ],
)
def test_what_trying_again_can_help_is_said(
    hands: Hands, error: Exception, status: int, retry: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise error

    monkeypatch.setattr("handrail.web.api.incidents.queries.page", away)
    answer = hands.get("/incidents")
    assert (answer.status_code, answer.json()["retry"]) == (status, retry)
    assert ("retry-after" in answer.headers) is retry


@pytest.mark.parametrize("given", ["a" * 65, "two words", "line\u00e9"])
def test_a_request_id_that_could_forge_a_log_is_replaced(hands: Hands, given: str) -> None:
    answer = hands.get("/me", headers={"X-Request-Id": given.encode("latin-1")})
    assert answer.headers["x-request-id"].startswith("req_")


def test_every_answer_hardens_the_browser(hands: Hands, empty_site: Site) -> None:
    for answer in (hands.get("/me"), empty_site.nobody.get("/me"), hands.get("/nowhere"), hands.get("/healthz")):
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in answer.headers


def test_static_files_may_be_kept_for_ever_under_their_digest(empty_site: Site) -> None:
    named = empty_site.nobody.get("/static/live.js?v=abc")
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert empty_site.nobody.get("/static/live.js").headers["cache-control"] == "no-cache"
    assert empty_site.nobody.get("/static/../app.py").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "to_intake"),
    [
        ("POST", "/in/prometheus", True),
        ("POST", "/t/hrt_x/api/v2/alerts", True),
        ("GET", "/api/v2/alerts", True),
        ("POST", "/v2/enqueue", True),
        ("GET", "/-/healthy", True),
        ("POST", "/api/v1/alerts", True),
        ("GET", "/api/v1/alerts", False),
        ("GET", "/", False),
    ],
)
def test_senders_go_to_the_intake(empty_site: Site, method: str, path: str, to_intake: bool) -> None:
    answer = empty_site.client.request(method, path)
    assert ("x-intake" in answer.headers) is to_intake


def test_health_tells_what_is_wrong(site: Site) -> None:
    assert site.nobody.get("/healthz").json() == {"ok": True}
    assert site.nobody.get("/readyz").status_code == 200
    site.health.update(ready=False, problems=["The database does not answer."])
    answer = site.nobody.get("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["The database does not answer."])


def test_requests_are_measured_by_route_and_never_by_id(hands: Hands, empty_site: Site) -> None:
    hands.get("/gates/gat_unknown")
    hands.get("/nowhere/at/all")
    text = empty_site.nobody.get("/metrics").text
    assert 'handrail_http_request_seconds_count{method="GET",route="/api/v1/gates/{gate_id}",status="404"}' in text
    assert 'route="unmatched"' in text
    assert "gat_unknown" not in text
