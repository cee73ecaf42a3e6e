"""Statuspage: components and incidents of a vendor's page."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.reading import severity_word
from handrail.plugins.integrations.statuspage.parse import INCIDENTS, SEVERITIES, parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OUTSIDE = {"meta": {"unsubscribe": "https://s.example/?unsubscribe=secret"}, "page": {"id": "pg1"}}
INCIDENT: dict[str, Any] = {
    "id": "inc1", "name": "Bookings are late", "status": "investigating", "impact": "major",
    "shortlink": "https://stspg.example/x", "created_at": "2026-01-05T08:00:00Z", "resolved_at": None,
    "components": [{"name": "Tug booking"}],
    "incident_updates": [
        {"body": "We look into it", "status": "investigating", "created_at": "2026-01-05T08:10:00Z"},
        {"body": "First word", "status": "investigating", "created_at": "2026-01-05T08:00:00Z"},
    ],
}  # fmt: skip


def send(**body: Any) -> Occurrence:
    return parse(Inbound(json.dumps({**OUTSIDE, **body}).encode()), NOW).occurrences[0]


def component(status: str, **fields: Any) -> Occurrence:
    update = {
        "component_id": "c1",
        "new_status": status,
        "old_status": "operational",
        "created_at": "2026-01-05T08:44:00Z",
    }
    return send(component_update={**update, **fields}, component={"id": "c1", "name": "Tug booking", "status": status})


def test_a_component_reads_field_by_field() -> None:
    said = component("major_outage")
    assert (said.dedup_key, said.status, said.title) == ("component/c1", "firing", "Tug booking: major outage")
    assert (rung_of(said), said.service) == (Severity.CRITICAL, "Tug booking")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 44, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("degraded_performance", "firing"), ("partial_outage", "firing"), ("Major Outage", "firing"),
        ("under_maintenance", "acknowledged"), ("operational", "resolved"),
    ],
)  # fmt: skip
def test_every_status_meets_the_same_component(word: str, status: str) -> None:
    said = component(word)
    assert (said.dedup_key, said.status) == ("component/c1", status)


def test_an_incident_reads_field_by_field() -> None:
    said = send(incident=INCIDENT)
    assert (said.dedup_key, said.status, said.title) == ("incident/inc1", "firing", "Bookings are late")
    assert (rung_of(said), said.service) == (Severity.HIGH, "Tug booking")
    assert (said.summary, said.link) == ("We look into it", "https://stspg.example/x")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 10, tzinfo=UTC)
    assert said.starts_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(("word", "status"), INCIDENTS.items())
def test_every_status_meets_the_same_incident(word: str, status: str) -> None:
    said = send(incident={**INCIDENT, "status": word})
    assert (said.dedup_key, said.status) == ("incident/inc1", status)


def test_the_newest_update_is_found_in_any_order_and_without_times_it_is_the_first() -> None:
    turned = {**INCIDENT, "incident_updates": INCIDENT["incident_updates"][::-1]}
    assert send(incident=turned).summary == "We look into it"
    assert send(incident={**INCIDENT, "incident_updates": [{"body": "a"}, {"body": "b"}]}).summary == "a"
    assert send(incident={**INCIDENT, "incident_updates": None}).summary == ""


def test_the_address_that_ends_the_subscription_is_not_kept() -> None:
    said = send(incident=INCIDENT)
    assert b"unsubscribe" not in said.raw
    assert "meta" not in said.extra


@pytest.mark.parametrize(("word", "rung"), SEVERITIES.items())
def test_every_impact_and_status_lands_on_its_rung(word: str, rung: Severity) -> None:
    assert severity_word(word, SEVERITIES).rung == rung


def test_an_unknown_status_and_another_senders_payload_are_refused_in_words() -> None:
    with pytest.raises(Refused, match="sideways") as refused:
        component("sideways")
    assert refused.value.code == "alert_status_unknown"
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"incident": {"id": "1"}, "version": "1.2"}'), NOW)
    assert refused.value.code == "unexpected_format"


@pytest.mark.parametrize(
    ("said", "status"),
    [("MAJOROUTAGE", "firing"), ("DEGRADEDPERFORMANCE", "firing"), ("UNDERMAINTENANCE", "acknowledged"),
     ("OPERATIONAL", "resolved")],
)  # fmt: skip
def test_instatus_writes_the_same_words_as_one(said: str, status: str) -> None:
    update = {"created_at": "2026-01-05T08:00:00Z", "new_status": said, "component_id": "c-1"}
    body = {"page": {"id": "p"}, "component_update": update, "component": {"id": "c-1", "name": "API", "status": said}}
    [alert] = parse(Inbound(json.dumps(body).encode()), NOW).occurrences
    assert (alert.dedup_key, alert.status) == ("component/c-1", status)
    assert status == "resolved" or said.lower() in SEVERITIES
