"""PagerDuty events, their faults in PagerDuty's words, and its answers."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.kernel.errors import BadInput, NotAllowed, NotSignedIn, TooMany
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.pagerduty_events_v2 import INTEGRATION
from handrail.plugins.integrations.pagerduty_events_v2.parse import answer_accepted, answer_refused, parse, routing_key

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PAYLOAD = {"summary": "Disk full", "source": "db-1.example", "severity": "critical"}


def read(**event: Any) -> Occurrence:
    return parse(Inbound(json.dumps(event).encode()), NOW).occurrences[0]


def trigger(**fields: Any) -> dict[str, Any]:
    return {"routing_key": "k" * 32, "event_action": "trigger", "dedup_key": "db-1/disk", "payload": PAYLOAD, **fields}


def test_a_trigger_reads_field_by_field() -> None:
    details = {"service": "orders", "pool": 7, "description": "long text", "nested": {"a": 1}}
    payload = {
        **PAYLOAD, "timestamp": "2026-01-05T08:42:58.315+0000", "component": "mysql", "group": "orders-db",
        "class": "disk", "custom_details": details,
    }  # fmt: skip
    said = read(**trigger(payload=payload, links=[{"href": "https://r.example", "text": "x"}], client="watch"))
    assert said.dedup_key == "db-1/disk"
    assert said.status == AlertStatus.FIRING
    assert said.title == "Disk full"
    assert said.severity_raw == "critical"
    assert said.service == "orders"
    assert said.resource == "db-1.example"
    assert said.summary == "long text"
    assert said.labels == {
        "component": "mysql", "group": "orders-db", "class": "disk", "service": "orders", "pool": "7",
    }  # fmt: skip
    assert said.annotations == {"description": "long text"}
    assert said.occurred_at == datetime(2026, 1, 5, 8, 42, 58, 315000, tzinfo=UTC)
    assert said.link == "https://r.example"
    assert said.extra["client"] == "watch"
    assert said.extra["payload"] == {"custom_details": {"nested": {"a": 1}}}


def test_the_routing_key_is_a_secret_and_is_not_kept() -> None:
    said = read(**trigger())
    assert b"k" * 32 not in said.raw
    assert "routing_key" not in said.extra


@pytest.mark.parametrize(("action", "status"), [("acknowledge", "acknowledged"), ("resolve", "resolved")])
def test_acknowledge_and_resolve_need_no_payload(action: str, status: str) -> None:
    said = read(routing_key="k", event_action=action, dedup_key="db-1/disk")
    assert said.status == status
    assert said.title == ""
    assert said.occurred_at is None


def test_a_trigger_without_a_key_gets_one_that_a_resend_gets_again() -> None:
    event = trigger()
    del event["dedup_key"]
    later = {**event, "payload": {**PAYLOAD, "timestamp": "2026-01-05T08:59:00Z"}}
    other = {**event, "payload": {**PAYLOAD, "source": "db-2.example"}}
    assert len(read(**event).dedup_key) == 32
    assert read(**event).dedup_key == read(**later).dedup_key
    assert read(**event).dedup_key != read(**other).dedup_key


FAULTS: list[tuple[dict[str, Any], list[str]]] = [
    (trigger(routing_key=" "), ["'routing_key' is missing or blank"]),
    (trigger(event_action=None), ["'event_action' is missing or blank"]),
    (
        trigger(event_action="fire"),
        ["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"],
    ),
    (trigger(payload=None), ["'payload' is missing or blank"]),
    (trigger(payload=[]), ["'payload' is invalid (must be an object)"]),
    (
        trigger(payload={"summary": "", "severity": "fatal"}),
        [
            "'payload.summary' is missing or blank",
            "'payload.source' is missing or blank",
            "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
        ],
    ),
    ({"routing_key": "k", "event_action": "resolve"}, ["'dedup_key' is missing or blank"]),
    ({"event_action": "acknowledge"}, ["'routing_key' is missing or blank", "'dedup_key' is missing or blank"]),
]


@pytest.mark.parametrize(("event", "errors"), FAULTS, ids=[errors[0] for _, errors in FAULTS])
def test_faults_are_told_all_at_once_in_pagerdutys_words(event: dict[str, Any], errors: list[str]) -> None:
    with pytest.raises(BadInput) as refused:
        read(**event)
    assert refused.value.code == "pagerduty_event_invalid"
    status, body = answer_refused(refused.value)
    assert status == 400
    assert json.loads(body) == {"status": "invalid event", "message": "Event object is invalid", "errors": errors}


def test_an_accepted_event_is_answered_with_its_key() -> None:
    status, body = answer_accepted(read(**trigger()))
    assert status == 202
    assert json.loads(body) == {"status": "success", "message": "Event processed", "dedup_key": "db-1/disk"}


def test_statuses_that_senders_act_on_are_kept() -> None:
    assert answer_refused(TooMany("Too many events."))[0] == 429
    assert answer_refused(NotAllowed("Not this source."))[0] == 403
    assert answer_refused(NotSignedIn("Unknown routing key."))[0] == 400


def test_the_routing_key_is_found_before_the_rest_is_read() -> None:
    assert INTEGRATION.token_in_body is routing_key
    assert routing_key(json.dumps(trigger()).encode()) == "k" * 32
    assert routing_key(b'{"routing_key": 12}') == "12"
    for body in (b"", b"[]", b"{}", b"{", b'{"routing_key":null}', b'{"routing_key":[]}', b'{"a":"\xff"}', b"7"):
        assert routing_key(body) is None
    assert routing_key(b'{"a":' + b"[" * 10_000) is None


def test_a_summary_longer_than_a_title_is_whole_in_the_summary() -> None:
    said = read(**trigger(payload={**PAYLOAD, "summary": "s" * 900}))
    assert len(said.title) == 512
    assert said.summary == "s" * 900


def test_a_time_that_cannot_be_read_is_kept_beside() -> None:
    said = read(**trigger(payload={**PAYLOAD, "timestamp": "yesterday"}))
    assert said.occurred_at is None
    assert said.extra["payload"] == {"timestamp": "yesterday"}


def test_a_severity_in_capitals_is_read_as_it_came() -> None:
    payload = {"summary": "x", "source": "s", "severity": "CRITICAL"}
    assert read(**trigger(payload=payload)).severity_raw == "CRITICAL"
