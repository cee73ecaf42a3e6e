"""Signing in, sessions and their csrf, passwords, and how long all of it lasts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handrail.domain.people import Person
from handrail.kernel.clock import ManualClock
from handrail.kernel.errors import NotSignedIn
from handrail.kernel.limits import LIMITS
from handrail.operations import accounts
from handrail.store.database import Database
from handrail.web.auth import COOKIE
from tests.web.conftest import ORIGIN, Hands, Site, make_site

PASSWORD = "correct horse battery"
NEW = "another long password"


@pytest.fixture
def one_time(site: Site) -> str:
    """The one-time password that an owner gave to the member."""
    return site.world.by(
        site.world.owner, lambda tx: accounts.reset_password(tx, site.world.member.id, site.world.owner)
    )


def sign_in(site: Site, password: str, login: str = "member", **headers: str) -> Any:
    site.client.cookies.clear()
    return site.nobody.post("/sign-in", {"login": login, "password": password}, headers=headers)


def test_a_one_time_password_opens_a_session_that_may_only_set_a_password(site: Site, one_time: str) -> None:
    answer = sign_in(site, one_time)
    assert answer.status_code == 200
    said = answer.json()
    assert said["must_set_password"] is True
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=hrt_")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    hands = Hands(site.client, {"X-CSRF-Token": said["csrf"], "Origin": ORIGIN})
    assert hands.get("/me").json()["account"]["login"] == "member"
    refused = hands.get("/incidents")
    assert (refused.status_code, refused.json()["code"]) == (403, "password_must_be_set")

    short = hands.post("/password", {"old": one_time, "new": "short"})
    assert (short.status_code, short.json()["code"]) == (422, "password_length")
    changed = hands.post("/password", {"old": one_time, "new": PASSWORD})
    assert changed.status_code == 200
    assert changed.json()["must_set_password"] is False
    fresh = Hands(site.client, {"X-CSRF-Token": changed.json()["csrf"], "Origin": ORIGIN})
    assert fresh.get("/incidents").status_code == 200
    assert fresh.post("/sign-out").status_code == 204
    assert fresh.get("/me").status_code == 401
    assert sign_in(site, PASSWORD).status_code == 200


def test_wrong_password_and_unknown_name_look_the_same(site: Site, one_time: str) -> None:
    wrong, unknown = sign_in(site, "not it at all"), sign_in(site, "not it at all", login="nobody")
    for answer in (wrong, unknown):
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_password")
    assert wrong.json()["detail"] == unknown.json()["detail"]


def test_sign_ins_that_fail_are_bounded_and_told_when_to_come_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_check_password", _always_wrong)
    for _ in range(LIMITS.sign_ins_per_account_hour):
        assert sign_in(site, "wrong password").status_code == 401
    full = sign_in(site, "wrong password")
    assert (full.status_code, full.json()["code"]) == (429, "sign_in_rate")
    wait = int(full.headers["retry-after"])
    site.world.clock.advance(seconds=wait)
    assert sign_in(site, "wrong password").status_code == 401


def test_sign_ins_that_fail_are_bounded_for_an_address_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_check_password", _always_wrong)
    for number in range(LIMITS.sign_ins_per_address_hour):
        assert sign_in(site, "wrong password", login=f"somebody{number}").status_code == 401
    assert sign_in(site, "wrong password", login="another").status_code == 429


def test_sign_ins_that_succeed_do_not_count(site: Site, one_time: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_check_password", lambda *_: None)
    for _ in range(LIMITS.sign_ins_per_address_hour + 5):
        assert sign_in(site, one_time).status_code == 200


def _always_wrong(*_: object) -> None:
    raise NotSignedIn("The sign-in name or the password is wrong.", "wrong_password")


def test_another_site_cannot_sign_somebody_in(site: Site, one_time: str) -> None:
    answer = sign_in(site, one_time, Origin="http://evil.example")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X-CSRF-Token": ""}, "csrf"),
        ({"X-CSRF-Token": "another"}, "csrf"),
        ({"Origin": "http://evil.example"}, "wrong_origin"),
        ({"Origin": "null"}, "wrong_origin"),
        ({"Origin": "", "Sec-Fetch-Site": "same-origin"}, "wrong_origin"),
    ],
)
def test_a_session_changes_nothing_without_proof_that_our_page_asked(
    site: Site, headers: dict[str, str], code: str
) -> None:
    answer = site.with_session(site.world.commander).post(
        "/incidents", {"title": "Payments fail", "severity": "SEV1"}, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (403, code)


@pytest.mark.parametrize(
    "proof",
    [
        {"Origin": ORIGIN},
        {"Origin": "http://handrail.example"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_session_changes_things_from_our_own_pages(site: Site, proof: dict[str, str]) -> None:
    hands = site.with_session(site.world.commander)
    del hands.headers["Origin"]
    assert hands.post("/incidents", {"title": "Payments fail", "severity": "SEV1"}, headers=proof).status_code == 201


def test_a_session_without_any_origin_changes_nothing(site: Site) -> None:
    hands = site.with_session(site.world.commander)
    del hands.headers["Origin"]
    answer = hands.post("/incidents", {"title": "Payments fail", "severity": "SEV1"})
    assert answer.json()["code"] == "wrong_origin"


def test_a_token_needs_no_csrf_wherever_it_comes_from(site: Site) -> None:
    answer = site.as_(site.world.commander).post(
        "/incidents", {"title": "Payments fail", "severity": "SEV1"}, headers={"Origin": "http://evil.example"}
    )
    assert answer.status_code == 201


def test_a_session_ends_by_age_and_a_token_by_its_day(site: Site) -> None:
    session = site.with_session(site.world.member)
    made = site.as_(site.world.member).post("/tokens", {"name": "short", "expires_in_days": 1}).json()
    token = Hands(site.client, {"Authorization": f"Bearer {made['token']}"})
    assert (session.get("/me").status_code, token.get("/me").status_code) == (200, 200)
    site.world.clock.advance(seconds=LIMITS.session_age.total_seconds())
    assert session.get("/me").json()["code"] == "session_over"
    site.world.clock.advance(seconds=timedelta(days=1).total_seconds())
    assert token.get("/me").json()["code"] == "bad_token"


def test_a_revoked_token_and_an_ended_account_get_in_no_more(site: Site) -> None:
    owner, member = site.as_(site.world.owner), site.as_(site.world.member)
    made = member.post("/tokens", {"name": "laptop"}).json()
    laptop = Hands(site.client, {"Authorization": f"Bearer {made['token']}"})
    assert [token["name"] for token in member.get("/tokens").json()["items"]] == ["laptop", "test"]
    assert laptop.get("/me").status_code == 200
    assert member.post(f"/tokens/{made['id']}/revoke").json() == {"id": made["id"]}
    assert laptop.get("/me").status_code == 401
    assert owner.post(f"/accounts/{site.world.member.id}/deactivate").json()["active"] is False
    assert member.get("/me").status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Basic abc", "hrt_abc", "Bearer  "])
def test_a_header_that_is_no_bearer_token_is_refused_and_the_cookie_is_not_tried(site: Site, header: str) -> None:
    answer = site.with_session(site.world.member).get("/me", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_authorization")


def test_people_are_made_with_a_password_that_is_shown_once(site: Site) -> None:
    owner = site.as_(site.world.owner)
    said = {"login": "jonas", "name": "Jonas Lind", "roles": ["responder"], "teams": ["payments"]}
    made = owner.post("/accounts", said, headers={"Idempotency-Key": "k1"})
    assert made.status_code == 201
    assert made.headers["location"] == f"/api/v1/accounts/{made.json()['account']['id']}"
    assert len(made.json()["password"]) > 20
    again = owner.post("/accounts", said, headers={"Idempotency-Key": "k1"})
    assert again.json() == {**made.json(), "password": None}
    assert owner.post("/accounts", said).json()["code"] == "login_taken"
    reset = owner.post(f"/accounts/{made.json()['account']['id']}/password")
    assert reset.json()["password"] != made.json()["password"]


def test_the_last_owner_stays(site: Site) -> None:
    answer = site.as_(site.world.owner).post(f"/accounts/{site.world.owner.id}/roles", {"roles": ["observer"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "last_owner")


@pytest.fixture
def secure_site(sqlite: Database, clock: ManualClock, tmp_path: Path) -> Iterator[Site]:
    yield from make_site(sqlite, clock, tmp_path, secure=True)


def test_over_https_the_cookie_is_for_https_alone(secure_site: Site) -> None:
    site = secure_site
    person: Person = site.world.member
    password = site.world.by(site.world.owner, lambda tx: accounts.reset_password(tx, person.id, site.world.owner))
    answer = sign_in(site, password)
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
