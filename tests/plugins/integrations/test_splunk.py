"""Splunk's webhook action."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.splunk.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def sample(name: str) -> Any:
    return json.loads((files("handrail.plugins.integrations.splunk") / "samples" / f"{name}.json").read_text())


def read(body: Any) -> Parsed:
    return parse(Inbound(json.dumps(body).encode()), NOW)


def one(body: Any) -> Occurrence:
    [said] = read(body).occurrences
    return said


def test_an_alert_reads_field_by_field() -> None:
    said = one(sample("search_alert"))
    assert (said.title, said.status) == ("Gates: failed badges", AlertStatus.FIRING)
    assert rung_of(said) == Severity.HIGH
    assert (said.service, said.resource) == ("turnstile", "gate-7")
    assert said.occurred_at == datetime(2026, 1, 5, 7, 41, 12, 123000, tzinfo=UTC)
    assert said.labels["count"] == "41"
    assert said.summary == "badge refused"
    assert said.link == "https://splunk.harbour.example:8000/app/search/@go?sid=x"


def test_the_next_run_of_a_search_is_the_same_alert_and_another_delivery() -> None:
    first, again = sample("search_alert"), {**sample("search_alert"), "sid": "another"}
    assert one(again).dedup_key == one(first).dedup_key
    assert read(again).replay_id != read(first).replay_id
    elsewhere = {**first, "result": {**first["result"], "host": "gate-8"}}
    assert one(elsewhere).dedup_key != one(first).dedup_key


def test_a_result_may_resolve_and_name_its_alert() -> None:
    said = one(sample("resolved_by_convention"))
    assert (said.dedup_key, said.status) == ("gates/badges", AlertStatus.RESOLVED)
    assert said.ends_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    body = sample("search_alert")
    body["result"].update(dedup_key="gates/badges", alert_status="acknowledged")
    assert (one(body).dedup_key, one(body).status) == ("gates/badges", AlertStatus.ACKNOWLEDGED)


@pytest.mark.parametrize("status", ["503", "enabled", "", None, ["x"]])
def test_a_status_of_something_else_fires(status: object) -> None:
    body = sample("search_alert")
    body["result"]["status"] = status
    assert one(body).status == AlertStatus.FIRING


@pytest.mark.parametrize("result", [{}, None, [], "none", [{"host": "gate-9"}]])
def test_a_missing_or_retyped_result_still_fires(result: object) -> None:
    assert one({**sample("without_result"), "result": result}).title == "Tides silent"


@pytest.mark.parametrize(
    ("word", "severity"),
    [("6", Severity.CRITICAL), (4, Severity.HIGH), ("unknown", Severity.MEDIUM), ("informational", Severity.INFO)],
)
def test_words_and_numbers_have_their_rungs(word: object, severity: Severity) -> None:
    body = sample("search_alert")
    body["result"]["urgency"] = word
    assert rung_of(one(body)) == severity


def test_an_alert_without_any_name_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        read({"results_link": "https://x.example", "sid": "1", "result": {"a": "b"}})
    assert refused.value.code == "alert_title_missing"


def found(**result: Any) -> Occurrence:
    body = {"sid": "s-1", "search_name": "Errors", "results_link": "https://s.example", "result": result}
    [said] = parse(Inbound(json.dumps(body).encode()), NOW).occurrences
    return said


@pytest.mark.parametrize("name", ["host", "hostname", "dest", "src", "dvc", "user"])
def test_one_search_about_two_things_makes_two_alerts(name: str) -> None:
    one, other, again = (found(**{name: said, "count": count}) for said, count in (("a", 1), ("b", 1), ("a", 2)))
    assert one.dedup_key != other.dedup_key
    assert one.dedup_key == again.dedup_key


@pytest.mark.parametrize(
    ("said", "status"),
    [("OK", "resolved"), ("clear", "resolved"), ("Normal", "resolved"), (["resolved", "x"], "resolved"),
     ("in progress", "acknowledged"), ("", "firing"), (None, "firing")],
)  # fmt: skip
def test_alert_status_takes_every_usual_word(said: object, status: str) -> None:
    assert found(alert_status=said, dedup_key="k").status == status


def test_an_alert_status_that_is_no_word_for_one_is_refused_and_does_not_fire() -> None:
    with pytest.raises(Refused) as refused:
        found(alert_status="wobbly", dedup_key="k")
    assert refused.value.code == "alert_status_unknown"


def test_a_status_of_peoples_data_counts_only_where_it_is_plain() -> None:
    assert [found(status=said).status for said in (200, "OK", "closed")] == ["firing", "firing", "resolved"]


def test_a_result_as_json_in_a_text_is_read() -> None:
    body = {"sid": "s", "search_name": "Errors", "results_link": "https://s.example", "result": '{"host": "web-1"}'}
    [said] = parse(Inbound(json.dumps(body).encode()), NOW).occurrences
    assert said.resource == "web-1"
