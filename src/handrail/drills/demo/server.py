"""Handrail's own server as a process beside the demonstration, started by the command that everybody uses."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import handrail
from handrail.drills.estate.child import PARENT_VARIABLE
from handrail.kernel.errors import Unavailable

_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_WORDS_CHARS_MAX = 600


class Server:
    """`python -m handrail up` on a data folder of its own. It ends when it is stopped, and when this process ends."""

    def __init__(self, data_dir: Path, database: str | None, port: int, settings: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        self.log_path = data_dir.parent / "handrail.log"
        self._password_file = data_dir.parent / "first-password"
        self._ready_file = data_dir.parent / "ready"
        self._arguments = _arguments(data_dir, database, port, self._password_file, self._ready_file)
        self._settings = settings
        self._port = port
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> tuple[str, str]:
        """Start it and wait until it serves; returns (its address, the owner's one-time password)."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("wb") as log:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "handrail.drills.demo.followed", *self._arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self._environment(),
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready_file.exists():
            if said := self.ended():
                raise Unavailable(said)
            if time.monotonic() > deadline:
                raise Unavailable(f"Handrail was not ready after {_START_SECONDS:g} s; its log is {self.log_path}.")
            time.sleep(0.05)
        return str(json.loads(self._ready_file.read_text())["url"]), self._password_file.read_text().strip()

    def ended(self) -> str | None:
        """None while it runs, else a sentence with its last words."""
        if self._popen is None or self._popen.poll() is None:
            return None
        words = self.log_path.read_text(errors="replace").strip()[-_WORDS_CHARS_MAX:]
        return f"Handrail ended with status {self._popen.returncode}. {words}".strip()

    def stop(self) -> None:
        """Ask it to end, and end it when it does not. Calling it again does nothing."""
        if self._popen is None or self._popen.poll() is not None:
            return
        self._popen.send_signal(signal.SIGTERM)
        try:
            self._popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()

    def _environment(self) -> dict[str, str]:
        """This process's environment without settings of another Handrail, with ours, and able to import us."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
        root = str(Path(handrail.__file__).parent.parent)
        path = os.pathsep.join(part for part in (root, kept.get("PYTHONPATH", "")) if part)
        return {**kept, **self._settings, "PYTHONPATH": path, PARENT_VARIABLE: str(os.getpid())}


def _arguments(data_dir: Path, database: str | None, port: int, password: Path, ready: Path) -> list[str]:
    where = ["--database", database] if database else []
    return [
        "up", "--data-dir", str(data_dir), *where, "--port", str(port),
        "--first-password-file", str(password), "--ready-file", str(ready),
    ]  # fmt: skip
