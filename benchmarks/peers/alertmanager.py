"""Prometheus Alertmanager, as Debian packages it, alone and without anybody to notify."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import generator, machine
from benchmarks.generator import Identity, Shape, Stormed
from benchmarks.peers.contract import NotHere, Peer, Running, Way, free_port, wait_until_it_answers

_PROGRAM = "prometheus-alertmanager"
_CONFIGURATION = "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n"


def install(_cache: Path) -> str:
    """Debian's package, or the program where it is there already; returns the version."""
    if _program() is None:
        if shutil.which("apt-get") is None or os.geteuid() != 0:
            raise NotHere("Alertmanager is not installed, and only root on Debian can install its package.")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", _PROGRAM]
        if subprocess.run(command, env=quiet, capture_output=True).returncode != 0:
            raise NotHere(f"The package {_PROGRAM} could not be installed; `apt-get update` may be needed first.")
    program = _program()
    if program is None:
        raise NotHere("Alertmanager was installed, and its program is still not found.")
    said = subprocess.run([program, "--version"], capture_output=True, text=True)
    words = (said.stdout or said.stderr).split()
    return words[2] if len(words) > 2 else ""


def _program() -> str | None:
    return shutil.which(_PROGRAM) or shutil.which("alertmanager")


@contextmanager
def running(_cache: Path, folder: Path, _postgresql: str | None) -> Iterator[Running]:
    port, configuration, log = free_port(), folder / "alertmanager.yml", folder / "alertmanager.log"
    configuration.write_text(_CONFIGURATION)
    url = f"http://127.0.0.1:{port}"
    command = [
        str(_program()), "--config.file", str(configuration), "--storage.path", str(folder / "storage"),
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn",
    ]  # fmt: skip
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            wait_until_it_answers(f"{url}/-/ready", process, log)
            yield Running(url, lambda: machine.tree([process.pid]), lambda stormed: _stored(url, stormed))
        finally:
            process.terminate()


def _stored(url: str, stormed: Stormed) -> Mapping[Identity, str]:
    tool = generator.module()
    query = tool.urllib.parse.urlencode({"filter": f'storm="{stormed.storm}"'})
    found = tool.get_json(f"{url}/api/v2/alerts?{query}", {})
    return {(one["labels"]["alertname"], one["labels"]["instance"]): "firing" for one in found}


def way(_shape: Shape) -> Way:
    return Way("am-v2")


PEER = Peer(
    "Alertmanager", "held in memory; a kill loses it", install, running, way, forgets_resolved=True,
)  # fmt: skip
