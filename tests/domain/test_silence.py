"""A silence always ends, always has a reason, and holds back exactly what its conditions say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.domain import silence as module
from handrail.domain.alert import Alert, AlertStatus, Occurrence, first
from handrail.domain.noun import Tick
from handrail.domain.silence import (
    AddSilence,
    EndSilence,
    Matcher,
    ReleaseSilence,
    Silence,
    decide,
    evolve,
    read_matcher,
    silencing,
)  # fmt: skip
from handrail.kernel.errors import Refused, Unprocessable

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def alert(**more: Any) -> Alert:
    said = Occurrence("k", AlertStatus.FIRING, "Disk nearly full", "critical", "payments", "db-1",
                      labels={"cluster": "eu-1"})  # fmt: skip
    return replace(first("alr_1", "prom", said, "", "token", NOW), **more)


def add(*conditions: str, **more: Any) -> AddSilence:
    asked = {"starts_at": None, "ends_at": NOW + HOUR, "reason": "planned", **more}
    return AddSilence("sil_1", asked.pop("what", "silence"), tuple(map(read_matcher, conditions)), by="usr_1", **asked)


def after(command: object, silence: Silence | None = None, now: datetime = NOW) -> Silence:
    decided = decide(silence, command, now)
    assert not isinstance(decided, Refused), decided
    for event in decided:
        silence = evolve(silence, event)
    assert silence is not None
    return silence


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("service=payments", True), ("service=orders", False), ("service!=orders", True), ("title*=DISK", True),
        ("label.cluster^=eu-", True), ("label.cluster=eu", False), ("label.zone=eu", False),
        ("severity=critical", True),
        ("alert=alr_1", True), ("source=prom", True), ("resource^=db", True),
    ],
)  # fmt: skip
def test_a_condition_reads_as_it_is_written(condition: str, holds: bool) -> None:
    assert read_matcher(condition).matches(alert()) is holds
    assert str(read_matcher(condition)) == condition


@pytest.mark.parametrize("text", ["", "payments", "service", "service=", "colour=red", "label.=x", "service~=x"])
def test_what_is_no_condition_is_refused_in_words(text: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        read_matcher(text)
    assert refused.value.code == "bad_matcher"


@pytest.mark.parametrize(
    "command",
    [
        add("service=payments", reason="  "),
        add(),
        add("service!=payments"),
        add("service=payments", ends_at=NOW),
        add("service=payments", ends_at=NOW + timedelta(days=40)),
        add("service=payments", what="forever"),
        add(*["service=payments"] * 17),
    ],
)
def test_a_silence_without_reason_end_or_aim_is_refused(command: AddSilence) -> None:
    assert isinstance(decide(None, command, NOW), Unprocessable)


def test_all_conditions_must_hold() -> None:
    silence = after(add("service=payments", "label.cluster=eu-1"))
    assert silencing([silence], alert()) is silence
    assert silencing([silence], alert(labels={"cluster": "eu-2"})) is None


def test_a_maintenance_window_begins_and_ends_by_the_clock_also_when_told_late() -> None:
    window = after(add("service=payments", what="maintenance", starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR))
    assert window.status == "scheduled"
    assert silencing([window], alert()) is None
    assert after(Tick(), window, NOW + HOUR).status == "live"
    # The server was down for the whole of it.
    assert after(Tick(), window, NOW + 5 * HOUR).status == "ended"


def test_it_ends_once_and_is_released_once() -> None:
    ended = after(EndSilence("usr_2"), after(add("service=payments")), NOW + HOUR / 2)
    assert (ended.status, ended.ended_by, ended.ends_at) == ("ended", "usr_2", NOW + HOUR / 2)
    assert isinstance(decide(ended, EndSilence("usr_2"), NOW), Refused)
    over = after(ReleaseSilence(3), ended)
    assert (over.status, over.released) == ("over", 3)
    assert isinstance(decide(over, ReleaseSilence(3), NOW), Refused)


@given(st.lists(st.sampled_from(["tick", "end", "release"]), max_size=8), st.lists(st.integers(0, 90), max_size=8))
def test_no_order_of_events_brings_an_ended_silence_back(commands: list[str], minutes: list[int]) -> None:
    silence = after(add("service=payments", starts_at=NOW + HOUR / 2))
    order = ["scheduled", "live", "ended", "over"]
    now = NOW
    for name, passed in zip(commands, minutes, strict=False):
        now += timedelta(minutes=passed)
        command = {"tick": Tick(), "end": EndSilence("u"), "release": ReleaseSilence(0)}[name]
        decided = decide(silence, command, now)
        before = silence.status
        for event in [] if isinstance(decided, Refused) else decided:
            silence = evolve(silence, event)
        assert order.index(silence.status) >= order.index(before)
        due = {timer.name for timer in module.row(silence).timers}
        assert due == {"scheduled": {"begin"}, "live": {"end"}}.get(silence.status, set())


def test_matchers_compare_without_surprise_on_absent_values() -> None:
    assert Matcher("service", "!=", "payments").matches(alert(service=None))
    assert not Matcher("service", "=", "payments").matches(alert(service=None))
