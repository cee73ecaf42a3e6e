"""What `GET /api/v2/alerts` shows, and its filters."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handrail.domain.alert import Alert, AlertStatus, Severity
from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.alertmanager.view import Matcher, gettable, listed, read_matcher, read_query

AT = datetime(2026, 1, 5, 8, 0, 0, 123999, tzinfo=UTC)
ALERT = Alert(
    id="alr_1", source="src_1", dedup_key="cfd550030f8b88a8", status=AlertStatus.FIRING, severity=Severity.CRITICAL,
    severity_raw="critical", title="s", summary="", service=None, resource=None,
    labels={"severity": "critical", "alertname": "a"}, annotations={"summary": "s"}, starts_at=AT, ends_at=None,
    first_at=AT, last_at=AT, last_said_at=AT, count=1, link="http://p.example/g", fingerprint="f",
)  # fmt: skip


def test_an_alert_is_shown_as_alertmanager_shows_it() -> None:
    assert gettable(ALERT) == {
        "annotations": {"summary": "s"},
        "endsAt": "2026-01-05T08:05:00.123Z",
        "fingerprint": "cfd550030f8b88a8",
        "receivers": [{"name": "handrail"}],
        "startsAt": "2026-01-05T08:00:00.123Z",
        "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": "2026-01-05T08:00:00.123Z",
        "generatorURL": "http://p.example/g",
        "labels": {"alertname": "a", "severity": "critical"},
    }


def test_an_alert_without_a_link_has_no_generator_url() -> None:
    assert "generatorURL" not in gettable(replace(ALERT, link=None))


def test_alerts_of_other_senders_get_sixteen_digits_as_well() -> None:
    shown = gettable(replace(ALERT, dedup_key="srv01/mysql"))["fingerprint"]
    assert len(shown) == 16
    assert int(shown, 16) > 0


def test_alerts_are_listed_in_order_of_fingerprint_without_the_resolved() -> None:
    alerts = [
        replace(ALERT, dedup_key="b" * 16),
        replace(ALERT, dedup_key="a" * 16, status=AlertStatus.ACKNOWLEDGED),
        replace(ALERT, dedup_key="0" * 16, status=AlertStatus.RESOLVED),
    ]
    assert [shown["fingerprint"] for shown in listed(alerts, read_query([]))] == ["a" * 16, "b" * 16]


FILTERS = {
    'alertname="a"': True,
    "alertname=a": True,
    "  alertname = a ": True,
    'alertname="b"': False,
    'alertname!="b"': True,
    'alertname=~"a|b"': True,
    'alertname=~"[b-z]"': False,
    'alertname!~"a.*"': False,
    'severity=~"crit"': False,
    'severity=~"crit.*"': True,
    'nothing=""': True,
    'nothing!="x"': True,
    'nothing=~".+"': False,
}


@pytest.mark.parametrize("said", FILTERS, ids=str)
def test_filters_select_as_alertmanagers(said: str) -> None:
    assert bool(listed([ALERT], read_query([("filter", said)]))) is FILTERS[said]


def test_all_filters_must_hold() -> None:
    assert listed([ALERT], read_query([("filter", "alertname=a"), ("filter", "severity=critical")]))
    assert not listed([ALERT], read_query([("filter", "alertname=a"), ("filter", "severity=info")]))


def test_escapes_in_a_filter_are_read() -> None:
    assert read_matcher(r'a="line\nbreak"') == Matcher("a", "=", "line\nbreak")
    assert read_matcher(r'a="q\"uote \\ \x"') == Matcher("a", "=", r'q"uote \ \x')


BAD_FILTERS = {
    "x": "bad matcher format: x",
    "": "bad matcher format: ",
    '{a="b"}': 'bad matcher format: {a="b"}',
    'a="': 'matcher value contains unescaped double quote: "',
    'a="b"c"': 'matcher value contains unescaped double quote: "b"c"',
    'a="b",c="d"': 'matcher value contains unescaped double quote: "b",c="d"',
    'a=~"("': "error parsing regexp: missing closing ): `^(?:()$`",
    'a=~"*"': "error parsing regexp: missing argument to repetition operator: `*`",
    'a=~"(?=x)"': "error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
}


@pytest.mark.parametrize("said", BAD_FILTERS, ids=repr)
def test_a_broken_filter_is_refused_in_alertmanagers_words(said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_query([("filter", said)])
    assert refused.value.detail == BAD_FILTERS[said]
    assert refused.value.code == "filter_invalid"


def test_a_pattern_made_to_take_for_ever_does_not() -> None:
    hostile = replace(ALERT, labels={"a": "a" * 256})
    assert listed([hostile], read_query([("filter", 'a=~"(a+)+b"')])) == []


def test_flags_and_receiver_select() -> None:
    assert listed([ALERT], read_query([("active", "false")])) == []
    assert listed([ALERT], read_query([("silenced", "false"), ("inhibited", "false"), ("unprocessed", "false")]))
    assert listed([ALERT], read_query([("receiver", "hand.*")]))
    assert listed([ALERT], read_query([("receiver", "pager")])) == []
    with pytest.raises(BadInput, match="failed to parse receiver param"):
        read_query([("receiver", "(")])


def test_a_name_with_other_signs_stands_in_quotes() -> None:
    assert read_matcher('"service.name"="pay"') == Matcher("service.name", "=", "pay")
    assert read_matcher('"a\\"b" !~ "x.*"') == Matcher('a"b', "!~", "x.*")
    for said in ('""="x"', '"open="x"', '"a.b"', 'a.b="x"'):
        with pytest.raises(BadInput):
            read_matcher(said)
