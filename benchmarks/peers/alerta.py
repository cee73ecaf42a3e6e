"""Alerta on PostgreSQL behind gunicorn, from their packages, in an environment of their own."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import generator, machine, ours
from benchmarks.generator import Identity, Shape, Stormed
from benchmarks.peers.contract import (
    NotHere,
    Peer,
    Running,
    Way,
    free_port,
    version_of,
    virtual_environment,
    wait_until_it_answers,
)

_PAGE = 5000
_ENDED = ("closed", "expired")


def install(cache: Path) -> str:
    return version_of(_python(cache), "alerta-server")


def _python(cache: Path) -> Path:
    return virtual_environment(cache / "alerta", "alerta-server==9.1.0", "psycopg2-binary", "gunicorn")


@contextmanager
def running(cache: Path, folder: Path, postgresql: str | None) -> Iterator[Running]:
    """As many workers as processors, with threads, so that connections are kept and each has its own database link."""
    if postgresql is None:
        raise NotHere("Alerta needs PostgreSQL, and none answers.")
    port, log = free_port(), folder / "alerta.log"
    url = f"http://127.0.0.1:{port}"
    with ours.fresh_postgresql(postgresql) as database:
        environment = {
            **os.environ, "DATABASE_URL": database.replace("postgresql://", "postgres://", 1),
            "SECRET_KEY": "of-a-benchmark", "AUTH_REQUIRED": "false",
        }  # fmt: skip
        command = [
            str(_python(cache)), "-m", "gunicorn", "--workers", str(machine.processors()), "--threads", "8",
            "--worker-class", "gthread", "--bind", f"127.0.0.1:{port}", "--keep-alive", "60", "--log-level", "error",
            "alerta:create_app()",
        ]  # fmt: skip
        with log.open("wb") as output:
            # Workers that make the tables at the same time trip over each other.
            tables = [str(_python(cache)), "-c", "import alerta; alerta.create_app()"]
            subprocess.run(tables, stdout=output, stderr=output, env=environment, cwd=folder)
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=folder)
        try:
            wait_until_it_answers(f"{url}/_", process, log)
            yield Running(
                url,
                lambda: machine.tree([process.pid]) | machine.postgresql_processes(database),
                lambda stormed: _stored(url, stormed),
            )
        finally:
            process.terminate()
            process.wait(20)


def _stored(url: str, stormed: Stormed) -> Mapping[Identity, str]:
    tool = generator.module()
    found: dict[Identity, str] = {}
    page = 1
    while True:
        asked = {"resource": f"~{stormed.storm}", "page": page, "page-size": _PAGE, "sort-by": "createTime"}
        said: dict[str, Any] = tool.get_json(f"{url}/alerts?{tool.urllib.parse.urlencode(asked)}", {})
        for one in said["alerts"]:
            found[one["event"], one["resource"]] = "resolved" if one["status"] in _ENDED else "firing"
        if page >= said["pages"]:
            return found
        page += 1


def way(shape: Shape) -> Way:
    """One alert a request in its own form; its form for Alertmanager's webhook takes several."""
    if shape.batch == 1:
        return Way("alerta", ("--path", "/alert"))
    # It knows no severity "info": the generator then says "informational". What it holds is read back here alone.
    return Way("am-webhook", ("--path", "/webhooks/prometheus", "--verify-as", "alerta", "--settle", "0"))


PEER = Peer("Alerta", "committed to PostgreSQL", install, running, way, total_share=0.1)
