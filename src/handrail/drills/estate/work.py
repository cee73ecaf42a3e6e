"""One release at work: its own pool, its dependency and its fault. Another deploy gives it up as a whole."""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Protocol

import httpx2

from handrail.drills.estate.metrics import Metrics
from handrail.drills.estate.pool import Pool, PoolExhausted
from handrail.drills.estate.releases import Release
from handrail.drills.estate.topology import DRAIN_SECONDS, LEDGER_SECONDS, OPEN_REQUESTS_MAX, POOL_WAITING_MAX, Spec
from handrail.drills.estate.trace import Trace


@dataclass
class CallFailed(Exception):
    """A call to the dependency failed: what the service answers, the kind of failure, and a sentence."""

    status: int
    outcome: str
    detail: str


class Dependency(Protocol):
    """What a service depends on. `call` raises CallFailed; with `hang` it waits for what does not come."""

    async def call(self, trace: Trace, hang: bool) -> None: ...


class Ledger:
    """The simulated end of the chain: a short wait, never an error."""

    async def call(self, trace: Trace, hang: bool) -> None:
        await asyncio.sleep(random.uniform(*LEDGER_SECONDS))  # noqa: S311  spreads latency, protects nothing


class Downstream:
    """Another service of the estate, called over HTTP."""

    def __init__(self, spec: Spec, client: httpx2.AsyncClient, base: str, port: int | None) -> None:
        self._spec = spec
        self._client = client
        self._base = httpx2.URL(base) if port is None else httpx2.URL(base).copy_with(port=port)
        self._url = self._base.copy_with(path=spec.dependency_path)

    async def call(self, trace: Trace, hang: bool) -> None:
        name = self._spec.dependency
        headers = {"traceparent": trace.header}
        try:
            if hang:
                await self._client.get(self._base.copy_with(path="/settlement"), headers=headers, timeout=None)
            async with asyncio.timeout(self._spec.call_seconds):
                said = await self._client.request(self._spec.dependency_method, self._url, headers=headers)
        except (TimeoutError, httpx2.TimeoutException):
            raise CallFailed(504, "timeout", f"{name} did not answer in {self._spec.call_seconds:g} s") from None
        except httpx2.ConnectError:
            raise CallFailed(502, "refused", f"{name} refused the connection at {self._base}") from None
        except httpx2.TransportError as error:
            raise CallFailed(502, "broken", f"the connection to {name} broke: {type(error).__name__}") from None
        if said.status_code >= 500:
            raise CallFailed(502, "error", f"{name} answered {said.status_code}")


@dataclass(frozen=True)
class Done:
    """How one request went; `detail` says why where it failed."""

    status: int
    detail: str = ""


class Work:
    """Answers requests as one release does, until it is given up."""

    def __init__(self, spec: Spec, release: Release, dependency: Dependency, metrics: Metrics) -> None:
        self.release = release
        self.pool = Pool(spec.dependency, spec.pool_connections, spec.pool_wait_seconds, POOL_WAITING_MAX)
        self._spec = spec
        self._dependency = dependency
        self._metrics = metrics
        self._tasks: set[asyncio.Task[Done]] = set()
        self._burning = asyncio.Lock()

    async def answer(self, trace: Trace) -> Done:
        """Answer one request; one too many, or caught in a deploy, is answered 503 rather than left to wait."""
        if len(self._tasks) >= OPEN_REQUESTS_MAX:
            return Done(503, f"{len(self._tasks)} requests are open already")
        task = asyncio.create_task(self._answer(trace))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task})
        if task.cancelled():
            return Done(503, f"release {self.release.version} was replaced while it worked on the request")
        return task.result()

    def give_up(self) -> None:
        """Let what is nearly finished finish, then end the rest, as a replaced process would."""
        asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._end_all)

    def _end_all(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _answer(self, trace: Trace) -> Done:
        fault = self.release.fault
        if fault.burn_cpu_seconds:
            # One at a time, so that health, metrics and the deploy that heals still get their turn between two.
            async with self._burning:
                _burn(fault.burn_cpu_seconds)
                await asyncio.sleep(0)
        try:
            await self.pool.take()
        except PoolExhausted as refusal:
            return Done(503, refusal.detail)
        leaks = _happens(fault.leak_probability)
        try:
            await self._call(trace, _happens(fault.hang_probability))
        except CallFailed as failure:
            return Done(failure.status, failure.detail)
        finally:
            if not leaks:
                self.pool.give_back()
        return Done(200)

    async def _call(self, trace: Trace, hang: bool) -> None:
        try:
            await self._dependency.call(trace, hang)
        except CallFailed as failure:
            self._metrics.called(self._spec.dependency, failure.outcome)
            raise
        self._metrics.called(self._spec.dependency, "ok")


def _burn(seconds: float) -> None:
    """Use processor time without letting anything else of the process run. It is the same on any machine."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def _happens(probability: float) -> bool:
    return probability > 0 and random.random() < probability  # noqa: S311  picks requests, protects nothing
