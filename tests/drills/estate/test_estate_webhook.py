from datetime import UTC, datetime

from handrail.drills.estate.webhook import (
    Group,
    Told,
    delivered,
    fingerprint,
    is_due,
    not_delivered,
    payload,
)

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
END = datetime(2026, 1, 5, 9, 1, tzinfo=UTC)


def told(name: str, ends_at: datetime | None = None) -> Told:
    return Told({"alertname": name, "service": "payments"}, {"summary": f"{name}."}, START, ends_at)


def test_the_payload_is_alertmanagers_version_4() -> None:
    assert payload("payments", [told("A"), told("B", END)], "http://m") == {
        "version": "4",
        "groupKey": '{}:{service="payments"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "handrail",
        "groupLabels": {"service": "payments"},
        "commonLabels": {"service": "payments"},
        "commonAnnotations": {},
        "externalURL": "http://m",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "A", "service": "payments"},
                "annotations": {"summary": "A."},
                "startsAt": "2026-01-05T09:00:00.000000Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://m/signal/payments",
                "fingerprint": fingerprint({"alertname": "A", "service": "payments"}),
            },
            {
                "status": "resolved",
                "labels": {"alertname": "B", "service": "payments"},
                "annotations": {"summary": "B."},
                "startsAt": "2026-01-05T09:00:00.000000Z",
                "endsAt": "2026-01-05T09:01:00.000000Z",
                "generatorURL": "http://m/signal/payments",
                "fingerprint": fingerprint({"alertname": "B", "service": "payments"}),
            },
        ],
    }


def test_the_fingerprint_is_prometheus_own() -> None:
    assert fingerprint({}) == "cbf29ce484222325"
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "1"}) != fingerprint({"a": "2"})
    assert len(fingerprint({"a": "ö"})) == 16


def test_nothing_is_sent_while_nothing_fires() -> None:
    assert not is_due(Group(), [], 0.0)


def test_news_is_sent_at_once() -> None:
    assert is_due(Group(), [told("A")], 0.0)
    assert is_due(delivered([told("A")], 0.0), [told("A"), told("B")], 0.1)
    assert is_due(delivered([told("A")], 0.0), [told("A", END)], 0.1)


def test_a_firing_alert_is_sent_again_after_a_while() -> None:
    group = delivered([told("A")], 0.0)
    assert not is_due(group, [told("A")], 4.9)
    assert is_due(group, [told("A")], 5.0)


def test_an_alert_that_is_forgotten_is_no_news() -> None:
    assert not is_due(delivered([told("A"), told("B", END)], 0.0), [told("A")], 0.5)


def test_a_failed_delivery_is_tried_again_ever_more_slowly() -> None:
    group = not_delivered(Group(), 0.0)
    assert not is_due(group, [told("A")], 0.4)
    assert is_due(group, [told("A")], 0.5)
    for _ in range(9):
        group = not_delivered(group, 10.0)
    assert not is_due(group, [told("A")], 13.9)
    assert is_due(group, [told("A")], 14.0)
    assert delivered([told("A")], 14.0).failures == 0
