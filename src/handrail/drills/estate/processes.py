"""The estate's processes: started with a socket that is already open, stopped for sure, and heard when they fail."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import handrail
from handrail.drills.estate import child
from handrail.kernel.errors import BadInput

_STOP_SECONDS = 3.0
_WORDS_CHARS_MAX = 400


def open_port(name: str, port: int) -> socket.socket:
    """A listening socket for one process; port 0 takes a free one. Raises BadInput when the port is taken."""
    try:
        return child.listener(port)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise BadInput(f"{name} cannot listen on port {port}: {reason}. Choose another, or 0.", "port_taken") from None


class Process:
    """One child, in a process group of its own so that Ctrl-C in a terminal reaches only its parent."""

    def __init__(self, name: str, module: str, arguments: Sequence[str], sock: socket.socket | None) -> None:
        self.name = name
        self._module = module
        self._arguments = list(arguments)
        self._sock = sock
        self._popen: subprocess.Popen[bytes] | None = None
        self._words: Path | None = None

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    def start(self, logs: Path, secrets: Mapping[str, str]) -> None:
        """Start the process; its lines go to `<name>.jsonl` and its complaints to `<name>.err`."""
        self._words = logs / f"{self.name}.err"
        listen = ["--fd", str(self._sock.fileno())] if self._sock else []
        with (logs / f"{self.name}.jsonl").open("ab") as lines, self._words.open("wb") as words:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", self._module, *self._arguments, *listen],
                stdin=subprocess.DEVNULL, stdout=lines, stderr=words, env=_environment(secrets),
                pass_fds=[self._sock.fileno()] if self._sock else [], start_new_session=True,
            )  # fmt: skip
        if self._sock:
            # Only the child may hold it: a port must go dead when its process does.
            self._sock.close()

    def ended(self) -> str | None:
        """None while it runs, else a sentence with its last words."""
        if self._popen is None or self._popen.poll() is None:
            return None
        words = self._words.read_text(errors="replace").strip()[-_WORDS_CHARS_MAX:] if self._words else ""
        return f"{self.name} ended with status {self._popen.returncode}. {words}".strip()

    def ask_to_stop(self) -> None:
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """Wait a moment for it to end, then end it and whatever it started."""
        if self._popen is None:
            if self._sock:
                self._sock.close()
            return
        try:
            self._popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._popen.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._popen is not None and self._popen.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, number)


def _environment(secrets: Mapping[str, str]) -> dict[str, str]:
    source = str(Path(handrail.__file__).parents[1])
    path = os.pathsep.join(part for part in (source, os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, "PYTHONPATH": path, child.PARENT_VARIABLE: str(os.getpid()), **secrets}
