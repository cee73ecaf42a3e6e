"""ServiceNow: records in every shape of the Table API, states and priorities as numbers and as words."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.reading import severity_word
from handrail.plugins.integrations.servicenow.parse import PRIORITIES, parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SENT = {
    "sys_id": "f00d01", "number": "INC0077", "short_description": "Scanners offline", "description": "All of pier 4",
    "state": "1", "priority": "1", "business_service": {"value": "b1", "display_value": "Boarding"},
    "cmdb_ci": {"link": "https://h.example/api/now/table/cmdb_ci/c1", "value": "c1"}, "correlation_id": "INC-7",
    "opened_at": "2026-01-05 08:30:00", "sys_updated_on": "2026-01-05 08:30:05",
}  # fmt: skip


def read(**fields: Any) -> Occurrence:
    return parse(Inbound(json.dumps({**SENT, **fields}).encode()), NOW).occurrences[0]


def test_an_incident_reads_field_by_field() -> None:
    said = read(category="network")
    assert (said.dedup_key, said.status, said.title) == ("f00d01", "firing", "Scanners offline")
    assert (rung_of(said), said.service, said.resource) == (Severity.CRITICAL, "Boarding", "c1")
    assert said.starts_at == datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
    assert said.occurred_at == datetime(2026, 1, 5, 8, 30, 5, tzinfo=UTC)
    assert said.link == "https://h.example/nav_to.do?uri=incident.do%3Fsys_id%3Df00d01"
    assert (said.labels["correlation_id"], said.extra) == ("INC-7", {"category": "network"})


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("1", "firing"), (1, "firing"), ("New", "firing"), ("2", "acknowledged"), ("In Progress", "acknowledged"),
        ("3", "acknowledged"), ("On Hold", "acknowledged"), ("6", "resolved"), ("Resolved", "resolved"),
        (7, "resolved"), ("8", "resolved"), ("Canceled", "resolved"),
        ({"value": "6", "display_value": "x"}, "resolved"),
    ],
)  # fmt: skip
def test_every_state_meets_the_same_incident(state: Any, status: str) -> None:
    said = read(state=state)
    assert (said.dedup_key, said.status) == ("f00d01", status)


@pytest.mark.parametrize("wrap", ["result", "records", "incident", "record"])
def test_a_record_within_is_read_as_a_bare_one(wrap: str) -> None:
    for inside in (SENT, [SENT]):
        [said] = parse(Inbound(json.dumps({wrap: inside}).encode()), NOW).occurrences
        assert said == read()


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"priority": "1 - Critical"}, Severity.CRITICAL),
        ({"priority": 4}, Severity.LOW),
        ({"priority": {"value": "2", "display_value": "2 - High"}}, Severity.HIGH),
        ({"priority": "", "impact": "3", "urgency": "2"}, Severity.HIGH),
        ({"priority": "Planning"}, Severity.INFO),
        ({"priority": None}, Severity.MEDIUM),
    ],
)
def test_the_priority_in_every_shape_is_the_severity(fields: dict[str, Any], severity: Severity) -> None:
    assert rung_of(read(**fields)) == severity


def test_a_resolution_tells_when_it_ended_and_an_odd_time_is_kept_beside() -> None:
    said = read(state="6", resolved_at="2026-01-05 08:55:00", sys_updated_on="yesterday")
    assert said.ends_at == said.occurred_at == datetime(2026, 1, 5, 8, 55, tzinfo=UTC)
    assert said.extra["sys_updated_on"] == "yesterday"


def test_without_a_sys_id_the_number_is_the_identity() -> None:
    said = read(sys_id=None, cmdb_ci="scan-4", business_service="")
    assert (said.dedup_key, said.service, said.link) == ("INC0077", "scan-4", None)


@pytest.mark.parametrize(("word", "rung"), PRIORITIES.items())
def test_every_priority_lands_on_its_rung(word: str, rung: Severity) -> None:
    assert severity_word(word, PRIORITIES).rung == rung


def test_an_unknown_state_and_another_senders_payload_are_refused_in_words() -> None:
    with pytest.raises(Refused, match="sideways") as refused:
        read(state="sideways")
    assert "sideways" in refused.value.detail
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"number": "1", "state": "2"}'), NOW)
    assert refused.value.code == "unexpected_format"


@pytest.mark.parametrize(
    ("said", "status"),
    [("Closed Incomplete", "resolved"), ("Closed Skipped", "resolved"), ("Awaiting Change", "acknowledged")],
)
def test_the_states_of_other_tables_and_versions_are_read(said: str, status: str) -> None:
    body = json.dumps({"sys_id": "9d38", "number": "INC1", "short_description": "Down", "state": said}).encode()
    assert parse(Inbound(body), NOW).occurrences[0].status == status
