"""Who comes in: sign-in, the one-time password, sign-out, and where somebody unknown is led."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.domain.people import Person
from handrail.operations import accounts
from handrail.store.database import Database
from handrail.web.auth import COOKIE
from tests.web.houses import ORIGIN, House, house

NEW = "a rail to hold at night"


@pytest.fixture
def home(sqlite: Database, tmp_path: Path) -> Iterator[House]:
    with house(sqlite, tmp_path) as made:
        yield made


def one_time(home: House, person: Person) -> str:
    owner = home.world.owner
    return home.world.by(owner, lambda tx: accounts.reset_password(tx, person.id, owner))


@pytest.mark.parametrize(
    ("path", "goes_to"),
    [
        ("/", "/sign-in"),
        ("/approvals", "/sign-in?next=/approvals"),
        ("/alerts?q=pay&status=firing", "/sign-in?next=/alerts%3Fq%3Dpay%26status%3Dfiring"),
        ("/record/7", "/sign-in?next=/record/7"),
    ],
)
def test_somebody_unknown_is_led_to_the_sign_in_and_would_come_back(home: House, path: str, goes_to: str) -> None:
    answer = home.nobody.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, goes_to)


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_sign_in_sends_nobody_to_another_site(home: House, wanted: str) -> None:
    text = home.nobody.get("/sign-in", params={"next": wanted}).text
    assert '<input type="hidden" name="next" value="/">' in text


def test_the_sign_in_page_tells_a_stranger_nothing_of_what_is_inside(home: House) -> None:
    home.to_proposal()
    text = home.nobody.get("/sign-in").text
    assert "INC-1" not in text and 'class="menu"' not in text and "/live?" not in text and "Record entry" not in text


def test_a_one_time_password_leads_to_setting_an_own_one_before_anything_else(home: House) -> None:
    member, password = home.world.member, one_time(home, home.world.member)
    entered = home.nobody.post("/sign-in", {"login": "member", "password": password, "next": "/approvals"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/password")
    cookie = {"Cookie": f"{COOKIE}={entered.cookies[COOKIE]}", "Accept": "text/html", "Origin": ORIGIN}
    home.client.cookies.clear()
    assert home.client.get("/", headers=cookie).headers["location"] == "/password"
    page = home.client.get("/password", headers=cookie)
    assert "Choose your own password" in page.text and "One-time password" in page.text
    csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
    said = {"csrf": csrf, "current": password, "password": NEW, "again": NEW}
    differs = home.client.post("/password", data={**said, "again": "something else"}, headers=cookie)
    assert differs.status_code == 422 and "The two new passwords differ" in differs.text
    wrong = home.client.post("/password", data={**said, "current": "not it"}, headers=cookie)
    assert wrong.status_code == 422 and "The one-time password is wrong." in wrong.text
    done = home.client.post("/password", data=said, headers=cookie)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    fresh = {**cookie, "Cookie": f"{COOKIE}={done.cookies[COOKIE]}"}
    home.client.cookies.clear()
    assert home.client.get("/", headers=fresh).status_code == 200
    assert home.client.get("/", headers=cookie).headers["location"] == "/sign-in"
    assert member.id in home.client.get("/people", headers=fresh).text


def test_a_wrong_password_is_refused_in_words_and_keeps_the_name(home: House) -> None:
    answer = home.nobody.post("/sign-in", {"login": "member", "password": "guess", "next": "/approvals"})
    assert answer.status_code == 401 and COOKIE not in answer.cookies
    assert "The sign-in name or the password is wrong." in answer.text
    assert 'value="member"' in answer.text and 'name="next" value="/approvals"' in answer.text


def test_a_form_of_another_site_opens_no_session(home: House) -> None:
    password = one_time(home, home.world.member)
    said = {"login": "member", "password": password}
    for origin in ("https://evil.example", "null"):
        answer = home.nobody.client.post("/sign-in", data=said, headers={"Origin": origin, "Accept": "text/html"})
        assert answer.status_code == 403 and COOKIE not in answer.cookies


def test_sign_out_ends_the_session_on_the_server(home: House) -> None:
    browser = home.as_(home.world.member)
    left = browser.post("/sign-out")
    assert left.headers["location"] == "/sign-in"
    assert browser.get("/").headers["location"] == "/sign-in"


def test_somebody_whose_account_was_closed_is_out_at_once(home: House) -> None:
    browser, owner, member = home.as_(home.world.member), home.world.owner, home.world.member
    assert browser.get("/").status_code == 200
    home.world.by(owner, lambda tx: accounts.deactivate(tx, member.id, owner))
    assert browser.get("/").headers["location"] == "/sign-in"
