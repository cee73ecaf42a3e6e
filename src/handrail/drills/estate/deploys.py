"""The deploys of one service and the keys they were asked with, on disk: the same key never deploys twice.

A deploy is on disk before it takes effect. The release in force after a restart is the last line's, so a crash at any
point leaves either no trace of the deploy or the whole of it.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Deploy:
    """One deploy that was done. `number` counts from 1; `fault` is the one asked for, if any."""

    key: str
    service: str
    version: str
    previous_version: str
    fault: str | None
    deployed_at: str
    number: int


class DeployLog:
    """Append-only, one JSON line for each deploy."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._deploys = _read(path)
        self._by_key = {deploy.key: deploy for deploy in self._deploys}

    @property
    def last(self) -> Deploy | None:
        return self._deploys[-1] if self._deploys else None

    def __len__(self) -> int:
        return len(self._deploys)

    def find(self, key: str) -> Deploy | None:
        return self._by_key.get(key)

    def append(self, deploy: Deploy) -> None:
        """Put the deploy on disk for good, then remember it."""
        with self._path.open("ab") as file:
            file.write(json.dumps(asdict(deploy)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._deploys.append(deploy)
        self._by_key[deploy.key] = deploy


def _read(path: Path) -> list[Deploy]:
    if not path.exists():
        return []
    content = path.read_bytes()
    whole, _, torn = content.rpartition(b"\n")
    if torn:
        # A line without its end was never answered for: the process died while writing it.
        with path.open("r+b") as file:
            file.truncate(len(content) - len(torn))
    return [Deploy(**json.loads(line)) for line in whole.splitlines()]
