"""The record: browsed, proved entry by entry, verified whole; and evidence as it was kept."""

import time
from collections.abc import Iterable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from handrail.domain.gate import Gate
from handrail.domain.incident import Incident
from handrail.domain.message import Message
from handrail.domain.people import Permission, require
from handrail.domain.run import Run
from handrail.kernel.errors import HandrailError, NotFound
from handrail.kernel.limits import LIMITS
from handrail.record import note
from handrail.record.source import DatabaseTiles
from handrail.record.tree import inclusion_proof_from, verify_inclusion
from handrail.record.verifier import Checkpoint
from handrail.store import queries, rooms
from handrail.store.queries import CheckpointView, EntryView
from handrail.web import views as v
from handrail.web.api.desk import Desk
from handrail.web.api.record import verify_now
from handrail.web.auth import PageCaller, context_of
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit, options
from handrail.web.presenters import record as presenter
from handrail.web.presenters.alerts import pretty
from handrail.web.presenters.charts import Marks, charts, read_figure
from handrail.web.presenters.sentences import Told

_INDEX_DIGITS = 15


def record(visit: Visit, verification: v.Verification | None = None) -> Screen:
    visit.require(Permission.READ_RECORD)
    stream, kind = (visit.query.get("stream") or "").strip(), visit.query.get("type") or ""
    incident_id = visit.query.get("incident") or ""
    found = _entries(visit, stream, kind, incident_id)
    shown = found[: LIMITS.page_size]
    size = queries.record_size(visit.connection)
    kept, signed = _signed(visit)
    told = _told(visit, shown)
    asked = {"stream": stream, "type": kind, "incident": incident_id}
    view = v.RecordView(
        entries=tuple(presenter.entry_row(entry, told) for entry in shown),
        size=size,
        streams=_streams(visit),
        types=options(rooms.entry_types(), kind, "all types"),
        stream=stream,
        newer=_address(asked, None) if _before(visit) is not None else None,
        older=_address(asked, shown[-1].index) if len(found) > len(shown) else None,
        checkpoint=presenter.checkpoint(kept, signed, visit.context.checkpointer.signer.verifier.vkey, size),
        verification=verification,
    )
    return Screen("record.html", "Record", view, "record")


def _entries(visit: Visit, stream: str, kind: str, incident_id: str) -> list[EntryView]:
    wanted, before = LIMITS.page_size + 1, _before(visit)
    if incident_id:
        return rooms.timeline_before(visit.connection, incident_id, before, wanted)
    return queries.entries(visit.connection, stream or None, kind or None, wanted, before)


def _before(visit: Visit) -> int | None:
    text = visit.query.get("before") or ""
    return int(text) if text.isdigit() and len(text) <= _INDEX_DIGITS else None


def _address(asked: dict[str, str], before: int | None) -> str:
    said = {name: value for name, value in asked.items() if value}
    return f"/record?{urlencode({**said, 'before': before} if before is not None else said)}".rstrip("?")


def _streams(visit: Visit) -> tuple[v.Option, ...]:
    """The streams that people look for: those of incidents."""
    incidents = queries.page(visit.connection, Incident, size=LIMITS.candidates_shown)
    return tuple(v.Option(f"incident/{found.id}", found.state.reference) for found in incidents)


def _signed(visit: Visit) -> tuple[CheckpointView | None, Checkpoint | None]:
    """The last checkpoint with what it signs; one that our key did not sign counts as none."""
    newest = queries.checkpoints(visit.connection, 1)
    if not newest:
        return None, None
    try:
        return newest[0], note.open(newest[0].note, visit.context.checkpointer.signer.verifier)
    except HandrailError:
        return None, None


def _told(visit: Visit, entries: Iterable[EntryView]) -> Told:
    """The nouns that these entries speak of."""
    ids: dict[str, set[str]] = {}
    for entry in entries:
        kind, _, noun_id = entry.stream.partition("/")
        ids.setdefault(kind, set()).add(noun_id)
    connection = visit.connection
    return Told(
        visit.names,
        queries.many(connection, Run, ids.get("run", ())),
        queries.many(connection, Gate, ids.get("gate", ())),
        queries.many(connection, Message, ids.get("message", ())),
    )


def entry(visit: Visit) -> Screen:
    visit.require(Permission.READ_RECORD)
    text = visit.where["index"]
    if not text.isdigit() or len(text) > _INDEX_DIGITS:
        raise NotFound(f"There is no entry {text[:20]}.")
    found = queries.entry(visit.connection, int(text))
    size = queries.record_size(visit.connection)
    view = presenter.entry_view(found, _told(visit, [found]), size, _proof(visit, found), _subject(visit, found))
    return Screen("entry.html", f"Entry {found.index}", view, "record")


def _proof(visit: Visit, found: EntryView) -> v.InclusionProof | None:
    _, signed = _signed(visit)
    if signed is None or signed.size <= found.index:
        return None
    hashes = inclusion_proof_from(DatabaseTiles(visit.connection).nodes(), found.index, signed.size)
    leaf = bytes.fromhex(found.leaf_hash)
    holds = verify_inclusion(leaf, found.index, signed.size, hashes, signed.root)
    return presenter.proof_view(found.index, signed, hashes, holds)


def _subject(visit: Visit, found: EntryView) -> tuple[str, str] | None:
    """Where the noun of the entry is shown."""
    kind, _, noun_id = found.stream.partition("/")
    places = {"incident": "incidents", "gate": "gates", "message": "messages"}
    if kind in places:
        return f"/{places[kind]}/{noun_id}", f"the {kind}"
    return ("/people", "people") if kind == "account" else None


def verify_record(post: Post) -> Done:
    """Everything recomputed now; the page with what was found is the answer."""
    require(post.person, Permission.READ_RECORD)
    began = time.monotonic()
    report = verify_now(Desk(post.request, post.caller))
    found = presenter.verification(report, post.context.shell.clock.now(), time.monotonic() - began)
    if report.ok:
        return Done(f"All {report.size} entries are as recorded.", "/record", lambda visit: record(visit, found))
    said = f"{report.finding_count} fault{'' if report.finding_count == 1 else 's'} found; each is named below."
    return Done(said, "/record", lambda visit: record(visit, found), kind="refused")


def evidence(visit: Visit) -> Screen:
    found = queries.evidence(visit.connection, visit.where["digest"])
    figure = read_figure(found.digest, found.content)
    text = pretty(found.content.decode("utf-8", "replace"))
    view = v.EvidenceView(
        digest=found.digest,
        about=found.about,
        kind=figure.kind,
        made_at=found.made_at,
        media_type=found.media_type,
        bytes=len(found.content),
        text=text[: LIMITS.raw_alert_bytes],
        is_whole=len(text) <= LIMITS.raw_alert_bytes,
        charts=charts(figure, Marks()),
        lines=() if figure.series else tuple(v.LogLine(line) for line in figure.lines[: LIMITS.page_size]),
    )
    return Screen("evidence.html", found.about, view, "board")


def raw_evidence(request: Request, caller: PageCaller, digest: str) -> Response:
    """The bytes as they were kept. Whoever sent them is a stranger, so they come as a download and never as a page."""
    require(caller.person, Permission.READ)
    with context_of(request).shell.database.read() as connection:
        found = queries.evidence(connection, digest)
    headers = {"Content-Disposition": f'attachment; filename="{found.digest}"'}
    return Response(found.content, media_type="application/octet-stream", headers=headers)


PAGES = (At("/record", record), At("/record/{index}", entry), At("/evidence/{digest}", evidence))
FORMS = (On("/record/verify", verify_record),)
