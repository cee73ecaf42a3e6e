"""Alerts as they came in, and each of them whole."""

import base64
import binascii
import json
from dataclasses import replace
from urllib.parse import urlencode

from handrail.domain.alert import AlertStatus, is_flapping
from handrail.domain.incident import Incident
from handrail.domain.people import Permission
from handrail.domain.silence import silencing
from handrail.kernel.errors import BadInput, NotFound
from handrail.kernel.limits import LIMITS
from handrail.operations import silences as operations
from handrail.store import alerts as store
from handrail.store import queries, rooms
from handrail.web import views as v
from handrail.web.pages.silences import silence_row, spans
from handrail.web.pages.site import At
from handrail.web.pages.visit import Screen, Visit, options
from handrail.web.presenters.alerts import alert_row, alert_view


def alerts(visit: Visit) -> Screen:
    source, status = visit.query.get("source") or None, visit.query.get("status") or None
    search = (visit.query.get("q") or "")[: LIMITS.label_chars]
    wanted = store.Filter(source, status, None, search)
    before = read_place(visit.query.get("before"))
    found = store.page(visit.connection, wanted, LIMITS.page_size + 1, before)
    shown = found[: LIMITS.page_size]
    view = v.AlertsView(
        alerts=tuple(alert_row(kept.alert) for kept in shown),
        total=store.count(visit.connection, wanted),
        sources=options(rooms.alert_sources(visit.connection), source or "", "all sources"),
        statuses=options(tuple(AlertStatus), status or "", "any state"),
        search=search,
        newer=_address(source, status, search, None) if before else None,
        older=_address(source, status, search, shown[-1]) if len(found) > len(shown) else None,
    )
    return Screen("alerts.html", "Alerts", view, "alerts", ("alerts",))


def _address(source: str | None, status: str | None, search: str, last: store.Kept | None) -> str:
    asked = {"source": source, "status": status, "q": search, "before": place(last) if last else None}
    return f"/alerts?{urlencode({name: value for name, value in asked.items() if value})}"


def place(last: store.Kept) -> str:
    text = json.dumps([last.moved_at, last.alert.id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_place(text: str | None) -> tuple[str, str] | None:
    if not text:
        return None
    try:
        moved_at, alert_id = json.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise BadInput("This page of alerts is none of ours; begin again from the list.", "bad_cursor") from None
    return str(moved_at), str(alert_id)


def alert(visit: Visit) -> Screen:
    kept = store.get(visit.connection, visit.where["alert_id"])
    if kept is None:
        raise NotFound(f"There is no alert {visit.where['alert_id'][:80]}.")
    said = store.occurrences_of(visit.connection, kept.alert.id)
    held_by = silencing(operations.live(visit.connection), kept.alert)
    view = replace(
        alert_view(kept.alert, said, _belongs_to(visit, kept.candidate_id)),
        flapping=is_flapping(kept.alert, visit.now),
        silenced=silence_row(visit, held_by) if held_by else None,
        may_shelve=held_by is None and visit.may(Permission.WORK),
        spans=spans(),
    )
    return Screen("alert.html", kept.alert.title or "Alert", view, "alerts")


def _belongs_to(visit: Visit, candidate_id: str | None) -> tuple[str, str] | None:
    if candidate_id is None:
        return None
    incident_id = store.incidents_of(visit.connection, [candidate_id]).get(candidate_id)
    incident = queries.find(visit.connection, Incident, incident_id) if incident_id else None
    if incident is None:
        return f"/candidates/{candidate_id}", "its candidate"
    return f"/incidents/{incident.id}", incident.state.reference


PAGES = (
    At("/alerts", alerts, {"list": "parts/alerts_list.html"}),
    At("/alerts/{alert_id}", alert),
)
FORMS = ()
