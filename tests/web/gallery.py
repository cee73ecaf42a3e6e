"""Draws every page with sample data: build/gallery/*.html, and with Chromium build/screens/*.png in both themes.

Run: .venv/bin/python tests/web/gallery.py [part of a name ...]; `--pages` writes the pages only.
"""

import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from handrail.web import filters  # noqa: E402
from tests.web import samples  # noqa: E402

PAGES, SCREENS = ROOT / "build" / "gallery", ROOT / "build" / "screens"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
LAUNCH = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = ("board", "incident", "approvals", "sign_in")


class Handler(SimpleHTTPRequestHandler):
    """The gallery's pages with the policy of the product, and its static files."""

    def translate_path(self, path: str) -> str:
        name = path.split("?")[0]
        if name.startswith("/static/"):
            return str(filters.STATIC / name.removeprefix("/static/"))
        return str(PAGES / name.strip("/"))

    def do_GET(self) -> None:
        """Beside files, the live stream: open and silent, so that the pages say that they are live."""
        if not self.path.startswith("/live?"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b": here\n\n")
        self.wfile.flush()
        self.server.quiet.wait()  # type: ignore[attr-defined]

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def write_pages(shots: list[samples.Shot]) -> None:
    PAGES.mkdir(parents=True, exist_ok=True)
    templates = filters.environment()
    for name, template, page, view in shots:
        (PAGES / f"{name}.html").write_text(filters.render(templates, template, page, view))


def take_screens(shots: list[samples.Shot], port: int) -> list[str]:
    """One picture a page and theme; returns what the browser complained about."""
    from playwright.sync_api import sync_playwright

    SCREENS.mkdir(parents=True, exist_ok=True)
    said: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=LAUNCH)
        for theme in ("dark", "light"):
            for width, suffix in ((1440, ""), (390, "-phone")):
                context = browser.new_context(
                    color_scheme="dark" if theme == "dark" else "light",
                    viewport={"width": width, "height": 900},
                    device_scale_factor=1,
                )
                tab = context.new_page()
                tab.clock.set_fixed_time(samples.NOW)
                tab.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
                for name, *_ in shots:
                    if suffix and name not in PHONE:
                        continue
                    tab.goto(f"http://127.0.0.1:{port}/{name}.html")
                    if tab.locator("#live-mark").count():
                        tab.wait_for_selector('#live-mark[data-state="live"]')
                    tab.screenshot(path=SCREENS / f"{name}-{theme}{suffix}.png", full_page=True)
        browser.close()
    return said


def main(wanted: list[str]) -> int:
    shots = samples.shots()
    write_pages(shots)
    if "--pages" in wanted:
        return 0
    chosen = [s for s in shots if not wanted or any(w in s[0] for w in wanted)]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.quiet = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said = take_screens(chosen, server.server_port)
    server.quiet.set()  # type: ignore[attr-defined]
    server.shutdown()
    print(f"{len(chosen)} pages in {SCREENS}", *said, sep="\n")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
