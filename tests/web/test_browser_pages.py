"""People at a real Chromium over the real application: clicking, keyboard, two at once, and what must not run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.domain.people import Person
from handrail.operations import accounts
from handrail.plugins.integrations.contract import Parsed
from handrail.signals.ingest import Ingestor
from handrail.store.database import Database
from handrail.web.auth import COOKIE
from tests.web.gallery import LAUNCH
from tests.web.houses import House, house, served
from tests.worlds import run_apart

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright to drive a browser")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium to look at pages as people do"),
]
WAIT_MS = 20_000
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=LAUNCH)
        yield browser
        browser.close()


@dataclass
class Desk:
    """The house with browsers before it. `said` is whatever a browser complained about."""

    home: House
    address: str
    chromium: "Browser"
    said: list[str] = field(default_factory=list)
    contexts: list["BrowserContext"] = field(default_factory=list)

    def seat(self, person: Person | None = None) -> "Page":
        """A browser of one's own, signed in when somebody sits down."""
        context = self.chromium.new_context(base_url=self.address, reduced_motion="reduce")
        context.set_default_timeout(WAIT_MS)
        self.contexts.append(context)
        if person is not None:
            token = self.home.session_of(person).token
            context.add_cookies([{"name": COOKIE, "value": token, "url": self.address, "httpOnly": True}])
        page = context.new_page()
        page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        return page


@pytest.fixture
def desk(sqlite: Database, tmp_path: Path, chromium: "Browser") -> Iterator[Desk]:
    with house(sqlite, tmp_path) as home, served(home) as address:
        made = Desk(home, address, chromium)
        yield made
        for context in made.contexts:
            context.close()


def live(page: "Page") -> "Page":
    page.locator('#live-mark[data-state="live"]').wait_for()
    return page


@contextmanager
def quiet(desk: Desk) -> Iterator[None]:
    """Nothing may complain meanwhile: no error in the console, nothing that the policy stopped."""
    desk.said.clear()
    yield
    assert desk.said == []


def test_a_newcomer_signs_in_with_a_one_time_password_and_sets_their_own(desk: Desk) -> None:
    owner, member = desk.home.world.owner, desk.home.world.member
    password = desk.home.world.by(owner, lambda tx: accounts.reset_password(tx, member.id, owner))
    with quiet(desk):
        page = desk.seat()
        page.goto("/approvals")
        page.get_by_label("Name").fill("member")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Choose your own password").wait_for()
        page.goto("/record")
        page.get_by_label("One-time password").fill(password)
        page.locator("#password").fill("a rail to hold at night")
        page.locator("#again").fill("a rail to hold at night")
        page.get_by_role("button", name="Set the password").click()
        page.get_by_role("heading", name="Board").wait_for()
        assert page.get_by_text("Your password is set.").is_visible()
        page.locator(".account summary").click()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("heading", name="Sign in").wait_for()


def test_a_commander_and_an_approver_take_an_outage_from_candidate_to_closing_by_clicking(desk: Desk) -> None:
    home, world = desk.home, desk.home.world
    home.report_release()
    world.open_candidate()
    with quiet(desk):
        carol, paul = desk.seat(world.commander), desk.seat(world.approver)
        carol.goto("/")
        carol.get_by_role("button", name="Declare the incident").click()
        carol.get_by_text("you command it").wait_for()
        world.incident_id = carol.url.rpartition("/")[2]
        live(carol)
        home.investigate()
        carol.get_by_role("button", name="Start this plan").click()
        carol.get_by_text("The plan is started").wait_for()
        carol.get_by_role("button", name="Take the task: Confirm what customers feel").click()
        carol.get_by_placeholder("What came of it").fill("One order in two fails.")
        carol.get_by_role("button", name="Mark as done: Confirm what customers feel").click()
        carol.get_by_text("The task is done.").wait_for()
        paul.goto("/approvals")
        paul.get_by_label("Your reason").fill("The only change, and 2.4.0 ran for days.")
        paul.get_by_role("button", name="Approve roll back of payments to 2.4.0").click()
        paul.get_by_text("It goes ahead now.").wait_for()
        live(carol)
        world.run_id = run_of(carol)
        world.act()
        world.check()
        carol.locator(".outcome-recovered").wait_for()
        _edit_and_submit(paul, f"/messages/{world.message_of('tell-teams').id}")
        carol.goto("/approvals")
        carol.get_by_label("Your reason").fill("True.")
        carol.get_by_role("button", name="Approve message to teams").click()
        carol.get_by_text("You approved").wait_for()


