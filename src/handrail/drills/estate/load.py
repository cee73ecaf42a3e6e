"""The load driver: real requests against the storefront at a steady rate, from a process of its own.

It never leaves this machine, never has more than a bounded number of requests open, and stops by itself.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2

from handrail.drills.estate import child
from handrail.kernel.clock import SystemClock, to_text

RATE_MAX = 200
OPEN_MAX = 64
TIMEOUT_SECONDS = 2.0
SECONDS_MAX = 4 * 3600


@dataclass
class Second:
    """What happened in one second; `shed` are requests not sent because too many were open."""

    ok: int = 0
    failed: int = 0
    timeouts: int = 0
    shed: int = 0
    took: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, object]:
        took = sorted(self.took)
        return {
            "ok": self.ok,
            "failed": self.failed,
            "timeouts": self.timeouts,
            "shed": self.shed,
            "p50_ms": _at(took, 0.5),
            "p95_ms": _at(took, 0.95),
        }


def _at(took: list[float], share: float) -> float | None:
    return round(took[min(len(took) - 1, int(len(took) * share))] * 1000, 1) if took else None


class Load:
    """Sends `rate` requests a second to `url`, whatever comes back."""

    def __init__(self, url: str, rate: float) -> None:
        self._url = url
        self._rate = rate
        self._open: set[asyncio.Task[None]] = set()
        self._second = Second()
        self._client = httpx2.AsyncClient(verify=False, trust_env=False, limits=httpx2.Limits(max_connections=None))

    async def run(self, seconds: float) -> None:
        """Send for so long. A sender that fell behind goes on at its rate and does not catch up in a burst."""
        lines = asyncio.create_task(self._print_each_second())
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.monotonic()
            self._send()
            await asyncio.sleep(max(0.0, started + 1 / self._rate - time.monotonic()))
        await asyncio.gather(*self._open)
        lines.cancel()
        await self._client.aclose()

    def _send(self) -> None:
        if len(self._open) >= OPEN_MAX:
            self._second.shed += 1
            return
        task = asyncio.create_task(self._one())
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _one(self) -> None:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                said = await self._client.get(self._url)
        except (TimeoutError, httpx2.TimeoutException):
            self._second.timeouts += 1
            return
        except httpx2.HTTPError:
            self._second.failed += 1
            return
        self._second.took.append(time.perf_counter() - started)
        if said.status_code < 400:
            self._second.ok += 1
        else:
            self._second.failed += 1

    async def _print_each_second(self) -> None:
        clock, lines = SystemClock(), child.Lines()
        while True:
            await asyncio.sleep(1)
            second, self._second = self._second, Second()
            lines.write({"at": to_text(clock.now()), **second.summary(), "open": len(self._open)})


def main() -> None:
    """Drive load until the time is up, or a signal or the parent's end ends it."""
    parser = argparse.ArgumentParser(prog="handrail.drills.estate.load")
    parser.add_argument("--url", required=True, help="the storefront's /checkout on this machine")
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after so long")
    options = parser.parse_args()
    if urlsplit(options.url).hostname not in ("127.0.0.1", "localhost", "::1"):
        sys.exit("Load is sent only to this machine: use http://127.0.0.1:PORT/checkout.")
    if not (0 < options.rate <= RATE_MAX and 0 < options.seconds <= SECONDS_MAX):
        sys.exit(f"Use a rate up to {RATE_MAX} a second and at most {SECONDS_MAX} seconds.")
    child.follow_parent()
    asyncio.run(Load(options.url, options.rate).run(options.seconds))


if __name__ == "__main__":
    main()
