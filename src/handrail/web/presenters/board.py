"""The board: live incidents, what may become one, and what came in."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from handrail.domain.alert import Alert
from handrail.domain.candidate import Candidate
from handrail.domain.gate import Gate
from handrail.domain.incident import SEVERITIES, Incident
from handrail.domain.people import IncidentRole, Person
from handrail.domain.run import Run, open_tasks
from handrail.store.queries import EntryView, TaskView, decides, in_incident, owns
from handrail.web import views as v
from handrail.web.presenters.alerts import alert_row
from handrail.web.presenters.names import Names
from handrail.web.presenters.sentences import Told, sentence
from handrail.web.presenters.stages import stages
from handrail.web.presenters.tasks import is_overdue

# How many alerts there are stands beside the title, and goes on changing; an incident is not named after it.
_COUNT = re.compile(r" \(\d+ alerts?\)$")
CARD_ALERTS = 12
_REASONS_SHOWN = 4


def incident_row(
    incident: Incident, viewer: Person, now: datetime, names: Names, runs: Sequence[Run], gates: Sequence[Gate],
    last: EntryView | None,
) -> v.IncidentRow:  # fmt: skip
    """`runs` and `gates` are the incident's that are running and open, `last` is its last entry worth telling."""
    commander = incident.roles.get(IncidentRole.COMMANDER)
    person = in_incident(viewer, incident)
    open_now = [TaskView(run, task) for run in runs for task in open_tasks(run).values()]
    mine = [view for view in open_now if view.task.plan.kind == "human" and owns(view, person, incident)]
    deciding = [gate for gate in gates if decides(gate, person, {incident.id: incident})]
    told = Told(names, {run.id: run for run in runs}, {gate.id: gate for gate in gates})
    return v.IncidentRow(
        id=incident.id,
        number=incident.reference,
        title=incident.title,
        severity=incident.severity,
        stage=incident.stage,
        stages=stages(incident, names),
        declared_at=incident.declared_at,
        commander=names.of(commander) if commander else None,
        services=incident.services,
        needs_me=len(mine) + len(deciding),
        open_tasks=len(open_now),
        overdue=sum(is_overdue(view.task, now) for view in open_now),
        last_sentence=sentence(last, told) if last else "Declared.",
        last_at=last.happened_at if last else incident.declared_at,
        ended_at=incident.closed_at,
    )


def candidate_card(candidate: Candidate, alerts: Iterable[Alert], may_declare: bool) -> v.CandidateCard:
    shown, reasons = tuple(alerts), _reasons(candidate)
    return v.CandidateCard(
        id=candidate.id,
        title=without_count(candidate.title),
        suggested=candidate.suggested_severity,
        suggested_why=candidate.severity_reason,
        reasons=reasons[:_REASONS_SHOWN],
        more_reasons=reasons[_REASONS_SHOWN:],
        services=candidate.services,
        sources=tuple(dict.fromkeys(alert.source for alert in shown)),
        alert_count=candidate.count,
        first_at=candidate.opened_at,
        last_at=candidate.grown_at,
        alerts=tuple(alert_row(alert) for alert in shown[:CARD_ALERTS]),
        may_declare=may_declare,
    )


def without_count(title: str) -> str:
    return _COUNT.sub("", title)


def _reasons(candidate: Candidate) -> tuple[str, ...]:
    """Each reason once, with how many alerts it brought in: the very first, then those that brought most."""
    counted: dict[str, int] = {}
    for member in candidate.members:
        counted[member.reason] = counted.get(member.reason, 0) + 1
    first = candidate.members[0].reason if candidate.members else ""
    ordered = sorted(counted, key=lambda reason: (reason != first, -counted[reason]))
    return tuple(
        reason if counted[reason] == 1 else f"{reason.rstrip('.')} ({counted[reason]} alerts)." for reason in ordered
    )


def severity_options(chosen: str = "") -> tuple[v.Option, ...]:
    return tuple(v.Option(level, level, level == chosen) for level in SEVERITIES)
