"""Handrail's own JSON: alerts and changes in every arrangement."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, first, merge
from handrail.kernel.errors import Unprocessable
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.generic.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def read(value: Any, now: datetime = NOW) -> Parsed:
    return parse(Inbound(json.dumps(value).encode()), now)


def test_an_alert_reads_field_by_field() -> None:
    said = read(
        {
            "dedup_key": "db-1/disk", "status": "acknowledged", "severity": "critical", "title": "Disk full",
            "service": "orders", "resource": "db-1", "summary": "97 %", "labels": {"team": "blue"},
            "annotations": {"runbook": "r"}, "starts_at": "2026-01-05T08:00:00Z", "occurred_at": 1767602400,
            "link": "https://w.example", "colour": "red",
        }
    ).occurrences[0]  # fmt: skip
    assert (said.dedup_key, said.status, said.title) == ("db-1/disk", AlertStatus.ACKNOWLEDGED, "Disk full")
    assert (said.severity_raw, said.service, said.resource, said.summary) == ("critical", "orders", "db-1", "97 %")
    assert said.labels == {"team": "blue"}
    assert said.annotations == {"runbook": "r"}
    assert said.starts_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert said.occurred_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
    assert said.link == "https://w.example"
    assert said.extra == {"colour": "red"}


def test_service_and_resource_may_stand_in_the_labels() -> None:
    said = read({"title": "x", "labels": {"app": "shop", "host": "h-1", "severity": "info"}}).occurrences[0]
    assert (said.service, said.resource, said.severity_raw) == ("shop", "h-1", "info")


def test_without_a_key_title_service_resource_and_labels_are_the_identity() -> None:
    plain = {"title": "x", "labels": {"a": "1", "b": "2"}}
    again = {"labels": {"b": "2", "a": "1"}, "title": "x", "status": "resolved", "summary": "over"}
    keys = [said.dedup_key for said in read([plain, again, {"title": "x"}, {"title": "x", "service": "y"}]).occurrences]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("triggered", "firing"),
        ("PROBLEM", "firing"),
        ("ack", "acknowledged"),
        ("OK", "resolved"),
        ("closed", "resolved"),
    ],
)
def test_usual_words_for_a_status_are_read(said: str, status: str) -> None:
    assert read({"title": "x", "status": said}).occurrences[0].status == status


def test_an_end_in_the_past_without_a_status_means_resolved() -> None:
    assert read({"title": "x", "ends_at": "2026-01-05T08:59:00Z"}).occurrences[0].status == "resolved"
    assert read({"title": "x", "ends_at": "2026-01-05T09:01:00Z"}).occurrences[0].status == "firing"


def test_a_resolve_needs_the_key_or_the_title() -> None:
    assert read({"dedup_key": "k", "status": "resolved"}).occurrences[0].title == ""
    parsed = read([{"title": "good"}, {"status": "resolved"}, {"dedup_key": "k"}])
    assert [(item.index, item.code) for item in parsed.rejected] == [
        (1, "alert_title_missing"), (2, "alert_title_missing"),
    ]  # fmt: skip


def test_an_unknown_status_is_rejected_not_guessed() -> None:
    with pytest.raises(Unprocessable, match="The status “maybe” is not known"):
        read({"title": "x", "status": "maybe"})


def test_unusable_times_and_links_are_kept_beside() -> None:
    said = read({"title": "x", "starts_at": "soon", "link": "javascript:alert(1)"}).occurrences[0]
    assert said.link is None
    assert said.extra == {"starts_at": "soon", "link": "javascript:alert(1)"}


def test_a_change_reads_field_by_field() -> None:
    change = read(
        {
            "kind": "deployment", "service": "payments", "version": "2.8.0", "previous_version": "2.7.4",
            "environment": "production", "author": "Ines", "occurred_at": "2026-01-05T08:05:00Z",
            "link": "https://ci.example/1", "change_key": "rel-1", "pipeline": 7,
        }
    ).changes[0]  # fmt: skip
    assert (change.change_key, change.kind, change.service) == ("rel-1", "deploy", "payments")
    assert (change.version, change.previous_version, change.environment) == ("2.8.0", "2.7.4", "production")
    assert (change.author, change.link) == ("Ines", "https://ci.example/1")
    assert change.title == "deploy of payments 2.8.0"
    assert change.occurred_at == datetime(2026, 1, 5, 8, 5, tzinfo=UTC)
    assert change.extra == {"pipeline": 7}


def test_alerts_and_changes_may_come_together_and_rejects_count_through() -> None:
    parsed = read({"alerts": [{"title": "x"}, 7], "changes": [{"service": "a", "kind": "flag"}, {}]})
    assert len(parsed.occurrences) == len(parsed.changes) == 1
    assert [(item.index, item.code) for item in parsed.rejected] == [(1, "item_not_an_object"), (3, "change_empty")]


def test_a_change_without_a_key_is_one_when_resent_and_another_when_it_happens_again() -> None:
    deploy = {"kind": "deploy", "service": "payments", "version": "2.8.0"}
    now = read(deploy).changes[0].change_key
    retry = read(deploy, NOW + timedelta(seconds=20)).changes[0].change_key
    later = read(deploy, NOW + timedelta(hours=1)).changes[0].change_key
    assert now == retry
    assert now != later

    timed = {**deploy, "occurred_at": "2026-01-05T08:05:00Z"}
    assert read(timed).changes[0].change_key == read(timed, NOW + timedelta(hours=1)).changes[0].change_key


def test_a_kind_that_is_not_known_is_other_and_its_word_is_kept() -> None:
    change = read({"kind": "gardening", "title": "Trees cut"}).changes[0]
    assert change.kind == "other"
    assert change.extra == {"kind": "gardening"}


def test_an_empty_list_says_nothing() -> None:
    assert read([]) == read({"alerts": []}) == Parsed()


def test_labels_of_another_type_or_about_the_state_change_no_identity() -> None:
    fired = {"title": "x", "labels": {"shard": 7, "state": "bad"}}
    over = {"title": "x", "labels": {"state": "good", "shard": "7"}, "status": "back"}
    keys = [said.dedup_key for said in read([fired, {**over, "status": "resolved"}]).occurrences]
    assert keys[0] == keys[1]
    assert read([fired, over]).rejected[0].code == "alert_status_unknown"


@pytest.mark.parametrize("word", ["Recovery", "in progress", "IN_PROGRESS", "acknowledgement", "Fixed", "reopened"])
def test_more_words_for_a_status_are_read_in_any_spelling(word: str) -> None:
    assert read({"title": "x", "status": word}).occurrences


def test_an_acknowledgement_that_tells_only_the_start_is_not_older_than_what_it_acknowledges() -> None:
    fired = read({"title": "x", "starts_at": "2026-01-05T08:00:00Z", "occurred_at": "2026-01-05T08:30:00Z"})
    acked = read({"title": "x", "starts_at": "2026-01-05T08:00:00Z", "status": "ack"})
    alert = merge(first("alr_1", "generic", fired.occurrences[0], "f", "token", NOW), acked.occurrences[0], NOW)
    assert alert.status == "acknowledged"


def test_a_list_that_is_null_beside_another_is_empty() -> None:
    assert len(read({"alerts": None, "changes": [{"kind": "deploy", "service": "pay"}]}).changes) == 1
