"""Alertmanager's webhook and the alerts that Prometheus posts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Severity, first, merge
from handrail.kernel.errors import Unprocessable
from handrail.plugins.integrations.alertmanager.fingerprint import fingerprint, hash_bytes
from handrail.plugins.integrations.alertmanager.parse import parse, parse_v2
from handrail.plugins.integrations.alertmanager.view import answer_refused, answer_to_post
from handrail.plugins.integrations.contract import Inbound, Parsed

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ZERO = "0001-01-01T00:00:00Z"


def webhook(*alerts: Any, **fields: Any) -> Parsed:
    body = {"version": "4", "groupKey": "{}:{}", "receiver": "handrail", "alerts": list(alerts), **fields}
    return parse(Inbound(json.dumps(body).encode()), NOW)


def posted(*alerts: Any) -> Parsed:
    return parse_v2(Inbound(json.dumps(list(alerts)).encode()), NOW)


def test_the_fingerprint_is_alertmanagers() -> None:
    """Values that Alertmanager 0.25 itself showed for these labels."""
    assert fingerprint({"name": "garland, briggs", "fear": "love is not enough"}) == "507a62d79ee76c9a"
    assert fingerprint({"alertname": "a", "severity": "critical", "x": "ü"}) == "cfd550030f8b88a8"
    assert hash_bytes(b"") == "cbf29ce484222325"


def test_labels_beyond_what_is_remembered_have_a_fingerprint_too() -> None:
    assert fingerprint({"a": "x" * 10_000}) != fingerprint({"a": "x" * 10_001})


def test_a_firing_webhook_alert_reads_field_by_field() -> None:
    said = webhook(
        {
            "status": "firing",
            "labels": {"alertname": "QueueAgeHigh", "job": "booking", "instance": "b-1:9100", "severity": "critical"},
            "annotations": {"summary": "Bookings wait", "description": "Oldest is 94 s."},
            "startsAt": "2026-01-05T09:41:10.432911368+01:00",
            "endsAt": ZERO,
            "generatorURL": "http://prometheus.example/graph",
            "fingerprint": "3f1c0a5be2d94c77",
        }
    ).occurrences[0]
    assert said.dedup_key == "3f1c0a5be2d94c77"
    assert said.status == AlertStatus.FIRING
    assert said.title == "Bookings wait"
    assert said.summary == "Oldest is 94 s."
    assert said.severity_raw == "critical"
    assert said.service == "booking"
    assert said.resource == "b-1:9100"
    assert said.starts_at == said.occurred_at == datetime(2026, 1, 5, 8, 41, 10, 432911, tzinfo=UTC)
    assert said.ends_at is None
    assert said.link == "http://prometheus.example/graph"
    assert said.extra == {"group": {"groupKey": "{}:{}", "receiver": "handrail"}}


def test_without_a_fingerprint_the_labels_give_the_same_identity() -> None:
    labels = {"alertname": "a", "severity": "critical", "x": "ü"}
    said = webhook({"status": "firing", "labels": labels, "startsAt": "2026-01-05T08:00:00Z"}).occurrences[0]
    assert said.dedup_key == "cfd550030f8b88a8"
    assert posted({"labels": labels}).occurrences[0].dedup_key == "cfd550030f8b88a8"


def test_a_resolved_alert_with_the_zero_time_ends_now() -> None:
    said = webhook({"status": "resolved", "labels": {"alertname": "a"}, "endsAt": ZERO}).occurrences[0]
    assert said.status == AlertStatus.RESOLVED
    assert said.ends_at is None
    assert said.occurred_at is None


def test_the_severity_may_stand_in_an_annotation() -> None:
    said = webhook({"labels": {"alertname": "a"}, "annotations": {"severity": "warning"}}).occurrences[0]
    assert said.severity_raw == "warning"


def test_an_unknown_status_word_is_rejected_not_guessed() -> None:
    parsed = webhook({"status": "flapping", "labels": {"a": "b"}}, {"status": "FIRING", "labels": {"a": "b"}})
    assert [(item.index, item.code) for item in parsed.rejected] == [(0, "alert_status_unknown")]
    assert len(parsed.occurrences) == 1


def test_a_time_that_cannot_be_read_is_kept_beside_and_the_alert_too() -> None:
    said = webhook({"labels": {"a": "b"}, "startsAt": "this morning"}).occurrences[0]
    assert said.starts_at is None
    assert said.extra["startsAt"] == "this morning"


def test_a_webhook_of_no_alerts_says_nothing() -> None:
    assert webhook() == Parsed()


def test_a_list_on_the_webhooks_address_is_read_as_prometheus_posts_it() -> None:
    parsed = parse(Inbound(b'[{"labels":{"alertname":"a"}}]'), NOW)
    assert parsed.occurrences[0].title == "a"


def test_posted_alerts_fire_until_their_end() -> None:
    parsed = posted(
        {"labels": {"a": "1"}},
        {"labels": {"a": "2"}, "endsAt": ZERO},
        {"labels": {"a": "3"}, "endsAt": "2026-01-05T09:00:01Z"},
        {"labels": {"a": "4"}, "endsAt": "2026-01-05T09:00:00Z"},
    )
    assert [said.status.value for said in parsed.occurrences] == ["firing", "firing", "firing", "resolved"]


def test_a_posted_alert_without_a_start_starts_now_or_at_its_end() -> None:
    parsed = posted({"labels": {"a": "1"}}, {"labels": {"a": "1"}, "endsAt": "2026-01-05T08:00:00Z"})
    assert parsed.occurrences[0].starts_at == NOW
    assert parsed.occurrences[1].starts_at == datetime(2026, 1, 5, 8, tzinfo=UTC)


BAD_POSTS: list[tuple[Any, str, str]] = [
    ({}, "alert_labels_missing", "at least one label pair required"),
    ({"labels": {}}, "alert_labels_missing", "at least one label pair required"),
    ({"labels": {"a": ""}}, "alert_labels_missing", "at least one label pair required"),
    ({"labels": {"": "x"}}, "alert_name_invalid", 'invalid label set: invalid name ""'),
    (
        {"labels": {"a": "b"}, "annotations": {"": "y"}},
        "alert_name_invalid",
        'invalid annotations: invalid name ""',
    ),
    (
        {"labels": {"a": "b"}, "startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"},
        "alert_times_crossed",
        "start time must be before end time",
    ),
    ({"labels": {"a": "b"}, "startsAt": "x"}, "alert_time_invalid", 'parsing time "x" of startsAt'),
    (None, "alert_not_an_object", "an alert must be an object with labels"),
]


@pytest.mark.parametrize(("item", "code", "reason"), BAD_POSTS, ids=[reason for _, _, reason in BAD_POSTS])
def test_a_bad_posted_alert_is_rejected_in_alertmanagers_words(item: Any, code: str, reason: str) -> None:
    parsed = posted({"labels": {"good": "1"}}, item)
    assert [(bad.index, bad.code, bad.reason) for bad in parsed.rejected] == [(1, code, reason)]
    assert len(parsed.occurrences) == 1


def test_the_answer_to_a_post_is_alertmanagers() -> None:
    assert answer_to_post(posted({"labels": {"a": "b"}}).rejected) == (200, b"")
    status, body = answer_to_post(posted({"labels": {}}, {"labels": {"": "x"}}).rejected)
    assert status == 400
    assert body == b'"at least one label pair required; invalid label set: invalid name \\"\\""\n'


def test_a_body_that_is_no_list_is_answered_as_alertmanager_does() -> None:
    with pytest.raises(Unprocessable) as refused:
        parse_v2(Inbound(b'{"alerts":[]}'), NOW)
    status, body = answer_refused(refused.value)
    assert status == 400
    assert json.loads(body)["code"] == 400
    assert "a list of objects with “labels”" in json.loads(body)["message"]


def test_i2_and_i4_the_times_of_the_webhook_keep_the_order_of_what_happened() -> None:
    labels = {"alertname": "a", "severity": "critical"}
    times = {"startsAt": "2026-01-05T08:00:00Z", "endsAt": "2026-01-05T08:30:00Z"}
    resolve = webhook({"status": "resolved", "labels": labels, **times}).occurrences[0]
    trigger = webhook({"status": "firing", "labels": labels, **times, "endsAt": ZERO}).occurrences[0]
    again = webhook({"status": "firing", "labels": labels, "startsAt": "2026-01-05T08:40:00Z"}).occurrences[0]

    resolved = merge(first("alr_1", "src_1", resolve, "f", "token", NOW), trigger, NOW)
    assert resolved.status == AlertStatus.RESOLVED
    assert resolved.late == 1
    assert resolved.severity == Severity.CRITICAL
    assert merge(resolved, again, NOW).status == AlertStatus.FIRING


def test_names_as_prometheus_3_has_them_are_taken_and_name_the_service() -> None:
    [said] = posted(
        {"labels": {"alertname": "A", "service.name": "pay", "k8s.pod.name": "pay-1", "größe": "1"}}
    ).occurrences
    assert (said.service, said.resource, said.labels["größe"]) == ("pay", "pay-1", "1")


def test_an_alert_without_a_status_has_that_of_its_group() -> None:
    [said] = webhook({"labels": {"a": "1"}, "fingerprint": "f"}, status="resolved").occurrences
    assert said.status == "resolved"


def test_a_resolve_that_ends_before_its_start_still_closes_what_it_ends() -> None:
    start, end = "2026-01-05T08:00:00Z", "2026-01-05T07:59:00Z"
    fired = webhook({"labels": {"a": "1"}, "status": "firing", "startsAt": start}).occurrences[0]
    ended = webhook({"labels": {"a": "1"}, "status": "resolved", "startsAt": start, "endsAt": end}).occurrences[0]
    alert = merge(first("alr_1", "prom", fired, "f", "token", NOW), ended, NOW)
    assert alert.status == "resolved"


def test_without_a_usable_generator_the_link_is_alertmanagers() -> None:
    for generator in ("", "/graph?g0.expr=up", "javascript:alert(1)"):
        sent = {"labels": {"a": "1"}, "generatorURL": generator}
        assert webhook(sent, externalURL="https://am.example").occurrences[0].link == "https://am.example"
    assert webhook({"labels": {"a": "1"}}, externalURL="javascript:alert(1)").occurrences[0].link is None


@pytest.mark.parametrize("version", ["4", 4, 4.0, None, ""])
def test_the_version_may_be_a_number_and_may_be_missing(version: Any) -> None:
    assert webhook({"labels": {"a": "1"}}, version=version, groupKey="{}").occurrences[0].status == "firing"
