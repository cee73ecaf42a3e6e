"""Grafana's unified alerting: its alerts, their identity, and its two ways to sign."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Severity
from handrail.kernel.errors import BadSignature, Refused
from handrail.plugins.integrations.contract import Inbound, Parsed, Verdict
from handrail.plugins.integrations.grafana.parse import SEVERITIES, parse
from handrail.plugins.integrations.grafana.verify import verify
from handrail.plugins.integrations.reading import severity_word

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ALERT = {
    "status": "firing", "labels": {"alertname": "Crane idle", "severity": "critical", "job": "cranes", "host": "c-4"},
    "annotations": {"summary": "Crane 4 stands still", "description": "No lift"}, "fingerprint": "ab12",
    "startsAt": "2026-01-05T09:40:00+01:00", "endsAt": "0001-01-01T00:00:00Z", "panelURL": "https://g.example/p",
}  # fmt: skip


def read(*alerts: Any, **group: Any) -> Parsed:
    return parse(Inbound(json.dumps({"orgId": 3, "alerts": alerts, **group}).encode()), NOW)


def test_an_alert_reads_field_by_field() -> None:
    [said] = read({**ALERT, "values": {"A": 1}, "silenceURL": "https://g.example/s"}).occurrences
    assert (said.dedup_key, said.status, said.title) == ("3/ab12", "firing", "Crane 4 stands still")
    assert (said.severity_raw, said.service, said.resource) == ("critical", "cranes", "c-4")
    assert said.summary == "No lift"
    assert said.starts_at == said.occurred_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
    assert said.ends_at is None
    assert said.link == "https://g.example/p"
    assert said.extra == {"values": {"A": 1}, "silenceURL": "https://g.example/s", "group": {"orgId": 3}}


def test_a_resolve_meets_its_alert_and_tells_when_it_ended() -> None:
    [said] = read({**ALERT, "status": "resolved", "endsAt": "2026-01-05T08:50:00Z"}).occurrences
    assert (said.dedup_key, said.status) == ("3/ab12", "resolved")
    assert said.occurred_at == said.ends_at == datetime(2026, 1, 5, 8, 50, tzinfo=UTC)


def test_a_resolve_with_an_end_in_year_1_ended_when_it_came_and_not_when_it_began() -> None:
    [said] = read({**ALERT, "status": "resolved"}).occurrences
    assert (said.status, said.occurred_at, said.ends_at) == ("resolved", None, None)
    assert said.starts_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)


def test_an_object_of_version_1_without_an_organisation_is_read_as_the_first_ones() -> None:
    body = {"version": "1", "groupKey": "g", "alerts": [{"labels": {"alertname": "A"}, "fingerprint": "f"}]}
    assert parse(Inbound(json.dumps(body).encode()), NOW).occurrences[0].dedup_key == "1/f"


def test_without_a_fingerprint_the_labels_are_the_identity() -> None:
    bare = {name: value for name, value in ALERT.items() if name != "fingerprint"}
    turned = {**bare, "labels": dict(reversed(ALERT["labels"].items())), "status": "resolved"}  # type: ignore[attr-defined]
    fired, resolved = read(bare, turned).occurrences
    assert fired.dedup_key == resolved.dedup_key
    assert fired.dedup_key.startswith("3/")


def test_one_fingerprint_in_two_organisations_is_two_alerts() -> None:
    assert read(ALERT).occurrences[0].dedup_key != read(ALERT, orgId=4).occurrences[0].dedup_key


def test_a_rule_without_data_is_named_after_the_rule() -> None:
    labels = {"alertname": "DatasourceNoData", "rulename": "Tide gauge", "grafana_folder": "harbour"}
    [said] = read({"labels": labels, "fingerprint": "1"}, status="firing").occurrences
    assert (said.title, said.status, said.service) == ("DatasourceNoData: Tide gauge", "firing", "harbour")


def test_a_relative_link_is_completed_by_the_address_of_grafana() -> None:
    [said] = read({**ALERT, "panelURL": "/d/x?viewPanel=2"}, externalURL="https://g.example/").occurrences
    assert said.link == "https://g.example/d/x?viewPanel=2"


def test_a_bad_alert_is_named_and_the_others_are_kept() -> None:
    parsed = read(ALERT, 7, {**ALERT, "status": "sideways"}, {"labels": {}})
    assert len(parsed.occurrences) == 1
    assert [(item.index, item.code) for item in parsed.rejected] == [
        (1, "alert_not_an_object"), (2, "alert_status_unknown"), (3, "alert_labels_missing"),
    ]  # fmt: skip


def test_a_time_that_cannot_be_read_is_kept_beside() -> None:
    [said] = read({**ALERT, "startsAt": "yesterday"}).occurrences
    assert said.starts_at is None
    assert said.extra["startsAt"] == "yesterday"


@pytest.mark.parametrize("body", [b'{"alerts": [], "version": "4", "receiver": "x"}', b"[]", b'{"orgId": 1}'])
def test_what_is_not_grafanas_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse(Inbound(body), NOW)
    assert refused.value.code == "unexpected_format"


@pytest.mark.parametrize(("word", "rung"), SEVERITIES.items())
def test_every_severity_of_the_table_lands_on_its_rung(word: str, rung: Severity) -> None:
    assert severity_word(word.upper(), SEVERITIES).rung == rung


def signed(secret: str, data: bytes) -> str:
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


def test_a_signed_body_is_verified_and_a_changed_one_refused() -> None:
    headers = {"x-grafana-alerting-signature": signed("s3cret", b"{}")}
    assert verify(Inbound(b"{}", headers), ["old", "s3cret"], NOW) == Verdict.VERIFIED
    for body, secrets in ((b"{ }", ["s3cret"]), (b"{}", ["other"]), (b"{}", [])):
        with pytest.raises(BadSignature):
            verify(Inbound(body, headers), secrets, NOW)


def test_with_the_timestamp_header_an_old_request_is_refused() -> None:
    for seconds, fits in ((0, True), (3600, False)):
        stamp = str(int(NOW.timestamp()) - seconds)
        headers = {
            "x-grafana-alerting-signature": signed("s3cret", f"{stamp}:{{}}".encode()),
            "x-grafana-alerting-timestamp": stamp,
        }
        if fits:
            assert verify(Inbound(b"{}", headers), ["s3cret"], NOW) == Verdict.VERIFIED
        else:
            with pytest.raises(BadSignature):
                verify(Inbound(b"{}", headers), ["s3cret"], NOW)


def test_an_item_that_says_nothing_is_named_and_no_alert_of_the_groups_labels() -> None:
    parsed = read({"k": "v"}, ALERT, commonLabels={"alertname": "Other"})
    assert len(parsed.occurrences) == 1
    assert [(item.index, item.code) for item in parsed.rejected] == [(0, "alert_labels_missing")]
