"""Zabbix: our media type and others', its own times and severities, and macros that were not filled."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.reading import severity_word
from handrail.plugins.integrations.zabbix import INTEGRATION
from handrail.plugins.integrations.zabbix.parse import NAMES, SEVERITIES, parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SENT = {
    "event_id": "9001", "trigger_id": "771", "hostname": "crane-4", "trigger": "Motor is hot", "severity": "High",
    "value": "1", "ack": "No", "item": "92 C", "tags": '[{"tag":"service","value":"cranes"}]', "date": "2026.01.05",
    "time": "10:40:00", "recovery_date": "{EVENT.RECOVERY.DATE}", "recovery_time": "{EVENT.RECOVERY.TIME}",
    "zone": "+02:00", "link": "https://z.example/tr_events.php?triggerid=771&eventid=9001",
}  # fmt: skip


def read(**fields: Any) -> Occurrence:
    return parse(Inbound(json.dumps({**SENT, **fields}).encode()), NOW).occurrences[0]


def test_our_media_types_problem_reads_field_by_field() -> None:
    said = read(extra_thing=1)
    assert (said.dedup_key, said.status, said.title) == ("trigger/771", "firing", "Motor is hot")
    assert (said.severity_raw, said.service, said.resource) == ("High", "cranes", "crane-4")
    assert (said.summary, said.link) == ("92 C", SENT["link"])
    assert said.occurred_at == said.starts_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
    assert said.extra == {"extra_thing": 1}


def test_a_recovery_meets_its_problem_also_with_an_event_of_its_own() -> None:
    said = read(value=0, event_id="9002", recovery_date="2026.01.05", recovery_time="10:55:00")
    assert (said.dedup_key, said.status) == ("trigger/771", "resolved")
    assert said.occurred_at == said.ends_at == datetime(2026, 1, 5, 8, 55, tzinfo=UTC)


def test_a_recovery_that_names_no_time_of_its_own_did_not_happen_when_the_problem_began() -> None:
    times = {"date": None, "time": None, "event_date": "2026.01.05", "event_time": "08:00:00"}
    said = read(value="0", zone=None, **times)
    assert (said.starts_at, said.occurred_at) == (datetime(2026, 1, 5, 8, 0, tzinfo=UTC), None)


def test_an_acknowledged_problem_is_acknowledged_and_an_acknowledged_recovery_resolved() -> None:
    assert read(ack="Yes").status == "acknowledged"
    assert read(ack="Yes", value="0").status == "resolved"


@pytest.mark.parametrize(("word", "status"), [("PROBLEM", "firing"), ("OK", "resolved"), ("RESOLVED", "resolved")])
def test_the_word_of_another_media_type_is_read(word: str, status: str) -> None:
    said = read(value=None, status=word, trigger_id=None, event_id=None)
    assert (said.dedup_key, said.status) == ("trigger/771", status)


def test_without_ids_and_link_host_and_name_are_the_identity() -> None:
    bare = {"trigger_id": None, "event_id": "{EVENT.ID}", "link": "*UNKNOWN*"}
    assert read(**bare).dedup_key == read(**bare, value="0").dedup_key != read(**bare, hostname="crane-5").dedup_key
    assert read(trigger_id=None, link=None).dedup_key == "event/9001"


def test_epoch_seconds_go_before_the_servers_local_time_and_without_a_zone_it_is_utc() -> None:
    assert read(timestamp="1767602400").occurred_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
    assert read(zone=None, time="08:40:00").occurred_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)


def test_a_time_that_cannot_be_read_is_kept_beside() -> None:
    said = read(date="yesterday")
    assert said.occurred_at is None
    assert said.extra["date"] == "yesterday"


@pytest.mark.parametrize(("word", "rung"), SEVERITIES.items())
def test_every_severity_lands_on_its_rung_by_name_and_by_number(word: str, rung: Severity) -> None:
    assert severity_word(word.replace("_", " ").title(), SEVERITIES).rung == rung


def test_zabbixs_warning_is_low_and_its_own_word_stays_as_a_label() -> None:
    said = read(severity="Warning")
    assert (rung_of(said), said.labels["zabbix_severity"]) == (Severity.LOW, "Warning")


def test_an_unknown_status_and_another_senders_payload_are_refused_in_words() -> None:
    with pytest.raises(Refused, match="sideways") as refused:
        read(value="sideways")
    assert refused.value.code == "alert_status_unknown"
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"host": "a", "service": "b", "state": "ok"}'), NOW)
    assert refused.value.code == "unexpected_format"


def test_the_parameters_that_the_docs_name_are_those_that_are_read() -> None:
    read_names = {name for names in NAMES.values() for name in names}
    for name in ("event_id", "trigger_id", "hostname", "trigger", "severity", "value", "ack", "item", "tags", "link"):
        assert f"    {name} " in INTEGRATION.docs
        assert name in read_names


def test_the_parameters_of_zabbixs_own_media_types_are_read() -> None:
    sent = {
        "event_id": "901", "event_source": "0", "event_value": "0", "event_update_status": "0", "event_nseverity": "4",
        "event_severity": "High", "trigger_id": "17", "host_name": "db-1", "alert_subject": "Resolved: Disk full",
        "alert_message": "Problem has been resolved", "event_tags": '[{"tag":"service","value":"pay"},{"tag":"bare"}]',
        "trigger_description": "", "zabbix_url": "https://zabbix.example",
    }  # fmt: skip
    [said] = parse(Inbound(json.dumps(sent).encode()), NOW).occurrences
    assert (said.dedup_key, said.status, said.title) == ("trigger/17", "resolved", "Resolved: Disk full")
    assert (said.service, said.resource, said.labels["bare"]) == ("pay", "db-1", "true")


@pytest.mark.parametrize(
    "subject", ["Resolved in 2m 3s: {}", "Resolved: {}", "Updated problem in 1h: {}", "OK: {}", "{}"]
)
def test_without_ids_zabbixs_own_subjects_name_one_problem(subject: str) -> None:
    nameless = {"trigger_id": "", "event_id": "{EVENT.ID}", "link": ""}
    problem = read(**nameless, trigger="Problem: Link down: eth0")
    assert read(**nameless, trigger=subject.format("Link down: eth0")).dedup_key == problem.dedup_key
    assert read(**nameless, trigger=subject.format("Link down: eth1")).dedup_key != problem.dedup_key


def test_a_recovery_of_our_media_type_without_its_time_ended_when_it_came() -> None:
    for unfilled in ("{EVENT.RECOVERY.DATE}", "", None):
        said = read(value="0", recovery_date=unfilled, recovery_time=unfilled)
        assert (said.status, said.starts_at, said.occurred_at) == (
            "resolved", datetime(2026, 1, 5, 8, 40, tzinfo=UTC), None,
        )  # fmt: skip


def test_a_zone_is_an_offset_and_a_name_leaves_the_time_open() -> None:
    assert read(zone="+02").occurred_at == read(zone="+02:00").occurred_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
    assert read(zone="UTC").occurred_at == datetime(2026, 1, 5, 10, 40, tzinfo=UTC)
    named = read(zone="Europe/Berlin")
    assert (named.occurred_at, named.extra["zone"]) == (None, "Europe/Berlin")
