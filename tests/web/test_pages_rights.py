"""What pages refuse: forms without their token, people without the right, addresses that lead elsewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.store.database import Database
from handrail.web.pages import FORMS
from tests.web.houses import House, house

_FILLED = {
    "candidate_id": "can_1", "incident_id": "inc_1", "gate_id": "gat_1", "run_id": "run_1", "task_id": "t",
    "message_id": "msg_1", "review_id": "rev_1", "account_id": "usr_1", "token_id": "tok_1", "source_id": "src_1",
    "silence_id": "sil_1", "correction_id": "cor_1", "alert_id": "alr_1", "item_id": "qua_1",
    "secret_id": "sec_1", "confirmation_id": "cnf_1",
}  # fmt: skip
PATHS = [form.path.format(**_FILLED) for form in FORMS]


@pytest.fixture
def home(sqlite: Database, tmp_path: Path) -> Iterator[House]:
    with house(sqlite, tmp_path) as made:
        yield made


def size_of(home: House) -> int:
    found = re.search(r"Record entry.*?#(\d+)", home.as_(home.world.owner).get("/").text, re.DOTALL)
    assert found
    return int(found[1])


def test_every_form_without_its_token_is_refused_and_changes_nothing(home: House) -> None:
    before = size_of(home)
    browser = home.as_(home.world.owner)
    for path in PATHS:
        for wrong in ("", "not the token"):
            answer = browser.post(path, {"back": "/"}, csrf=wrong or "none")
            assert answer.status_code == 403, path
            assert "The page is out of date" in answer.text and 'class="panel door"' in answer.text
    assert size_of(home) == before


def test_every_form_from_another_site_is_refused_even_with_its_token(home: House) -> None:
    browser = home.as_(home.world.owner)
    for path in PATHS:
        answer = browser.post(path, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403 and "did not come from a page of this server" in answer.text, path


def test_every_form_of_somebody_unknown_leads_to_the_sign_in(home: House) -> None:
    for path in PATHS:
        answer = home.nobody.post(path, {"back": "/"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), path


def test_an_observer_sees_no_button_that_is_not_theirs(home: House) -> None:
    gate_id = home.to_gate()
    browser = home.as_(home.world.outsider)
    message = home.world.message_of("tell-teams").id
    for path in ("/", home.path, "/approvals", f"/gates/{gate_id}", f"/tasks/{home.world.run_id}/roll-back",
                 f"/messages/{message}", "/alerts", "/sources"):  # fmt: skip
        page = browser.get(path)
        assert page.status_code == 200
        forms = set(re.findall(r'<form method="post" action="([^"]+)"', page.text))
        assert forms <= {"/sign-out"}, (path, forms)
        assert 'href="/record' not in page.text


def test_an_observer_is_refused_what_the_page_did_not_offer(home: House) -> None:
    gate_id = home.to_gate()
    gate, browser = home.world.gate(gate_id), home.as_(home.world.outsider)
    vote = {"vote": "approve", "digest": gate.subject.digest, "reason": "let me", "back": f"/gates/{gate_id}"}
    for path, fields in (
        (f"/gates/{gate_id}/vote", vote),
        (f"/tasks/{home.world.run_id}/confirm-impact/claim", {}),
        (f"{home.path}/notes", {"text": "mine"}),
        (f"{home.path}/close", {"reason": "bored"}),
        (f"/messages/{home.world.message_of('tell-teams').id}/submit", {}),
        ("/incidents", {"title": "mine", "severity": "SEV1"}),
    ):
        answer = browser.post(path, fields)
        assert answer.status_code == 403, path
        assert "which your roles do not grant" in answer.text
    assert home.world.gate(gate_id).status == "open" and home.world.gate(gate_id).votes == ()


def test_who_proposed_or_started_an_action_is_told_why_somebody_else_decides(home: House) -> None:
    gate_id = home.to_gate()
    page = home.as_(home.world.commander).get(f"/gates/{gate_id}")
    assert "so somebody else must decide" in page.text and "/vote" not in page.text
    digest = home.world.gate(gate_id).subject.digest
    fields = {"vote": "approve", "digest": digest, "reason": "I want it", "back": f"/gates/{gate_id}"}
    answer = home.as_(home.world.commander).post(f"/gates/{gate_id}/vote", fields)
    assert answer.status_code == 403 and "so somebody else must decide" in answer.text
    assert home.world.gate(gate_id).status == "open"


def test_the_record_is_for_those_who_may_read_it(home: House) -> None:
    for path in ("/record", "/record/0"):
        assert home.as_(home.world.outsider).get(path).status_code == 403
        assert home.as_(home.world.member).get(path).status_code == 200
    assert home.as_(home.world.outsider).post("/record/verify", {"back": "/record"}).status_code == 403


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "/x\r\nSet-Cookie: a=b", ""]
)
def test_a_form_leads_back_to_this_server_only(home: House, back: str) -> None:
    home.to_proposal()
    answer = home.as_(home.world.commander).post(f"{home.path}/notes", {"text": "seen", "back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_notice_that_somebody_else_planted_is_not_shown(home: House) -> None:
    browser = home.as_(home.world.member)
    browser.client.cookies.set("handrail_notice", "WyJkb25lIiwgIllvdSB3b24iXQ==.forged")
    assert browser.signed_in is not None
    headers = {
        "Cookie": f"handrail_session={browser.signed_in.token}; handrail_notice=WyJkb25lIiwgIllvdSB3b24iXQ.forged"
    }
    assert "You won" not in browser.client.get("/", headers={**headers, "Accept": "text/html"}).text


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/incidents/inc_none", "/gates/x", "/tasks/a/b", "/messages/m", "/alerts/a", "/record/99999",
     "/record/x", "/record/99999999999999999999", "/evidence/abc", "/incidents/inc_none/review", "/board/parts/none"],
)  # fmt: skip
def test_what_is_not_there_is_said_in_a_page_with_a_way_back(home: House, path: str) -> None:
    page = home.as_(home.world.owner).get(path)
    assert page.status_code == 404 and page.headers["content-type"].startswith("text/html")
    assert '<a class="button primary" href="/">Go back</a>' in page.text and 'class="menu"' in page.text


def test_the_api_goes_on_answering_with_problems(home: House) -> None:
    answer = home.nobody.get("/api/v1/incidents")
    assert answer.status_code == 401 and answer.headers["content-type"] == "application/problem+json"