def _edit_and_submit(page: "Page", path: str) -> None:
    page.goto(path)
    page.get_by_label("Text").fill("Payments fails; it is being rolled back.")
    page.get_by_role("button", name="Save the text for teams").click()
    page.get_by_text("are saved").wait_for()
    page.get_by_role("button", name="Put to approval").click()
    page.get_by_text("waits for approval").first.wait_for()


def run_of(page: "Page") -> str:
    href = page.locator(".task-title").first.get_attribute("href")
    assert href is not None
    return href.split("/")[2]


def test_readiness_is_asked_and_signed_and_the_incident_closed_and_reviewed_by_clicking(desk: Desk) -> None:
    home, world = desk.home, desk.home.world
    home.report_release()
    world.to_recovery()
    world.become_quiet()
    with quiet(desk):
        carol, paul = desk.seat(world.commander), desk.seat(world.approver)
        carol.goto(home.path)
        carol.get_by_role("button", name="to sign off that payments is ready").click()
        paul.goto(home.path)
        paul.locator("#readiness").get_by_label("Your reason").fill("Rates are where they were.")
        paul.get_by_role("button", name="Approve readiness of payments").click()
        paul.get_by_text("You approved").wait_for()
        carol.get_by_label("Why it is over").fill("Customers can pay again.")
        carol.get_by_role("button", name="Close INC-1").click()
        carol.get_by_text("Its review is drafted").wait_for()
        carol.get_by_label("What helped").fill("The gate was quick.")
        carol.get_by_role("button", name="Save the review").click()
        carol.get_by_text("The review is saved.").wait_for()
        carol.get_by_role("button", name="Accept the review").click()
        carol.get_by_text("The review is accepted").wait_for()
        carol.goto("/record")
        carol.get_by_role("button", name="Verify all").click()
        carol.locator(".verdict-good").wait_for()


def test_an_approval_is_given_by_keyboard_alone(desk: Desk) -> None:
    world = desk.home.world
    gate_id = desk.home.to_gate()
    with quiet(desk):
        page = live_at(desk, world.approver, "/")
        page.keyboard.press("g")
        page.keyboard.press("a")
        page.get_by_role("heading", name="My approvals").wait_for()
        live(page)
        page.keyboard.press("j")
        focused = page.locator("article.approval:focus")
        focused.wait_for()
        for _ in range(30):
            if page.locator("textarea[name=reason]:focus").count():
                break
            page.keyboard.press("Tab")
        page.keyboard.type("I have read every line of it.")
        page.keyboard.press("Tab")
        assert page.locator("button[value=approve]:focus").count() == 1
        page.keyboard.press("Enter")
        page.get_by_text("It goes ahead now.").wait_for()
    assert world.gate(gate_id).status == "satisfied"
    assert world.gate(gate_id).votes[0].words == "I have read every line of it."


def live_at(desk: Desk, person: Person, path: str) -> "Page":
    page = desk.seat(person)
    page.goto(path)
    return live(page)


def test_a_second_browser_sees_a_change_live_and_keeps_what_is_being_typed(desk: Desk) -> None:
    world = desk.home.world
    desk.home.to_gate()
    with quiet(desk):
        watcher = live_at(desk, world.member, desk.home.path)
        watcher.locator("#note").fill("half a thou")
        actor = live_at(desk, world.commander, desk.home.path)
        actor.locator("#note").fill("Support has the script.")
        actor.get_by_role("button", name="Note it").click()
        watcher.get_by_text("Note: Support has the script.").wait_for(timeout=WAIT_MS)
        assert watcher.locator("#note").input_value() == "half a thou"
        count = watcher.locator("#approvals-count")
        assert count.inner_text().strip() == ""


def test_the_count_of_waiting_approvals_comes_up_on_every_page(desk: Desk) -> None:
    world = desk.home.world
    desk.home.to_proposal()
    with quiet(desk):
        page = live_at(desk, world.approver, "/people")
        world.start_run()
        page.locator("#approvals-count .count").wait_for()


