"""One alert from its first word to its last, as each sender writes it: what ends it carries other words, other types
and sometimes less, and must still end it, whatever order the words come in; another alert is never taken for it."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from handrail.domain.alert import Alert, AlertStatus, Occurrence, first, merge
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.registry import integration

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
FIRING, RESOLVED = AlertStatus.FIRING, AlertStatus.RESOLVED


@dataclass(frozen=True)
class Life:
    """What fires, what is told meanwhile, what ends it, and the same of another alert. `headers` go with each."""

    integration: str
    fired: dict[str, Any]
    ended: dict[str, Any]
    other: dict[str, Any]
    meanwhile: tuple[dict[str, Any], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def changed(body: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """The body with other values; “a__b” is the part b of its part a, None leaves it out."""
    made = copy.deepcopy(body)
    for path, value in parts.items():
        *way, last = path.split("__")
        inner = made
        for name in way:
            inner = inner[name]
        if value is None:
            inner.pop(last, None)
        else:
            inner[last] = value
    return made


PROBLEM = {
    "PID": "-61_17V2", "ProblemID": "P-7", "ProblemTitle": "Failure rate", "State": "OPEN", "ProblemImpact": "SERVICE",
    "ProblemSeverity": "ERROR", "ImpactedEntities": [{"type": "SERVICE", "name": "pay", "entity": "SERVICE-1"}],
    "ProblemDetailsJSON": {"startTime": 1767603600000, "endTime": -1, "status": "OPEN"}, "Tags": "a:b",
}  # fmt: skip
ISSUE = {
    "id": "d1", "issueUrl": "https://r.example/1", "title": "Memory > 90", "priority": "CRITICAL", "state": "CREATED",
    "trigger": "STATE_CHANGE", "createdAt": 1767603600000, "updatedAt": 1767603600000, "impactedEntities": ["web-1"],
}  # fmt: skip
INCIDENT = {
    "incident_id": 42, "current_state": "open", "condition_name": "CPU", "policy_name": "P", "severity": "CRITICAL",
    "timestamp": 1767603600000, "details": "CPU > 90", "targets": [{"name": "web-1"}],
}  # fmt: skip
CHECK = {
    "check_id": 12, "check_name": "Web", "current_state": "DOWN", "previous_state": "UP", "importance_level": "HIGH",
    "state_changed_timestamp": 1767603600, "description": "Timeout", "tags": [],
}  # fmt: skip
ARIA = {
    "alertId": "a-1", "resourceName": "hv-3", "resourceKind": "HostSystem", "adapterKind": "VMWARE", "info": "Hot",
    "criticality": "ALERT_CRITICALITY_LEVEL_CRITICAL", "status": "ACTIVE", "startDate": 1767603600000,
    "updateDate": 1767603600000, "cancelDate": 1767603600000, "alertName": "Host is hot",
}  # fmt: skip
RIEMANN = {"host": "web-1", "service": "disk /", "state": "critical", "metric": 0.99, "time": 1767603600, "ttl": 60}
RUN = {
    "trigger": "failure", "status": "failed", "executionId": 14,
    "execution": {
        "id": 14, "project": "P", "status": "failed", "href": "https://r.example/14", "description": "exit 1",
        "date-started": {"unixtime": 1767603540000}, "date-ended": {"unixtime": 1767603600000},
        "job": {"id": "j-1", "name": "Backup", "group": "ops"},
    },
}  # fmt: skip
RUN_ENDED = changed(
    RUN, trigger="success", status="succeeded", executionId="15", execution__status="succeeded",
    execution__href="https://r.example/15", execution__job={"id": "j-1", "name": "Backups", "group": "operations"},
)  # fmt: skip
RUN_ENDED["execution"]["date-ended"] = {"unixtime": 1767604200000}
EVENT = {
    "specversion": "1.0", "id": "1", "source": "/mon", "type": "acme.alert.fired", "subject": "db-1/disk",
    "time": "2026-01-05T09:00:00Z", "data": {"title": "Disk full", "severity": "critical"},
}  # fmt: skip
CDEVENT = {
    "context": {
        "version": "0.4.1", "id": "c-1", "source": "/mon", "type": "dev.cdevents.incident.detected.0.2.0",
        "timestamp": "2026-01-05T09:00:00Z",
    },
    "subject": {"id": "i-1", "type": "incident", "content": {"description": "Slow", "service": {"id": "shop"}}},
}  # fmt: skip
TICKET = {
    "webhookEvent": "jira:issue_created", "timestamp": 1767603600000,
    "issue": {
        "id": "10002", "key": "OPS-7", "self": "https://j.example/rest/api/2/issue/10002",
        "fields": {
            "summary": "Down", "status": {"name": "Open", "statusCategory": {"key": "new"}}, "resolution": None,
            "created": "2026-01-05T09:00:00.000+0000", "priority": {"name": "Highest"}, "project": {"key": "OPS"},
        },
    },
}  # fmt: skip
DONE = {"name": "Erledigt", "statusCategory": {"key": "done"}}
RECORD = {
    "sys_id": "9d38", "number": "INC1", "short_description": "Down", "state": "1", "priority": "1",
    "opened_at": "2026-01-05 09:00:00", "sys_updated_on": "2026-01-05 09:00:00",
}  # fmt: skip
PAGE = {"meta": {"unsubscribe": "https://u.example"}, "page": {"id": "p"}}
COMPONENT = {
    **PAGE, "component": {"id": "c-1", "name": "API", "status": "major_outage"},
    "component_update": {"component_id": "c-1", "new_status": "major_outage", "created_at": "2026-01-05T09:00:00Z"},
}  # fmt: skip
NOTICE = {
    **PAGE,
    "incident": {
        "id": "i-1", "name": "API down", "status": "investigating", "impact": "critical",
        "created_at": "2026-01-05T09:00:00Z", "updated_at": "2026-01-05T09:00:00Z",
        "incident_updates": [{"status": "investigating", "body": "We look", "created_at": "2026-01-05T09:00:00Z"}],
    },
}  # fmt: skip
NOTICE_ENDED = changed(NOTICE, incident__status="resolved", incident__name="API is back", incident__impact="none")
NOTICE_ENDED["incident"]["incident_updates"].insert(
    0, {"status": "resolved", "body": "Fixed", "created_at": "2026-01-05T09:10:00Z"}
)
SEARCH = {
    "sid": "s-1", "search_name": "Errors", "results_link": "https://s.example", "app": "search",
    "result": {"host": "web-1", "alert_status": "firing", "_time": "1767603600", "severity": "high"},
}  # fmt: skip

LIVES = {
    "dynatrace": Life(
        "dynatrace", PROBLEM,
        changed(PROBLEM, State="RESOLVED", ProblemTitle="Failure rate and more", ProblemSeverity="AVAILABILITY",
                ProblemDetailsJSON={"startTime": 1767603600000, "endTime": 1767604200000, "status": "CLOSED"}),
        changed(PROBLEM, PID="-62_17V2", ProblemID="P-8"),
    ),
    "dynatrace, merged, without details": Life(
        "dynatrace", changed(PROBLEM, PID=None, ProblemDetailsJSON=None),
        changed(PROBLEM, PID=None, ProblemDetailsJSON=None, State="MERGED", ImpactedEntities=[], Tags=""),
        changed(PROBLEM, PID=None, ProblemID="P-8"),
    ),
    "newrelic": Life(
        "newrelic", ISSUE,
        changed(ISSUE, state="CLOSED", title="Memory and CPU", priority="LOW", updatedAt=1767604200000,
                isCorrelated="true"),
        changed(ISSUE, id="d2"),
        (changed(ISSUE, state="ACTIVATED", updatedAt=1767603660000),
         changed(ISSUE, state="ACTIVATED", trigger="ACKNOWLEDGED", updatedAt=1767603720000)),
    ),
    "newrelic, older": Life(
        "newrelic", INCIDENT,
        changed(INCIDENT, incident_id="42", current_state="closed", details="CPU < 90", timestamp="1767604200000",
                targets=[]),
        changed(INCIDENT, incident_id=43),
        (changed(INCIDENT, current_state="acknowledged", timestamp=1767603660000),),
    ),
    "pingdom": Life(
        "pingdom", CHECK,
        changed(CHECK, check_id="12", check_name="Web, renamed", current_state="UP", state_changed_timestamp=1767604200,
                description="OK", importance_level=None),
        changed(CHECK, check_id=13),
    ),
    "pingdom, a transaction": Life(
        "pingdom", changed(CHECK, current_state="FAILING", check_type="TRANSACTION"),
        changed(CHECK, current_state="SUCCESS", state_changed_timestamp=1767604200), changed(CHECK, check_id=13),
    ),
    "vrealize": Life(
        "vrealize", ARIA,
        changed(ARIA, status="CANCELED", cancelDate=1767604200000, updateDate=1767604200000, info="", Health=4.0,
                criticality="ALERT_CRITICALITY_LEVEL_WARNING"),
        changed(ARIA, alertId="a-2"),
        (changed(ARIA, status="UPDATED", updateDate=1767603660000, info="Very hot"),),
    ),
    "riemann": Life(
        "riemann", RIEMANN, changed(RIEMANN, state="ok", metric=0.1, time=1767604200.5, description="fine"),
        changed(RIEMANN, service="disk /var"), (changed(RIEMANN, state="warning", time=1767603660),),
    ),
    "rundeck": Life(
        "rundeck", RUN, RUN_ENDED, changed(RUN, execution__job={"id": "j-2", "name": "Backup", "group": "ops"})
    ),
    "cloudevents": Life(
        "cloudevents", EVENT,
        changed(EVENT, id="2", type="acme.alert.resolved", time="2026-01-05T10:10:00.123456789+01:00",
                data={"title": "Disk fine", "severity": "info"}),
        changed(EVENT, subject="db-2/disk"),
    ),
    "cloudevents, by status and id": Life(
        "cloudevents", changed(EVENT, type="acme.alert", data={"status": "open", "alertId": 7, "title": "x"}),
        changed(EVENT, id="2", type="acme.alert", subject=None, time="2026-01-05T09:10:00Z",
                data={"status": "Recovered", "alert_id": "7", "title": "y"}),
        changed(EVENT, type="acme.alert", data={"status": "open", "alertId": 8, "title": "x"}),
    ),
    "cdevents": Life(
        "cloudevents", CDEVENT,
        changed(CDEVENT, context__id="c-2", context__type="dev.cdevents.incident.resolved.0.3.0",
                context__timestamp="2026-01-05T09:10:00Z", subject__content={}),
        changed(CDEVENT, subject__id="i-2"),
        (changed(CDEVENT, context__id="c-3", context__type="dev.cdevents.incident.reported.0.2.0",
                 context__timestamp="2026-01-05T09:01:00Z"),),
    ),
    "jira": Life(
        "jira", TICKET,
        changed(TICKET, webhookEvent="jira:issue_updated", timestamp=1767604200000, issue__id=10002, issue__key="WEB-1",
                issue__fields__status=DONE, issue__fields__summary="Was down", issue__fields__priority=None),
        changed(TICKET, issue__id="10003"),
        (changed(TICKET, webhookEvent="jira:issue_updated", timestamp=1767603660000,
                 issue__fields__status={"name": "Doing", "statusCategory": {"key": "indeterminate"}}),),
    ),
    "jira, deleted": Life(
        "jira", TICKET, changed(TICKET, webhookEvent="jira:issue_deleted", timestamp="1767604200000"),
        changed(TICKET, issue__id="10003"),
    ),
    "servicenow": Life(
        "servicenow", RECORD,
        changed(RECORD, state={"value": "6", "display_value": "Resolved"}, short_description="Was down", priority="5",
                sys_updated_on={"value": "2026-01-05 09:10:00", "display_value": "05.01.2026 10:10:00"}),
        changed(RECORD, sys_id="9d39", number="INC2"),
        (changed(RECORD, state="2", sys_updated_on="2026-01-05 09:01:00"),),
    ),
    "statuspage, a component": Life(
        "statuspage", COMPONENT,
        changed(COMPONENT, component__name="API v2", component__status="operational",
                component_update__new_status="operational", component_update__created_at="2026-01-05T09:10:00.000Z"),
        changed(COMPONENT, component__id="c-2"),
        (changed(COMPONENT, component_update__new_status="partial_outage",
                 component_update__created_at="2026-01-05T09:01:00Z"),),
    ),
    "statuspage, an incident": Life("statuspage", NOTICE, NOTICE_ENDED, changed(NOTICE, incident__id="i-2")),
    "splunk": Life(
        "splunk", changed(SEARCH, result__dedup_key="k"),
        changed(SEARCH, sid="s-2", search_name="Errors are over", result={"alert_status": "Resolved", "dedup_key": "k",
                                                                          "_time": "1767604200"}),
        changed(SEARCH, result__host="web-2"),
    ),
}  # fmt: skip


def read(life: Life, body: dict[str, Any]) -> Occurrence:
    [said] = integration(life.integration).parse(Inbound(json.dumps(body).encode(), life.headers), NOW).occurrences
    return said


def told(words: tuple[Occurrence, ...] | list[Occurrence]) -> Alert:
    """The alert after the words in that order, a second apart."""
    alert = first("alr_1", "source", words[0], "", "token", NOW)
    for number, said in enumerate(words[1:], start=1):
        alert = merge(alert, said, NOW + timedelta(seconds=number))
    return alert


@pytest.mark.parametrize("name", LIVES)
def test_what_ends_an_alert_ends_that_one_and_no_other(name: str) -> None:
    life = LIVES[name]
    fired, ended, other = (read(life, body) for body in (life.fired, life.ended, life.other))
    meanwhile = [read(life, body) for body in life.meanwhile]
    assert {said.dedup_key for said in (fired, *meanwhile, ended)} == {fired.dedup_key}
    assert other.dedup_key != fired.dedup_key
    assert (fired.status, ended.status) == (FIRING, RESOLVED)
    alert = told([fired, *meanwhile, ended])
    assert (alert.status, alert.late) == (RESOLVED, 0)
    assert alert.title == [said.title for said in (fired, *meanwhile) if said.status == FIRING][-1]
    assert alert.ends_at is not None and alert.ends_at >= alert.starts_at


@pytest.mark.parametrize("name", [name for name in LIVES if name != "dynatrace, merged, without details"])
def test_in_whatever_order_its_words_come_an_alert_that_ended_stays_ended(name: str) -> None:
    """Where every word tells its time: what came late is told as late and reopens nothing."""
    life = LIVES[name]
    words = [read(life, body) for body in (life.fired, *life.meanwhile, life.ended)]
    for order in permutations(words):
        assert told(order).status == RESOLVED


@pytest.mark.parametrize("name", LIVES)
def test_what_fires_again_afterwards_opens_the_same_alert_again(name: str) -> None:
    life = LIVES[name]
    fired, ended = read(life, life.fired), read(life, life.ended)
    later = read(life, json.loads(json.dumps(life.fired).replace("17676036", "17676054").replace("T09:00", "T09:30")
                                  .replace(" 09:00:00", " 09:30:00")))  # fmt: skip
    alert = told([fired, ended, later])
    assert (alert.status, later.dedup_key) == (FIRING, fired.dedup_key)
