"""Real payloads of monitoring and ticket senders, where the shared folder with them lies beside this repository."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handrail.domain.alert import Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.registry import integrations

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).resolve().parents[4] / "shared" / "data" / "payloads"
FILES = sorted(PAYLOADS.glob("*/*.json"))
OURS = (
    "grafana", "grafana_legacy", "graylog", "jira", "opsgenie", "pagerduty_webhook", "pingdom", "riemann", "rundeck",
    "sentry", "zabbix",
)  # fmt: skip
WITHOUT_SAMPLE = ("nagios", "servicenow", "statuspage", "vrealize")
pytestmark = pytest.mark.skipif(
    not PAYLOADS.is_dir(),
    reason="the shared folder with real payloads is not beside this repository (../shared); nothing to read",
)


def read(path: str) -> tuple[Any, Parsed]:
    """A payload beside what was read of it. Expectations come from the payload: none is copied here."""
    body = (PAYLOADS / f"{path}.json").read_bytes()
    parsed = integrations()[path.partition("/")[0]].parse(Inbound(body), NOW)
    assert parsed.rejected == ()
    return json.loads(body), parsed


def one(path: str) -> tuple[Any, Occurrence]:
    sent, parsed = read(path)
    [said] = parsed.occurrences
    return sent, said


@pytest.mark.parametrize("name", ["grafana/v11_firing", "grafana/v8_firing_two_alerts"])
def test_grafanas_alerts_are_read(name: str) -> None:
    sent, parsed = read(name)
    assert len(parsed.occurrences) == len(sent["alerts"])
    for alert, said in zip(sent["alerts"], parsed.occurrences, strict=True):
        assert said.dedup_key == f"{sent['orgId']}/{alert['fingerprint']}"
        assert said.status == "firing"
        assert said.title == alert["annotations"]["summary"]
        assert said.labels == alert["labels"]
        assert said.link == (alert["panelURL"] or alert["generatorURL"])
        assert said.starts_at == datetime.fromisoformat(alert["startsAt"])
        assert said.ends_at is None
        assert said.severity_raw is None


def test_grafanas_legacy_alert_is_read() -> None:
    sent, said = one("grafana_legacy/alerting")
    tags = sent["evalMatches"][0]["tags"]
    assert (said.dedup_key, said.status, said.title) == (f"1/{sent['ruleId']}", "firing", sent["ruleName"])
    assert (said.service, said.resource, said.summary) == (tags["job"], tags["instance"], sent["message"])
    assert said.link == sent["ruleUrl"]


@pytest.mark.parametrize(("name", "status"), [("triggered", "firing"), ("resolved", "resolved")])
def test_pagerdutys_events_are_read(name: str, status: str) -> None:
    sent, parsed = read(f"pagerduty_webhook/v3_incident_{name}")
    [said] = parsed.occurrences
    event, incident = sent["event"], sent["event"]["data"]
    assert parsed.replay_id == event["id"]
    assert (said.dedup_key, said.status, said.title) == (incident["id"], status, incident["title"])
    assert (said.service, said.severity_raw) == (incident["service"]["summary"], incident["urgency"])
    assert said.occurred_at == datetime.fromisoformat(event["occurred_at"])
    assert said.link == incident["html_url"]


def test_opsgenies_creation_is_read() -> None:
    sent, said = one("opsgenie/create")
    alert = sent["alert"]
    assert (said.dedup_key, said.status, said.title) == (alert["alias"], "firing", alert["message"])
    assert (rung_of(said), said.resource) == (Severity.MEDIUM, alert["entity"])
    assert said.occurred_at == datetime(2017, 8, 14, 11, 25, 56, 288000, tzinfo=UTC)


def test_opsgenies_escalation_that_names_nothing_but_the_alert_is_read() -> None:
    sent, said = one("opsgenie/escalate")
    assert (said.dedup_key, said.status) == (sent["alert"]["alertId"], "firing")
    assert sent["escalationName"] in said.title


@pytest.mark.parametrize(("name", "status"), [("created", "firing"), ("resolved", "resolved")])
def test_sentrys_issues_are_read(name: str, status: str) -> None:
    sent, said = one(f"sentry/issue_{name}")
    issue = sent["data"]["issue"]
    assert (said.dedup_key, said.status, said.title) == (issue["id"], status, issue["title"])
    assert (said.service, rung_of(said)) == (issue["project"]["slug"], Severity.HIGH)
    assert said.occurred_at == (datetime.fromisoformat(issue["lastSeen"]) if status == "firing" else None)
    assert said.starts_at == datetime.fromisoformat(issue["firstSeen"])
    assert said.link is None


def test_zabbixs_problem_is_read() -> None:
    sent, said = one("zabbix/problem_average")
    assert (said.dedup_key, said.status, said.title) == ("trigger/14032", "firing", sent["trigger"])
    assert (rung_of(said), said.resource, said.link) == (
        Severity.MEDIUM, sent["hostname"], sent["link"],
    )  # fmt: skip


def test_pingdoms_outage_is_read() -> None:
    sent, said = one("pingdom/http_down")
    assert (said.dedup_key, said.status, said.title) == (str(sent["check_id"]), "firing", sent["check_name"])
    assert (rung_of(said), said.resource) == (Severity.HIGH, sent["check_params"]["hostname"])
    assert said.occurred_at == datetime.fromtimestamp(sent["state_changed_timestamp"], UTC)
    assert said.summary == sent["long_description"]


def test_graylogs_stream_alert_is_read() -> None:
    sent, said = one("graylog/stream_alert")
    result = sent["check_result"]
    assert (said.dedup_key, said.status) == (result["triggered_condition"]["id"], "firing")
    assert (said.title, said.service) == (result["result_description"], sent["stream"]["title"])
    assert said.occurred_at == datetime.fromisoformat(result["triggered_at"])


def test_riemanns_event_is_read() -> None:
    sent, said = one("riemann/event")
    assert (said.dedup_key, said.status) == (f"{sent['host']}/{sent['service']}", "resolved")
    assert (said.title, said.resource, said.summary) == (sent["service"], sent["host"], sent["description"])


def test_rundecks_failure_is_read() -> None:
    sent, said = one("rundeck/execution_failure")
    run = sent["execution"]
    assert (said.dedup_key, said.status) == (f"{run['project']}/{run['job']['id']}", "firing")
    assert (said.title, said.service, said.link) == (run["job"]["name"], run["project"], run["href"])
    assert said.occurred_at == datetime(2023, 4, 7, 6, 15, 23, 396000, tzinfo=UTC)
    assert said.labels["execution"] == str(sent["executionId"])


def test_jiras_issue_is_read() -> None:
    sent, said = one("jira/issue_created")
    issue = sent["issue"]
    assert (said.dedup_key, said.status, said.title) == (issue["id"], "firing", issue["fields"]["summary"])
    assert (rung_of(said), said.service) == (Severity.HIGH, issue["fields"]["project"]["key"])
    assert said.occurred_at == datetime(2013, 3, 27, 16, 53, 58, 369000, tzinfo=UTC)
    assert said.link == f"http://jira.example.com:8080/browse/{issue['key']}"


@pytest.mark.parametrize("name", [*OURS, *WITHOUT_SAMPLE])
def test_every_other_senders_payload_is_a_typed_refusal(name: str) -> None:
    others = [file for file in FILES if file.parent.name != name]
    assert len(others) > 30
    for file in others:
        with pytest.raises(Refused) as refused:
            integrations()[name].parse(Inbound(file.read_bytes()), NOW)
        assert refused.value.code == "unexpected_format", file
