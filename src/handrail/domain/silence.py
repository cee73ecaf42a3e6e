"""A silence: alerts that match are recorded and shown, and do not become candidates, until an end that is always set.

Three kinds with one life: a silence (a person does not want to hear of it), a maintenance window (planned, may begin
later) and a shelving (one alert alone). What still fires when it ends is placed as if it were new.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal, get_args

from handrail.domain.alert import Alert
from handrail.domain.noun import Decision, Noun, Row, Tick, Timer
from handrail.kernel.clock import to_text
from handrail.kernel.errors import Conflict, NotFound, Unprocessable
from handrail.kernel.limits import LIMITS

Kind = Literal["silence", "maintenance", "shelve"]
KINDS: tuple[str, ...] = get_args(Kind)
FIELDS = ("source", "service", "resource", "title", "severity", "alert")
_MATCHER = re.compile(r"^(?P<field>[a-z]+|label\.[^=!^*~\s]{1,256})(?P<how>!=|\^=|\*=|=)(?P<value>.*)\Z", re.DOTALL)


@dataclass(frozen=True)
class Matcher:
    """One condition on an alert. `field` is one of FIELDS or `label.<name>`; `how` is = (is), != (is not), ^= (begins
    with) or *= (contains, upper and lower case alike)."""

    field: str
    how: Literal["=", "!=", "^=", "*="]
    value: str

    def __str__(self) -> str:
        return f"{self.field}{self.how}{self.value}"

    def matches(self, alert: Alert) -> bool:
        found = _value(alert, self.field)
        match self.how:
            case "=":
                return found == self.value
            case "!=":
                return found != self.value
            case "^=":
                return found.startswith(self.value)
        return self.value.lower() in found.lower()


def read_matcher(text: str) -> Matcher:
    """`service=payments`, `label.cluster^=eu-`, `title*=disk`. Raises Unprocessable bad_matcher."""
    found = _MATCHER.match(text.strip())
    if found is None or not (found["field"] in FIELDS or found["field"].startswith("label.")):
        raise Unprocessable(
            f"“{text[:80]}” is no condition. Write FIELD=VALUE (also !=, ^=, *=), where FIELD is "
            f"{', '.join(FIELDS)} or label.NAME.",
            "bad_matcher",
        )
    value = found["value"].strip()
    if not value or len(value) > LIMITS.title_chars:
        raise Unprocessable(f"“{text[:80]}” has no value, or one that is too long.", "bad_matcher")
    return Matcher(found["field"], found["how"], value)  # type: ignore[arg-type]


def _value(alert: Alert, field: str) -> str:
    if field.startswith("label."):
        return alert.labels.get(field.removeprefix("label."), "")
    match field:
        case "alert":
            return alert.id
        case "severity":
            return alert.severity.value
        case "source":
            return alert.source
        case "service":
            return alert.service or ""
        case "resource":
            return alert.resource or ""
    return alert.title


@dataclass(frozen=True)
class SilenceAdded:
    id: str
    what: Kind
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    by: str
    at: datetime
    reason: str = ""
    TYPE: ClassVar[str] = "silence.added"
    PERSONAL: ClassVar[tuple[str, ...]] = ("reason",)


@dataclass(frozen=True)
class SilenceBegan:
    at: datetime
    TYPE: ClassVar[str] = "silence.began"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SilenceEnded:
    """`by` is the person who ended it early, empty when its time was over."""

    at: datetime
    by: str = ""
    TYPE: ClassVar[str] = "silence.ended"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SilenceReleased:
    """What it held back and still fires was handed to correlation again; `alerts` counts it."""

    alerts: int
    at: datetime
    TYPE: ClassVar[str] = "silence.released"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Silence:
    """`status` is scheduled, live, ended (what it held is not released yet) or over."""

    id: str
    what: Kind
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    by: str
    added_at: datetime
    reason: str = ""
    status: Literal["scheduled", "live", "ended", "over"] = "scheduled"
    ended_by: str = ""
    released: int = 0

    def matches(self, alert: Alert) -> bool:
        """Whether all conditions hold for the alert."""
        return all(matcher.matches(alert) for matcher in self.matchers)


@dataclass(frozen=True)
class AddSilence:
    id: str
    what: Kind
    matchers: tuple[Matcher, ...]
    starts_at: datetime | None
    ends_at: datetime
    reason: str
    by: str


@dataclass(frozen=True)
class EndSilence:
    by: str


@dataclass(frozen=True)
class ReleaseSilence:
    alerts: int


def silencing(silences: Iterable[Silence], alert: Alert) -> Silence | None:
    """The live silence that holds the alert longest, or None."""
    found = [silence for silence in silences if silence.status == "live" and silence.matches(alert)]
    return max(found, key=lambda silence: (silence.ends_at, silence.id), default=None)


def decide(silence: Silence | None, command: object, now: datetime) -> Decision:
    if silence is None:
        return _add(command, now) if isinstance(command, AddSilence) else NotFound("There is no such silence.")
    match command:
        case Tick():
            return _tick(silence, now)
        case EndSilence():
            if silence.status in ("ended", "over"):
                return Conflict("This silence has ended.", "silence_ended")
            return [SilenceEnded(now, command.by)]
        case ReleaseSilence():
            if silence.status != "ended":
                return Conflict("Only what has ended is released.")
            return [SilenceReleased(command.alerts, now)]
    return Conflict("The silence does not know this command.")


def _add(command: AddSilence, now: datetime) -> Decision:
    starts_at = max(command.starts_at or now, now)
    if command.what not in KINDS:
        return Unprocessable(f"“{command.what}” is none of {', '.join(KINDS)}.", "bad_silence")
    if not command.reason.strip():
        return Unprocessable("Say why, for whoever wonders at 3 a.m.", "reason_missing")
    if not command.matchers or len(command.matchers) > LIMITS.silence_matchers:
        return Unprocessable(f"Give one to {LIMITS.silence_matchers} conditions.", "bad_silence")
    if all(matcher.how == "!=" for matcher in command.matchers):
        return Unprocessable("Say what it is for, and not only what it is not for: that would be nearly all.",
                             "bad_silence")  # fmt: skip
    if command.ends_at <= starts_at:
        return Unprocessable(f"It must end after it begins ({to_text(starts_at)}).", "bad_silence")
    if command.ends_at - starts_at > LIMITS.silence_longest:
        return Unprocessable(f"At most {LIMITS.silence_longest.days} days; add it again then.", "bad_silence")
    added = SilenceAdded(
        command.id, command.what, command.matchers, starts_at, command.ends_at, command.by, now, command.reason.strip()
    )
    return [added, SilenceBegan(now)] if starts_at <= now else [added]


def _tick(silence: Silence, now: datetime) -> Decision:
    if silence.status in ("scheduled", "live") and silence.ends_at <= now:
        return [SilenceEnded(now)]
    if silence.status == "scheduled" and silence.starts_at <= now:
        return [SilenceBegan(now)]
    return []


def evolve(silence: Silence | None, event: object) -> Silence:
    if isinstance(event, SilenceAdded):
        return Silence(
            event.id, event.what, event.matchers, event.starts_at, event.ends_at, event.by, event.at, event.reason
        )
    assert silence is not None
    match event:
        case SilenceBegan():
            return replace(silence, status="live")
        case SilenceEnded():
            return replace(silence, status="ended", ended_by=event.by, ends_at=min(silence.ends_at, event.at))
        case SilenceReleased():
            return replace(silence, status="over", released=event.alerts)
    raise AssertionError(f"unknown silence event {event!r}")


def row(silence: Silence) -> Row:
    timers: tuple[Timer, ...] = ()
    if silence.status == "scheduled":
        timers = (Timer("begin", silence.starts_at),)
    elif silence.status == "live":
        timers = (Timer("end", silence.ends_at),)
    title = ", ".join(str(matcher) for matcher in silence.matchers)
    return Row(silence.status, f"{silence.what}: {title}", timers=timers)


NOUN = Noun("silence", Silence, (SilenceAdded, SilenceBegan, SilenceEnded, SilenceReleased), decide, evolve, row)
