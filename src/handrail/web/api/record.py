"""The record: read, proved, verified, signed, exported, and personal text in it erased."""

import shutil
import tempfile
import threading
from pathlib import Path as File
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from handrail.kernel.errors import TooMany
from handrail.kernel.limits import LIMITS
from handrail.operations import records
from handrail.operations.shell import Tx
from handrail.record import note
from handrail.record.export import write_export
from handrail.record.source import DatabaseSource, DatabaseTiles, head
from handrail.record.tree import consistency_proof_from, inclusion_proof_from, root_from
from handrail.record.verify import Report, verify
from handrail.store import queries
from handrail.web.api import shapes
from handrail.web.api.desk import (
    ApiRoute,
    Asked,
    Desk,
    Nothing,
    Pages,
    Reader,
    RecordReader,
    RecordWriter,
    Writer,
    answer,
)

router = APIRouter(prefix="/api/v1", tags=["record"], route_class=ApiRoute)

_INDEX_MAX = 2**53
Index = Annotated[int, Path(ge=0, le=_INDEX_MAX)]
# Verifying and exporting read the whole record: one at a time leaves room for the rest.
_whole_record = threading.Lock()


class Erase(Asked):
    reason: Annotated[str, Field(min_length=1, max_length=LIMITS.reason_chars, examples=["Asked for by the person."])]


@router.get("/record", response_model=shapes.Record, summary="The record's head and the key that verifies it")
def get_record(desk: RecordReader) -> Response:
    with desk.read() as connection:
        frontier = head(connection)
        newest = queries.checkpoints(connection, 1)
    verifier = desk.context.checkpointer.signer.verifier
    return answer(
        shapes.Record(
            size=frontier.size,
            root=frontier.root().hex(),
            origin=verifier.name,
            vkey=verifier.vkey,
            checkpoint=shapes.Checkpoint.model_validate(newest[0]) if newest else None,
        )
    )


@router.get("/record/entries", response_model=shapes.Page[shapes.EntryLine], summary="List entries, newest first")
def list_entries(
    desk: RecordReader,
    asked: Pages,
    stream: Annotated[str | None, Query(max_length=120, description="One stream, such as gate/gat_…")] = None,
    type: Annotated[str | None, Query(max_length=80, description="One type, such as gate.voted")] = None,
) -> Response:
    with desk.read() as connection:
        found = queries.entries(connection, stream, type, asked.size, asked.before_number)
    return desk.page(found, asked, shapes.EntryLine.model_validate, lambda entry: (str(entry.index),))


@router.get("/record/entries/{index}", response_model=shapes.Entry, summary="Get an entry with its inclusion proof")
def get_entry(desk: RecordReader, index: Index) -> Response:
    with desk.read() as connection:
        found = queries.entry(connection, index)
        proof = _proof(desk, connection, index)
    return answer(shapes.Entry(**dict(shapes.EntryLine.model_validate(found)), leaf=found.leaf, proof=proof))


def _proof(desk: Desk, connection: sa.Connection, index: int) -> shapes.Proof | None:
    newest = queries.checkpoints(connection, 1)
    if not newest or newest[0].size <= index:
        return None
    signed = note.open(newest[0].note, desk.context.checkpointer.signer.verifier)
    hashes = inclusion_proof_from(DatabaseTiles(connection).nodes(), index, signed.size)
    return shapes.Proof(
        checkpoint=newest[0].note, size=signed.size, root=signed.root.hex(), hashes=[each.hex() for each in hashes]
    )


@router.get("/record/checkpoints", response_model=shapes.Page[shapes.Checkpoint], summary="List signed checkpoints")
def list_checkpoints(desk: RecordReader, asked: Pages) -> Response:
    with desk.read() as connection:
        found = queries.checkpoints(connection, asked.size, asked.before_number)
    return desk.page(found, asked, shapes.Checkpoint.model_validate, lambda item: (str(item.size),))


