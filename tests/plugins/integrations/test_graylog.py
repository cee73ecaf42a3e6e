"""Graylog: events of event definitions with their keys and priorities, and the older stream alerts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.graylog.parse import PRIORITIES, parse
from handrail.plugins.integrations.reading import severity_word

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
EVENT = {
    "id": "E1", "timestamp": "2026-01-05T08:33:00.000Z", "message": "Gate denials: gate-7", "source": "graylog-1",
    "key": "gate-7", "key_tuple": ["gate-7"], "priority": 3, "fields": {"service": "gates", "host": "gate-7"},
}  # fmt: skip


def read(definition: Any = "def-1", **event: Any) -> Parsed:
    body = {"event_definition_id": definition, "event_definition_title": "Denials", "backlog": [],
            "event_definition_description": "Many denied badges", "event": {**EVENT, **event}}  # fmt: skip
    return parse(Inbound(json.dumps(body).encode()), NOW)


def stream(triggered: Any = True, **result: Any) -> Parsed:
    condition = {"id": "cond-9", "type": "MESSAGE_COUNT"}
    said = {"triggered": triggered, "triggered_condition": condition, "triggered_at": "2026-01-05T08:35:00Z", **result}
    body = {"check_result": {"result_description": "12 messages", **said}, "stream": {"id": "s-1", "title": "cranes"}}
    return parse(Inbound(json.dumps(body).encode()), NOW)


def test_an_event_reads_field_by_field() -> None:
    parsed = read(alert=True)
    [said] = parsed.occurrences
    assert parsed.replay_id == "E1"
    assert (said.dedup_key, said.status, said.title) == ("def-1/gate-7", "firing", "Gate denials: gate-7")
    assert (rung_of(said), said.service, said.resource) == (Severity.HIGH, "gates", "gate-7")
    assert (said.summary, said.occurred_at) == ("Many denied badges", datetime(2026, 1, 5, 8, 33, tzinfo=UTC))
    assert said.extra["event"] == {"alert": True, "key_tuple": ["gate-7"]}


def test_an_event_without_a_key_is_known_by_its_definition_and_every_key_is_an_alert_of_its_own() -> None:
    assert read(key="", key_tuple=[]).occurrences[0].dedup_key == "def-1"
    assert read(key=None, key_tuple=["a", 7]).occurrences[0].dedup_key == "def-1/a|7"


@pytest.mark.parametrize(("word", "rung"), PRIORITIES.items())
def test_every_priority_lands_on_its_rung(word: str, rung: Severity) -> None:
    assert severity_word(word, PRIORITIES).rung == rung


def test_a_stream_alert_is_known_by_its_condition() -> None:
    [said] = stream(matching_messages=[{"source": "crane-4", "message": "ERROR interlock"}]).occurrences
    assert (said.dedup_key, said.status, said.title) == ("cond-9", "firing", "12 messages")
    assert (said.service, said.resource, said.summary) == ("cranes", "crane-4", "ERROR interlock")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 35, tzinfo=UTC)


@pytest.mark.parametrize("word", [False, "false", 0])
def test_a_stream_alert_that_is_over_resolves_its_condition(word: Any) -> None:
    [said] = stream(word).occurrences
    assert (said.dedup_key, said.status) == ("cond-9", "resolved")


def test_missing_and_retyped_fields_take_nothing_else_away() -> None:
    [said] = stream(triggered_condition=None, matching_messages={}, triggered_at=7).occurrences
    assert (said.title, said.occurred_at, said.extra["triggered_at"]) == ("12 messages", None, "7")
    assert said.dedup_key == stream(False, triggered_condition=[]).occurrences[0].dedup_key


def test_an_event_without_a_definition_and_another_senders_payload_are_refused() -> None:
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"event": {"id": "1"}}'), NOW)
    assert refused.value.code == "unexpected_format"


def test_groups_of_an_aggregation_without_a_key_are_alerts_of_their_own() -> None:
    def grouped(host: str, **more: Any) -> Any:
        event = {"id": "e-1", "message": "Errors", "group_by_fields": {"host": host, "zone": "a"}, "key": None, **more}
        body = {"event_definition_id": "d-1", "event_definition_title": "Errors", "event": event}
        [said] = parse(Inbound(json.dumps(body).encode()), NOW).occurrences
        return said

    assert grouped("web-1").dedup_key == "d-1/host=web-1|zone=a"
    assert grouped("web-2").dedup_key == "d-1/host=web-2|zone=a"
    assert (grouped("web-1").resource, grouped("web-1").labels["zone"]) == ("web-1", "a")
    assert grouped("web-1", key="k").dedup_key == grouped("web-2", key="k").dedup_key == "d-1/k"
