"""Walks the demonstration's human steps by clicking, in a real Chromium, over the practice estate and a real server.

Run: .venv/bin/python -m tests.web.walk; screenshots of every page in both themes go to build/screens/real.
"""

import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from handrail.drills.demo.world import Sources, World
from tests.web.gallery import LAUNCH

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

SCREENS = Path(__file__).parents[2] / "build" / "screens" / "real"
WAIT_MS = 60_000
PEOPLE = (
    ("carol", "Carol Commander", "responder", ""),
    ("paul", "Paul Payments", "responder", "team-payments"),
    ("olaf", "Olaf Observer", "observer", ""),
)


@dataclass
class Walker:
    """Takes pictures in both themes, and remembers what browsers complain about."""

    browser: "Browser"
    address: str
    said: list[str] = field(default_factory=list)
    pictures: int = 0

    def context(self) -> "BrowserContext":
        made = self.browser.new_context(
            base_url=self.address, viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
        )
        made.set_default_timeout(WAIT_MS)
        return made

    def open(self, context: "BrowserContext") -> "Page":
        page = context.new_page()
        page.on("console", lambda message: self.said.append(message.text) if is_fault(message) else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        return page

    def shoot(self, page: "Page", name: str, phone: bool = False) -> None:
        """One picture a theme of the page as it is."""
        self.pictures += 1
        page.mouse.wheel(0, -50_000)
        sizes = [(1440, "")] + ([(390, "-phone")] if phone else [])
        for width, suffix in sizes:
            page.set_viewport_size({"width": width, "height": 900})
            for theme in ("dark", "light"):
                page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
                file = SCREENS / f"{self.pictures:02}-{name}-{theme}{suffix}.png"
                page.screenshot(path=file, full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})

    def enter(self, login: str, one_time: str) -> "Page":
        """First sign-in with a one-time password, which ends with setting one's own."""
        page = self.open(self.context())
        page.goto("/approvals")
        if login == "owner":
            self.shoot(page, "sign-in", phone=True)
        page.get_by_label("Name").fill(login)
        page.get_by_label("Password").fill(one_time)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("One-time password").fill(one_time)
        page.locator("#password").fill(f"{login} walks the rail")
        page.locator("#again").fill(f"{login} walks the rail")
        if login == "owner":
            self.shoot(page, "set-password")
        page.get_by_role("button", name="Set the password").click()
        page.get_by_role("heading", name="Board").wait_for()
        return page


def is_fault(message: "ConsoleMessage") -> bool:
    """What a browser complains about, but for the one page that is refused on purpose."""
    return message.type == "error" and "403" not in message.text


def secret_of(page: "Page") -> str:
    return page.locator(".secret-value code").inner_text()


def csrf_of(page: "Page") -> str:
    return str(page.locator('input[name="csrf"]').first.get_attribute("value"))


def put_in_force(page: "Page", document: str) -> None:
    """A document, through the API with the page's own session."""
    headers = {
        "X-CSRF-Token": csrf_of(page), "Origin": "/".join(page.url.split("/")[:3]), "Content-Type": "application/yaml",
    }  # fmt: skip
    answer = page.request.post("/api/v1/documents", data=document, headers=headers)
    assert answer.ok, answer.text()


def set_up(walker: Walker, world: World, one_time: str) -> "dict[str, Page]":
    """The owner lets people in and adds the sources, by clicking."""
    owner = walker.enter("owner", one_time)
    walker.shoot(owner, "board-empty")
    tokens = {}
    for name, integration in (("estate", "alertmanager"), ("delivery", "cloudevents")):
        owner.goto("/sources")
        owner.get_by_label("Name").fill(name)
        owner.get_by_label("What it speaks").select_option(integration)
        owner.get_by_role("button", name="Add the source").click()
        tokens[name] = secret_of(owner)
    walker.shoot(owner, "source-added")
    addresses = {row["name"]: row["address"] for row in owner.request.get("/api/v1/sources").json()["items"]}
    base = walker.address
    world.begin_estate(
        Sources(base + addresses["estate"], tokens["estate"], base + addresses["delivery"], tokens["delivery"])
    )
    pages = {"owner": owner}
    for login, name, role, teams in PEOPLE:
        owner.goto("/people")
        owner.get_by_label("Sign-in name").fill(login)
        owner.locator("#new-name").fill(name)
        owner.locator("#new-teams").fill(teams)
        owner.locator("#new-role").select_option(role)
        owner.get_by_role("button", name="Make the account").click()
        one_time = secret_of(owner)
        if login == "carol":
            walker.shoot(owner, "people")
        pages[login] = walker.enter(login, one_time)
    world.await_estate()
    owner.goto("/")
    put_in_force(owner, world.estate.catalog_path.read_text())
    time.sleep(4)
    return pages


