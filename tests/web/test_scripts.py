"""The client scripts in a real Chromium: live parts keep what a person is doing, staleness shows, keys work."""

import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from handrail.web import filters
from tests.web import samples
from tests.web.gallery import LAUNCH, POLICY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")
ENVIRONMENT = filters.environment()
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass
class Site:
    """The room as the server shows it now, and the words that go down the live stream. None ends the stream."""

    view: Any = samples.INCIDENT
    news: "queue.Queue[dict[str, Any] | None]" = field(default_factory=queue.Queue)
    asked: list[str] = field(default_factory=list)
    broken: bool = False
    address: str = ""

    def answer(self, path: str) -> bytes:
        page = next(shot[2] for shot in samples.shots() if shot[0] == "incident")
        part = path.rsplit("/", 1)[-1]
        template = f"parts/incident/{part}.html" if "/parts/" in path else "incident.html"
        if path.startswith("/approvals/"):
            template = "parts/approvals/count.html"
        return filters.render(ENVIRONMENT, template, page, self.view).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        path = self.path.split("?")[0]
        site.asked.append(self.path)
        if path == "/live":
            self._stream(site)
        elif site.broken:
            self.send_error(503)
        elif path.startswith("/static/"):
            file = filters.STATIC / path.removeprefix("/static/")
            self._send(file.read_bytes(), TYPES[file.suffix])
        else:
            self._send(site.answer(path), "text/html; charset=utf-8")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, site: Site) -> None:
        if site.broken:
            self.send_error(503)
            return
        self._send(b": here\n\n", "text/event-stream")
        self.wfile.flush()
        while (news := site.news.get()) is not None:
            self.wfile.write(f"id: {news['index']}\nevent: changed\ndata: {json.dumps(news)}\n\n".encode())
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with sync_api.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), args=LAUNCH)
        yield opened
        opened.close()


@pytest.fixture
def site() -> Iterator[Site]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Site(address=f"http://127.0.0.1:{server.server_port}")
    server.site = made  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    made.news.put(None)
    server.shutdown()
    server.server_close()


@pytest.fixture
def room(browser: "Browser", site: Site) -> Iterator["Page"]:
    tab = browser.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(f"{site.address}/incidents/inc_1")
    tab.wait_for_selector('#live-mark[data-state="live"]')
    yield tab
    assert complaints == []
    tab.close()


def changed(site: Site, view: Any, index: int = 1285, topic: str = "incident:inc_1") -> None:
    site.view = view
    site.news.put({"topics": [topic], "index": index})


def test_news_changes_the_room_and_keeps_typed_text_focus_and_open_details(site: Site, room: "Page") -> None:
    room.fill("#reason-gat_1", "The release is the only")
    room.focus("#reason-gat_1")
    room.click("#cause-fnd_1-rejected > summary")
    room.fill("#text-msg_1", "My own words")
    room.focus("#reason-gat_1")
    changed(site, replace(samples.INCIDENT, title="Card payments fail everywhere", needs=samples.INCIDENT.needs[:1]))
    room.wait_for_selector("h1:has-text('everywhere')")
    room.wait_for_selector("#needs-title:has-text('1 thing needs you')")
    assert room.input_value("#reason-gat_1") == "The release is the only"
    assert room.input_value("#text-msg_1") == "My own words"
    assert room.evaluate("document.activeElement.id") == "reason-gat_1"
    assert room.locator("#cause-fnd_1-rejected").get_attribute("open") is not None
    assert room.title() == "INC-1 Card payments fail at checkout · Handrail"


def test_words_not_yet_saved_outlive_another_persons_edit_of_the_same_draft(site: Site, room: "Page") -> None:
    room.fill("#text-msg_1", "My own words")
    room.focus("#note")
    edited = replace(samples.DRAFT, subject="Edited by another", text="Other words")
    changed(site, replace(samples.INCIDENT, messages=(edited, *samples.INCIDENT.messages[1:])))
    room.wait_for_selector('#subject-msg_1[value="Edited by another"]')
    assert room.input_value("#text-msg_1") == "My own words"
    assert room.input_value("#subject-msg_1") == "Edited by another"


