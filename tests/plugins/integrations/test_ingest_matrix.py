"""The cases of the fault matrix that reading alone decides: I5, I7, I8, I9 and I17."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.kernel.errors import BadInput, Refused, TooLarge, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import DROPPED_LABELS, TRUNCATED
from handrail.plugins.integrations.registry import integration, integrations

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NAMES = list(integrations())


def parse(name: str, value: Any, **headers: str) -> Parsed:
    return integration(name).parse(Inbound(json.dumps(value).encode(), headers=headers), NOW)


def webhook(*alerts: Any) -> dict[str, Any]:
    return {"version": "4", "groupKey": "{}:{}", "receiver": "handrail", "alerts": list(alerts)}


def sent(number: int = 0, **fields: Any) -> dict[str, Any]:
    labels = {"alertname": "QueueAgeHigh", "instance": f"booking-{number}"}
    return {"status": "firing", "labels": labels, "annotations": {}, "startsAt": "2026-01-05T08:00:00Z", **fields}


def event(number: int = 0, **fields: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": str(number), "source": "/ci", "type": "harbour.deploy", **fields}


def trigger(**fields: Any) -> dict[str, Any]:
    payload = {"summary": "Disk full", "source": "db-1", "severity": "critical"}
    return {"routing_key": "k", "event_action": "trigger", "dedup_key": "d", "payload": payload, **fields}


def at_250(bad: Any, good: Callable[[int], Any]) -> list[Any]:
    return [bad if at == 249 else good(at) for at in range(500)]


BATCHES: dict[str, Any] = {
    "alertmanager": webhook(*at_250({"status": "firing"}, sent)),
    "generic": {"alerts": at_250({"titel": "x"}, lambda at: {"title": f"Alert {at}"})},
    "cloudevents": at_250({"specversion": "1.0", "id": "x"}, event),
}


@pytest.mark.parametrize("name", BATCHES)
def test_i5_one_malformed_of_five_hundred_is_named_and_the_others_are_kept(name: str) -> None:
    parsed = parse(name, BATCHES[name])
    assert len(parsed.occurrences) + len(parsed.changes) == 499
    assert [item.index for item in parsed.rejected] == [249]
    assert parsed.rejected[0].code
    assert parsed.rejected[0].reason


@pytest.mark.parametrize("name", BATCHES)
def test_i5_a_batch_of_which_nothing_can_be_read_is_refused_with_every_fault(name: str) -> None:
    bad = {"alertmanager": webhook({}, {}), "generic": [{"status": "x"}, 1], "cloudevents": [{"specversion": "1.0"}, 7]}
    with pytest.raises(Unprocessable) as refused:
        parse(name, bad[name])
    assert refused.value.code == "nothing_readable"
    assert [fault.where for fault in refused.value.faults] == ["/0", "/1"]


def test_i5_more_items_than_allowed_are_refused_as_too_large() -> None:
    with pytest.raises(TooLarge) as refused:
        parse("generic", [{"title": "x"}] * (LIMITS.inbound_batch_alerts + 1))
    assert refused.value.code == "batch_too_large"
    assert len(parse("generic", [{"title": "x"}] * LIMITS.inbound_batch_alerts).occurrences) == 5000


HOSTILE = {
    b"{": "json_invalid",
    b'{"a":"\xff"}': "json_encoding",
    b'{"a":"\\u0000"}': "json_string",
    b'{"a":"\\ud800"}': "json_string",
    b'{"a":1e309}': "json_number",
    b'{"a":1,"a":2}': "json_duplicate_key",
    b"[" * 10_000 + b"]" * 10_000: "json_depth",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: HOSTILE[body])
def test_i7_hostile_json_has_a_stable_code_at_every_integration(name: str, body: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        integration(name).parse(Inbound(body), NOW)
    assert refused.value.code == HOSTILE[body]
    assert refused.value.status == 400


def test_i8_unknown_fields_are_kept_beside_and_large_ids_stay_exact() -> None:
    big = 9_007_199_254_740_993
    alert = parse("alertmanager", webhook(sent(traceId=big, nested={"ids": [big, 1]}))).occurrences[0]
    assert alert.extra["traceId"] == "9007199254740993"
    assert alert.extra["nested"] == {"ids": ["9007199254740993", 1]}
    assert b'"traceId":9007199254740993' in alert.raw

    page = parse("pagerduty_events_v2", trigger(number=big)).occurrences[0]
    assert page.extra["number"] == "9007199254740993"

    plain = parse("generic", {"title": "x", "number": big}).occurrences[0]
    assert plain.extra == {"number": "9007199254740993"}

    change = parse("cloudevents", event(buildnumber=big, data={"run": big})).changes[0]
    assert change.extra["buildnumber"] == "9007199254740993"
    assert change.extra["data"] == {"run": "9007199254740993"}


def test_i8_numbers_and_truths_where_texts_are_usual_are_read_as_text() -> None:
    labels = {"alertname": "A", "shard": 7, "share": 0.5, "canary": True, "id": 9_007_199_254_740_993, "none": None}
    alert = parse("alertmanager", webhook(sent(labels=labels, annotations={"summary": 404}))).occurrences[0]
    assert alert.title == "404"
    assert alert.labels["shard"] == "7"
    assert alert.labels["share"] == "0.5"
    assert alert.labels["canary"] == "true"
    assert alert.labels["id"] == "9007199254740993"

    page = parse("pagerduty_events_v2", trigger(dedup_key=12, routing_key=34)).occurrences[0]
    assert page.dedup_key == "12"
    assert parse("generic", {"title": 7, "dedup_key": 8}).occurrences[0].dedup_key == "8"
    assert parse("cloudevents", event(id=5, data={"version": 3})).changes[0].version == "3"


def test_i8_missing_optional_fields_are_no_fault() -> None:
    assert parse("alertmanager", webhook({"labels": {"alertname": "A"}})).occurrences[0].title == "A"
    assert parse("generic", {"title": "x"}).occurrences[0].status == "firing"
    assert parse("cloudevents", event()).changes[0].title == "deploy"
    resolve = {"routing_key": "k", "event_action": "resolve", "dedup_key": "d"}
    assert parse("pagerduty_events_v2", resolve).occurrences[0].title == ""


LONG = "x" * 1_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alertmanager", webhook(sent(annotations={"summary": LONG}))),
        ("pagerduty_events_v2", trigger(payload={"summary": LONG, "source": "s", "severity": "info"})),
        ("generic", {"title": LONG}),
        ("cloudevents", event(type="harbour.alert", data={"title": LONG})),
    ],
    ids=["alertmanager", "pagerduty_events_v2", "generic", "cloudevents"],
)
def test_i9_a_title_of_a_megabyte_is_cut_with_a_mark(name: str, value: Any) -> None:
    alert = parse(name, value).occurrences[0]
    assert len(alert.title) == LIMITS.title_chars
    assert alert.title.endswith(TRUNCATED)
    assert len(alert.raw) <= LIMITS.raw_alert_bytes
    kept = json.loads(alert.raw)
    assert kept["truncated"] is True
    assert kept["bytes"] > 1_000_000


@pytest.mark.parametrize("name", ["alertmanager", "generic", "pagerduty_events_v2", "cloudevents"])
def test_i9_five_thousand_labels_are_capped_and_the_telling_ones_stay(name: str) -> None:
    labels = {**{f"bomb_{at}": str(at) for at in range(5000)}, "alertname": "A", "service": "payments"}
    value = {
        "alertmanager": webhook(sent(labels=labels)),
        "generic": {"title": "x", "labels": labels},
        "pagerduty_events_v2": trigger(
            payload={"summary": "x", "source": "s", "severity": "info", "custom_details": labels}
        ),
        "cloudevents": event(type="harbour.alert", data={"title": "x", "labels": labels}),
    }[name]
    alert = parse(name, value).occurrences[0]
    assert len(alert.labels) == LIMITS.labels_per_alert
    assert alert.labels[DROPPED_LABELS] == "4939"
    assert alert.labels["service"] == "payments"
    assert alert.service == "payments"


def test_i9_alerts_that_differ_only_in_dropped_labels_stay_two_alerts() -> None:
    bomb = {f"bomb_{at}": "x" for at in range(5000)}
    parsed = parse("alertmanager", webhook(sent(labels={**bomb, "z": "1"}), sent(labels={**bomb, "z": "2"})))
    assert len({alert.dedup_key for alert in parsed.occurrences}) == 2


def test_i9_a_label_value_of_any_length_is_cut_with_a_mark() -> None:
    labels = {"alertname": "A", "long": "y" * 5000, "n" * 5000: "x"}
    alert = parse("alertmanager", webhook(sent(labels=labels))).occurrences[0]
    assert alert.labels["long"].endswith(TRUNCATED)
    assert all(len(name) <= LIMITS.label_chars for name in alert.labels)


OWN: dict[str, Any] = {
    "alertmanager": webhook(sent()),
    "pagerduty_events_v2": trigger(),
    "cloudevents": event(),
    "generic": {"title": "Disk full", "dedup_key": "d"},
    "grafana": {"version": "1", "orgId": 3, "title": "[FIRING:1]", "state": "alerting", "alerts": [sent()]},
    "newrelic": {
        "id": "x",
        "issueUrl": "https://x.example",
        "impactedEntities": [],
        "title": "x",
        "state": "CLOSED",
    },
    "sns": {"Type": "Notification", "TopicArn": "arn:x", "Message": "{}"},
    "an older alertmanager": {"version": "3", "groupKey": 7, "alerts": [sent()]},
}


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("name", NAMES)
def test_i17_another_senders_payload_is_refused_and_the_expected_one_is_named(name: str, own: str) -> None:
    if name == own:
        parse(name, OWN[own])
        return
    with pytest.raises(Refused) as refused:
        parse(name, OWN[own])
    assert refused.value.code == "unexpected_format"
    assert refused.value.status == 422
    assert "This address expects " in refused.value.detail


def test_i17_the_refusal_names_who_it_looks_like() -> None:
    with pytest.raises(Unprocessable, match="looks like Grafana's webhook"):
        parse("alertmanager", OWN["grafana"])
    with pytest.raises(Unprocessable, match="looks like a New Relic issue"):
        parse("generic", OWN["newrelic"])
