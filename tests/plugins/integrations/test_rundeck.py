"""Rundeck: a run that failed, the next one that succeeded, and runs that have only started."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.reading import severity_word
from handrail.plugins.integrations.rundeck.parse import SEVERITIES, parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RUN = {
    "id": 311, "href": "https://r.example/311", "permalink": None, "project": "harbour", "user": "mate",
    "description": "Load the tide table", "date-started": {"unixtime": 1767602400000},
    "date-ended": {"unixtime": 1767602460000}, "job": {"id": "job-tides", "name": "Load tides", "group": "nightly"},
}  # fmt: skip


def read(trigger: str | None = "failure", status: str | None = "failed", number: Any = 311, **run: Any) -> Parsed:
    body = {"trigger": trigger, "status": status, "executionId": number, "execution": {**RUN, **run}}
    return parse(Inbound(json.dumps(body).encode()), NOW)


def test_a_failed_run_reads_field_by_field() -> None:
    parsed = read(argstring="-x")
    [said] = parsed.occurrences
    assert parsed.replay_id == "https://r.example/311/failure"
    assert (said.dedup_key, said.status, said.title) == ("harbour/job-tides", "firing", "Load tides")
    assert (rung_of(said), said.service) == (Severity.HIGH, "harbour")
    assert said.starts_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
    assert said.occurred_at == datetime(2026, 1, 5, 8, 41, tzinfo=UTC)
    assert (said.link, said.labels["execution"]) == ("https://r.example/311", "311")


def test_the_next_run_that_succeeds_resolves_the_job() -> None:
    [said] = read("success", "succeeded", "312").occurrences
    assert (said.dedup_key, said.status) == ("harbour/job-tides", "resolved")


@pytest.mark.parametrize("status", ["aborted", "timedout", "failed-with-retry", "failed"])
def test_every_bad_end_fires(status: str) -> None:
    assert read("failure", status).occurrences[0].status == "firing"


def test_a_start_changes_nothing_and_a_run_that_takes_too_long_fires() -> None:
    assert read("start", "running") == Parsed(replay_id="https://r.example/311/start")
    [said] = read("avgduration", "running").occurrences
    assert (said.status, rung_of(said)) == ("firing", Severity.LOW)


def test_a_run_without_a_job_is_known_by_its_number_and_odd_times_are_kept_beside() -> None:
    [said] = read(job=None, **{"date-started": "soon", "date-ended": None}).occurrences
    assert (said.dedup_key, said.title, said.occurred_at) == ("harbour/311", "Load the tide table", None)
    assert said.extra["date-started"] == "soon"


@pytest.mark.parametrize(("word", "rung"), SEVERITIES.items())
def test_every_end_lands_on_its_rung(word: str, rung: Severity) -> None:
    assert severity_word(word, SEVERITIES).rung == rung


def test_an_unknown_status_and_another_senders_payload_are_refused_in_words() -> None:
    with pytest.raises(Refused, match="sideways") as refused:
        read("sideways", "sideways")
    assert refused.value.code == "alert_status_unknown"
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"execution": {}}'), NOW)
    assert refused.value.code == "unexpected_format"


def test_a_job_that_ends_with_a_status_of_its_own_is_judged_by_the_trigger() -> None:
    assert read("failure", "halted").occurrences[0].status == "firing"
    assert read("success", "halted").occurrences[0].status == "resolved"


def test_runs_of_two_servers_with_one_number_are_two_deliveries() -> None:
    one, other = (read(href=f"https://{host}.example/execution/show/14", number=14) for host in ("a", "b"))
    assert one.replay_id != other.replay_id
    assert read(href=None, number=14).replay_id == "14/failure"


def test_a_run_that_takes_too_long_does_so_when_it_is_told_and_not_when_it_began() -> None:
    [said] = read("avgduration", "running", **{"date-ended": None}).occurrences
    assert (said.occurred_at, said.starts_at) == (None, None)
