"""Alerts with what was said about them, and changes."""

import json
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from handrail.domain.alert import AlertStatus
from handrail.domain.change import Change
from handrail.kernel.errors import NotFound
from handrail.store import alerts, queries
from handrail.store.alerts import Kept, OccurrenceRow
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Desk, Pages, Paging, Reader, answer

router = APIRouter(prefix="/api/v1", tags=["alerts"], route_class=ApiRoute)

Name = Annotated[str | None, Query(max_length=256)]


def alert_page(desk: Desk, asked: Paging, wanted: alerts.Filter) -> Response:
    before = (asked.cursor[0], asked.cursor[-1]) if asked.cursor else None
    with desk.read() as connection:
        found = alerts.page(connection, wanted, asked.limit, before)
        # The store bounds a page at its maximum, so what follows is asked for apart.
        last = found[-1] if len(found) == asked.limit else None
        more = alerts.page(connection, wanted, 1, (last.moved_at, last.alert.id)) if last else []
    return desk.page(
        [*found, *more],
        asked,
        lambda kept: shapes.Alert.of(kept.alert, kept.candidate_id),
        lambda kept: (kept.moved_at, kept.alert.id),
    )


@router.get("/alerts", response_model=shapes.Page[shapes.Alert], summary="List alerts, newest first")
def list_alerts(
    desk: Reader,
    asked: Pages,
    source: Name = None,
    status: AlertStatus | None = None,
    candidate: Name = None,
    search: Annotated[str, Query(max_length=200, description="Looked for in title, service and labels.")] = "",
) -> Response:
    return alert_page(desk, asked, alerts.Filter(source, status.value if status else None, candidate, search))


@router.get("/alerts/{alert_id}", response_model=shapes.Alert, summary="Get an alert")
def get_alert(desk: Reader, alert_id: str) -> Response:
    with desk.read() as connection:
        kept = _alert(alerts.get(connection, alert_id), alert_id)
    return answer(shapes.Alert.of(kept.alert, kept.candidate_id))


@router.get(
    "/alerts/{alert_id}/occurrences", response_model=shapes.Page[shapes.Occurrence],
    summary="What was said about an alert, newest first",
)  # fmt: skip
def list_occurrences(desk: Reader, alert_id: str) -> Response:
    """The last two hundred; `raw` are the sender's own words, which nobody vouches for."""
    with desk.read() as connection:
        _alert(alerts.get(connection, alert_id), alert_id)
        found = alerts.occurrences_of(connection, alert_id)
    return answer(shapes.Page[shapes.Occurrence](items=[_occurrence(row) for row in found], next=None))


def _alert(kept: Kept | None, alert_id: str) -> Kept:
    if kept is None:
        raise NotFound(f"There is no alert {alert_id[:80]}.")
    return kept


def _occurrence(row: OccurrenceRow) -> shapes.Occurrence:
    return shapes.Occurrence(
        batch=row.batch, position=row.position, alert_id=row.alert_id, leaf=json.loads(row.leaf), raw=row.raw
    )


@router.get("/changes", response_model=shapes.Page[shapes.Change], summary="List changes, newest first")
def list_changes(desk: Reader, asked: Pages) -> Response:
    """Changes are reported by sources, at their own address."""
    with desk.read() as connection:
        found = queries.page(connection, Change, queries.Wanted(), asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.Change.model_validate(item.state), lambda item: (item.id,))


@router.get("/changes/{change_id}", response_model=shapes.Change, summary="Get a change")
def get_change(desk: Reader, change_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Change, change_id)
    return answer(shapes.Change.model_validate(found.state), seq=found.seq)
