"""Datadog's default payload and templates that people write."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.datadog.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def sample(name: str) -> Any:
    return json.loads((files("handrail.plugins.integrations.datadog") / "samples" / f"{name}.json").read_text())


def read(body: Any) -> Parsed:
    return parse(Inbound(json.dumps(body).encode()), NOW)


def one(body: Any) -> Occurrence:
    [said] = read(body).occurrences
    return said


def test_a_template_reads_field_by_field() -> None:
    said = one(sample("template_triggered"))
    assert said.dedup_key == "77|4711|env:prod,host:gate-7"
    assert (said.title, said.status) == ("Gate is slow", AlertStatus.FIRING)
    assert rung_of(said) == Severity.HIGH
    assert (said.service, said.resource) == ("turnstile", "gate-7")
    assert said.summary == "Gate 7 needs 4 s."
    assert said.starts_at == datetime(2026, 1, 5, 7, 41, 12, tzinfo=UTC)
    assert said.occurred_at == datetime(2026, 1, 5, 7, 41, 13, tzinfo=UTC)
    assert said.labels["monitor"] == "4711" or said.labels["env"] == "prod"
    assert said.link == "https://app.datadoghq.eu/monitors/4711?group=host"


@pytest.mark.parametrize(
    ("fire", "resolve"), [("template_triggered", "template_recovered"), ("default_warn", "default_recovered")]
)
def test_a_recovery_resolves_the_same_alert(fire: str, resolve: str) -> None:
    assert one(sample(resolve)).dedup_key == one(sample(fire)).dedup_key
    assert one(sample(resolve)).status == AlertStatus.RESOLVED
    assert one(sample(resolve)).ends_at
    assert read(sample(resolve)).replay_id != read(sample(fire)).replay_id


def test_the_default_payload_has_its_transition_in_the_title() -> None:
    said = one(sample("default_warn"))
    assert (said.title, said.labels["scope"], said.labels["monitor"]) == ("Tide gauge silent", "gauge:north", "812")
    assert rung_of(said) == Severity.MEDIUM
    assert said.link == "https://app.datadoghq.eu/monitors/812?group=x"


def test_names_in_other_spellings_and_variables_that_were_not_filled_in() -> None:
    said = one(sample("camel_case_template"))
    assert (said.title, said.service, said.status) == ("Cranes quiet", "crane", AlertStatus.FIRING)
    assert said.dedup_key == "|4712|*"
    assert said.extra["shift"] == "early"
    assert rung_of(said) == Severity.MEDIUM


@pytest.mark.parametrize(
    ("title", "status", "shown"),
    [
        ("[Re-Triggered] CPU", AlertStatus.FIRING, "CPU"),
        ("[P1] [Recovered] CPU", AlertStatus.RESOLVED, "CPU"),
        ("[Triggered] [TEST] CPU", AlertStatus.FIRING, "[TEST] CPU"),
        ("[prod] [No Data on {host:a}] CPU", AlertStatus.FIRING, "[prod] CPU"),
        ("[Monitor Alert] Recovered: CPU", AlertStatus.RESOLVED, "CPU"),
        ("Triggered on {host:a}: CPU", AlertStatus.FIRING, "CPU"),
        ("Deploy: CPU", AlertStatus.FIRING, "Deploy: CPU"),
        ("[Triggered]", AlertStatus.FIRING, "[Triggered]"),
    ],
)
def test_titles_are_taken_apart(title: str, status: AlertStatus, shown: str) -> None:
    said = one({**sample("default_warn"), "title": title})
    assert (said.status, said.title) == (status, shown)


def test_one_template_may_leave_out_the_monitor_and_send_the_aggregation_key() -> None:
    body = sample("template_triggered")
    del body["alert_id"]
    assert one(body).dedup_key == "9f1c"


def test_a_transition_that_datadog_does_not_have_is_refused() -> None:
    with pytest.raises(Refused, match="“Snoring” is not known"):
        read({**sample("template_triggered"), "alert_transition": "Snoring"})
    with pytest.raises(Refused) as refused:
        read({"title": "x", "severity": "high"})
    assert refused.value.code == "unexpected_format"


def test_a_status_that_is_a_sentence_is_no_transition() -> None:
    body = {**sample("template_triggered"), "title": "Gate is slow", "alert_status": "load was > 4 for 1m"}
    del body["alert_transition"]
    assert one(body).status == AlertStatus.FIRING
    assert one({**body, "alert_type": "success"}).status == AlertStatus.RESOLVED


def test_an_alerts_id_alone_makes_no_event_of_datadog() -> None:
    with pytest.raises(Refused) as refused:
        read({"alertId": "1", "alertName": "x", "status": "ACTIVE", "criticality": "3"})
    assert refused.value.code == "unexpected_format"
    assert one({"alert_id": "1", "title": "[Recovered] x"}).status == AlertStatus.RESOLVED


def template(**fields: Any) -> Any:
    return {"alert_id": "7", "alert_transition": "Triggered", "title": "[Triggered] CPU", **fields}


@pytest.mark.parametrize("by", ["aggreg_key", "alert_cycle_key", "hostname"])
def test_a_monitor_sent_without_its_scope_is_as_many_alerts_as_it_has_groups(by: str) -> None:
    here, there = template(**{by: "a"}), template(**{by: "b"})
    assert one(here).dedup_key != one(there).dedup_key
    over = one({**here, "alert_transition": "Recovered", "title": "[Recovered] CPU is fine"})
    assert (over.dedup_key, over.status) == (one(here).dedup_key, AlertStatus.RESOLVED)


@pytest.mark.parametrize("scope", ["alert_scope", "aggreg_key", "hostname", "none"])
def test_a_test_of_a_monitor_neither_fires_nor_ends_its_alert(scope: str) -> None:
    fired = template(**{scope: "host:a"})
    assert one({**fired, "title": "[Triggered] [TEST] CPU"}).dedup_key != one(fired).dedup_key
    ended = one({**fired, "alert_transition": "Recovered", "title": "[TEST] [Recovered on {host:a}] CPU"})
    assert (ended.status, ended.title) == (AlertStatus.RESOLVED, "[TEST] CPU")


def test_a_recovery_under_the_id_of_its_cycle_is_no_repeat_of_the_trigger() -> None:
    fired = {"id": "cycle-1", "alert_id": "7", "alert_type": "error", "title": "[Triggered] CPU"}
    over = {**fired, "alert_type": "success", "title": "[Recovered] CPU"}
    assert read(fired).replay_id != read(over).replay_id
    assert read(fired).replay_id == read(dict(fired)).replay_id


def test_the_default_payloads_monitor_is_the_one_that_datadog_links_and_its_title_may_change() -> None:
    body = sample("default_warn")
    told = "See https://app.datadoghq.com/monitors/9 first.\n[[Monitor Status](https://app.datadoghq.com/monitors/{})]"
    here, there = {**body, "body": told.replace("{}", "7")}, {**body, "body": told.replace("{}", "8")}
    assert one(here).dedup_key != one(there).dedup_key
    assert (
        one({**here, "title": "[Recovered] load is 1"}).dedup_key
        == one({**here, "title": "[Warn] load is 9"}).dedup_key
    )
