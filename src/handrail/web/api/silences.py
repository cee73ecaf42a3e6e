"""Silences, maintenance windows and shelvings."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from handrail.domain.silence import Kind, Silence
from handrail.kernel.errors import Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.operations import silences as operations
from handrail.operations.shell import Tx
from handrail.store import queries
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Asked, Nothing, Noun, Pages, Reader, Writer, answer

router = APIRouter(prefix="/api/v1", tags=["silences"], route_class=ApiRoute)
_LONGEST = LIMITS.silence_longest.total_seconds()


class SilenceShape(shapes.Shape):
    """`status` is scheduled, live, ended (being released) or over."""

    id: str
    kind: Kind
    matchers: list[str]
    reason: str
    status: str
    starts_at: shapes.Moment
    ends_at: shapes.Moment
    by: str
    ended_by: str
    released: int = Field(description="Alerts that still fired when it ended and were placed anew.")

    @staticmethod
    def of(silence: Silence) -> "SilenceShape":
        return SilenceShape(
            id=silence.id, kind=silence.what, matchers=[str(one) for one in silence.matchers], reason=silence.reason,
            status=silence.status, starts_at=silence.starts_at, ends_at=silence.ends_at, by=silence.by,
            ended_by=silence.ended_by, released=silence.released,
        )  # fmt: skip


class AddSilence(Asked):
    """An end is always set: `ends_at`, or `seconds` from its beginning."""

    kind: Kind = "silence"
    matchers: Annotated[list[str], Field(max_length=100, examples=[["service=payments", "label.cluster^=eu-"]])]
    reason: Annotated[str, Field(max_length=LIMITS.title_chars, examples=["known, fixed in 2.5.1"])]
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    seconds: Annotated[float | None, Field(gt=0, le=_LONGEST, examples=[7200])] = None


class Shelve(Asked):
    seconds: Annotated[float, Field(gt=0, le=_LONGEST, examples=[1800])]
    reason: Annotated[str, Field(max_length=LIMITS.title_chars, examples=["known, fixed in 2.5.1"])]


@router.get("/silences", response_model=shapes.Page[SilenceShape], summary="List silences and maintenance windows")
def list_silences(
    desk: Reader, asked: Pages, status: Literal["scheduled", "live", "ended", "over"] | None = None
) -> Response:
    with desk.read() as connection:
        found = queries.page(connection, Silence, queries.Wanted(status), asked.size, asked.before)
    return desk.page(found, asked, lambda item: SilenceShape.of(item.state), lambda item: (item.id,))


@router.get("/silences/{silence_id}", response_model=SilenceShape, summary="Get a silence")
def get_silence(desk: Reader, silence_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Silence, silence_id)
    return answer(SilenceShape.of(found.state), seq=found.seq)


@router.post("/silences", response_model=SilenceShape, status_code=201, summary="Silence alerts for a while")
def add_silence(desk: Writer, said: AddSilence) -> Response:
    """Matching alerts are stored and shown, and become no candidate until it ends."""
    starts_at = said.starts_at or desk.now
    return _made(
        desk,
        lambda tx: operations.add(
            tx, said.kind, said.matchers, starts_at, _end_of(said, starts_at), said.reason, desk.person
        ),
    )


def _end_of(said: AddSilence, starts_at: datetime) -> datetime:
    if (said.ends_at is None) == (said.seconds is None):
        raise Unprocessable("Say when it ends: either `ends_at` or `seconds`.", "bad_silence")
    return said.ends_at or starts_at + timedelta(seconds=said.seconds or 0)


@router.post("/alerts/{alert_id}/shelve", response_model=SilenceShape, status_code=201, summary="Put an alert aside")
def shelve_alert(desk: Writer, alert_id: str, said: Shelve) -> Response:
    span = timedelta(seconds=said.seconds)
    return _made(desk, lambda tx: operations.shelve(tx, alert_id, span, said.reason, desk.person))


def _made(desk: Writer, operation: Callable[[Tx], Silence]) -> Response:
    return desk.write(
        lambda tx, person: operation(tx),
        lambda tx, made: SilenceShape.of(made),
        made=lambda made: Noun("silence", made.id),
        status=201,
    )


@router.post("/silences/{silence_id}/end", response_model=SilenceShape, summary="End a silence now")
def end_silence(desk: Writer, silence_id: str, said: Nothing | None = None) -> Response:
    """What it held back and still fires is placed at once."""
    return desk.write(
        lambda tx, person: operations.end(tx, silence_id, person),
        lambda tx, _: SilenceShape.of(tx.get("silence", silence_id)),
        about=Noun("silence", silence_id),
    )
