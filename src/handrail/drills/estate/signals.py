"""The monitor, a process of its own: scrapes the services, evaluates the rules, sends webhooks, serves signals.

`python -m handrail.drills.estate.signals --service payments=http://127.0.0.1:9103 --webhook URL --port 9104`
"""

import argparse
import asyncio
import os
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx2

from handrail.drills.estate import child
from handrail.drills.estate.asgi import Answer, App, Request, answer, problem
from handrail.drills.estate.monitor import Watch
from handrail.drills.estate.topology import SERVICES
from handrail.drills.estate.webhook import Group, Told, delivered, is_due, not_delivered, payload
from handrail.drills.estate.window import Sample, read_sample
from handrail.kernel.clock import Clock, SystemClock, to_text

WEBHOOK_TOKEN_VARIABLE = "ESTATE_WEBHOOK_TOKEN"  # noqa: S105  the name of a variable, not a secret
_SCRAPE_EVERY_SECONDS = 0.5
_SCRAPE_TIMEOUT_SECONDS = 1.5
_LOOK_EVERY_SECONDS = 0.5
_WEBHOOK_TIMEOUT_SECONDS = 5.0


class Monitor:
    """Watches the services at `targets` and tells `webhook`, if there is one."""

    def __init__(
        self, targets: Mapping[str, str], address: str, webhook: str | None, webhook_token: str, clock: Clock
    ) -> None:
        self._targets = targets
        self._address = address
        self._webhook = webhook
        self._headers = {"authorization": f"Bearer {webhook_token}"} if webhook_token else {}
        self._clock = clock
        self._watches = {
            name: Watch(SERVICES[name], urlsplit(url).netloc, clock.now()) for name, url in targets.items()
        }
        self._groups = {name: Group() for name in targets}
        self._lines = child.Lines()
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._client = httpx2.AsyncClient(verify=False, trust_env=False)  # the receiver stands on the same machine
        self.app = App(self.handle, self.start, self.stop)

    async def start(self) -> None:
        self._loops = [asyncio.create_task(self._scrape_for_ever(name, url)) for name, url in self._targets.items()]
        self._loops.append(asyncio.create_task(self._look_for_ever()))

    async def stop(self) -> None:
        for task in (*self._loops, *self._sending.values()):
            task.cancel()
        await asyncio.gather(*self._loops, *self._sending.values(), return_exceptions=True)
        await self._client.aclose()

    async def handle(self, request: Request) -> Answer:
        """Health, one service's signal, and all alerts that stand."""
        if request.method != "GET":
            return problem(405, "read_only", "The monitor is only read.")
        if request.path == "/healthz":
            return answer(200, {"status": "ok", "service": "monitor"})
        if request.path == "/alerts":
            told = [alert for watch in self._watches.values() for alert in watch.alerts()]
            return answer(200, {"alerts": payload("all", told, self._address)["alerts"]})
        name = request.path.removeprefix("/signal/")
        watch = self._watches.get(name)
        if watch is None or name == request.path:
            return problem(404, "not_found", f"Ask /signal/NAME with one of {', '.join(self._watches)}, or /alerts.")
        return answer(200, watch.signal())

    async def _scrape_for_ever(self, name: str, url: str) -> None:
        while True:
            started = self._clock.monotonic()
            self._watches[name].add(await self._scrape(url))
            await asyncio.sleep(max(0.05, started + _SCRAPE_EVERY_SECONDS - self._clock.monotonic()))

    async def _scrape(self, url: str) -> Sample:
        try:
            async with asyncio.timeout(_SCRAPE_TIMEOUT_SECONDS):
                said = await self._client.get(f"{url}/metrics")
            return read_sample(said.text, self._clock.monotonic())
        except (TimeoutError, httpx2.HTTPError, ValueError):
            return Sample(at=self._clock.monotonic(), up=False)

    async def _look_for_ever(self) -> None:
        while True:
            seconds, now = self._clock.monotonic(), self._clock.now()
            for name, watch in self._watches.items():
                watch.look(seconds, now)
                self._tell(name, watch, seconds)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    def _tell(self, name: str, watch: Watch, seconds: float) -> None:
        """Start a delivery where one is due; a slow receiver delays only its own group, never the watching."""
        busy = self._sending.get(name)
        alerts = watch.alerts()
        if self._webhook is None:
            self._forget(watch, [alert for alert in alerts if alert.ends_at])
        elif (busy is None or busy.done()) and is_due(self._groups[name], alerts, seconds):
            self._sending[name] = asyncio.create_task(self._deliver(self._webhook, name, watch, alerts))

    async def _deliver(self, webhook: str, name: str, watch: Watch, alerts: Sequence[Told]) -> None:
        taken = await self._post(webhook, name, alerts)
        seconds = self._clock.monotonic()
        if not taken:
            self._groups[name] = not_delivered(self._groups[name], seconds)
            return
        self._groups[name] = delivered(alerts, seconds)
        self._forget(watch, [alert for alert in alerts if alert.ends_at])

    async def _post(self, webhook: str, name: str, alerts: Sequence[Told]) -> bool:
        body = payload(name, alerts, self._address)
        try:
            async with asyncio.timeout(_WEBHOOK_TIMEOUT_SECONDS):
                said = await self._client.post(webhook, json=body, headers=self._headers)
        except (TimeoutError, httpx2.HTTPError) as error:
            self._log("error", "webhook", service=name, error=type(error).__name__)
            return False
        taken = 200 <= said.status_code < 300
        self._log("info" if taken else "error", "webhook", service=name, status=said.status_code, alerts=len(alerts))
        return taken

    def _forget(self, watch: Watch, ended: Sequence[Told]) -> None:
        for alert in ended:
            watch.forget(alert)

    def _log(self, level: str, event: str, **facts: object) -> None:
        self._lines.write({"at": to_text(self._clock.now()), "level": level, "event": event, **facts})


def _target(text: str) -> tuple[str, str]:
    name, _, url = text.partition("=")
    if name not in SERVICES or not url.startswith("http://"):
        raise argparse.ArgumentTypeError(f"“{text}” is not NAME=http://HOST:PORT of {', '.join(SERVICES)}")
    return name, url


def main() -> None:
    """Run the monitor until a signal or the parent's end ends it."""
    parser = argparse.ArgumentParser(prog="handrail.drills.estate.signals")
    parser.add_argument("--service", type=_target, action="append", required=True, help="NAME=http://HOST:PORT")
    parser.add_argument("--webhook", help="where alerts are posted; without it they are only shown")
    child.add_listen_options(parser)
    options = parser.parse_args()
    sock = child.listen(options)
    address = "http://{}:{}".format(*sock.getsockname())
    token = os.environ.get(WEBHOOK_TOKEN_VARIABLE, "")
    child.follow_parent()
    child.serve(Monitor(dict(options.service), address, options.webhook, token, SystemClock()).app, sock)


if __name__ == "__main__":
    main()
