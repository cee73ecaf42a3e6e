"""Sentry: issues, the events of issue alerts, metric alerts, the older plugin, and the signature."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Severity, first, merge
from handrail.kernel.errors import BadSignature, Refused
from handrail.plugins.integrations.contract import Inbound, Parsed, Verdict
from handrail.plugins.integrations.reading import severity_word
from handrail.plugins.integrations.sentry.parse import SEVERITIES, parse
from handrail.plugins.integrations.sentry.verify import verify

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
HEADERS = {"sentry-hook-timestamp": "1767603000", "request-id": "r-1"}
ISSUE = {
    "id": "77", "title": "TimeoutError", "level": "error", "culprit": "tides.load", "status": "unresolved",
    "project": {"slug": "tides"}, "firstSeen": "2026-01-05T08:00:00Z", "lastSeen": "2026-01-05T08:20:00Z",
    "permalink": None, "web_url": "https://s.example/77",
}  # fmt: skip
EVENT = {
    "issue_id": "77", "title": "TimeoutError", "level": "fatal", "project": 7, "web_url": "https://s.example/77/e",
    "datetime": "2026-01-05T08:21:00Z", "tags": [["service", "tides"], ["server_name", "quay-1"]],
}  # fmt: skip
METRIC = {"id": "31", "title": "Slow bookings", "date_started": "2026-01-05T08:24:00Z", "projects": ["bookings"]}


def send(body: Any, headers: dict[str, str] | None = None) -> Parsed:
    return parse(Inbound(json.dumps(body).encode(), headers or {}), NOW)


def issue(action: str = "created", headers: dict[str, str] | None = None, **fields: Any) -> Parsed:
    return send({"action": action, "data": {"issue": {**ISSUE, **fields}}}, headers)


def test_an_issue_reads_field_by_field() -> None:
    parsed = issue(headers=HEADERS)
    [said] = parsed.occurrences
    assert parsed.replay_id == "r-1"
    assert (said.dedup_key, said.status, said.title) == ("77", "firing", "TimeoutError")
    assert (said.severity_raw, said.service, said.summary) == ("error", "tides", "tides.load")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 20, tzinfo=UTC)
    assert said.starts_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    assert said.link == "https://s.example/77"


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("created", "firing"), ("unresolved", "firing"), ("assigned", "acknowledged"), ("ignored", "acknowledged"),
        ("archived", "acknowledged"), ("resolved", "resolved"),
    ],
)  # fmt: skip
def test_every_action_meets_the_same_issue(action: str, status: str) -> None:
    [said] = issue(action, id=77).occurrences
    assert (said.dedup_key, said.status) == ("77", status)


def test_a_resolve_happened_when_sentry_sent_it_and_not_when_the_error_was_last_seen() -> None:
    [said] = issue("resolved", HEADERS).occurrences
    assert said.occurred_at == said.ends_at == datetime(2026, 1, 5, 8, 50, tzinfo=UTC)


def test_a_resolve_is_not_late_after_an_event_that_was_seen_after_the_issue_was() -> None:
    seen = send({"action": "triggered", "data": {"event": EVENT}}).occurrences[0]
    for headers in (HEADERS, {}):
        alert = first("1", "source", seen, "f", "token", NOW)
        assert merge(alert, issue("resolved", headers).occurrences[0], NOW).status == "resolved"


def test_to_assign_a_resolved_issue_opens_it_no_more() -> None:
    assert issue("assigned", status="resolved").occurrences[0].status == "resolved"


@pytest.mark.parametrize("name", ["event", "error"])
def test_an_event_of_an_alert_tells_of_the_same_issue(name: str) -> None:
    [said] = send({"action": "triggered", "data": {name: EVENT, "triggered_rule": "late"}}).occurrences
    assert (said.dedup_key, said.status, said.severity_raw) == ("77", "firing", "fatal")
    assert (said.service, said.resource) == ("tides", "quay-1")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 21, tzinfo=UTC)
    assert said.extra["triggered_rule"] == "late"


def test_an_event_without_an_issue_id_is_found_by_its_address() -> None:
    event = {**EVENT, "issue_id": None, "web_url": "https://s.example/organizations/o/issues/77/events/1/"}
    assert send({"action": "triggered", "data": {"event": event}}).occurrences[0].dedup_key == "77"


@pytest.mark.parametrize(
    ("action", "status", "severity"),
    [("critical", "firing", "critical"), ("warning", "firing", "warning"), ("resolved", "resolved", None)],
)
def test_a_metric_alert_is_an_alert_of_its_own(action: str, status: str, severity: str | None) -> None:
    [said] = send({"action": action, "data": {"metric_alert": METRIC, "web_url": "https://s.example/m"}}).occurrences
    assert (said.dedup_key, said.status, said.severity_raw) == ("metric/31", status, severity)
    assert (said.title, said.service, said.link) == ("Slow bookings", "bookings", "https://s.example/m")


def test_the_older_plugins_object_is_read() -> None:
    body = {"id": 77, "project": "tides", "level": "error", "culprit": "x", "url": "https://s.example/77",
            "message": "",
            "event": {"title": "TimeoutError", "tags": [["host", "q"]], "timestamp": 1767602400.5}}  # fmt: skip
    [said] = send(body).occurrences
    assert (said.dedup_key, said.title, said.service, said.resource) == ("77", "TimeoutError", "tides", "q")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 40, 0, 500000, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        {"action": "created", "data": {"comment": "hi", "issue_id": 7}},
        {"action": "created", "data": {"installation": {}}},
    ],
)
def test_a_comment_or_an_installation_changes_nothing(body: Any) -> None:
    assert send(body, HEADERS) == Parsed(replay_id="r-1")


def test_an_unknown_action_and_another_senders_payload_are_refused_in_words() -> None:
    with pytest.raises(Refused, match="exploded") as refused:
        issue("exploded")
    assert refused.value.code == "alert_status_unknown"
    with pytest.raises(Refused) as refused:
        send({"action": "created", "data": {"other": 1}})
    assert refused.value.code == "unexpected_format"


@pytest.mark.parametrize(("word", "rung"), SEVERITIES.items())
def test_every_level_lands_on_its_rung(word: str, rung: Severity) -> None:
    assert severity_word(word, SEVERITIES).rung == rung


def test_a_signed_body_is_verified_and_any_other_refused() -> None:
    signature = hmac.new(b"s3cret", b"{}", hashlib.sha256).hexdigest()
    assert verify(Inbound(b"{}", {"sentry-hook-signature": signature}), ["s3cret"], NOW) == Verdict.VERIFIED
    for inbound in (Inbound(b"{ }", {"sentry-hook-signature": signature}), Inbound(b"{}")):
        with pytest.raises(BadSignature):
            verify(inbound, ["s3cret"], NOW)


def test_an_issue_that_somebody_opened_again_fires_also_when_nothing_was_seen_since() -> None:
    later = datetime(2026, 1, 5, 9, 10, tzinfo=UTC)
    [created], [resolved] = issue().occurrences, issue("resolved", HEADERS).occurrences
    [again] = issue("unresolved", {"sentry-hook-timestamp": "1767603500"}).occurrences
    alert = merge(merge(first("alr_1", "sentry", created, "f", "token", NOW), resolved, NOW), again, later)
    assert alert.status == "firing"


@pytest.mark.parametrize(
    ("status", "expected"),
    [("unresolved", "firing"), ("resolved", "resolved"), ("ignored", "acknowledged"), (None, "firing")],
)
def test_an_alert_on_an_issues_activity_tells_how_the_issue_is(status: str | None, expected: str) -> None:
    [said] = issue("triggered", {"sentry-hook-resource": "activity_alert"}, status=status).occurrences
    assert (said.status, said.dedup_key) == (expected, "77")