def outbreak(walker: Walker, world: World, pages: "dict[str, Page]") -> None:
    carol = pages["carol"]
    carol.goto("/")
    world.estate.release("payments", "2.4.1")
    declare = carol.get_by_role("button", name="Declare the incident")
    declare.wait_for()
    carol.locator(".candidate .chip").nth(2).wait_for()
    walker.shoot(carol, "board-candidate", phone=True)
    declare.click()
    carol.get_by_text("is declared as").wait_for()
    walker.shoot(carol, "room-declared")
    carol.get_by_role("button", name="Start this plan").wait_for()
    walker.shoot(carol, "room-cause", phone=True)
    carol.get_by_role("button", name="Start this plan").click()
    carol.get_by_text("The plan is started").wait_for()
    walker.shoot(carol, "room-started")


def approve(walker: Walker, pages: "dict[str, Page]") -> None:
    carol, paul, olaf = pages["carol"], pages["paul"], pages["olaf"]
    olaf.goto(carol.url)
    walker.shoot(olaf, "room-observer")
    paul.goto("/approvals")
    paul.get_by_label("Your reason").first.wait_for()
    walker.shoot(paul, "approvals", phone=True)
    paul.get_by_role("link", name="The whole gate").first.click()
    paul.get_by_label("Your reason").wait_for()
    walker.shoot(paul, "gate")
    paul.get_by_label("Your reason").fill("2.4.0 ran for days, and the leak began with 2.4.1.")
    paul.get_by_role("button", name="Approve roll back of payments").click()
    paul.get_by_text("You approved").wait_for()
    walker.shoot(paul, "gate-approved")


def do_tasks(walker: Walker, pages: "dict[str, Page]") -> None:
    carol, paul = pages["carol"], pages["paul"]
    carol.get_by_role("button", name="Take the task: Confirm what customers feel").click()
    carol.get_by_placeholder("What came of it").fill("One order in two fails at the payment step.")
    carol.get_by_role("button", name="Mark as done: Confirm what customers feel").click()
    carol.get_by_text("The task is done.").wait_for()
    send(walker, pages, "teams")
    carol.goto(room_of(carol))
    carol.locator(".outcome-recovered").wait_for()
    walker.shoot(carol, "room-recovered", phone=True)
    paul.goto(room_of(carol))
    paul.get_by_role("button", name="Take the task: Verify the customer").click()
    walker.shoot(paul, "room-owner")
    paul.get_by_placeholder("What came of it").fill("Bought one thing; it arrived in the order list.")
    paul.get_by_role("button", name="Mark as done: Verify").click()
    paul.get_by_text("The task is done.").wait_for()
    send(walker, pages, "executives")


def send(walker: Walker, pages: "dict[str, Page]", audience: str) -> None:
    """Dora is away: Paul edits and submits, Carol approves."""
    carol, paul = pages["carol"], pages["paul"]
    paul.goto(room_of(carol))
    paul.get_by_role("link", name=f"To {audience}").click()
    paul.get_by_label("Text").wait_for()
    if audience == "teams":
        walker.shoot(paul, "message-draft")
    words = paul.locator("textarea[name=text]").input_value()
    paul.locator("textarea[name=text]").fill(words + "\n\nPlease do not deploy payments until this is closed.")
    paul.get_by_role("button", name=f"Save the text for {audience}").click()
    paul.get_by_text(f"The words for {audience} are saved.").wait_for()
    paul.get_by_role("button", name="Put to approval").click()
    paul.get_by_text("waits for approval").first.wait_for()
    carol.goto("/approvals")
    carol.get_by_label("Your reason").fill("True, and no more than is known.")
    if audience == "teams":
        walker.shoot(carol, "approvals-message")
    carol.get_by_role("button", name=f"Approve message to {audience}").click()
    carol.get_by_text("You approved").wait_for()
    paul.locator(".state-delivered").first.wait_for()
    if audience == "teams":
        walker.shoot(paul, "message-delivered")


