"""Keep's API server, from the last package that was published of it (2023; later releases are container images only).

It is not started by its own command, whose start-up handlers do not run with the server library of today: a few lines
make its tables and hand it over to that library. Nothing that it does with an alert is changed.
"""

import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks import machine
from benchmarks.generator import Identity, Shape, Stormed
from benchmarks.peers.contract import (
    Peer,
    Running,
    Way,
    free_port,
    version_of,
    virtual_environment,
    wait_until_it_answers,
)

_SETTLE_SECONDS = 30.0
_LAUNCH = """
import sys
import uvicorn
from keep.api import api
app = api.get_app("NO_AUTH")
api.create_db_and_tables()
app.dependency_overrides[api.verify_api_key] = api.verify_api_key_single_tenant
app.dependency_overrides[api.verify_token_or_key] = api.verify_token_or_key_single_tenant
api.try_create_single_tenant(api.SINGLE_TENANT_UUID)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""


def install(cache: Path) -> str:
    return version_of(_python(cache), "keephq")


def _python(cache: Path) -> Path:
    return virtual_environment(cache / "keep", "keephq==0.2.7", "setuptools<80")


@contextmanager
def running(cache: Path, folder: Path, _postgresql: str | None) -> Iterator[Running]:
    """Its default database is a file of SQLite in the folder where it runs."""
    port, log = free_port(), folder / "keep.log"
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ, "DISABLE_POSTHOG": "true", "SCHEDULER": "false", "CONSUMER": "false", "AUTH_TYPE": "NO_AUTH",
        "PUSHER_DISABLED": "true", "SECRET_MANAGER_TYPE": "FILE", "KEEP_API_URL": url, "TMPDIR": str(folder),
        "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(_python(cache)), "-c", _LAUNCH, str(port)], stdout=output, stderr=output, env=environment, cwd=folder
        )
    try:
        wait_until_it_answers(f"{url}/healthcheck", process, log)
        yield Running(
            url, lambda: machine.tree([process.pid]), lambda stormed: _stored(folder / "keep.db", stormed)
        )  # fmt: skip
    finally:
        process.kill()
        process.wait()


def _stored(database: Path, stormed: Stormed) -> Mapping[Identity, str]:
    """Read from its database, once it has worked off what it accepted: its list is not cut into pages."""
    until = time.monotonic() + _SETTLE_SECONDS
    while True:
        found = _read(database, stormed.storm)
        if len(found) >= len(stormed.accepted_states) or time.monotonic() > until:
            return found
        time.sleep(1)


def _read(database: Path, storm: str) -> dict[Identity, str]:
    statement = (
        "SELECT json_extract(event, '$.labels.alertname'), json_extract(event, '$.labels.instance'), "
        "json_extract(event, '$.status') FROM alert WHERE json_extract(event, '$.labels.storm') = ? ORDER BY timestamp"
    )
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as link:
        return {(name, instance): status for name, instance, status in link.execute(statement, (storm,))}


def way(shape: Shape) -> Way | None:
    return Way("keep-generic") if shape.batch == 1 else None


PEER = Peer("Keep", "waits in memory to be stored", install, running, way, total_share=0.01)