def test_a_new_gate_never_inherits_the_reason_typed_for_the_old_one(site: Site, room: "Page") -> None:
    room.fill("#reason-gat_1", "For the old content")
    fresh = replace(samples.GATE, id="gat_77", digest=samples.OTHER)
    changed(site, replace(samples.INCIDENT, proposals=(replace(samples.PROPOSAL, gate=fresh),)))
    room.wait_for_selector("#vote-gat_77")
    assert room.input_value("#reason-gat_77") == ""
    assert room.locator("#vote-gat_1").count() == 0


def test_a_storm_of_news_is_one_fetch_a_part(site: Site, room: "Page") -> None:
    before = len(site.asked)
    for index in range(1285, 1325):
        site.news.put({"topics": ["incident:inc_1"], "index": index})
    changed(site, replace(samples.INCIDENT, title="After the storm"), 1325)
    room.wait_for_selector("h1:has-text('After the storm')")
    room.wait_for_selector('body[data-live-index="1325"]')
    assert len([path for path in site.asked[before:] if "/parts/head" in path]) <= 3


def test_news_of_another_topic_fetches_nothing(site: Site, room: "Page") -> None:
    before = len(site.asked)
    site.news.put({"topics": ["incident:inc_other"], "index": 1290})
    room.wait_for_selector('body[data-live-index="1290"]')
    assert [path for path in site.asked[before:] if "/parts/" in path] == []


def test_a_lost_stream_says_since_when_and_comes_back_with_what_was_missed(site: Site, room: "Page") -> None:
    site.broken = True
    site.news.put(None)
    room.wait_for_selector("#live-mark:has-text('stale since')")
    site.view = replace(samples.INCIDENT, title="Missed in between")
    site.broken = False
    room.wait_for_selector("h1:has-text('Missed in between')", timeout=15000)
    room.wait_for_selector('#live-mark[data-state="live"]')


def test_clocks_run_on(site: Site, room: "Page") -> None:
    selector = ".room-clock time"
    first = room.inner_text(selector)
    room.wait_for_selector(f"{selector}:not(:text-is({json.dumps(first)}))")


def test_j_moves_between_cards_and_letters_in_a_field_stay_letters(room: "Page") -> None:
    room.keyboard.press("j")
    first = room.evaluate("document.activeElement.id")
    room.keyboard.press("j")
    assert first.startswith("task-") and room.evaluate("document.activeElement.id") != first
    room.focus("#note")
    room.keyboard.type("jk?ga")
    assert room.input_value("#note") == "jk?ga" and room.locator("dialog[open]").count() == 0


def test_question_mark_opens_help_and_shortcuts_can_be_turned_off(room: "Page") -> None:
    room.keyboard.press("?")
    room.wait_for_selector("#help[open]")
    room.uncheck("#keys-on")
    room.keyboard.press("Escape")
    room.keyboard.press("?")
    assert room.locator("#help[open]").count() == 0


def test_g_then_a_goes_to_the_approvals(site: Site, room: "Page") -> None:
    room.keyboard.press("g")
    room.keyboard.press("a")
    room.wait_for_url(f"{site.address}/approvals")


def test_the_theme_switch_holds_over_a_reload(room: "Page") -> None:
    before = room.evaluate("getComputedStyle(document.body).backgroundColor")
    room.click("#theme")
    after = room.evaluate("getComputedStyle(document.body).backgroundColor")
    assert after != before
    room.reload()
    assert room.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_nothing_is_wider_than_a_window_of_320_pixels(room: "Page") -> None:
    room.set_viewport_size({"width": 320, "height": 640})
    assert room.evaluate("document.documentElement.scrollWidth") <= 320