def finish(walker: Walker, pages: "dict[str, Page]") -> None:
    carol, paul = pages["carol"], pages["paul"]
    carol.goto(room_of(carol))
    carol.get_by_role("button", name="to sign off that payments is ready").click()
    paul.goto(room_of(carol))
    paul.locator("#readiness").get_by_label("Your reason").fill("Error rate and latency are where they were before.")
    walker.shoot(paul, "room-readiness")
    paul.get_by_role("button", name="Approve readiness of payments").click()
    paul.get_by_text("You approved").wait_for()
    carol.get_by_label("Why it is over").fill("Customers can pay again, and nothing fires.")
    walker.shoot(carol, "room-closing")
    carol.get_by_role("button", name="Close INC-1").click()
    carol.get_by_text("is closed. Its review").wait_for()
    carol.get_by_label("What helped").fill("The finding named the release within seconds.")
    carol.get_by_role("button", name="Save the review").click()
    carol.get_by_text("The review is saved.").wait_for()
    walker.shoot(carol, "review-draft")
    carol.get_by_role("button", name="Accept the review").click()
    carol.get_by_text("The review is accepted").wait_for()
    walker.shoot(carol, "review")


def look_around(walker: Walker, pages: "dict[str, Page]") -> None:
    carol, owner, olaf = pages["carol"], pages["owner"], pages["olaf"]
    carol.goto(room_of(carol))
    walker.shoot(carol, "room-closed")
    carol.locator(".evidence-foot a").first.click()
    walker.shoot(carol, "evidence")
    carol.goto("/record")
    carol.get_by_role("button", name="Verify all").click()
    carol.locator(".verdict-good").wait_for()
    walker.shoot(carol, "record-verified")
    carol.get_by_role("link", name="40", exact=True).click() if carol.get_by_role(
        "link", name="40", exact=True
    ).count() else carol.goto("/record/40")
    walker.shoot(carol, "entry")
    carol.goto("/alerts")
    walker.shoot(carol, "alerts")
    carol.locator("table.alerts a").first.click()
    walker.shoot(carol, "alert")
    run = carol.request.get("/api/v1/incidents").json()["items"][0]["id"]
    carol.goto(f"/incidents/{run}")
    carol.locator(".task-title").first.click()
    walker.shoot(carol, "task")
    owner.goto("/sources")
    walker.shoot(owner, "sources")
    owner.goto("/people")
    walker.shoot(owner, "people-all")
    carol.goto("/")
    walker.shoot(carol, "board-quiet")
    olaf.goto("/record")
    walker.shoot(olaf, "error-not-allowed")


_ROOMS: dict[str, str] = {}


def room_of(page: "Page") -> str:
    """The one incident's room."""
    if "room" not in _ROOMS:
        found = page.request.get("/api/v1/incidents").json()["items"][0]["id"]
        _ROOMS["room"] = f"/incidents/{found}"
    return _ROOMS["room"]


def main() -> int:
    from playwright.sync_api import sync_playwright

    SCREENS.mkdir(parents=True, exist_ok=True)
    world = World(Path(tempfile.mkdtemp(prefix="handrail-walk-")), None, 0)
    began = time.monotonic()
    try:
        address, one_time = world.server.start()
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=LAUNCH)
            walker = Walker(browser, address)
            pages = set_up(walker, world, one_time)
            outbreak(walker, world, pages)
            for chapter in (approve, do_tasks, finish, look_around):
                chapter(walker, pages)
            browser.close()
    except BaseException:
        print((world.work_dir / "handrail.log").read_text()[-4000:], file=sys.stderr)
        raise
    finally:
        world.stop()
    print(f"{walker.pictures} pages in {SCREENS} after {time.monotonic() - began:.0f} s", *walker.said, sep="\n")
    return 1 if walker.said else 0


if __name__ == "__main__":
    sys.exit(main())
