"""Google Cloud Monitoring's incidents, bare and pushed."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.gcp_monitoring.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def sample(name: str) -> Any:
    return json.loads((files("handrail.plugins.integrations.gcp_monitoring") / "samples" / f"{name}.json").read_text())


def read(body: Any) -> Parsed:
    return parse(Inbound(json.dumps(body).encode()), NOW)


def one(body: Any) -> Occurrence:
    [said] = read(body).occurrences
    return said


def changed(**fields: Any) -> Any:
    body = sample("incident_open")
    body["incident"].update(fields)
    return body


def test_an_open_incident_reads_field_by_field() -> None:
    said = one(sample("incident_open"))
    assert (said.dedup_key, said.status) == ("0.nq7t3", AlertStatus.FIRING)
    assert said.title.startswith("Request latencies for harbour booking")
    assert rung_of(said) == Severity.CRITICAL
    assert (said.service, said.resource) == ("booking", "harbour booking")
    assert said.starts_at == said.occurred_at == datetime(2026, 1, 5, 7, 41, 12, tzinfo=UTC)
    assert said.summary == "See the ferry runbook."
    assert said.labels["team"] == "ferries"
    assert said.link


def test_a_closed_incident_resolves_the_same_alert() -> None:
    said = one(sample("incident_closed"))
    assert (said.dedup_key, said.status) == ("0.nq7t3", AlertStatus.RESOLVED)
    assert said.ends_at == said.occurred_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def test_a_push_of_pubsub_says_the_same_and_has_a_delivery_id() -> None:
    parsed = read(sample("pubsub_push"))
    assert parsed.occurrences == read(sample("incident_open")).occurrences
    assert parsed.replay_id == "1122334455"


def test_the_oldest_version_with_plain_documentation_is_read() -> None:
    said = one(sample("version_1_0"))
    assert (said.title, said.summary, said.ends_at) == ("tide-gauge is silent", "Look at the gauge.", None)


@pytest.mark.parametrize(
    ("word", "label", "severity"),
    [
        ("Critical", "low", Severity.CRITICAL), ("Error", None, Severity.HIGH), ("Warning", None, Severity.MEDIUM),
        ("No severity", "low", Severity.LOW), (None, "critical", Severity.CRITICAL), ("", None, Severity.MEDIUM),
    ],
)  # fmt: skip
def test_the_policys_severity_comes_before_the_label(word: object, label: object, severity: Severity) -> None:
    said = one(changed(severity=word, policy_user_labels={"severity": label}))
    assert rung_of(said) == severity


def test_the_test_notification_and_retyped_parts_are_read() -> None:
    said = one(changed(state="OPEN", started_at="1767598872", ended_at=0, incident_id=12345, resource=None))
    assert (said.dedup_key, said.status) == ("12345", AlertStatus.FIRING)
    assert said.starts_at == datetime(2026, 1, 5, 7, 41, 12, tzinfo=UTC)
    assert one(changed(state="acknowledged")).status == AlertStatus.ACKNOWLEDGED


@pytest.mark.parametrize("data", ["not base64!", "bm90IGpzb24=", "e30=", None, 7])
def test_a_push_of_something_else_is_refused(data: object) -> None:
    with pytest.raises(Refused) as refused:
        read({"message": {"data": data, "messageId": "1"}, "subscription": "s"})
    assert refused.value.code == "unexpected_format"


def test_an_unknown_state_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="“asleep” is not known"):
        read(changed(state="asleep"))


def test_an_incident_that_ends_before_it_started_is_closed_all_the_same() -> None:
    body = sample("incident_closed")
    body["incident"]["ended_at"] = body["incident"]["started_at"] - 60
    said = one(body)
    assert (said.status, said.occurred_at) == (AlertStatus.RESOLVED, said.starts_at)