@router.get("/record/consistency", response_model=shapes.Consistency, summary="Prove that a record only grew")
def get_consistency(
    desk: RecordReader,
    first: Annotated[int, Query(ge=0, le=_INDEX_MAX)],
    second: Annotated[int | None, Query(ge=0, le=_INDEX_MAX, description="Null: the record as it is.")] = None,
) -> Response:
    with desk.read() as connection:
        size = queries.record_size(connection)
        last, nodes = min(size if second is None else second, size), DatabaseTiles(connection).nodes()
        hashes = consistency_proof_from(nodes, first, last)
        roots = root_from(nodes, first), root_from(nodes, last)
    return answer(
        shapes.Consistency(
            first=first, first_root=roots[0].hex(), second=last, second_root=roots[1].hex(),
            hashes=[each.hex() for each in hashes],
        )
    )  # fmt: skip


@router.post("/record/verify", response_model=shapes.Report, summary="Verify the whole record")
def verify_record(desk: RecordWriter, said: Nothing | None = None) -> Response:
    """Every fault is named with the index of its entry."""
    return desk.do(lambda: shapes.Report.model_validate(verify_now(desk)))


def verify_now(desk: Desk) -> Report:
    """The report of a verification, one at a time. Raises TooMany."""
    context = desk.context
    with _Turn():
        # The file is read first: a checkpoint that comes in between must not look like a cut tail.
        exported = context.checkpointer.exported()
        with desk.read() as connection:
            verifier = context.checkpointer.signer.verifier
            return verify(DatabaseSource(connection), verifier, exported, context.shell.seal_key)


class _Turn:
    """One reading of the whole record at a time."""

    def __enter__(self) -> None:
        if not _whole_record.acquire(blocking=False):
            raise TooMany(
                "The whole record is being read already; try again in a moment.", "record_busy", retry_after=5
            )

    def __exit__(self, *_: object) -> None:
        _whole_record.release()


@router.post("/record/checkpoint", response_model=shapes.Signed, summary="Sign what is new now")
def sign_checkpoint(desk: RecordWriter, said: Nothing | None = None) -> Response:
    return desk.do(lambda: shapes.Signed(signed_size=desk.context.checkpointer.run_once(desk.now)))


@router.post(
    "/record/export", response_class=FileResponse, summary="Export the record as a zip",
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)  # fmt: skip
def export_record(desk: RecordWriter, said: Nothing | None = None) -> Response:
    """Entries, checkpoints, alerts, evidence and the stand-alone verifier. The export itself is an entry."""
    shell, checkpointer = desk.context.shell, desk.context.checkpointer
    folder = File(tempfile.mkdtemp(prefix="handrail-export-"))
    try:
        with _Turn():
            shell.transact(desk.person.actor, lambda tx: records.note_export(tx, desk.person, tx.writer.size))
            checkpointer.run_once(desk.now)
            verifier = checkpointer.signer.verifier
            instance = verifier.name.partition("/")[2]
            with desk.read() as connection:
                source = DatabaseSource(connection)
                written = write_export(source, folder / "export.zip", verifier, verifier.name, instance, desk.now)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        written.path, media_type="application/zip", filename=f"handrail-record-{written.size}.zip",
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )  # fmt: skip


@router.post("/record/entries/{index}/erase", response_model=shapes.EntryLine, summary="Erase personal text")
def erase_personal(desk: Writer, index: Index, said: Erase) -> Response:
    """Its commitment stays, so that the record still verifies; that it was erased is an entry."""

    def shape(tx: Tx, _: None) -> shapes.EntryLine:
        return shapes.EntryLine.model_validate(queries.entry(tx.connection, index))

    return desk.write(lambda tx, person: records.erase(tx, index, said.reason, person), shape)


@router.get(
    "/evidence/{digest}", tags=["incidents"], response_class=Response, summary="Get a snapshot by its SHA-256",
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)  # fmt: skip
def get_evidence(desk: Reader, digest: str) -> Response:
    """The bytes as they were kept. Whoever sent them is a stranger, so they come as a download and never as a page."""
    with desk.read() as connection:
        found = queries.evidence(connection, digest)
    headers = {"Content-Disposition": f'attachment; filename="{found.digest}"', "X-Evidence-Type": found.media_type}
    return Response(found.content, media_type="application/octet-stream", headers=headers)
