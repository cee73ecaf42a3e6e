"""One service of the estate: `python -m handrail.drills.estate.service --name payments --dir D --port 9103`.

The same program is storefront, orders or payments; `topology.py` says what each answers and calls.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from handrail.drills.estate import child
from handrail.drills.estate.asgi import Answer, App, Request, answer, problem
from handrail.drills.estate.deploys import Deploy, DeployLog
from handrail.drills.estate.metrics import CONTENT_TYPE, Metrics
from handrail.drills.estate.releases import Release, release_of
from handrail.drills.estate.topology import SERVICES, SETTLEMENT_SECONDS, Spec
from handrail.drills.estate.trace import Trace, continue_trace
from handrail.drills.estate.work import Dependency, Done, Downstream, Ledger, Work
from handrail.kernel import secrets
from handrail.kernel.clock import Clock, SystemClock, to_text

TOKEN_VARIABLE = "ESTATE_CONTROL_TOKEN"  # noqa: S105  the name of a variable, not a secret
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]{0,32}")
_KEY_CHARS_MAX = 200


class Service:
    """The whole of one service: business requests, metrics, health, and the control that deploys."""

    def __init__(self, spec: Spec, downstream: str, folder: Path, control_token: str, clock: Clock) -> None:
        self._spec = spec
        self._downstream = downstream
        self._token = control_token
        self._clock = clock
        self._client = httpx2.AsyncClient(
            verify=False,  # plain HTTP on loopback; loading certificates would double the start-up time
            trust_env=False,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=10),
        )
        self._metrics = Metrics(spec.name)
        self._lines = child.Lines()
        self._deploys = DeployLog(folder / f"deploys-{spec.name}.jsonl")
        self._started_at = to_text(clock.now())
        self._work = self._start(self._release_in_force())
        self.app = App(self.handle, on_stop=self._client.aclose)

    async def handle(self, request: Request) -> Answer:
        """One request of any kind."""
        match request.method, request.path:
            case self._spec.method, self._spec.path:
                return await self._business(request)
            case "GET", "/metrics":
                return Answer(200, self._metrics.text(), CONTENT_TYPE)
            case "GET", "/healthz":
                return answer(200, {"status": "ok", "service": self._spec.name, "version": self._version})
            case "GET", "/version":
                return answer(200, self._version_facts())
            case "GET", "/settlement":
                return await _settlement(request)
            case "POST" | "GET", "/deploy":
                return self._control(request)
            case _:
                return problem(404, "not_found", f"{self._spec.name} has no {request.method} {request.path}.")

    @property
    def _version(self) -> str:
        return self._work.release.version

    def _release_in_force(self) -> Release:
        last = self._deploys.last
        version, fault = (last.version, last.fault) if last else (self._spec.first_version, None)
        found = release_of(self._spec.name, version, fault)
        if isinstance(found, str):
            raise ValueError(found)
        return found

    def _start(self, release: Release) -> Work:
        work = Work(self._spec, release, self._dependency(release), self._metrics)
        self._metrics.deployed(release.version, work.pool)
        return work

    def _dependency(self, release: Release) -> Dependency:
        if self._spec.dependency_path is None:
            return Ledger()
        return Downstream(self._spec, self._client, self._downstream, release.fault.downstream_port)

    async def _business(self, request: Request) -> Answer:
        trace = continue_trace(request.headers.get("traceparent"))
        started = time.perf_counter()
        work = self._work
        with self._metrics.in_flight.track_inprogress():
            done = await work.answer(trace)
        seconds = time.perf_counter() - started
        self._metrics.answered(done.status, seconds)
        self._log_request(request, work.release.version, trace, done, seconds)
        if done.status == 200:
            return answer(200, {"service": self._spec.name, "version": work.release.version, "trace": trace.trace_id})
        return problem(done.status, "failed", f"{self._spec.name}: {done.detail}.")

    def _control(self, request: Request) -> Answer:
        if not secrets.equal(request.headers.get("authorization", ""), f"Bearer {self._token}"):
            return problem(401, "not_signed_in", "Send the estate's control token as “Authorization: Bearer …”.")
        if request.method == "GET":
            return self._find_deploy(request.query.get("key", ""))
        return self._ask_deploy(request)

    def _find_deploy(self, key: str) -> Answer:
        found = self._deploys.find(key)
        if found is None:
            return problem(404, "not_done", f"{self._spec.name} never did a deploy with this key.")
        return answer(200, _facts(found))

    def _ask_deploy(self, request: Request) -> Answer:
        """Do the deploy once for each key. Nothing here waits, so two requests with one key cannot both do it."""
        key = request.headers.get("idempotency-key", "")
        if not 0 < len(key) <= _KEY_CHARS_MAX:
            return problem(400, "key_missing", f"Send an Idempotency-Key of 1 to {_KEY_CHARS_MAX} characters.")
        asked = _asked(request.body)
        if isinstance(asked, str):
            return problem(400, "bad_input", asked)
        version, fault = asked
        done = self._deploys.find(key)
        if done is not None:
            if (done.version, done.fault) != asked:
                return problem(422, "key_reused", f"This key already stands for the deploy of {done.version}.")
            return answer(200, _facts(done), Idempotent_Replayed="true")
        release = release_of(self._spec.name, version, fault)
        if isinstance(release, str):
            return problem(422, "unknown_release", release)
        return answer(200, _facts(self._deploy(key, release, fault)))

    def _deploy(self, key: str, release: Release, fault: str | None) -> Deploy:
        deploy = Deploy(
            key=key, service=self._spec.name, version=release.version, previous_version=self._version, fault=fault,
            deployed_at=to_text(self._clock.now()), number=len(self._deploys) + 1,
        )  # fmt: skip
        self._deploys.append(deploy)
        replaced, self._work = self._work, self._start(release)
        replaced.give_up()
        self._log("info", "deploy", version=release.version, previous_version=deploy.previous_version)
        return deploy

    def _version_facts(self) -> dict[str, Any]:
        last = self._deploys.last
        return {
            "service": self._spec.name,
            "version": self._version,
            "previous_version": last.previous_version if last else None,
            "deployed_at": last.deployed_at if last else self._started_at,
            "deploys": len(self._deploys),
        }

    def _log_request(self, request: Request, version: str, trace: Trace, done: Done, seconds: float) -> None:
        facts: dict[str, Any] = {"error": done.detail} if done.detail else {}
        self._log(
            "error" if done.detail else "info", "request", version=version, method=request.method, path=request.path,
            status=done.status, duration_ms=round(seconds * 1000, 1), trace_id=trace.trace_id, span_id=trace.span_id,
            parent_id=trace.parent_id, **facts,
        )  # fmt: skip

    def _log(self, level: str, event: str, **facts: Any) -> None:
        at = to_text(self._clock.now())
        self._lines.write({"at": at, "level": level, "service": self._spec.name, "event": event, **facts})


async def _settlement(request: Request) -> Answer:
    """A long poll for the day's settlement notice, which the simulated ledger never gives."""
    try:
        async with asyncio.timeout(SETTLEMENT_SECONDS):
            await request.disconnected()
    except TimeoutError:
        pass
    return Answer(204, b"")


