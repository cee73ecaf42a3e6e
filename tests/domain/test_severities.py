"""A source's own mapping of severities: what people may write, and what it makes of the sender's word."""

from datetime import UTC, datetime

import msgspec
import pytest

from handrail.domain.alert import AlertStatus, Occurrence, Severity, rung_of
from handrail.domain.severities import SeverityMapping
from handrail.domain.source import SetRate, SetSeverities, Source, decide, evolve
from handrail.kernel.errors import Unprocessable
from handrail.kernel.limits import LIMITS

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SOURCE = Source("src_1", "zabbix", "zabbix", AT)


def said(word: str | None, severity: Severity | None = None, **labels: str) -> Occurrence:
    return Occurrence("a", AlertStatus.FIRING, "A", word, severity=severity, labels=labels)


def with_mapping(words: dict[str, str], label: str = "") -> Source:
    decided = decide(SOURCE, SetSeverities(words, label, "usr_1"), AT)
    assert isinstance(decided, list)
    (event,) = decided
    return evolve(SOURCE, event)


def test_the_sources_own_word_goes_before_the_formats_and_stays_as_it_came() -> None:
    mapping = with_mapping({" Warning ": "high"}).severities
    graded = mapping.grade(said("WARNING", Severity.LOW))
    assert (graded.severity_raw, rung_of(graded)) == ("WARNING", Severity.HIGH)
    assert rung_of(mapping.grade(said("Average", Severity.MEDIUM))) == Severity.MEDIUM
    assert rung_of(mapping.grade(said(None))) == Severity.MEDIUM


def test_a_label_gives_the_word_where_the_alert_has_it() -> None:
    mapping = with_mapping({"p0": "critical"}, "labels.priority").severities
    assert mapping.label == "priority"
    graded = mapping.grade(said("warning", Severity.LOW, priority="P0"))
    assert (graded.severity_raw, rung_of(graded)) == ("P0", Severity.CRITICAL)
    assert rung_of(mapping.grade(said("info", priority="P1"))) == Severity.CRITICAL  # the ladder's p1
    assert rung_of(mapping.grade(said("warning", Severity.LOW))) == Severity.LOW


@pytest.mark.parametrize(
    ("words", "label", "what"),
    [
        ({"warning": "urgent"}, "", "“urgent” is no severity; there are critical, high, medium, low, info"),
        ({" ": "high"}, "", "a word has 1 to 80 printable characters"),
        ({"a" * 81: "high"}, "", "a word has 1 to 80 printable characters"),
        ({"Warning": "high", "warning ": "low"}, "", "is there twice"),
        ({f"w{number}": "low" for number in range(LIMITS.severity_words_per_source + 1)}, "", "at most 64 words"),
        ({}, "a\nb", "printable characters"),
    ],
)
def test_what_cannot_be_a_mapping_is_refused_in_words(words: dict[str, str], label: str, what: str) -> None:
    refused = decide(SOURCE, SetSeverities(words, label, "usr_1"), AT)
    assert isinstance(refused, Unprocessable)
    assert what in refused.detail
    assert refused.code == "bad_severities"


def test_all_faults_are_told_at_once_and_the_same_mapping_again_is_no_news() -> None:
    refused = decide(SOURCE, SetSeverities({"a": "urgent", "b": "worse"}, "", "usr_1"), AT)
    assert isinstance(refused, Unprocessable)
    assert [fault.where for fault in refused.faults] == ["/words/a", "/words/b"]
    source = with_mapping({"warning": "high"})
    assert decide(source, SetSeverities({"Warning": "high"}, "", "usr_2"), AT) == []


def test_a_mapping_is_kept_with_the_source_and_an_older_source_has_none() -> None:
    source = with_mapping({"warning": "high"})
    assert msgspec.json.decode(msgspec.json.encode(source), type=Source) == source
    old = b'{"id":"src_1","name":"a","integration":"generic","added_at":"2026-01-05T09:00:00Z"}'
    assert msgspec.json.decode(old, type=Source).severities == SeverityMapping()


@pytest.mark.parametrize("rate", [0, -1, LIMITS.source_alerts_per_second + 1])
def test_a_rate_out_of_bounds_is_refused(rate: int) -> None:
    refused = decide(SOURCE, SetRate(rate, "usr_1"), AT)
    assert isinstance(refused, Unprocessable)
    assert refused.code == "bad_rate"
