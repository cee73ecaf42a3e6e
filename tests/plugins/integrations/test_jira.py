"""Jira: the state of an issue by category, name, resolution or deletion, and the signature of Jira Cloud."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Severity, rung_of
from handrail.kernel.errors import BadSignature, Refused
from handrail.plugins.integrations.contract import Inbound, Parsed, Verdict
from handrail.plugins.integrations.jira.parse import PRIORITIES, parse
from handrail.plugins.integrations.jira.verify import verify
from handrail.plugins.integrations.reading import severity_word

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
FIELDS = {
    "summary": "Gates stay shut", "description": "Pier 4", "priority": {"name": "Highest"}, "components": [],
    "status": {"name": "To Do", "statusCategory": {"key": "new"}}, "project": {"key": "PIER"}, "labels": ["outage"],
    "created": "2026-01-05T10:39:58.000+0200", "resolution": None, "customfield_1": "x",
}  # fmt: skip


def read(
    event: str = "jira:issue_created", timestamp: Any = 1767602400000, key: Any = "20071", **fields: Any
) -> Parsed:
    issue = {"id": key, "key": "PIER-9", "self": "https://j.example/jira/rest/api/2/issue/20071",
             "fields": {**FIELDS, **fields}}  # fmt: skip
    return parse(Inbound(json.dumps({"webhookEvent": event, "timestamp": timestamp, "issue": issue}).encode()), NOW)


def test_an_issue_reads_field_by_field() -> None:
    [said] = read().occurrences
    assert (said.dedup_key, said.status, said.title) == ("20071", "firing", "Gates stay shut")
    assert (rung_of(said), said.service, said.summary) == (Severity.CRITICAL, "PIER", "Pier 4")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
    assert said.starts_at == datetime(2026, 1, 5, 8, 39, 58, tzinfo=UTC)
    assert said.link == "https://j.example/jira/browse/PIER-9"
    assert (said.labels["labels"], said.extra["fields"]) == ("outage", {"customfield_1": "x"})


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": {"name": "Open"}}, "firing"),
        ({"status": {"name": "In Progress"}}, "acknowledged"),
        ({"status": {"name": "Ours", "statusCategory": {"key": "indeterminate"}}}, "acknowledged"),
        ({"status": {"name": "Ours", "statusCategory": {"key": "done"}}}, "resolved"),
        ({"status": {"name": "Closed"}}, "resolved"),
        ({"status": "Done"}, "resolved"),
        ({"resolution": {"name": "Fixed"}}, "resolved"),
        ({"status": None}, "firing"),
    ],
)
def test_every_status_meets_the_same_issue(fields: dict[str, Any], status: str) -> None:
    [said] = read("jira:issue_updated", key=20071, **fields).occurrences
    assert (said.dedup_key, said.status) == ("20071", status)


def test_a_deleted_issue_is_resolved() -> None:
    assert read("jira:issue_deleted").occurrences[0].status == "resolved"


def test_the_first_component_is_the_service() -> None:
    assert read(components=[{"name": "gates"}, {"name": "doors"}]).occurrences[0].service == "gates"


def test_an_event_without_an_issue_changes_nothing() -> None:
    assert parse(Inbound(b'{"webhookEvent": "sprint_started", "sprint": {}}'), NOW) == Parsed()


def test_an_odd_time_is_kept_beside_and_the_next_best_is_used() -> None:
    [said] = read(timestamp="noon").occurrences
    assert said.occurred_at == datetime(2026, 1, 5, 8, 39, 58, tzinfo=UTC)
    assert said.extra["timestamp"] == "noon"


@pytest.mark.parametrize(("word", "rung"), PRIORITIES.items())
def test_every_priority_lands_on_its_rung(word: str, rung: Severity) -> None:
    assert severity_word(word.title(), PRIORITIES).rung == rung


def test_an_issue_without_an_id_and_another_senders_payload_are_refused() -> None:
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"webhookEvent": "jira:issue_updated", "issue": {"fields": {}}}'), NOW)
    assert refused.value.code == "alert_labels_missing"
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"issue": {"id": 1}}'), NOW)
    assert refused.value.code == "unexpected_format"


def test_a_signed_body_is_verified_and_any_other_refused() -> None:
    signature = "sha256=" + hmac.new(b"s3cret", b"{}", hashlib.sha256).hexdigest()
    assert verify(Inbound(b"{}", {"x-hub-signature": signature}), ["s3cret"], NOW) == Verdict.VERIFIED
    for inbound in (Inbound(b"{ }", {"x-hub-signature": signature}), Inbound(b"{}")):
        with pytest.raises(BadSignature):
            verify(inbound, ["s3cret"], NOW)


def test_an_event_about_something_on_an_issue_that_does_not_tell_its_status_changes_nothing() -> None:
    assert read("comment_created", status=None).occurrences == ()
    assert read("comment_created", status={"name": "Ours", "statusCategory": {"key": "done"}}).occurrences
    assert read("jira:issue_updated", status=None).occurrences


@pytest.mark.parametrize("number", ["20071", 20071])
def test_automation_sends_the_bare_issue_and_means_the_same_one(number: object) -> None:
    done = {"name": "Erledigt", "statusCategory": {"id": 3, "key": "done", "name": "Done"}}
    issue = {
        "self": "https://j.example/rest/api/2/issue/20071", "id": number, "key": "PIER-9",
        "changelog": {"histories": None},
        "fields": {**FIELDS, "status": done, "updated": "2026-01-05T10:50:00.000+0200"},
    }  # fmt: skip
    for body in (issue, {"issue": issue}):
        [said] = parse(Inbound(json.dumps(body).encode()), NOW).occurrences
        assert (said.dedup_key, said.status, said.title) == ("20071", "resolved", "Gates stay shut")
        assert said.occurred_at == datetime(2026, 1, 5, 8, 50, tzinfo=UTC)
        assert said.link == "https://j.example/browse/PIER-9"


@pytest.mark.parametrize(
    ("category", "status"),
    [
        ({"id": 3}, "resolved"),
        ({"name": "Done"}, "resolved"),
        ({"id": "4"}, "acknowledged"),
        ({"name": "To Do"}, "firing"),
    ],
)
def test_a_category_is_known_by_its_number_and_its_name_as_well(category: dict[str, Any], status: str) -> None:
    assert read(status={"name": "Ours", "statusCategory": category}).occurrences[0].status == status


@pytest.mark.parametrize("issue", [None, "PIER-9", []])
def test_an_event_about_an_issue_that_holds_none_is_refused_in_words(issue: object) -> None:
    with pytest.raises(Refused) as refused:
        parse(Inbound(json.dumps({"webhookEvent": "jira:issue_updated", "issue": issue}).encode()), NOW)
    assert refused.value.code == "alert_labels_missing"


@pytest.mark.parametrize(
    ("word", "rung"),
    [("P1 - Critical", Severity.CRITICAL), ("Highest (1)", Severity.CRITICAL), ("4 - Minor", Severity.LOW)],
)
def test_a_priority_of_several_words_lands_on_the_rung_of_the_one_that_is_known(word: str, rung: Severity) -> None:
    [said] = read(priority={"name": word}).occurrences
    assert (rung_of(said), said.severity_raw) == (rung, word)
