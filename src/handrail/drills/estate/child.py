"""What every process of the estate does alike: follow its parent into death, listen, write log lines."""

import argparse
import json
import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import uvicorn

from handrail.drills.estate.asgi import App
from handrail.drills.estate.topology import LOG_BYTES_MAX

PARENT_VARIABLE = "ESTATE_PARENT_PID"
_LOOK_SECONDS = 0.25


def follow_parent() -> None:
    """End this process soon after its parent ends, however it ends.

    The parent's id is looked at again and again rather than asking Linux for a death signal: that signal comes when
    the parent's *thread* ends, and the estate may well be started by a thread that does not last.
    """
    parent = int(os.environ.get(PARENT_VARIABLE) or 0)
    if parent:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(0)


def add_listen_options(parser: argparse.ArgumentParser) -> None:
    """The two ways to say where to listen: a socket that the parent opened, or a port."""
    parser.add_argument("--fd", type=int, help="a listening socket handed down by the parent")
    parser.add_argument("--port", type=int, default=0, help="listen here when no socket is handed down")


def listener(port: int) -> socket.socket:
    """A socket that listens on loopback only. Raises OSError when the port is taken."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(256)
    except OSError:
        sock.close()
        raise
    return sock


def listen(options: argparse.Namespace) -> socket.socket:
    """The socket that the options name."""
    return socket.socket(fileno=options.fd) if options.fd is not None else listener(options.port)


def serve(app: App, sock: socket.socket) -> None:
    """Serve until a signal ends the process."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="on", timeout_keep_alive=30, timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=[sock])


class Lines:
    """JSON lines to stdout. A log file that has grown to its bound starts again from nothing."""

    def __init__(self) -> None:
        about = os.fstat(1)
        self._bytes = about.st_size if stat.S_ISREG(about.st_mode) else None

    def write(self, content: Mapping[str, Any]) -> None:
        line = json.dumps(content, separators=(",", ":")) + "\n"
        sys.stdout.write(line)
        sys.stdout.flush()
        if self._bytes is None:
            return
        self._bytes += len(line)
        if self._bytes > LOG_BYTES_MAX:
            os.ftruncate(1, 0)
            self._bytes = 0