def _asked(body: bytes) -> tuple[str, str | None] | str:
    """The version and fault asked for, or a sentence that says what is wrong with the body."""
    try:
        content = json.loads(body)
    except ValueError:
        return "The body is not JSON."
    version, fault = (content.get("version"), content.get("fault")) if isinstance(content, dict) else (None, None)
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        return 'Send {"version": "1.2.3"}; a version is three numbers with dots.'
    if fault is not None and not isinstance(fault, str):
        return "“fault” is the name of a fault, or left out."
    return version, fault


def _facts(deploy: Deploy) -> dict[str, Any]:
    return {
        "status": "done",
        "key": deploy.key,
        "service": deploy.service,
        "version": deploy.version,
        "previous_version": deploy.previous_version,
        "deployed_at": deploy.deployed_at,
        "deploys": deploy.number,
    }


def main() -> None:
    """Run one service until a signal or the parent's end ends it."""
    parser = argparse.ArgumentParser(prog="handrail.drills.estate.service")
    parser.add_argument("--name", choices=sorted(SERVICES), required=True)
    parser.add_argument("--dir", type=Path, required=True, help="where deploys-<service>.jsonl stands")
    parser.add_argument("--downstream", default="", help="base URL of the service that this one calls")
    child.add_listen_options(parser)
    options = parser.parse_args()
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        sys.exit(f"Set {TOKEN_VARIABLE}: without a token anybody could deploy.")
    spec = SERVICES[options.name]
    if spec.dependency_path is not None and not options.downstream:
        sys.exit(f"{spec.name} calls {spec.dependency}: say where with --downstream http://127.0.0.1:PORT.")
    child.follow_parent()
    child.serve(Service(spec, options.downstream, options.dir, token, SystemClock()).app, child.listen(options))


if __name__ == "__main__":
    main()
