"""Grafana's legacy alerting: one rule is one alert, with or without the fields of later versions."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Occurrence, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.grafana_legacy.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RULE = {"ruleId": 41, "ruleName": "Pump pressure", "ruleUrl": "https://g.example/d/p?orgId=2", "state": "alerting"}


def read(**fields: Any) -> Occurrence:
    return parse(Inbound(json.dumps({**RULE, **fields}).encode()), NOW).occurrences[0]


def test_a_rule_reads_field_by_field() -> None:
    said = read(message="9 bar", tags={"service": "pumps", "severity": "high"}, dashboardId=5)
    assert (said.dedup_key, said.status, said.title) == ("2/41", "firing", "Pump pressure")
    assert (said.severity_raw, said.service, said.summary) == ("high", "pumps", "9 bar")
    assert said.link == RULE["ruleUrl"]
    assert said.occurred_at is None
    assert said.extra == {"dashboardId": 5}


@pytest.mark.parametrize(
    ("state", "status", "severity"),
    [
        ("alerting", "firing", (None, "medium")), ("no_data", "firing", ("no_data", "medium")),
        ("pending", "firing", ("pending", "low")),
        ("ok", "resolved", (None, "medium")), ("paused", "acknowledged", (None, "medium")),
        ("OK", "resolved", (None, "medium")),
    ],
)  # fmt: skip
def test_every_state_lands_right(state: str, status: str, severity: tuple[str | None, str]) -> None:
    said = read(state=state)
    assert (said.status, (said.severity_raw, rung_of(said).value)) == (status, severity)


def test_the_organisation_of_the_body_the_link_or_the_first_and_a_retyped_id_are_one_identity() -> None:
    assert read(orgId=2, ruleUrl="").dedup_key == read(ruleId="41").dedup_key == "2/41"
    assert read(ruleUrl=None).dedup_key == "1/41"


def test_a_rule_without_an_id_is_known_by_its_name() -> None:
    assert read(ruleId=None).dedup_key == read(ruleId=None, state="ok").dedup_key != "2/"


def test_the_only_series_gives_labels_and_many_give_none() -> None:
    one = {"metric": "m", "tags": {"job": "pumps", "instance": "p-3"}}
    assert (read(evalMatches=[one]).service, read(evalMatches=[one]).resource) == ("pumps", "p-3")
    assert read(evalMatches=[one, one]).resource is None


def test_an_unknown_state_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused, match="alerting") as refused:
        read(state="sideways")
    assert refused.value.code == "alert_status_unknown"


def test_another_senders_payload_is_a_typed_refusal() -> None:
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"state": "alerting", "title": "x"}'), NOW)
    assert refused.value.code == "unexpected_format"
