"""A target that counts every act, a server that can be killed and started again, and the people who use it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx2

T = TypeVar("T")

POINTS = ("perform.before_authority", "perform.after_authority", "perform.after_effect", "perform.after_entry")
BAD, GOOD = "2.4.1", "2.4.0"


class Target(ThreadingHTTPServer):
    """A service's control that does what it is told each time it is told, and counts; it knows no idempotency."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Control)
        self.version = BAD
        self.acts: Counter[str] = Counter()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Control(BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/version":
            self._answer(200, {"service": "payments", "version": self.server.version, "previous_version": GOOD})
            return
        key = parse_qs(address.query).get("key", [""])[0]
        done = self.server.acts[key] > 0
        self._answer(200 if done else 404, self._done(key) if done else {"code": "not_done"})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Idempotency-Key"]
        self.server.acts[key] += 1
        self.server.version = asked["version"]
        self._answer(200, self._done(key))

    def _done(self, key: str) -> dict[str, Any]:
        return {"status": "done", "key": key, "service": "payments", "version": self.server.version,
                "previous_version": BAD, "deployed_at": "2026-01-05T09:00:00.000000Z",
                "deploys": sum(self.server.acts.values())}  # fmt: skip

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Tests read no log of the target."""


@dataclass
class Node:
    """One `handrail up` that dies when it reaches the point that the trigger names."""

    folder: Path
    target: Target
    database: str | None = None
    source: Path | None = None
    command: str = "up"
    process: subprocess.Popen[bytes] | None = None
    url: str = ""
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / f"{self.command}.log"
        (self.folder / "tokens").write_text(f"{self.target.place} control\n")

    @property
    def trigger(self) -> Path:
        return self.folder / "trigger"

    def start(self) -> None:
        ready = self.folder / f"ready-{self.command}"
        ready.unlink(missing_ok=True)
        arguments = [self.command, "--data-dir", str(self.folder / "data"), "--ready-file", str(ready)]
        if self.command == "up":
            arguments += ["--port", "0", "--first-password-file", str(self.folder / "password")]
        arguments += ["--database", self.database] if self.database else []
        environment = os.environ | {
            "CRASH_TRIGGER": str(self.trigger), "CRASH_POINTS": ",".join(POINTS),
            "HANDRAIL_OUTWARD_ALLOW": self.target.place,
            "HANDRAIL_CONTROL_TOKENS_FILE": str(self.folder / "tokens"),
        }  # fmt: skip
        if self.source is not None:
            environment["PYTHONPATH"] = str(self.source)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.server", *arguments], env=environment, stdout=log, stderr=log,
                cwd=Path(__file__).parents[2],
            )  # fmt: skip
        until("the server is ready", lambda: ready.exists() or self.process.poll() is not None, 60)  # type: ignore[union-attr]
        assert ready.exists(), self.log.read_text()[-3000:]
        self.url = json.loads(ready.read_text()).get("url", "")

    def killed(self) -> bool:
        assert self.process is not None
        try:
            return self.process.wait(timeout=30) == -9
        except subprocess.TimeoutExpired:
            return False

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)


@contextmanager
def running(node: Node) -> Iterator[Node]:
    node.start()
    try:
        yield node
    finally:
        node.stop()
        node.target.shutdown()


def until(what: str, found: Callable[[], T | None], seconds: float = 30) -> T:
    """Ask again and again until there is an answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = found()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


@dataclass
class World:
    """The owner, a commander and an approver of the team that owns payments, each with a token."""

    node: Node
    tokens: dict[str, str] = field(default_factory=dict)

    def call(self, who: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        sent: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/yaml"
        answer = httpx2.request(method, f"{self.node.url}/api/v1{path}", headers=headers, timeout=30, **sent)
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def people(self) -> None:
        """Make the people and their tokens, and put the catalogue in force."""
        self._token("owner", "owner", (self.node.folder / "password").read_text().strip())
        for login, roles, teams in (("carol", ["responder"], []), ("paul", ["responder"], ["team-payments"])):
            made = self.call(
                "owner", "POST", "/accounts", {"login": login, "name": login.title(), "roles": roles, "teams": teams}
            )
            self._token(login, login, made["password"])
        catalog = (
            "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
            "metadata:\n  name: payments\n  annotations:\n    handrail.dev/tier: '1'\n"
            f"    handrail.dev/control-url: http://{self.node.target.place}\n"
            "spec:\n  type: service\n  owner: team-payments\n"
        )
        self.call("owner", "POST", "/documents", catalog.encode())

    def _token(self, who: str, login: str, password: str) -> None:
        url = self.node.url
        with httpx2.Client(base_url=f"{url}/api/v1", timeout=30, headers={"Origin": url}) as client:
            csrf = client.post("/sign-in", json={"login": login, "password": password}).json()["csrf"]
            chosen = f"{login}-has-a-long-password"
            changed = client.post("/password", json={"old": password, "new": chosen}, headers={"X-CSRF-Token": csrf})
            assert changed.status_code == 200, changed.text
            made = client.post("/tokens", json={"name": "tests"}, headers={"X-CSRF-Token": changed.json()["csrf"]})
            assert made.status_code == 201, made.text
            self.tokens[who] = made.json()["token"]

    def start_run(self) -> tuple[str, dict[str, Any]]:
        """A declared incident with a run whose action waits at its gate; returns the run's id and the gate."""
        self.node.target.version = BAD
        incident = self.call(
            "carol", "POST", "/incidents", {"title": "Payments fail", "severity": "SEV1", "services": ["payments"]}
        )
        inputs = {"service": "payments", "version": BAD, "previous_version": GOOD, "owner_team": "team-payments"}
        run = self.call(
            "carol", "POST", f"/incidents/{incident['id']}/runs", {"runbook": "bad-release-rollback", "inputs": inputs}
        )
        task = self.task(run["id"])
        return run["id"], self.call("paul", "GET", f"/gates/{task['gate_id']}")

    def approve(self, gate: dict[str, Any]) -> None:
        vote = {"vote": "approve", "digest": gate["subject"]["digest"], "reason": "read and agreed"}
        self.call("paul", "POST", f"/gates/{gate['id']}/vote", vote)

    def task(self, run_id: str, task_id: str = "roll-back") -> Any:
        return self.call("carol", "GET", f"/runs/{run_id}/tasks/{task_id}")

    def verified(self) -> Any:
        return self.call("owner", "POST", "/record/verify")


def kill_once(world: World, point: str) -> tuple[str, int]:
    """Approve an action, die at the point, start again; returns the task's end and how often the target was told."""
    node = world.node
    run_id, gate = world.start_run()
    before = sum(node.target.acts.values())
    node.trigger.write_text(point)
    world.approve(gate)
    assert node.killed(), f"the server was not killed at {point}"
    node.start()
    ended = ("done", "failed", "outcome_unknown")
    task = until("the action has ended", lambda: _ended(world.task(run_id), ended), 60)
    return str(task["status"]), sum(node.target.acts.values()) - before


def _ended(task: dict[str, Any], ended: tuple[str, ...]) -> dict[str, Any] | None:
    return task if task["status"] in ended else None
