"""Pushed logs: what is out of the ordinary becomes an alert with its lines, and ends when it is over."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from handrail.domain.alert import Occurrence
from handrail.domain.log_line import LogLine
from handrail.kernel.limits import LIMITS
from handrail.signals.log_watching import LogWatcher, LogWatching
from handrail.signals.picture import read
from handrail.store import tables
from tests.signals.intake import Intake, run

MINUTE = timedelta(minutes=1)


def usual(service: str = "ledger") -> list[LogLine]:
    return [LogLine(service, f"served request {at} in {5 + at % 4} ms") for at in range(20)]


def said(words: Sequence[str], service: str = "ledger", **weight: bool) -> list[LogLine]:
    return [LogLine(service, text, **weight) for text in words]


def watcher(desk: Intake, watching: LogWatching | None = None) -> LogWatcher:
    return LogWatcher(watching or LogWatching(), desk.shell.database, desk.ingestor, desk.clock)


def pass_minutes(desk: Intake, watch: LogWatcher, minutes: Sequence[Sequence[LogLine]]) -> None:
    """The lines of each minute, one minute after the other, as the loop of the server would take them."""

    async def all_of_them() -> None:
        for lines in minutes:
            watch.on_lines("otel", lines)
            await watch.work_off()
            desk.clock.advance(seconds=60)
            await watch.look()

    run(all_of_them())


def taken(watching: LogWatching, start: datetime, minutes: Sequence[Sequence[LogLine]]) -> Iterator[Occurrence]:
    for number, lines in enumerate(minutes):
        yield from watching.take("otel", lines, start + MINUTE * number)
    yield from watching.look(start + MINUTE * len(minutes))


def test_a_message_never_seen_becomes_an_alert_with_its_lines_and_a_picture(desk: Intake) -> None:
    strange = said(["disk 3 went away", "disk 4 went away"])
    pass_minutes(desk, watcher(desk), [*[usual()] * 15, [*usual(), *strange]])
    alert = desk.alert()
    assert (alert.source, alert.service, alert.severity, alert.status) == ("handrail", "ledger", "low", "firing")
    assert alert.title == "New message in the log of ledger: disk <*> went away"
    assert alert.summary == "A message never seen before came 2 times: disk <*> went away"
    assert alert.annotations == {"line 1": "disk 3 went away", "line 2": "disk 4 went away"}
    (occurrence,) = desk.rows(tables.occurrence)
    (picture,) = read(occurrence.raw).pictures
    assert picture.is_count and picture.values == (*[0.0] * 15, 2.0)
    assert json.loads(occurrence.raw)["finding"] == "new_template"


def test_steady_lines_say_nothing(desk: Intake) -> None:
    pass_minutes(desk, watcher(desk), [usual()] * 30)
    assert desk.alerts() == []


def test_what_is_an_alert_already_is_no_new_message_but_a_burst_of_it_is_told(desk: Intake) -> None:
    error = [LogLine("ledger", "posting 7 could not be made", is_error=True, is_alert=True)]
    pass_minutes(desk, watcher(desk), [*[usual()] * 15, *[[*usual(), *error]] * 3, [*usual(), *error * 60]])
    titles = sorted(alert.title for alert in desk.alerts())
    assert titles == [
        "A message comes unlike usual in the log of ledger: posting <*> could not be made",
        "Many more errors than usual in the log of ledger",
    ]


def test_many_new_messages_of_one_minute_are_one_alert(desk: Intake) -> None:
    strange = said(["ants came home", "bees lost the way", "cats sleep again", "dogs went out for it"])
    pass_minutes(desk, watcher(desk), [*[usual()] * 15, [*usual(), *strange]])
    assert desk.alert().title == "4 messages never seen before in the log of ledger"
    assert "bees lost the way" in desk.alert().summary


def test_a_burst_and_the_message_that_it_is_made_of_are_one_reason_to_look(desk: Intake) -> None:
    refused = said([f"connection {at} refused" for at in range(40)])
    pass_minutes(desk, watcher(desk), [*[usual()] * 15, [*usual(), *refused]])
    severities = {alert.title.split(" in the log")[0]: alert.severity.value for alert in desk.alerts()}
    assert severities == {"Many more errors than usual": "medium", "New message": "low"}
    pass_minutes(desk, watcher(desk), [*[usual()] * 15, [*usual(), *refused[:3]]])
    assert {alert.severity.value for alert in desk.alerts() if alert.title.startswith("New")} == {"medium"}


def test_a_finding_ends_when_it_was_not_there_for_a_while(desk: Intake) -> None:
    watch = watcher(desk)
    pass_minutes(desk, watch, [*[usual()] * 15, [*usual(), *said(["disk 3 went away"])], *[usual()] * 14])
    assert desk.alert().status == "firing"
    pass_minutes(desk, watch, [usual()] * 2)
    assert desk.alert().status == "resolved"


def test_a_silent_log_is_one_finding_that_lasts_as_long_as_the_silence(desk: Intake) -> None:
    watch = watcher(desk)
    both = [*usual(), *said(["heartbeat ok"] * 6)]
    pass_minutes(desk, watch, [*[both] * 15, *[[]] * 30])
    alert = desk.alert()
    assert (alert.title, alert.status) == ("A usual message stopped in the log of ledger", "firing")
    assert alert.severity == "medium"
    pass_minutes(desk, watch, [both] * 17)
    assert desk.alert().status == "resolved"


def test_findings_open_before_a_restart_end_like_those_of_the_process(desk: Intake) -> None:
    pass_minutes(desk, watcher(desk), [*[usual()] * 15, [*usual(), *said(["disk 3 went away"])]])
    after = LogWatching()
    after.remember(watcher(desk)._open_before(), desk.clock.now())
    assert after.look(desk.clock.now()) == ()
    desk.clock.advance(minutes=16)
    (over,) = after.look(desk.clock.now())
    assert over.dedup_key == desk.alert().dedup_key and over.status == "resolved"


def test_messages_that_are_rare_but_usual_are_no_flood_after_a_restart(desk: Intake) -> None:
    words = [f"{one}{two}ant worker did a thing of its own" for one in "bcdfghjklm" for two in "aeiou"]
    rare = [said([word], weight) for word, weight in zip(words, ["ledger"] * len(words), strict=True)]
    minutes = [[*usual(), *one] for one in rare]
    found = list(taken(LogWatching(), desk.clock.now(), minutes))
    assert found == []


def test_lines_beyond_the_queue_are_dropped_counted_at_the_source_and_the_minute_is_not_judged(desk: Intake) -> None:
    watch = watcher(desk, LogWatching(replace(LIMITS, log_lines_waiting=50)))
    pass_minutes(desk, watch, [usual()] * 15)
    pass_minutes(desk, watch, [said([f"served request {at} in 5 ms" for at in range(1000)])])
    assert desk.alerts() == []
    assert desk.stat("otel").refused == 950
    assert desk.stat("otel").last_refusal.startswith("log_lines_dropped")


def test_logs_beyond_the_bound_are_not_watched_and_counted(desk: Intake) -> None:
    watching = LogWatching(replace(LIMITS, logs_watched=2))
    watch = watcher(desk, watching)
    pass_minutes(desk, watch, [[LogLine(name, "hello") for name in "abc"]])
    assert desk.stat("otel").refused == 1
    later = desk.clock.now() + timedelta(seconds=LIMITS.log_forgotten_seconds)
    watching.take("otel", [LogLine("d", "hello")], later)
    assert [log for _, log in watching._logs] == ["b", "d"]


def test_the_log_that_remembers_most_begins_anew_when_all_remember_too_much(desk: Intake) -> None:
    watching = LogWatching(replace(LIMITS, log_watched_size=60))
    wordy = [LogLine("wordy", f"{one}{two} word") for one in "abcdefgh" for two in "ijklm"]
    watching.take("otel", [*wordy, LogLine("terse", "hello")], desk.clock.now())
    watching.look(desk.clock.now())
    assert [log for _, log in watching._logs] == ["terse"]


def test_a_fault_of_the_finder_is_logged_and_what_could_not_be_told_is_told_later(
    desk: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watcher(desk)
    pass_minutes(desk, watch, [*[usual()] * 15, [*usual(), *said(["disk 3 went away"])][:-1]])
    ingest = desk.ingestor.ingest

    async def away(*_: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(desk.ingestor, "ingest", away)
    with pytest.raises(OSError, match="away"):
        pass_minutes(desk, watch, [said(["disk 3 went away"] * 3 + ["served request 1 in 5 ms"] * 20)])
    monkeypatch.setattr(desk.ingestor, "ingest", ingest)
    pass_minutes(desk, watch, [usual()])
    assert desk.alert().title.startswith("New message")
