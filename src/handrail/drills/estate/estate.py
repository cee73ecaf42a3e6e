"""The supervisor of the practice estate: starts every process, says where each stands, ships releases, stops it."""

import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from handrail.drills.estate.catalog import catalog_text
from handrail.drills.estate.processes import Process, open_port
from handrail.drills.estate.service import TOKEN_VARIABLE
from handrail.drills.estate.signals import WEBHOOK_TOKEN_VARIABLE
from handrail.drills.estate.topology import LOAD, MONITOR, SERVICES
from handrail.kernel import secrets
from handrail.kernel.errors import BadInput, Unavailable, Unprocessable
from handrail.kernel.ids import new_id

_PACKAGE = "handrail.drills.estate"
_START_SECONDS = 30.0
_CALL_SECONDS = 10.0
_TRIES = 5


@dataclass(frozen=True)
class Outside:
    """Where the estate reports to: alerts as webhooks, changes as events. None is told nothing."""

    webhook_url: str | None = None
    webhook_token: str = ""
    change_url: str | None = None
    change_token: str = ""


@dataclass(frozen=True)
class Released:
    """A release that was shipped; `event_id` is the id of the change event that told of it."""

    service: str
    version: str
    previous_version: str
    deployed_at: str
    event_id: str


class Estate:
    """A running estate. Its processes end when it is stopped, and also when this process ends in any way."""

    def __init__(self, work_dir: Path, urls: Mapping[str, str], outside: Outside, control_token: str) -> None:
        self.work_dir = work_dir
        self.control_token = control_token
        self.catalog_path = work_dir / "catalog-info.yaml"
        self._urls = urls
        self._outside = outside
        self._processes: list[Process] = []
        self._client = httpx2.Client(verify=False, trust_env=False, timeout=_CALL_SECONDS)

    @classmethod
    def start(
        cls, work_dir: Path, *, ports: Mapping[str, int] | None = None, webhook_url: str | None = None,
        webhook_token: str = "", change_url: str | None = None, change_token: str = "",
        control_token: str | None = None, rate: float = 40.0, load_seconds: float = 3600.0,
    ) -> Self:  # fmt: skip
        """Start everything and return once all of it answers under load.

        `ports` names the port of storefront, orders, payments and monitor; what is missing or 0 takes a free one.
        Without a webhook or change URL nothing is told. The load stops by itself after `load_seconds`.
        Raises BadInput when a port is taken and Unavailable when a process does not come up.
        """
        (work_dir / "logs").mkdir(parents=True, exist_ok=True)
        sockets = _open_ports(ports or {})
        urls = {name: f"http://127.0.0.1:{sock.getsockname()[1]}" for name, sock in sockets.items()}
        outside = Outside(webhook_url, webhook_token, change_url, change_token)
        estate = cls(work_dir, urls, outside, control_token or secrets.new_token())
        try:
            estate._start_all(sockets, rate, load_seconds)
        except BaseException:
            estate.stop()
            raise
        return estate

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def control_url(self, service: str) -> str:
        """Where `service` answers, and takes `/deploy` and `/version`."""
        return self._urls[service]

    def signal_url(self, service: str) -> str:
        """Where the monitor tells of `service`."""
        return f"{self._urls[MONITOR]}/signal/{service}"

    def log_path(self, name: str) -> Path:
        """The JSON lines of a service, the monitor or the load."""
        return self.work_dir / "logs" / f"{name}.jsonl"

    def pids(self) -> dict[str, int]:
        """The process of each service, the monitor and the load."""
        return {process.name: process.pid for process in self._processes if process.pid is not None}

    def ended(self) -> list[str]:
        """One sentence for each process that should run and does not. The load may end when its time is up."""
        said = [process.ended() for process in self._processes if process.name != LOAD]
        return [sentence for sentence in said if sentence]

    def signal(self, service: str) -> dict[str, Any]:
        """What the monitor says of a service now."""
        content: dict[str, Any] = self._client.get(self.signal_url(service)).json()
        return content

    def release(
        self, service: str, version: str, *, fault: str | None = None, author: str = "delivery pipeline"
    ) -> Released:
        """Deploy a version for real, then tell of it as a change event.

        Raises Unprocessable when there is no such release, and Unavailable when the service or the receiver of
        changes does not answer; the deploy is not taken back then.
        """
        done = self._deploy(service, {"version": version, **({"fault": fault} if fault else {})})
        event = _change_event(done, self._urls[service], author)
        if self._outside.change_url:
            self._send(self._outside.change_url, event, {
                "authorization": f"Bearer {self._outside.change_token}", "content-type": "application/cloudevents+json",
            })  # fmt: skip
        return Released(service, version, done["previous_version"], done["deployed_at"], event["id"])

    def stop(self) -> None:
        """End every process. Calling it again does nothing."""
        for process in self._processes:
            process.ask_to_stop()
        for process in self._processes:
            process.stop()
        self._client.close()

    def _start_all(self, sockets: Mapping[str, socket.socket], rate: float, load_seconds: float) -> None:
        self._processes = self._plan(sockets, rate, load_seconds)
        self._write_files()
        tokens = {TOKEN_VARIABLE: self.control_token, WEBHOOK_TOKEN_VARIABLE: self._outside.webhook_token}
        for process in self._processes:
            process.start(self.work_dir / "logs", tokens)
        self._wait_until_healthy()

    def _plan(self, sockets: Mapping[str, socket.socket], rate: float, load_seconds: float) -> list[Process]:
        services = []
        for name, spec in SERVICES.items():
            below = ["--downstream", self._urls[spec.dependency]] if spec.dependency in SERVICES else []
            arguments = ["--name", name, "--dir", str(self.work_dir), *below]
            services.append(Process(name, f"{_PACKAGE}.service", arguments, sockets[name]))
        watched = [word for name in SERVICES for word in ("--service", f"{name}={self._urls[name]}")]
        webhook = ["--webhook", self._outside.webhook_url] if self._outside.webhook_url else []
        front = SERVICES["storefront"]
        load = ["--url", self._urls[front.name] + front.path, "--rate", str(rate), "--seconds", str(load_seconds)]
        return [
            *services,
            Process(MONITOR, f"{_PACKAGE}.signals", [*watched, *webhook], sockets[MONITOR]),
            Process(LOAD, f"{_PACKAGE}.load", load, None),
        ]

    def _write_files(self) -> None:
        self.catalog_path.write_text(catalog_text(self._urls, self._urls[MONITOR]), encoding="utf-8")
        token_path = self.work_dir / "control-token"
        with os.fdopen(os.open(token_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(self.control_token + "\n")

    def _wait_until_healthy(self) -> None:
        """Wait until the monitor has seen every service answer real requests without a symptom."""
        deadline = time.monotonic() + _START_SECONDS
        waiting = set(SERVICES)
        while waiting:
            gone = [sentence for process in self._processes if (sentence := process.ended())]
            if gone:
                raise Unavailable(f"The practice estate did not start: {' '.join(gone)}")
            if time.monotonic() > deadline:
                raise Unavailable(f"The practice estate did not become healthy: {', '.join(sorted(waiting))}.")
            waiting = {name for name in waiting if not self._is_working(name)}
            time.sleep(0.1 if waiting else 0)

    def _is_working(self, service: str) -> bool:
        try:
            signal = self.signal(service)
        except httpx2.HTTPError:
            return False
        return bool(signal["healthy"] and signal["requests_per_second"])

    def _deploy(self, service: str, asked: Mapping[str, str]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.control_token}", "idempotency-key": new_id("rel")}
        done: dict[str, Any] = self._send(f"{self._urls[service]}/deploy", asked, headers).json()
        return done

    def _send(self, url: str, content: Mapping[str, Any], headers: Mapping[str, str]) -> httpx2.Response:
        """Post until it is taken, a bounded number of times; the receiver knows a repeat by its key or id."""
        said = ""
        for attempt in range(_TRIES):
            time.sleep(min(attempt, 2) * 0.5)
            try:
                answer = self._client.post(url, content=json.dumps(content), headers=dict(headers))
            except httpx2.HTTPError as error:
                said = type(error).__name__
                continue
            if answer.is_success:
                return answer
            said = f"status {answer.status_code}: {answer.text[:300]}"
            if answer.status_code < 500 and answer.status_code != 429:
                raise Unprocessable(f"{url} refused it with {said}")
        raise Unavailable(f"{url} did not take it after {_TRIES} tries: {said}.")


def _open_ports(ports: Mapping[str, int]) -> dict[str, socket.socket]:
    unknown = set(ports) - {*SERVICES, MONITOR}
    if unknown:
        raise BadInput(f"The estate has no {', '.join(sorted(unknown))}; it has {', '.join((*SERVICES, MONITOR))}.")
    sockets: dict[str, socket.socket] = {}
    try:
        for name in (*SERVICES, MONITOR):
            sockets[name] = open_port(name, ports.get(name, 0))
    except BadInput:
        for sock in sockets.values():
            sock.close()
        raise
    return sockets


def _change_event(done: Mapping[str, Any], url: str, author: str) -> dict[str, Any]:
    """A CloudEvent that tells of one deploy, with the words of CDEvents."""
    return {
        "specversion": "1.0",
        "id": new_id("rel"),
        "source": "/practice-estate/delivery",
        "type": "dev.cdevents.service.deployed.0.2.0",
        "subject": done["service"],
        "time": done["deployed_at"],
        "datacontenttype": "application/json",
        "data": {
            "service": done["service"],
            "version": done["version"],
            "previous_version": done["previous_version"],
            "environment": "production",
            "author": author,
            "url": f"{url}/version",
        },
    }
