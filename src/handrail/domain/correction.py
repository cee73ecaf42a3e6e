"""What people's corrections of candidates teach: which kinds of alerts belong together, and which do not.

Each correction holds for a while and then ends; where two disagree, the newer one holds. It names kinds of alerts,
never single ones, except for alerts that a person took out of every candidate: those stay out for a day.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Literal

from handrail.domain.kind import Kind
from handrail.domain.noun import Decision, Noun, Row, Tick, Timer
from handrail.kernel.errors import Conflict, NotFound
from handrail.kernel.limits import LIMITS


@dataclass(frozen=True)
class CorrectionMade:
    """A person put alerts of these `kinds` from one candidate into another (`into`; None: out of any). They belong
    apart from what stayed, together with what was there; `alone` are the alerts that were taken out of any."""

    id: str
    kinds: tuple[Kind, ...]
    apart_from: tuple[Kind, ...]
    together_with: tuple[Kind, ...]
    alone: tuple[str, ...]
    from_id: str | None
    into: str | None
    by: str
    at: datetime
    ends_at: datetime
    TYPE: ClassVar[str] = "correction.made"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class CorrectionEnded:
    """`by` is the person who ended it, empty when its time was over or newer ones took its place."""

    at: datetime
    by: str = ""
    TYPE: ClassVar[str] = "correction.ended"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Correction:
    id: str
    kinds: tuple[Kind, ...]
    apart_from: tuple[Kind, ...]
    together_with: tuple[Kind, ...]
    alone: tuple[str, ...]
    from_id: str | None
    into: str | None
    by: str
    at: datetime
    ends_at: datetime
    status: Literal["live", "over"] = "live"
    ended_by: str = ""


@dataclass(frozen=True)
class MakeCorrection:
    id: str
    kinds: tuple[Kind, ...]
    apart_from: tuple[Kind, ...]
    together_with: tuple[Kind, ...]
    alone: tuple[str, ...]
    from_id: str | None
    into: str | None
    by: str


@dataclass(frozen=True)
class EndCorrection:
    by: str = ""


def decide(correction: Correction | None, command: object, now: datetime) -> Decision:
    if correction is None:
        return _make(command, now) if isinstance(command, MakeCorrection) else NotFound("There is no such correction.")
    match command:
        case Tick():
            return [CorrectionEnded(now)] if correction.status == "live" and correction.ends_at <= now else []
        case EndCorrection():
            if correction.status == "over":
                return Conflict("This correction has ended.", "correction_ended")
            return [CorrectionEnded(now, command.by)]
    return Conflict("The correction does not know this command.")


def _make(command: MakeCorrection, now: datetime) -> Decision:
    most = LIMITS.correction_kinds
    return [
        CorrectionMade(
            command.id, command.kinds[:most], command.apart_from[:most], command.together_with[:most], command.alone,
            command.from_id, command.into, command.by, now, now + LIMITS.correction_age,
        )
    ]  # fmt: skip


def evolve(correction: Correction | None, event: object) -> Correction:
    if isinstance(event, CorrectionMade):
        return Correction(
            event.id, event.kinds, event.apart_from, event.together_with, event.alone, event.from_id, event.into,
            event.by, event.at, event.ends_at,
        )  # fmt: skip
    assert correction is not None
    match event:
        case CorrectionEnded():
            return replace(correction, status="over", ended_by=event.by)
    raise AssertionError(f"unknown correction event {event!r}")


def row(correction: Correction) -> Row:
    timers = (Timer("end", correction.ends_at),) if correction.status == "live" else ()
    return Row(correction.status, ", ".join(kind.words for kind in correction.kinds[:3]), timers=timers)


NOUN = Noun("correction", Correction, (CorrectionMade, CorrectionEnded), decide, evolve, row)


@dataclass(frozen=True)
class Verdict:
    """What a person said of a kind and a group of alerts, and when. `here`: such an alert was put into this very
    candidate; `other` is the kind of the group that the word is about."""

    together: bool
    at: datetime
    here: bool = False
    other: Kind | None = None


@dataclass(frozen=True)
class Corrections:
    """All that hold, found by the kinds that they name."""

    by_kind: Mapping[Kind, tuple[Correction, ...]] = field(default_factory=dict)
    alone: Mapping[str, datetime] = field(default_factory=dict)

    def verdict(self, kind: Kind | None, others: Collection[Kind], candidate_id: str | None = None) -> Verdict | None:
        """The newest word about alerts of this kind and a group that holds the others; None when nobody spoke."""
        for correction in self.by_kind.get(kind, ()) if kind is not None else ():
            together, apart = _said_of(correction, kind)
            if correction.into is not None and correction.into == candidate_id and kind in correction.kinds:
                return Verdict(True, correction.at, here=True)
            for told, is_together in ((together, True), (apart, False)):
                other = next((one for one in told if one in others), None)
                if other is not None:
                    return Verdict(is_together, correction.at, other=other)
        return None

    def partners(self, kind: Kind | None) -> Iterable[Kind]:
        """The kinds that a person put together with this one."""
        for correction in self.by_kind.get(kind, ()) if kind is not None else ():
            yield from _said_of(correction, kind)[0]

    def places(self, kind: Kind | None) -> Iterable[str]:
        """The candidates into which a person put alerts of this kind."""
        for correction in self.by_kind.get(kind, ()) if kind is not None else ():
            if correction.into is not None and kind in correction.kinds:
                yield correction.into

    def are_apart(self, some: Iterable[Kind], others: Collection[Kind]) -> bool:
        """Whether a person took any of these kinds apart from any of the others."""
        return any(
            (said := self.verdict(kind, others)) is not None and not said.together
            for kind in some
            if kind in self.by_kind
        )

    def stays_alone(self, alert_id: str, now: datetime) -> bool:
        """Whether a person took this very alert out of every candidate not long ago."""
        at = self.alone.get(alert_id)
        return at is not None and now - at <= LIMITS.correction_alone_age


def _said_of(correction: Correction, kind: Kind | None) -> tuple[tuple[Kind, ...], tuple[Kind, ...]]:
    """The kinds that this one belongs together with, and apart from, by one correction."""
    if kind in correction.kinds:
        own = correction.kinds if correction.into is not None else ()
        return (*correction.together_with, *(one for one in own if one != kind)), correction.apart_from
    if kind in correction.together_with:
        return correction.kinds, ()
    return (), correction.kinds


def index(live: Iterable[Correction]) -> Corrections:
    """Corrections in force, ready to be asked; the newest is asked first."""
    by_kind: dict[Kind, list[Correction]] = {}
    alone: dict[str, datetime] = {}
    for correction in sorted(live, key=lambda one: (one.at, one.id), reverse=True):
        named = (*correction.kinds, *correction.apart_from, *correction.together_with)
        for kind in dict.fromkeys(named):
            by_kind.setdefault(kind, []).append(correction)
        for alert_id in correction.alone:
            alone.setdefault(alert_id, correction.at)
    return Corrections({kind: tuple(found) for kind, found in by_kind.items()}, alone)
