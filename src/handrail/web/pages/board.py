"""The board."""

from collections.abc import Iterable

from handrail.domain.candidate import Candidate
from handrail.domain.gate import Gate
from handrail.domain.incident import Incident
from handrail.domain.people import Permission
from handrail.domain.run import Run
from handrail.kernel.limits import LIMITS
from handrail.store import alerts, queries, rooms
from handrail.store.queries import EntryView, Found, Wanted
from handrail.web import views as v
from handrail.web.pages.site import At
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters.alerts import alert_row
from handrail.web.presenters.board import CARD_ALERTS, candidate_card, incident_row, severity_options
from handrail.web.presenters.timeline import is_echo

_CLOSED_SHOWN = 5
_ALERTS_SHOWN = 10
_ENTRIES_LOOKED_AT = 8


def board(visit: Visit) -> Screen:
    connection, may_declare = visit.connection, visit.may(Permission.DECLARE)
    live = queries.page(connection, Incident, Wanted("live"))
    closed = queries.page(connection, Incident, Wanted("closed"), _CLOSED_SHOWN)
    recent = alerts.page(connection, alerts.Filter(), _ALERTS_SHOWN)
    view = v.BoardView(
        incidents=_rows(visit, live),
        candidates=visit.context.live.since_news("board", may_declare, visit.seen, lambda: _candidates(visit)),
        alerts=tuple(alert_row(kept.alert) for kept in recent),
        alerts_total=alerts.count(connection, alerts.Filter()),
        closed=_rows(visit, closed),
        inbound_address=f"{visit.context.public_url}/api/v2/alerts",
        may_declare=may_declare,
        severities=severity_options("SEV2"),
    )
    return Screen("board.html", "Board", view, "board", ("board", "alerts"))


def _candidates(visit: Visit) -> tuple[v.CandidateCard, ...]:
    """The same for all who may, or may not, declare."""
    open_ones = queries.page(visit.connection, Candidate, Wanted("open"), LIMITS.candidates_shown)
    return tuple(
        candidate_card(
            one.state, alerts.newest_of(visit.connection, one.state.id, CARD_ALERTS), visit.may(Permission.DECLARE)
        )
        for one in open_ones
    )


def _rows(visit: Visit, found: Iterable[Found[Incident]]) -> tuple[v.IncidentRow, ...]:
    incidents = [each.state for each in found]
    ids = [incident.id for incident in incidents]
    runs: list[Run] = rooms.active_in(visit.connection, "run", "running", ids)
    gates: list[Gate] = rooms.active_in(visit.connection, "gate", "open", ids)
    last = rooms.last_entries(visit.connection, ids, _ENTRIES_LOOKED_AT)
    return tuple(
        incident_row(
            incident, visit.person, visit.now, visit.names,
            [run for run in runs if run.incident_id == incident.id],
            [gate for gate in gates if gate.incident_id == incident.id],
            _last_word(last.get(incident.id, [])),
        )
        for incident in incidents
    )  # fmt: skip


def _last_word(entries: list[EntryView]) -> EntryView | None:
    return next((entry for entry in entries if not is_echo(entry)), entries[0] if entries else None)


PAGES = (At("/", board, {"live": "parts/board/live.html", "alerts": "parts/board/alerts.html"}, "/board"),)
FORMS = ()
