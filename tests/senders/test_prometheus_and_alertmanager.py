"""A real Prometheus and a real Alertmanager send to Handrail: only their URL and credentials name it."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.crash.harness import Node, Target, World, running, until

pytestmark = [
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("prometheus-alertmanager")),
        reason="Prometheus and Alertmanager are not installed (Debian: prometheus, prometheus-alertmanager).",
    ),
]


class Exporter(ThreadingHTTPServer):
    """One gauge that a test moves."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Metrics)
        self.value = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Metrics(BaseHTTPRequestHandler):
    server: Exporter

    def do_GET(self) -> None:
        body = f"# TYPE pool_exhausted gauge\npool_exhausted {self.server.value}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests read no log of the exporter."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def program(folder: Path, *arguments: str) -> Iterator[None]:
    with (folder / f"{arguments[0]}.log").open("wb") as log:
        process = subprocess.Popen(arguments, cwd=folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(Node(tmp_path_factory.mktemp("senders"), Target())) as node:
        made = World(node)
        made.people()
        yield made


def source(world: World, name: str) -> str:
    made = world.call("owner", "POST", "/sources", {"name": name, "integration": "alertmanager"})
    return str(made["token"])


def prometheus_config(folder: Path, exporter: Exporter, target: str, token: str | None) -> Path:
    """Scrapes the exporter and sends alerts to `target` (host:port)."""
    rules = folder / "rules.yml"
    rules.write_text(
        "groups:\n- name: pool\n  interval: 1s\n  rules:\n  - alert: ConnectionPoolExhausted\n"
        "    expr: pool_exhausted > 0\n    labels: {severity: critical, service: payments}\n"
        "    annotations: {summary: No free database connections in payments}\n"
    )
    credentials = f"    authorization: {{type: Bearer, credentials: {token}}}\n" if token else ""
    file, scraped = folder / "prometheus.yml", f"127.0.0.1:{exporter.server_address[1]}"
    file.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: [{rules}]\n"
        f"alerting:\n  alertmanagers:\n  - static_configs: [{{targets: ['{target}']}}]\n{credentials}"
        f"scrape_configs:\n- job_name: payments\n  static_configs: [{{targets: ['{scraped}']}}]\n"
    )
    return file


@contextmanager
def prometheus(folder: Path, config: Path) -> Iterator[None]:
    with program(
        folder, "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{free_port()}", "--rules.alert.resend-delay=1s",
    ):  # fmt: skip
        yield


def alert(world: World, source_name: str, status: str) -> dict[str, Any] | None:
    found = world.call("carol", "GET", f"/alerts?source={source_name}")["items"]
    return next((item for item in found if item["status"] == status), None)


def test_prometheus_sends_straight_to_the_alertmanager_api(world: World, tmp_path: Path) -> None:
    token, exporter = source(world, "prometheus"), Exporter()
    place = world.node.url.removeprefix("http://")
    with prometheus(tmp_path, prometheus_config(tmp_path, exporter, place, token)):
        exporter.value = 1
        firing = until("the alert fires", lambda: alert(world, "prometheus", "firing"), 40)
        exporter.value = 0
        until("the alert resolves", lambda: alert(world, "prometheus", "resolved"), 40)
    assert firing["title"] == "No free database connections in payments"
    assert firing["service"] == "payments"
    assert firing["severity"] == "critical"


def test_alertmanager_sends_its_webhook(world: World, tmp_path: Path) -> None:
    token, exporter, port = source(world, "alertmanager"), Exporter(), free_port()
    config = tmp_path / "alertmanager.yml"
    config.write_text(
        "route: {receiver: handrail, group_by: [service], group_wait: 0s, group_interval: 1s, repeat_interval: 1m}\n"
        f"receivers:\n- name: handrail\n  webhook_configs:\n  - url: {world.node.url}/in/alertmanager\n"
        f"    send_resolved: true\n    http_config: {{authorization: {{type: Bearer, credentials: {token}}}}}\n"
    )
    with ExitStack() as stack:
        stack.enter_context(
            program(
                tmp_path, "prometheus-alertmanager", f"--config.file={config}", f"--storage.path={tmp_path / 'am'}",
                f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
            )
        )  # fmt: skip
        stack.enter_context(prometheus(tmp_path, prometheus_config(tmp_path, exporter, f"127.0.0.1:{port}", None)))
        exporter.value = 1
        firing = until("the alert fires", lambda: alert(world, "alertmanager", "firing"), 40)
        exporter.value = 0
        until("the alert resolves", lambda: alert(world, "alertmanager", "resolved"), 60)
    assert firing["title"] == "No free database connections in payments"
