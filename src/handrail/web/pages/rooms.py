"""Reads one incident whole, in a dozen queries however much happened in it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from handrail.domain.change import Change
from handrail.domain.finding import Finding
from handrail.domain.incident import Incident
from handrail.domain.policy import Act, Ruling, judge
from handrail.domain.proposal import Proposal
from handrail.kernel.limits import LIMITS
from handrail.plugins.actions.contract import Action
from handrail.store import alerts, queries, rooms
from handrail.store.queries import EntryView, Found
from handrail.web.pages.visit import Visit
from handrail.web.presenters.room import Room


def load_room(visit: Visit, incident_id: str, entries: int = LIMITS.page_size_max) -> Room:
    """Raises NotFound."""
    connection = visit.connection
    incident = queries.incident(connection, incident_id).state
    nouns = rooms.nouns_of(connection, incident.id)
    states = {kind: {noun_id: found.state for noun_id, found in by_id.items()} for kind, by_id in nouns.items()}
    finding = next((found for found in states.get("finding", {}).values() if found.status == "current"), None)
    change = cause_change(visit, finding)
    room = Room(
        incident=incident,
        now=visit.now,
        viewer=visit.within(incident),
        names=visit.names,
        runs=states.get("run", {}),
        gates=states.get("gate", {}),
        messages=nouns.get("message", {}),
        proposals=states.get("proposal", {}),
        finding=finding,
        change=change,
        review=next(iter(states.get("review", {}).values()), None),
        evidence=rooms.evidence_of(connection, _cited(finding, states)),
        entries=tuple(_entries(visit, incident, finding, entries)),
        entries_total=rooms.timeline_size(connection, incident.id),
        catalog=visit.catalog,
        audiences=visit.audiences,
        rulings=_rulings(visit, incident, states.get("proposal", {}).values()),
    )
    return _with_alerts(visit, room)


def _with_alerts(visit: Visit, room: Room) -> Room:
    candidate_id = room.incident.candidate_id
    if candidate_id is None:
        return room
    counts = rooms.alert_counts(visit.connection, candidate_id)
    found = alerts.page(visit.connection, alerts.Filter(candidate_id=candidate_id), LIMITS.page_size)
    return replace(
        room,
        alerts=tuple(kept.alert for kept in found),
        alerts_total=counts.total,
        alerts_open=counts.still_open,
    )


def cause_change(visit: Visit, finding: Finding | None) -> Change | None:
    """The change that a finding names as the cause."""
    if finding is None or finding.cause_kind != "change" or finding.cause_id is None:
        return None
    found: Found[Change] | None = queries.find(visit.connection, Change, finding.cause_id)
    return found.state if found else None


def _cited(finding: Finding | None, states: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    cited = [citation.evidence for citation in finding.citations] if finding else []
    checked = [task.evidence for run in states.get("run", {}).values() for task in run.tasks.values() if task.evidence]
    return [*cited, *checked]


def _entries(visit: Visit, incident: Incident, finding: Finding | None, size: int) -> list[EntryView]:
    """The incident's own entries, with how its candidate began and the change that is named as its cause."""
    found = queries.timeline_end(visit.connection, incident.id, size)
    streams = [f"candidate/{incident.candidate_id}"] if incident.candidate_id else []
    if finding is not None and finding.cause_kind == "change":
        streams.append(f"change/{finding.cause_id}")
    around = [rooms.first_entry(visit.connection, stream) for stream in streams]
    return [*(entry for entry in around if entry is not None), *found]


def _rulings(visit: Visit, incident: Incident, proposals: Iterable[Proposal]) -> dict[str, Ruling]:
    """What the policy in force says about each open proposal."""
    policy = visit.policy
    actions: Mapping[str, Action] = visit.context.shell.ports.actions
    found = {}
    for proposal in proposals:
        action = actions.get(proposal.action)
        if policy is None or action is None or proposal.status != "open":
            continue
        service = visit.catalog.services.get(proposal.parameters.get("service", ""))
        act = Act(
            "action", proposal.action, str(action.manifest.risk), service.tier if service else 3, incident.severity,
            service_owner=service.owner if service else None,
        )  # fmt: skip
        found[proposal.id] = judge(policy, act)
    return found
