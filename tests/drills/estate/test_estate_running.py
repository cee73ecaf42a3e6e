"""The estate for real: every process, real requests, a bad release, its alerts, and the rollback that heals."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from handrail.domain.catalog import from_documents
from handrail.drills.estate.estate import Estate
from handrail.kernel.errors import BadInput, Unprocessable

SERVICES = ("storefront", "orders", "payments")


class Sink(ThreadingHTTPServer):
    """A receiver that keeps what it is sent and refuses the first message, so that a retry is seen."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.alerts: dict[tuple[str, str], str] = {}
        self.changes: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()
        self.refused = False

    def taken(self, path: str, content: dict[str, Any]) -> bool:
        if path == "/changes":
            self.changes.append(content)
        elif not self.refused:
            self.refused = True
            return False
        else:
            for alert in content["alerts"]:
                labels = alert["labels"]
                self.alerts[labels["service"], labels["alertname"]] = alert["status"]
        return True

    def statuses(self) -> set[str]:
        return set(self.alerts.values())


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.tokens.add(self.headers["authorization"])
        self.send_response(200 if self.server.taken(self.path, content) else 503)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what} did not come true in {seconds} s"
        time.sleep(0.1)


def test_a_bad_release_raises_a_storm_and_its_rollback_ends_it(tmp_path: Path, sink: Sink) -> None:
    with Estate.start(
        tmp_path, webhook_url=f"{sink.url}/alerts", webhook_token="w", change_url=f"{sink.url}/changes",
        change_token="c",
    ) as estate:  # fmt: skip
        assert sink.alerts == {}
        released = estate.release("payments", "2.4.1")
        until(lambda: {service for service, _ in sink.alerts} == set(SERVICES), 30, "alerts from all services")
        until(lambda: len(sink.alerts) >= 8, 30, "a storm of alerts")
        assert not any(estate.signal(service)["healthy"] for service in SERVICES)
        estate.release("payments", released.previous_version)
        until(lambda: all(estate.signal(service)["healthy"] for service in SERVICES), 30, "health")
        until(lambda: sink.statuses() == {"resolved"}, 30, "the end of all alerts")
        _has_a_series(estate.signal("payments"))
        assert estate.ended() == []
    assert sink.tokens == {"Bearer w", "Bearer c"}
    _tells_of_the_change(sink.changes[0], released.event_id, estate.control_url("payments"))
    _has_one_trace_through_all(estate)
    _is_a_catalogue(estate)


def _has_a_series(said: dict[str, Any]) -> None:
    series = said["series"]
    assert {len(values) for values in series.values()} == {len(series["t"])}
    assert max(value for value in series["error_rate"] if value is not None) > 0.5
    assert max(value for value in series["pool_in_use"] if value is not None) == 10.0
    assert series["t"] == sorted(set(series["t"]))


def _tells_of_the_change(event: dict[str, Any], event_id: str, url: str) -> None:
    assert event.pop("time").endswith("Z")
    assert event == {
        "specversion": "1.0", "id": event_id, "source": "/practice-estate/delivery",
        "type": "dev.cdevents.service.deployed.0.2.0", "subject": "payments", "datacontenttype": "application/json",
        "data": {
            "service": "payments", "version": "2.4.1", "previous_version": "2.4.0", "environment": "production",
            "author": "delivery pipeline", "url": f"{url}/version",
        },
    }  # fmt: skip


def _has_one_trace_through_all(estate: Estate) -> None:
    traces = []
    for service in SERVICES:
        lines = [json.loads(line) for line in estate.log_path(service).read_text().splitlines()]
        traces.append({line["trace_id"] for line in lines if line["event"] == "request"})
    assert set.intersection(*traces)


def _is_a_catalogue(estate: Estate) -> None:
    catalog, faults = from_documents(yaml.safe_load_all(estate.catalog_path.read_text()))
    assert faults == []
    assert catalog.dependents("payments") == {"orders", "storefront"}
    payments = catalog.services["payments"]
    assert (payments.owner, payments.tier) == ("team-payments", 1)
    assert payments.control_url == estate.control_url("payments")
    assert payments.signal_url == estate.signal_url("payments")


def test_its_processes_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "handrail.drills.estate", "--dir", str(tmp_path), "--rate", "20"]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    text = b""
    while not text.endswith(b"\n}\n"):
        line = parent.stdout.readline()
        assert line, "the estate ended before it told where it stands"
        text += line
    pids = json.loads(text)["pids"]
    assert set(pids) == {*SERVICES, "monitor", "load"}
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: not any(_runs(pid) for pid in pids.values()), 20, "the end of all processes")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path, sink: Sink) -> None:
    with pytest.raises(BadInput, match=f"orders cannot listen on port {sink.server_port}: Address already in use"):
        Estate.start(tmp_path, ports={"orders": sink.server_port})


def test_a_port_for_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="The estate has no billing"):
        Estate.start(tmp_path, ports={"billing": 0})


def test_the_command_line_says_what_is_wrong(tmp_path: Path, sink: Sink) -> None:
    command = [sys.executable, "-m", "handrail.drills.estate", "--dir", str(tmp_path), "--port"]
    done = subprocess.run([*command, f"orders={sink.server_port}"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.startswith("orders cannot listen on port")


def test_a_release_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with Estate.start(tmp_path, rate=20) as estate, pytest.raises(Unprocessable, match=r"no release 9\.9\.9"):
        estate.release("payments", "9.9.9")
