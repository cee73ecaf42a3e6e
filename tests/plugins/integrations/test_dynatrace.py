"""Dynatrace's problem notifications."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.dynatrace.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def sample(name: str) -> Any:
    return json.loads((files("handrail.plugins.integrations.dynatrace") / "samples" / f"{name}.json").read_text())


def read(body: Any) -> Parsed:
    return parse(Inbound(json.dumps(body).encode()), NOW)


def one(body: Any) -> Occurrence:
    [said] = read(body).occurrences
    return said


def test_a_problem_reads_field_by_field() -> None:
    said = one(sample("open"))
    assert said.dedup_key == "-4400000000000000001_1767598800000V2"
    assert (said.title, said.status) == ("Response time degradation", AlertStatus.FIRING)
    assert rung_of(said) == Severity.MEDIUM
    assert (said.service, said.resource) == ("booking", "gate-host")
    assert said.starts_at == said.occurred_at == datetime(2026, 1, 5, 7, 40, tzinfo=UTC)
    assert said.labels["env"] == "prod"
    assert said.labels["team"] == "ferries"
    assert said.labels["problem_severity"] == "PERFORMANCE"
    assert said.summary == "Booking answers in 4 s."


def test_its_end_shares_the_id_also_with_details_as_text() -> None:
    said = one(sample("resolved"))
    assert said.dedup_key == one(sample("open")).dedup_key
    assert said.status == AlertStatus.RESOLVED
    assert said.ends_at == said.occurred_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def test_names_with_spaces_and_an_unfilled_placeholder_are_read() -> None:
    said = one(sample("names_with_spaces"))
    assert (said.dedup_key, said.title, said.resource) == ("P-2602", "Host unavailable", "gate-host")
    assert rung_of(said) == Severity.CRITICAL
    assert said.link == "https://harbour.live.dynatrace.example/#problems/P-2602"


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("AVAILABILITY", Severity.CRITICAL), ("ERROR", Severity.HIGH), ("PERFORMANCE", Severity.MEDIUM),
        ("RESOURCE_CONTENTION", Severity.MEDIUM), ("CUSTOM_ALERT", Severity.MEDIUM), ("INFO", Severity.INFO),
        ("MONITORING_UNAVAILABLE", Severity.HIGH),
    ],
)  # fmt: skip
def test_every_severity_has_its_rung(word: str, severity: Severity) -> None:
    assert rung_of(one({**sample("open"), "ProblemSeverity": word})) == severity


def test_a_merged_problem_is_over_and_an_unknown_state_refused() -> None:
    assert one({**sample("open"), "State": "MERGED"}).status == AlertStatus.RESOLVED
    with pytest.raises(Refused, match="“DREAMING” is not known"):
        read({**sample("open"), "State": "DREAMING"})


def test_entities_and_tags_in_other_shapes_are_read() -> None:
    said = one({**sample("open"), "ImpactedEntities": "gate, crane", "Tags": [{"key": "service", "value": "gates"}]})
    assert (said.service, said.resource) == ("gates", "gate")


def test_a_record_that_a_workflow_sends_is_read() -> None:
    body = {
        "event.kind": "DAVIS_PROBLEM", "event.id": "-7_V2", "display_id": "P-7", "event.name": "CPU saturation",
        "event.status": "CLOSED", "event.category": "RESOURCE_CONTENTION", "event.start": "2026-01-05T07:00:00Z",
        "event.end": "2026-01-05T08:00:00.000000000Z", "affected_entity_names": ["gate-host"],
    }  # fmt: skip
    said = one(body)
    assert (said.dedup_key, said.status, said.resource) == ("-7_V2", AlertStatus.RESOLVED, "gate-host")
    assert said.ends_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    assert said.extra["event.kind"] == "DAVIS_PROBLEM"


def test_a_numbered_problem_of_someone_else_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        read({"problemid": 7, "state": "CRITICAL", "host": "gate"})
    assert refused.value.code == "unexpected_format"


@pytest.mark.parametrize("fields", [{"State": "REOPENED"}, {"State": "OPEN", "event.status_transition": "REOPENED"}])
def test_a_problem_that_was_opened_again_is_not_as_old_as_its_first_start(fields: dict[str, Any]) -> None:
    """Its start lies before its last end: told as the time of this word, the problem would stay resolved."""
    details = {"startTime": 1767602400000, "endTime": -1}
    sent = {"PID": "7", "ProblemTitle": "Slow", "ProblemImpact": "SERVICE", "ProblemDetailsJSON": details, **fields}
    [said] = parse(Inbound(json.dumps(sent).encode()), NOW).occurrences
    assert (said.status, said.occurred_at) == ("firing", None)
    assert said.starts_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
