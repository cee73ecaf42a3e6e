"""Starts, tells and ends the demonstration. Whatever happens, nothing of it runs on afterwards."""

import io
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from handrail.drills.demo import summary
from handrail.drills.demo.auditing import Auditing
from handrail.drills.demo.case import Case
from handrail.drills.demo.cast import Cast
from handrail.drills.demo.closing import Closing
from handrail.drills.demo.handling import Handling
from handrail.drills.demo.journal import Broken, Journal, Step, StepFailed, Usage
from handrail.drills.demo.live import LiveView
from handrail.drills.demo.outbreak import Outbreak
from handrail.drills.demo.setting_up import SettingUp
from handrail.drills.demo.signals import Watcher
from handrail.drills.demo.stage import Stage
from handrail.drills.demo.summary import Result
from handrail.drills.demo.telling import PlainView, View
from handrail.drills.demo.world import World
from handrail.drills.estate.topology import SERVICES
from handrail.kernel.clock import Clock, SystemClock
from handrail.kernel.secrets import redact

_WATCHED_PACE_SECONDS = 1.4
_UNWATCHED_PACE_SECONDS = 0.7
_INTERRUPTED = 130


@dataclass(frozen=True)
class Wish:
    """How the demonstration was asked for."""

    exit_when_done: bool
    hands_on: bool
    database: str | None
    out: Path | None
    port: int

    @property
    def pace_seconds(self) -> float:
        return _UNWATCHED_PACE_SECONDS if self.exit_when_done else _WATCHED_PACE_SECONDS


def main(exit_when_done: bool, hands_on: bool, database: str | None, out: Path | None, port: int) -> int:
    """Play it; returns the exit status: 0 every step held, 1 one did not, 2 it cannot start so, 130 interrupted."""
    wish = Wish(exit_when_done, hands_on, database or None, out, port)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    with _ended_by_signals():
        try:
            return _play(wish)
        except Usage as error:
            print(error, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("Stopped; nothing runs on.", file=sys.stderr)
            return _INTERRUPTED


def _play(wish: Wish) -> int:
    work_dir = _work_dir(wish.out)
    try:
        world = World(work_dir, wish.database, wish.port)
    except Usage:
        work_dir.rmdir()
        raise
    view = _view()
    play = Play(wish, world, view, SystemClock())
    ok, keep = False, True
    try:
        ok = play.tell()
        keep = not ok
        if ok and not wish.exit_when_done:
            play.stay()
    except KeyboardInterrupt:
        keep = False
        raise
    finally:
        _ignore_signals()
        view.close()
        play.stop()
        if wish.out is None and not keep:
            shutil.rmtree(work_dir, ignore_errors=True)
    if not ok:
        print(f"The folder {work_dir} is kept; handrail.log and estate/logs in it say more.", file=sys.stderr)
    return 0 if ok else 1


class Play:
    """One telling of the story."""

    def __init__(self, wish: Wish, world: World, view: View, clock: Clock) -> None:
        self._wish = wish
        self._world = world
        self._view = view
        self._clock = clock
        self._journal = Journal(clock, view)
        self._cast: Cast | None = None
        self._watcher: Watcher | None = None
        self._case: Case | None = None
        self._audit: Auditing | None = None
        self._address = ""

    def tell(self) -> bool:
        """The whole story; True when every step held. Leaves `summary.json` where it was asked for."""
        started_at, began = self._clock.now(), self._clock.monotonic()
        try:
            self._steps()
        except StepFailed as failure:
            failed = self._journal.failed
            self._view.say(f"\nThe step “{failed.step.name if failed else '?'}” did not hold: {failure}")
            if isinstance(failure, Broken):
                traceback.print_exception(failure, file=sys.stderr)
        result = self._result(started_at, self._clock.monotonic() - began)
        if self._wish.out is not None:
            summary.write(self._wish.out / "summary.json", result)
        if result.ok:
            self._view.score(summary.score(result))
        return result.ok

    def stay(self) -> None:
        """Leave everything up until Ctrl-C."""
        self._view.say(f"\nEverything stays up at {self._address} for you to look around. Sign in as one of:")
        for one in self._cast.sign_ins() if self._cast else []:
            self._view.say(f"  {one.login:<6} {one.password:<16} {one.name}, {one.duty}")
        self._view.say("Press Ctrl-C to end it all.")
        try:
            while True:
                time.sleep(0.5)
                self._world.check()
        except KeyboardInterrupt:
            self._view.say("Ending everything.")
        except StepFailed as ended:
            self._view.say(str(ended))

    def stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        if self._cast is not None:
            self._cast.close()
        self._world.stop()

    def _steps(self) -> None:
        first_password: list[str] = []
        self._journal.run(Step("server", "Handrail", "starts"), lambda: self._start_server(first_password))
        self._cast = Cast(self._address)
        stage = Stage(
            self._world, self._cast, self._view, self._journal, self._address, self._wish.hands_on,
            self._wish.pace_seconds,
        )  # fmt: skip
        SettingUp(stage, first_password[0], self._watch_signals).play()
        case = self._case = Case(stage)
        out = self._wish.out or self._world.work_dir
        self._audit = Auditing(case, out, str(self._cast["ada"].api.get("/record")["vkey"]))
        for chapter in (Outbreak(case), Handling(case), Closing(case), self._audit):
            chapter.play()

    def _start_server(self, first_password: list[str]) -> str:
        began = time.monotonic()
        self._address, password = self._world.server.start()
        first_password.append(password)
        where = redact(self._wish.database) if self._wish.database else "SQLite"
        return f"at {self._address} on {where}, in {time.monotonic() - began:.1f} s"

    def _watch_signals(self) -> None:
        urls = {name: self._world.estate.signal_url(name) for name in SERVICES}
        self._watcher = Watcher(urls, self._view.signals)
        self._watcher.start()

    def _result(self, started_at: datetime, seconds: float) -> Result:
        outcome, alerts = None, 0
        if self._case is not None and self._case.review_id:
            outcome = self._case.look.get(f"{self._case.path}/outcome")
            alerts = len(self._case.look.items(f"{self._case.path}/alerts", {"limit": 200}))
        database = redact(self._wish.database) if self._wish.database else "sqlite"
        return Result(
            database, self._address, self._world.server.data_dir, started_at, seconds, self._journal.outcomes,
            outcome, alerts, self._audit, self._wish.out is not None or not self._wish.exit_when_done,
        )  # fmt: skip


def _work_dir(out: Path | None) -> Path:
    """A folder of this telling alone: what an earlier one left in `out` stays as it is."""
    if out is None:
        return Path(tempfile.mkdtemp(prefix="handrail-demo-"))
    try:
        out.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"work-{time.strftime('%Y%m%d-%H%M%S')}-", dir=out.absolute()))
    except OSError as error:
        raise Usage(f"The folder {out} cannot be used: {error.strerror}. Give another with --out.") from None


def _view() -> View:
    """The live view where somebody watches, plain lines in logs and pipes."""
    console = Console(highlight=False)
    watched = console.is_terminal and not console.is_dumb_terminal and not os.environ.get("CI")
    return LiveView(console) if watched else PlainView()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and a hung-up terminal end it as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    """The end must come to its end: a second Ctrl-C must not leave half of it running."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
