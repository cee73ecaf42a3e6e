"""VMware Aria Operations (vRealize): criticalities, cancellations, and times in milliseconds or as text."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.vrealize.parse import CRITICALITIES, parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SENT = {
    "alertId": "a-771", "alertName": "Memory is contended", "info": "96% in use", "status": "ACTIVE",
    "criticality": "ALERT_CRITICALITY_LEVEL_IMMEDIATE", "resourceName": "hv-3", "resourceKind": "HostSystem",
    "startDate": 1767602400000, "updateDate": 1767602460000, "cancelDate": 0, "Health": 3,
}  # fmt: skip


def read(**fields: Any) -> Occurrence:
    return parse(Inbound(json.dumps({**SENT, **fields}).encode()), NOW).occurrences[0]


def test_an_alert_reads_field_by_field() -> None:
    said = read()
    assert (said.dedup_key, said.status, said.title) == ("a-771", "firing", "96% in use")
    assert (rung_of(said), said.resource) == (Severity.HIGH, "hv-3")
    assert said.starts_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
    assert said.occurred_at == datetime(2026, 1, 5, 8, 41, tzinfo=UTC)
    assert said.extra["Health"] == 3
    assert "cancelDate" not in said.extra


@pytest.mark.parametrize(
    ("word", "status"),
    [("ACTIVE", "firing"), ("New", "firing"), ("CANCELED", "resolved"), ("cancelled", "resolved"),
     ("SUSPENDED", "acknowledged")],
)  # fmt: skip
def test_every_status_meets_the_same_alert(word: str, status: str) -> None:
    said = read(status=word)
    assert (said.dedup_key, said.status) == ("a-771", status)


def test_a_cancellation_ends_the_alert_also_without_a_status() -> None:
    said = read(status=None, cancelDate="1767602700000")
    assert said.status == "resolved"
    assert said.occurred_at == said.ends_at == datetime(2026, 1, 5, 8, 45, tzinfo=UTC)


@pytest.mark.parametrize(("word", "rung"), CRITICALITIES.items())
def test_every_criticality_lands_on_its_rung_with_and_without_its_prefix(word: str, rung: Severity) -> None:
    for said in (word, f"ALERT_CRITICALITY_LEVEL_{word.upper()}"):
        assert rung_of(read(criticality=said)) == rung


def test_a_long_information_gives_its_first_line_as_the_title() -> None:
    said = read(info="Disk fills\nFull in 3 days", startDate="2026-01-05T08:00:00", updateDate="soon")
    assert (said.title, said.summary) == ("Disk fills", "Disk fills\nFull in 3 days")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    assert said.extra["updateDate"] == "soon"


def test_an_unknown_status_and_another_senders_payload_are_refused_in_words() -> None:
    with pytest.raises(Refused, match="SIDEWAYS") as refused:
        read(status="SIDEWAYS")
    assert refused.value.code == "alert_status_unknown"
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"alertId": "1", "status": "ACTIVE"}'), NOW)
    assert refused.value.code == "unexpected_format"


def test_an_end_never_looks_older_than_the_last_update() -> None:
    """Or it would be taken for late, and the alert would stay open."""
    updated = read(status="UPDATED", updateDate=1767602700000)
    ended = read(status="CANCELED", updateDate=1767602700000, cancelDate=1767602400000)
    assert updated.occurred_at is not None and ended.occurred_at is not None
    assert ended.occurred_at >= updated.occurred_at
