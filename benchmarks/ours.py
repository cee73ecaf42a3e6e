"""Handrail under measurement: servers started by the command that everybody uses, people let in, alerts read back."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg

from benchmarks import machine
from benchmarks.generator import Identity
from handrail.drills.demo.client import Client
from handrail.kernel.clock import from_text

LOCAL_POSTGRESQL = "postgresql://root@127.0.0.1:5432/postgres"
_START_SECONDS = 90.0
_STOP_SECONDS = 20.0
_OWNER_PASSWORD = "the-owner-of-a-benchmark"  # noqa: S105  of a server that lives for minutes
_PERSON_PASSWORD = "somebody-who-looks-on-at-it"  # noqa: S105


@dataclass
class Node:
    """One `handrail up`; its data folder outlives a kill, so that `start` goes on where it was."""

    folder: Path
    database: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it serves, at the same port as before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = [
            sys.executable, "-m", "handrail", "up", "--data-dir", str(self.data), "--port", str(self.port),
            "--ready-file", str(ready), "--first-password-file", str(self.folder / "password"),
            "--inbound-open", "127.0.0.1/32",
        ]  # fmt: skip
        if self.database is not None:
            command += ["--database", self.database]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, env={**kept, **self.settings})
        until = time.monotonic() + _START_SECONDS
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                sys.exit(f"Handrail did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        self.url = json.loads(ready.read_text())["url"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def kill(self) -> None:
        """As a power cut would: no chance to say a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def processes(self) -> set[int]:
        """Everything that works for it on this machine, its database's processes included."""
        found = machine.tree([self.pid])
        return found | machine.postgresql_processes(self.database) if self.database is not None else found


@contextmanager
def running(folder: Path, database: str | None = None, settings: Mapping[str, str] | None = None) -> Iterator[Node]:
    node = Node(folder, database, settings or {})
    try:
        node.start()
        yield node
    finally:
        node.stop()


def postgresql_server(named: str | None) -> str | None:
    """The server to make databases on: the one named, else one on this machine that answers, else none."""
    url = named or LOCAL_POSTGRESQL
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error as error:
        if named:
            sys.exit(f"PostgreSQL does not answer at the URL given: {error}")
        return None
    return url


@contextmanager
def fresh_postgresql(server: str) -> Iterator[str]:
    """An empty database on the server with the server's own settings, dropped at the end."""
    name = f"handrail_bench_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    try:
        yield f"{server.rsplit('/', 1)[0]}/{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def owner(node: Node) -> Client:
    """The owner of a fresh server, signed in."""
    one_time = (node.folder / "password").read_text().strip()
    return Client.sign_in(node.url, "owner", one_time, _OWNER_PASSWORD)


def person(owner: Client, login: str) -> tuple[str, str]:
    """Let a responder in; returns the name and the password to sign in with, as that person has set it."""
    made = owner.post("/accounts", {"login": login, "name": login.title(), "roles": ["responder"]})
    Client.sign_in(owner.url, login, made["password"], _PERSON_PASSWORD).close()
    return login, _PERSON_PASSWORD


def session(url: str, login: str, password: str) -> str:
    """Sign in as a browser does; returns the cookie to send, `name=value`."""
    with httpx2.Client(base_url=url, trust_env=False, headers={"Origin": url}, timeout=30) as client:
        answer = client.post("/api/v1/sign-in", json={"login": login, "password": password})
        answer.raise_for_status()
        (cookie,) = client.cookies.jar
        return f"{cookie.name}={cookie.value}"


def source(owner: Client, name: str, integration: str = "alertmanager") -> str:
    """A source of its own; returns its token."""
    return str(owner.post("/sources", {"name": name, "integration": integration})["token"])


def alerts(reader: Client, search: str = "", source: str | None = None) -> Iterator[dict[str, Any]]:
    """Every stored alert through the API, page by page."""
    query: dict[str, Any] = {"limit": 200, "search": search} | ({"source": source} if source else {})
    while True:
        page = reader.get("/alerts", query)
        yield from page["items"]
        if page["next"] is None:
            return
        query["cursor"] = page["next"]


def query(node: Node, statement: str) -> list[tuple[Any, ...]]:
    """What its database holds, read beside the server. The statement is one that both databases know."""
    if node.database is not None:
        with psycopg.connect(node.database) as link:
            return link.execute(statement.encode()).fetchall()
    with closing(sqlite3.connect(f"file:{node.data / 'handrail.db'}?mode=ro", uri=True, timeout=30)) as link:
        return link.execute(statement).fetchall()


def candidates_opened(node: Node) -> list[tuple[str, int, float]]:
    """Title, index of the entry and time in seconds of every candidate that was opened."""
    rows = query(node, "SELECT idx, leaf, body FROM hr_entry WHERE type = 'candidate.opened' ORDER BY idx")
    return [
        (str(body), int(index), from_text(json.loads(leaf)["recorded_at"]).timestamp()) for index, leaf, body in rows
    ]


def states(found: Iterator[dict[str, Any]]) -> dict[Identity, str]:
    """(alert name, instance) to state, as the generator names its alerts."""
    return {(one["labels"]["alertname"], one["labels"]["instance"]): one["status"] for one in found}
