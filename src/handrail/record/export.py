"""Write an export of the record: what an outsider needs to check it, with the program that does so inside.

An export is made beside its final name and put there whole, so a half-written one is never found.
"""

import json
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import IO, Protocol

from handrail.kernel.clock import to_text
from handrail.kernel.errors import BrokenInvariant, Conflict
from handrail.record import note
from handrail.record.leaf import EntryRow
from handrail.record.tree import Frontier, leaf_hash
from handrail.record.verifier import FORMAT, is_hex, utf8
from handrail.record.verify import RecordSource


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    size: int
    root: str


class _Sink(Protocol):
    """Where the files go; one is written at a time."""

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]: ...


def write_export(
    source: RecordSource, out: Path, verifier: note.Verifier, origin: str, instance: str, now: datetime
) -> Exported:
    """Write the record to the folder `out`, or to a zip when its name ends so. It must not exist yet.

    1. checkpoints first: entries that come later may lie beyond them, never the other way round
    2. entries, then the alert batches they commit to, evidence, and the verifier
    3. the manifest last, because it names size and root
    """
    if out.exists():
        raise Conflict(f"{out} exists already; give a name that is free.", "export_exists")
    out.parent.mkdir(parents=True, exist_ok=True)
    with _building(out) as sink:
        _write(sink, "checkpoints.log", [note.join(source.checkpoints()).encode()])
        frontier = _write_entries(sink, source.entries())
        _write(sink, "alerts.jsonl", _alert_lines(source, frontier.size))
        for name, content in source.evidence():
            if not is_hex(name):
                raise BrokenInvariant("A piece of evidence is not named by its digest.", "bad_evidence")
            _write(sink, f"evidence/{name}", [content])
        _write(sink, "verify.py", [verifier_source()])
        manifest = {
            "format": FORMAT, "origin": origin, "vkey": verifier.vkey, "size": frontier.size,
            "root": frontier.root().hex(), "exported_at": to_text(now), "instance": instance,
        }  # fmt: skip
        _write(sink, "manifest.json", [json.dumps(manifest, indent=2).encode() + b"\n"])
    return Exported(out, frontier.size, frontier.root().hex())


def verifier_source() -> bytes:
    """The stand-alone verifier as it is shipped."""
    return (files("handrail.record") / "verifier.py").read_bytes()


def _write(sink: _Sink, name: str, pieces: Iterable[bytes]) -> None:
    with sink.open(name) as stream:
        for piece in pieces:
            stream.write(piece)


def _write_entries(sink: _Sink, rows: Iterable[EntryRow]) -> Frontier:
    """Write one line for each entry and answer with the tree over them."""
    frontier = Frontier()
    with sink.open("entries.jsonl") as stream:
        for row in rows:
            erased = row.personal is None and row.salt is None
            personal = None if erased else {"salt": row.salt, "content": row.personal}
            stream.write(_line({"leaf": row.leaf, "body": row.body, "personal": personal}))
            frontier = frontier.append(leaf_hash(utf8(row.leaf)))
    return frontier


def _alert_lines(source: RecordSource, size: int) -> Iterator[bytes]:
    for batch, texts in source.alert_batches():
        if batch < size:
            for position, text in enumerate(texts):
                yield _line({"batch": batch, "position": position, "leaf": text})


def _line(content: dict[str, object]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


@contextmanager
def _building(out: Path) -> Iterator[_Sink]:
    """Give a place to write, and move it to `out` when all went well; nothing is left otherwise."""
    partial = out.with_name(f".{out.name}.partial")
    _remove(partial)
    try:
        if out.suffix == ".zip":
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
                yield _ZipSink(archive)
        else:
            partial.mkdir()
            yield _FolderSink(partial)
        partial.rename(out)
    finally:
        _remove(partial)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class _FolderSink:
    folder: Path

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        return path.open("wb")


@dataclass(frozen=True)
class _ZipSink:
    archive: zipfile.ZipFile

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return self.archive.open(name, "w", force_zip64=True)
