"""Azure Monitor's common alert schema, with every kind of alert that uses it."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.azure_monitor.parse import parse
from handrail.plugins.integrations.contract import Inbound, Parsed

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def sample(name: str) -> Any:
    return json.loads((files("handrail.plugins.integrations.azure_monitor") / "samples" / f"{name}.json").read_text())


def read(body: Any) -> Parsed:
    return parse(Inbound(json.dumps(body).encode()), NOW)


def one(body: Any) -> Occurrence:
    [said] = read(body).occurrences
    return said


def changed(name: str, **essentials: Any) -> Any:
    body = sample(name)
    body["data"]["essentials"].update(essentials)
    return body


def test_a_metric_alert_reads_field_by_field() -> None:
    said = one(sample("metric_fired"))
    assert said.dedup_key.endswith("/alerts/a1")
    assert (said.title, said.status) == ("ferry-rule", AlertStatus.FIRING)
    assert rung_of(said) == Severity.HIGH
    assert (said.service, said.resource) == ("booking", "ferry-booking")
    assert said.summary == "Bookings are slow\nHttpResponseTime GreaterThan 2: 3.4"
    assert said.starts_at == said.occurred_at == datetime(2026, 1, 5, 7, 41, 12, 371321, tzinfo=UTC)
    assert said.labels["Instance"] == "w-1"
    assert said.labels["resource_group"] == "harbour"
    assert said.link
    assert said.link.startswith("https://portal.azure.com/")


def test_its_end_shares_the_id_and_tells_the_time() -> None:
    said = one(sample("metric_resolved"))
    assert said.dedup_key == one(sample("metric_fired")).dedup_key
    assert said.status == AlertStatus.RESOLVED
    assert said.ends_at == said.occurred_at == datetime(2026, 1, 5, 8, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("Sev0", Severity.CRITICAL), ("Sev1", Severity.HIGH), ("Sev2", Severity.MEDIUM), ("Sev3", Severity.LOW),
        ("Sev4", Severity.INFO), (0, Severity.CRITICAL), ("sev4", Severity.INFO), (None, Severity.MEDIUM),
    ],
)  # fmt: skip
def test_every_severity_has_its_rung(word: object, severity: Severity) -> None:
    assert rung_of(one(changed("metric_fired", severity=word))) == severity


def test_a_log_alert_of_version_2_links_its_results_and_shows_its_dimensions() -> None:
    said = one(sample("log_v2_fired"))
    assert said.link == "https://portal.azure.com/#@harbour/blade/logs"
    assert said.labels["cloud_RoleName"] == "turnstile"
    assert said.annotations == {"runbook": "gates"}


def test_an_activity_names_who_did_what() -> None:
    said = one(sample("activity_log"))
    assert said.labels["operation"] == "Microsoft.Web/sites/restart/action"
    assert said.labels["caller"] == "crane@harbour.example"


def test_service_health_is_tied_by_its_tracking_id_and_ended_by_its_stage() -> None:
    opened, over = one(sample("service_health_active")), one(sample("service_health_resolved"))
    assert opened.dedup_key == over.dedup_key == "servicehealth|XY12-ABC"
    assert (opened.status, over.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert (opened.title, opened.service) == ("Storage in North Europe is slow", "Storage")
    assert "We are looking into it." in opened.summary
    assert over.ends_at == datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


def test_resource_health_ends_when_the_resource_is_available() -> None:
    body = sample("resource_health")
    well = sample("resource_health")
    well["data"]["essentials"]["alertId"] = "another"
    well["data"]["alertContext"]["properties"]["currentHealthStatus"] = "Available"
    assert one(body).status == AlertStatus.FIRING
    assert one(well).status == AlertStatus.RESOLVED
    assert one(well).dedup_key == one(body).dedup_key


def test_an_availability_test_is_named() -> None:
    assert one(sample("availability_fired")).labels["web_test"] == "ferry-home"


def test_retyped_and_missing_parts_still_land() -> None:
    said = one(
        changed("metric_fired", configurationItems=None, alertTargetIDs="/subscriptions/x/sites/gate", alertId=7)
    )
    assert (said.dedup_key, said.resource) == ("7", "gate")
    body = changed("metric_fired", firedDateTime="noon")
    body["data"]["alertContext"] = json.dumps(body["data"]["alertContext"])
    assert one(body).labels["metric"] == "HttpResponseTime"
    assert one(body).occurred_at is None
    essentials: Any = one(body).extra["essentials"]
    assert essentials["firedDateTime"] == "noon"


def test_an_unknown_condition_and_another_schema_are_refused_in_words() -> None:
    with pytest.raises(Refused, match="“Sleeping” is not known"):
        read(changed("metric_fired", monitorCondition="Sleeping"))
    with pytest.raises(Refused, match="common alert schema") as refused:
        read({"schemaId": "AzureMonitorMetricAlert", "data": {"context": {}}})
    assert refused.value.code == "unexpected_format"


def test_a_prometheus_rule_brings_its_labels_and_annotations() -> None:
    body = changed("metric_fired", monitoringService="Prometheus", description="")
    body["data"]["customProperties"] = None
    body["data"]["alertContext"] = {
        "expression": "up == 0",
        "labels": {"service": "turnstile", "pod": "gate-7"},
        "annotations": {"description": "Nothing answers."},
    }
    said = one(body)
    assert (said.service, said.labels["pod"], said.summary) == ("turnstile", "gate-7", "Nothing answers.")


def test_a_resolve_without_a_time_ended_when_it_came_and_not_when_it_fired() -> None:
    said = one(changed("metric_fired", monitorCondition="Resolved"))
    assert (said.status, said.occurred_at, said.ends_at) == (AlertStatus.RESOLVED, None, None)


def test_what_service_health_tells_in_html_is_text() -> None:
    body = sample("service_health_active")
    told = "<p>Queues&nbsp;are <b>slow</b> &amp; late&lt;script&gt;</p>" + "<" * 50_000
    body["data"]["alertContext"]["properties"]["communication"] = told
    assert "Queues are slow & late<script>" in one(body).summary


def test_a_schema_of_azure_that_is_not_the_common_one_is_named() -> None:
    for schema in ("AzureMonitorMetricAlert", "Microsoft.Insights/activityLogs", "AIP Budget Notification"):
        with pytest.raises(Refused, match=f"Azure's schema “{schema}”") as refused:
            read({"schemaId": schema, "data": {"context": {}}})
        assert refused.value.code == "unexpected_format"
