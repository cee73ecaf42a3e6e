"""Candidates: what may be an incident. People declare and dismiss them, and correct which alerts belong together."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from handrail.domain import candidate, correction
from handrail.domain.kind import Kind
from handrail.kernel.limits import LIMITS
from handrail.operations import candidates, incidents
from handrail.store import alerts, queries
from handrail.store import candidates as store
from handrail.store.alerts import Kept
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Asked, Nothing, Noun, Pages, Reader, Writer, answer

router = APIRouter(prefix="/api/v1", tags=["candidates"], route_class=ApiRoute)

Reason = Annotated[str, Field(min_length=1, max_length=LIMITS.reason_chars, examples=["Known maintenance of payments"])]
Title = Annotated[str, Field(max_length=LIMITS.title_chars, examples=["Payments fail for most customers"])]
Severity = Annotated[str, Field(max_length=16, examples=["SEV1"])]
Id = Annotated[str, Field(min_length=1, max_length=80)]
Other = Annotated[str, Field(min_length=1, max_length=80, examples=["can_01j..."])]
Chosen = Annotated[
    list[Id], Field(min_length=1, max_length=LIMITS.candidate_alerts_moved, examples=[["alr_01j...", "alr_01k..."]])
]


class DeclareCandidate(Asked):
    """`title` null takes the candidate's own."""

    severity: Severity
    title: Title | None = None


class Dismiss(Asked):
    reason: Reason


class Split(Asked):
    alerts: Chosen
    reason: Reason


class Move(Asked):
    """`to` null takes the alerts out of every candidate."""

    alerts: Chosen
    to: Other | None = Field(None, description="The candidate where they go; null for none.")
    reason: Reason


class Add(Asked):
    alerts: Chosen
    reason: Reason


class Merge(Asked):
    into: Other
    reason: Reason


class MemberShape(shapes.Member):
    """One alert of a candidate as it is now, with why it is there. `score` is 0 to 100."""

    severity: str
    status: str
    source: str
    last_at: shapes.Moment


class KindShape(shapes.Shape):
    """Alerts of one rule of a source on a service."""

    source: str
    service: str | None
    name: str

    @staticmethod
    def all_of(kinds: Sequence[Kind]) -> "list[KindShape]":
        return [KindShape(source=kind.source, service=kind.service, name=kind.name) for kind in kinds]


class CorrectionShape(shapes.Shape):
    """What a person's correction says of later alerts. `status` is live or over."""

    id: str
    status: str
    kinds: list[KindShape] = Field(description="What was moved.")
    apart_from: list[KindShape]
    together_with: list[KindShape]
    alone: list[str] = Field(description="Alerts that were taken out of every candidate; they stay out for a day.")
    from_id: str | None
    into: str | None
    by: str
    at: shapes.Moment
    ends_at: shapes.Moment
    ended_by: str

    @staticmethod
    def of(found: correction.Correction) -> "CorrectionShape":
        return CorrectionShape(
            id=found.id, status=found.status, kinds=KindShape.all_of(found.kinds),
            apart_from=KindShape.all_of(found.apart_from), together_with=KindShape.all_of(found.together_with),
            alone=list(found.alone), from_id=found.from_id, into=found.into, by=found.by, at=found.at,
            ends_at=found.ends_at, ended_by=found.ended_by,
        )  # fmt: skip


@router.get("/candidates", response_model=shapes.Page[shapes.CandidateLine], summary="List candidates, newest first")
def list_candidates(
    desk: Reader, asked: Pages, status: Literal["open", "declared", "dismissed", "merged"] | None = None
) -> Response:
    with desk.read() as connection:
        found = queries.page(connection, candidate.Candidate, queries.Wanted(status), asked.size, asked.before)
    return desk.page(
        found, asked, lambda item: shapes.CandidateLine.model_validate(item.state), lambda item: (item.id,)
    )


@router.get("/candidates/{candidate_id}", response_model=shapes.Candidate, summary="Get a candidate")
def get_candidate(desk: Reader, candidate_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, candidate.Candidate, candidate_id)
    return answer(shapes.Candidate.model_validate(found.state), seq=found.seq)


@router.get(
    "/candidates/{candidate_id}/members", response_model=shapes.Page[MemberShape],
    summary="List the alerts of a candidate with why each is there, newest first",
)  # fmt: skip
def list_members(desk: Reader, asked: Pages, candidate_id: str) -> Response:
    before = (asked.cursor[0], asked.cursor[-1]) if asked.cursor else None
    wanted = alerts.Filter(candidate_id=candidate_id)
    with desk.read() as connection:
        found = queries.get(connection, candidate.Candidate, candidate_id).state
        shown = alerts.page(connection, wanted, asked.limit, before)
        last = shown[-1] if len(shown) == asked.limit else None
        more = alerts.page(connection, wanted, 1, (last.moved_at, last.alert.id)) if last else []
        reasons = store.members(connection, found, [kept.alert.id for kept in shown])
    return desk.page(
        [*shown, *more],
        asked,
        lambda kept: _member(kept, reasons.get(kept.alert.id)),
        lambda kept: (kept.moved_at, kept.alert.id),
    )