def test_a_double_click_on_approve_is_one_vote(desk: Desk) -> None:
    world = desk.home.world
    gate_id = desk.home.to_gate()
    page = live_at(desk, world.approver, f"/gates/{gate_id}")
    page.get_by_label("Your reason").fill("Read.")
    page.get_by_role("button", name="Approve roll back").dblclick()
    page.locator(".notice").wait_for()
    page.locator(".gate-satisfied").wait_for()
    assert len(world.gate(gate_id).votes) == 1


def test_an_alert_with_a_script_in_its_title_does_nothing_but_show_it(desk: Desk) -> None:
    with quiet(desk):
        page = live_at(desk, desk.home.world.member, "/")
        say_hostile(desk.home)
        link = page.get_by_role("link", name="<script>document.title").first
        link.wait_for()
        assert page.title() != "owned"
        link.click()
        page.get_by_role("heading", name="<script>document.title").wait_for()
        page.locator("#raw summary").click()
        assert page.title() != "owned"


def say_hostile(home: House) -> None:
    """An alert whose every text is an attack."""
    ingestor = Ingestor(home.world.shell)
    ingestor.start()
    said = Occurrence(
        "hostile", AlertStatus.FIRING, HOSTILE, "critical", HOSTILE, summary=HOSTILE, labels={"a": HOSTILE},
        occurred_at=home.world.clock.now(), raw=b'{"title":"' + HOSTILE.replace('"', '\\"').encode() + b'"}',
    )  # fmt: skip
    run_apart(ingestor.ingest("estate", Parsed((said,)), "token"))
    ingestor.close()


def test_no_page_makes_the_browser_complain(desk: Desk) -> None:
    home, world = desk.home, desk.home.world
    home.report_release()
    world.whole()
    home.context.checkpointer.run_once(world.clock.now())
    message, gate = world.message_of("tell-teams").id, world.gate_of("roll-back").id
    pages = [
        "/", home.path, f"{home.path}/review", "/approvals", "/alerts", "/record", "/record/3", "/sources", "/people",
        f"/tasks/{world.run_id}/roll-back", f"/messages/{message}", "/password", f"/gates/{gate}",
    ]  # fmt: skip
    with quiet(desk):
        page = desk.seat(world.owner)
        for path in pages:
            page.goto(path)
            page.locator("h1").wait_for()


def test_an_observer_has_no_approve_button(desk: Desk) -> None:
    gate_id = desk.home.to_gate()
    page = live_at(desk, desk.home.world.outsider, f"/gates/{gate_id}")
    assert page.get_by_text("Your roles do not let you decide gates.").is_visible()
    assert page.locator("button[name=vote]").count() == 0


def test_pages_can_be_used_on_a_phone_without_scrolling_sideways(desk: Desk) -> None:
    gate_id = desk.home.to_gate()
    page = desk.seat(desk.home.world.approver)
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/", desk.home.path, "/approvals", f"/gates/{gate_id}", "/alerts", "/record", "/people", "/sources"):
        page.goto(path)
        page.locator("h1").wait_for()
        width = page.locator("main").bounding_box()
        assert width is not None and width["width"] <= 360, path


def test_an_alert_is_split_off_and_merged_back_by_keyboard_alone(desk: Desk) -> None:
    candidate = desk.home.world.open_candidate()
    with quiet(desk):
        page = live(_at(desk, f"/candidates/{candidate}"))
        page.get_by_label("Choose storefront is failing").focus()
        page.keyboard.press("Space")
        page.get_by_label("Chosen alerts go to").focus()
        page.keyboard.type("a candidate of")
        page.keyboard.press("Tab")
        page.keyboard.type("The shop is another matter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("1 alert is a candidate of its own now.").wait_for()
        page.get_by_text("A person put it here. Before: payments is called by it").wait_for()
        page.get_by_label("Everything goes to").focus()
        page.keyboard.type("Payments")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.type("No, it is not")
        page.keyboard.press("Enter")
        page.get_by_text("Merged; here is everything, 3 alerts.").wait_for()


def _at(desk: Desk, path: str) -> "Page":
    page = desk.seat(desk.home.world.commander)
    page.goto(path)
    return page
