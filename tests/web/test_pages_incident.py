"""An incident handled by pages alone: what each form does, what it says after, and what a refusal keeps."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.domain.incident import Stage
from handrail.domain.run import Run
from handrail.kernel.canonical import digest_bytes
from handrail.operations import decisions, runs
from handrail.operations.shell import Tx
from handrail.plugins.integrations.contract import Parsed
from handrail.signals.ingest import Ingestor
from handrail.store import queries
from handrail.store.database import Database
from tests.web.houses import Browser, House, house
from tests.worlds import World, run_apart

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)"> {{ 7*7 }}'


@pytest.fixture
def home(sqlite: Database, tmp_path: Path) -> Iterator[House]:
    with house(sqlite, tmp_path) as made:
        yield made


@pytest.fixture
def each_home(database: Database, tmp_path: Path) -> Iterator[House]:
    """The same on either database."""
    with house(database, tmp_path) as made:
        yield made


def follow(browser: Browser, answer: Any) -> str:
    """The page that a form led to, with its notice."""
    assert answer.status_code == 303, answer.text
    notice = f"; handrail_notice={answer.cookies['handrail_notice']}"
    headers = {"Accept": "text/html", "Cookie": browser.get_cookie() + notice}
    browser.client.cookies.clear()
    page = browser.client.get(answer.headers["location"], headers=headers)
    assert page.status_code == 200
    return unescape(page.text)


def value_of(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, name
    return found[1]


def test_an_incident_goes_from_its_candidate_to_its_accepted_review_by_forms_alone(each_home: House) -> None:
    home = each_home
    world = home.world
    home.report_release()
    candidate = world.open_candidate()
    commander, approver, member = home.as_(world.commander), home.as_(world.approver), home.as_(world.member)
    board = commander.get("/").text
    assert "Waiting for a person to declare" in board and '<option value="SEV1" selected>SEV1 (suggested)' in board

    declared = commander.post(
        f"/candidates/{candidate}/declare", {"title": "No payments", "severity": "SEV1", "back": "/"}
    )
    assert "INC-1 is declared as SEV1; you command it." in follow(commander, declared)
    room = declared.headers["location"]
    world.incident_id = room.rpartition("/")[2]
    home.investigate()
    text = commander.get(room).text
    assert "Start this plan" in text and "is the likely cause" in text and "chart-marker" in text

    started = commander.post(f"{room}/runs", {"proposal_id": world.proposal_id, "back": room})
    assert "The plan is started: 6 tasks." in follow(commander, started)
    world.run_id = run_of(home)
    gate = world.gate_of("roll-back").id
    page = approver.get("/approvals").text
    voted = approver.post(
        f"/gates/{gate}/vote",
        {"vote": "approve", "digest": value_of(page, "digest"), "reason": "Only change.", "back": "/approvals"},
    )
    assert "You approved: roll back of payments to 2.4.0. It goes ahead now." in follow(approver, voted)
    world.act()
    world.check()

    for task, person in (("confirm-impact", commander), ("verify-journey", approver)):
        place = f"/tasks/{world.run_id}/{task}"
        assert "The task is yours." in follow(person, person.post(f"{place}/claim", {"back": place}))
        assert "The task is done." in follow(person, person.post(f"{place}/done", {"result": "Seen.", "back": place}))
    for task in ("tell-teams", "tell-executives"):
        send(home, member, commander, world.message_of(task).id)
    assert world.run.status == "finished"
    world.become_quiet()

    assert "is asked to sign readiness off" in follow(commander, commander.post(f"{room}/readiness", {"back": room}))
    text = approver.get(room).text
    gate = str(world.incident.readiness_gate_id)
    signed = approver.post(
        f"/gates/{gate}/vote",
        {"vote": "approve", "digest": world.gate(gate).subject.digest, "reason": "It holds.", "back": room},
    )
    assert "Approver signed off that payments is ready." in follow(approver, signed)
    closed = commander.post(f"{room}/close", {"reason": "Customers can pay again.", "back": room})
    text = follow(commander, closed)
    assert "INC-1 is closed. Its review is drafted from the record." in text and "Customers can pay again." in text

    review = re.search(r"/reviews/(rev_\w+)/edit", text)
    assert review
    saved = commander.post(
        f"/reviews/{review[1]}/edit",
        {"version": value_of(text, "version"), "helped": "The gate was quick.", "back": f"{room}/review"},
    )
    assert "The gate was quick." in follow(commander, saved)
    accepted = commander.post(f"/reviews/{review[1]}/accept", {"back": f"{room}/review"})
    assert "Accepted by Commander." in follow(commander, accepted)
    assert world.incident.stage == Stage.CLOSED


def send(home: House, writer: Browser, approver: Browser, message: str) -> None:
    """Edited and submitted by one person, approved by another, delivered by the engine."""
    place = f"/messages/{message}"
    page = writer.get(place).text
    edited = writer.post(
        f"{place}/edit",
        {"subject": "Payments", "text": "We know more.\r\nSoon.", "version": value_of(page, "version"), "back": place},
    )
    assert "are saved." in follow(writer, edited)
    assert home.world.message(message).text == "We know more.\nSoon."
    assert "waits for approval." in follow(writer, writer.post(f"{place}/submit", {"back": place}))
    gate = str(home.world.message(message).gate_id)
    said = {"vote": "approve", "digest": home.world.gate(gate).subject.digest, "reason": "True.", "back": place}
    assert "You approved: message to" in follow(approver, approver.post(f"/gates/{gate}/vote", said))
    for channel in home.world.message(message).channels:
        home.world.deliver(message, channel)
    assert 'class="state state-delivered"' in writer.get(place).text


def run_of(home: House) -> str:
    with home.context.shell.database.read() as connection:
        return queries.page(connection, Run)[0].id


def test_a_second_click_on_approve_is_one_vote_and_says_so(home: House) -> None:
    gate_id = home.to_gate()
    approver = home.as_(home.world.approver)
    digest = home.world.gate(gate_id).subject.digest
    fields = {"vote": "approve", "digest": digest, "reason": "Read.", "back": f"/gates/{gate_id}"}
    first, second = (approver.post(f"/gates/{gate_id}/vote", fields) for _ in range(2))
    assert first.status_code == 303
    assert "Your vote is recorded already; it counts once." in follow(approver, second)
    assert len(home.world.gate(gate_id).votes) == 1


def test_a_vote_on_other_content_than_shown_is_refused_and_keeps_the_reason(home: House) -> None:
    gate_id = home.to_gate()
    approver = home.as_(home.world.approver)
    fields = {"vote": "approve", "digest": "0" * 64, "reason": "I read it well.", "back": f"/gates/{gate_id}"}
    answer = approver.post(f"/gates/{gate_id}/vote", fields)
    text = unescape(answer.text)
    assert answer.status_code == 412 and "The content is not what you were shown." in text
    assert re.search(r'<textarea name="reason"[^>]*>I read it well\.</textarea>', text)
    assert f'name="back" value="/gates/{gate_id}"' in text
    assert home.world.gate(gate_id).votes == ()


def test_a_refused_form_keeps_what_was_typed(home: House) -> None:
    home.to_gate()
    commander, world = home.as_(home.world.commander), home.world
    closing = commander.post(f"{home.path}/close", {"reason": "It is over.", "back": home.path})
    assert closing.status_code == 409 and "Readiness is not signed off yet" in closing.text
    severity = commander.post(f"{home.path}/severity", {"severity": "SEV9", "reason": "worse", "back": home.path})
    assert severity.status_code == 422 and 'name="reason" value="worse"' in severity.text
    long = commander.post(f"{home.path}/notes", {"text": "x" * 4001, "back": home.path})
    assert long.status_code == 422 and "x" * 4001 in long.text
    place = f"/tasks/{world.run_id}/confirm-impact"
    world.by(world.member, lambda tx: claim(tx, world))
    taken = commander.post(f"{place}/done", {"result": "I saw it", "back": place})
    assert taken.status_code == 409 and "Somebody else has claimed this task." in taken.text


def claim(tx: Tx, world: World) -> None:
    runs.claim(tx, world.run_id, "confirm-impact", world.member)


def test_two_who_edit_a_message_at_once_both_see_both_versions(home: House) -> None:
    home.to_gate()
    world = home.world
    place = f"/messages/{world.message_of('tell-teams').id}"
    member, commander = home.as_(world.member), home.as_(world.commander)
    version = value_of(member.get(place).text, "version")
    first = {"subject": "First", "text": "Their words.", "version": version, "back": place}
    follow(commander, commander.post(f"{place}/edit", first))
    answer = member.post(f"{place}/edit", {**first, "subject": "Second", "text": "My words."})
    text = unescape(answer.text)
    assert answer.status_code == 412 and "Somebody else changed this message while you wrote." in text
    assert "Commander saved this meanwhile:" in text and "Their words." in text
    assert re.search(r"<textarea name=\"text\"[^>]*>My words\.</textarea>", text)
    again = {"subject": "Second", "text": "My words.", "version": value_of(text, "version"), "back": place}
    follow(member, member.post(f"{place}/edit", again))
    assert world.message_of("tell-teams").text == "My words."


def test_an_outcome_that_nobody_can_tell_is_put_to_a_person_with_three_choices(home: House) -> None:
    world = home.world
    gate_id = home.to_gate()
    world.vote(gate_id)
    started = world.start_action()
    world.finish_action(started.attempt, "unknown")
    member = home.as_(world.member)
    text = member.get(home.path).text
    assert "It happened" in text and "It did not happen" in text and "Let Handrail look again" in text
    place = f"/tasks/{world.run_id}/roll-back"
    empty = member.post(f"{place}/outcome", {"choice": "happened", "reason": " ", "back": place})
    assert empty.status_code == 422 and "Say how you know" in empty.text
    said = member.post(f"{place}/outcome", {"choice": "happened", "reason": "/version says 2.4.0", "back": place})
    assert "It is recorded as done." in follow(member, said)
    assert world.run.tasks["roll-back"].status == "done"


def test_a_gate_that_expired_is_asked_again_by_the_commander(home: House) -> None:
    world = home.world
    gate_id = home.to_gate()
    for _ in range(2):
        world.clock.advance(minutes=16)
        world.by_machine(lambda tx: decisions.tick(tx, "gate", gate_id))
    assert world.gate(gate_id).status == "expired"
    commander = home.as_(world.commander)
    assert "Ask for approval again" in commander.get(home.path).text
    follow(commander, commander.post(f"/tasks/{world.run_id}/roll-back/ask-again", {"back": home.path}))
    assert world.gate_of("roll-back").id != gate_id and world.gate_of("roll-back").status == "open"


def test_text_of_alerts_is_inert_on_every_page_that_shows_it(home: House) -> None:
    ingestor = Ingestor(home.world.shell)
    ingestor.start()
    said = Occurrence(
        "hostile", AlertStatus.FIRING, HOSTILE, "critical", HOSTILE, summary=HOSTILE, labels={"team": HOSTILE},
        occurred_at=home.world.clock.now(), link="javascript:alert(3)", raw=b'{"title":"<script>alert(1)</script>"}',
    )  # fmt: skip
    run_apart(ingestor.ingest("estate", Parsed((said,)), "token"))
    ingestor.close()
    with home.context.shell.database.read() as connection:
        alert_id = connection.execute(sa.text("SELECT id FROM hr_alert")).scalar()
    browser = home.as_(home.world.member)
    for path in ("/", "/alerts", f"/alerts/{alert_id}"):
        text = browser.get(path).text
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text and "<img src=x" not in text and 'href="javascript' not in text


def test_the_room_is_read_in_few_queries_however_many_alerts_it_has(home: House) -> None:
    world = home.world
    world.alerts = tuple(f"{service}-{n}" for n in range(100) for service in ("payments", "orders", "storefront"))
    home.to_gate()
    commander = home.as_(world.commander)
    commander.get(home.path)
    asked: list[str] = []

    def count(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    sa.event.listen(world.shell.database.engine, "before_cursor_execute", count)
    page = commander.get(home.path)
    sa.event.remove(world.shell.database.engine, "before_cursor_execute", count)
    assert page.status_code == 200 and '<span class="quiet">300</span>' in page.text
    assert len(asked) <= 26


def test_every_live_part_is_part_of_its_page(each_home: House) -> None:
    """What a page shows at first and what is morphed in later come from the same template and view."""
    home = each_home
    gate_id = home.to_gate()
    message = home.world.message_of("tell-teams").id
    browser = home.as_(home.world.approver)
    for path in ("/", home.path, "/approvals", f"/gates/{gate_id}", f"/tasks/{home.world.run_id}/roll-back",
                 f"/messages/{message}", "/alerts?q=pay", "/sources"):  # fmt: skip
        page = browser.get(path).text
        found = re.findall(r'data-live-url="([^"]+)"', page)
        assert found
        for url in found:
            part = browser.get(unescape(url))
            assert part.status_code == 200
            assert part.text.strip() in page, url


def test_a_page_listens_from_the_entry_that_it_shows(home: House) -> None:
    home.to_proposal()
    text = home.as_(home.world.commander).get(home.path).text
    with home.context.shell.database.read() as connection:
        size = connection.execute(sa.text("SELECT size FROM hr_head")).scalar()
    assert f'data-live-index="{int(size or 0) - 1}"' in text
    assert f"incident%3A{home.world.incident_id}" in text and "approvals" in text


def test_evidence_is_shown_with_charts_and_given_as_bytes(home: House) -> None:
    home.to_proposal()
    browser = home.as_(home.world.outsider)
    with home.context.shell.database.read() as connection:
        rows = connection.execute(sa.text("SELECT digest, about, content FROM hr_evidence")).all()
    drawn = 0
    for digest, about, content in rows:
        page = browser.get(f"/evidence/{digest}")
        assert page.status_code == 200 and about in page.text
        drawn += 'class="chart"' in page.text
        raw = browser.get(f"/evidence/{digest}/raw")
        assert raw.headers["content-type"] == "application/octet-stream" and digest_bytes(raw.content) == digest
        assert raw.headers["content-disposition"].startswith("attachment") and raw.content == bytes(content)
    assert drawn == 3


def test_an_incident_is_declared_by_hand_and_worked_without_any_machine(home: House) -> None:
    commander = home.as_(home.world.commander)
    fields = {"title": "Shops are dark", "severity": "SEV2", "services": "storefront, orders", "back": "/"}
    made = commander.post("/incidents", fields)
    assert "INC-1 is declared as SEV2" in follow(commander, made)
    room = made.headers["location"]
    half = {"half": "triage.machine", "reason": "We looked at the shelves.", "back": room}
    assert "half of the stage triage is done" in follow(commander, commander.post(f"{room}/halves", half))
    again = commander.post(f"{room}/halves", {"half": "nothing", "reason": "x", "back": room})
    assert again.status_code == 422 and "Choose which half" in again.text
    assert "The analyst looks again" in follow(commander, commander.post(f"{room}/investigate", {"back": room}))


def test_a_candidate_is_dismissed_with_a_reason(home: House) -> None:
    candidate = home.world.open_candidate()
    commander = home.as_(home.world.commander)
    empty = commander.post(f"/candidates/{candidate}/dismiss", {"reason": "", "back": "/"})
    assert empty.status_code == 422 and "Say why this is no incident" in empty.text
    done = commander.post(f"/candidates/{candidate}/dismiss", {"reason": "A load test.", "back": "/"})
    assert "is dismissed" in follow(commander, done)


def test_people_sources_and_tokens_are_made_with_secrets_shown_once(home: House) -> None:
    owner = home.as_(home.world.owner)
    made = owner.post("/people", {"login": "nora", "name": "Nora Night", "role": "responder", "teams": "team-orders"})
    assert made.status_code == 200 and "One-time password of Nora Night" in made.text
    taken = owner.post("/people", {"login": "nora", "name": "Other", "role": "responder", "back": "/people"})
    assert taken.status_code == 422 and "is taken" in taken.text and 'name="name" value="Other"' in taken.text
    added = owner.post("/sources", {"name": "prometheus-prod", "integration": "alertmanager"})
    secret = re.search(r'<p class="secret-value"><code>(hrt_[^<]+)</code>', added.text)
    assert added.status_code == 200 and secret
    assert secret[1] not in owner.get("/sources").text and "prometheus-prod" in owner.get("/sources").text
    owner.post("/sources", {"name": "scripts", "integration": "generic"})
    source_id = re.findall(r"/sources/(src_\w+)/signing-secrets", owner.get("/sources").text)[0]
    signing = owner.post(f"/sources/{source_id}/signing-secrets", {"secret": ""})
    sealed = re.search(r'<p class="secret-value"><code>(whsec_[^<]+)</code>', signing.text)
    assert sealed and "Signing secret of scripts" in signing.text
    given = owner.post(
        f"/sources/{source_id}/signing-secrets", {"secret": "the-senders-own-secret", "back": "/sources"}
    )
    page = follow(owner, given)
    assert "2 signing secrets" in page and "<code>cret</code>" in page
    assert sealed[1] not in page and "the-senders-own" not in page
    token = owner.post(f"/people/{home.world.owner.id}/tokens", {"label": "laptop", "scopes": ["read", "vote"]})
    assert "Token of Owner for laptop" in token.text and "hrt_" in token.text
    assert "hrt_" not in owner.get("/people").text