def _member(kept: Kept, member: candidate.Member | None) -> MemberShape:
    alert = kept.alert
    return MemberShape(
        alert_id=alert.id, service=alert.service, title=alert.title, reason=member.reason if member else "",
        score=member.score if member else 0, severity=alert.severity, status=alert.status, source=alert.source,
        last_at=alert.last_at,
    )  # fmt: skip


@router.post(
    "/candidates/{candidate_id}/declare", response_model=shapes.Incident, status_code=201,
    summary="Declare a candidate as an incident",
)  # fmt: skip
def declare_candidate(desk: Writer, candidate_id: str, said: DeclareCandidate) -> Response:
    """Who declares commands, until the role is handed over."""
    return desk.write(
        lambda tx, person: incidents.declare(tx, person, said.title or "", said.severity, candidate_id),
        lambda tx, incident: shapes.Incident.of(incident),
        about=Noun("candidate", candidate_id),
        made=lambda incident: Noun("incident", incident.id),
        status=201,
    )


@router.post(
    "/candidates/{candidate_id}/dismiss", response_model=shapes.Candidate, summary="Say that it is no incident"
)
def dismiss_candidate(desk: Writer, candidate_id: str, said: Dismiss) -> Response:
    return desk.write(
        lambda tx, person: incidents.dismiss(tx, candidate_id, said.reason, person),
        lambda tx, _: shapes.Candidate.model_validate(tx.get("candidate", candidate_id)),
        about=Noun("candidate", candidate_id),
    )


@router.post(
    "/candidates/{candidate_id}/split", response_model=shapes.Candidate, status_code=201,
    summary="Split alerts off as a candidate of their own",
)  # fmt: skip
def split_candidate(desk: Writer, candidate_id: str, said: Split) -> Response:
    """Answers with the new candidate. Later alerts of these kinds are kept apart as well."""
    return desk.write(
        lambda tx, person: candidates.split(tx, candidate_id, said.alerts, said.reason, person),
        lambda tx, made: shapes.Candidate.model_validate(made),
        about=Noun("candidate", candidate_id),
        made=lambda made: Noun("candidate", made.id),
        status=201,
    )


@router.post(
    "/candidates/{candidate_id}/move", response_model=shapes.Candidate,
    summary="Move alerts to another candidate or out of any",
)  # fmt: skip
def move_alerts(desk: Writer, candidate_id: str, said: Move) -> Response:
    """Answers with the candidate that they left. What is there already is left alone."""
    return desk.write(
        lambda tx, person: candidates.move(tx, candidate_id, said.alerts, said.to, said.reason, person),
        lambda tx, left: shapes.Candidate.model_validate(left),
        about=Noun("candidate", candidate_id),
    )


@router.post(
    "/candidates/{candidate_id}/add", response_model=shapes.Candidate,
    summary="Put alerts that belong to no candidate into this one",
)  # fmt: skip
def add_alerts(desk: Writer, candidate_id: str, said: Add) -> Response:
    return desk.write(
        lambda tx, person: candidates.add(tx, candidate_id, said.alerts, said.reason, person),
        lambda tx, grown: shapes.Candidate.model_validate(grown),
        about=Noun("candidate", candidate_id),
    )


@router.post(
    "/candidates/{candidate_id}/merge", response_model=shapes.Candidate,
    summary="Merge an open candidate into another, open or declared",
)  # fmt: skip
def merge_candidate(desk: Writer, candidate_id: str, said: Merge) -> Response:
    """Answers with the candidate that has everything now."""
    return desk.write(
        lambda tx, person: candidates.merge(tx, candidate_id, said.into, said.reason, person),
        lambda tx, target: shapes.Candidate.model_validate(target),
        about=Noun("candidate", candidate_id),
    )


@router.get(
    "/corrections", response_model=shapes.Page[CorrectionShape],
    summary="List what people's corrections of candidates say of later alerts, newest first",
)  # fmt: skip
def list_corrections(desk: Reader, asked: Pages, status: Literal["live", "over"] | None = None) -> Response:
    with desk.read() as connection:
        wanted = queries.Wanted(status)
        found = queries.page(connection, correction.Correction, wanted, asked.size, asked.before)
    return desk.page(found, asked, lambda item: CorrectionShape.of(item.state), lambda item: (item.id,))


@router.get("/corrections/{correction_id}", response_model=CorrectionShape, summary="Get a correction")
def get_correction(desk: Reader, correction_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, correction.Correction, correction_id)
    return answer(CorrectionShape.of(found.state), seq=found.seq)


@router.post(
    "/corrections/{correction_id}/end", response_model=CorrectionShape,
    summary="End what a correction says of later alerts",
)  # fmt: skip
def end_correction(desk: Writer, correction_id: str, said: Nothing | None = None) -> Response:
    """The alerts stay where they are."""
    return desk.write(
        lambda tx, person: candidates.end_correction(tx, correction_id, person),
        lambda tx, _: CorrectionShape.of(tx.get("correction", correction_id)),
        about=Noun("correction", correction_id),
    )
