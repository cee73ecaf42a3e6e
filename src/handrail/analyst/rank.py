"""Which cause explains the facts best: rules over topology, changes and timing. Pure, and the same for the same facts.

1. Every affected service is looked at as the source. It is likelier, the more of the affected services it explains
   (itself and those that reach it), when nothing that it depends on is affected, when it was early, when it shows
   symptoms itself, and when a symptom points at it (a full pool of its own, or a caller that names it).
2. A change makes its service's case stronger by how shortly before the first symptom it came. A change that came
   after the symptoms is never a cause.
3. Confidence is computed from how many of these independent signs agree, from the lead over the best cause elsewhere,
   and from how many of the affected services are explained; it is capped by what kind of signs there are.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from handrail.analyst.facts import Facts, SymptomKind
from handrail.domain.change import Change
from handrail.kernel.limits import LIMITS

VERSION = "rules-1"

_LEAD_MIN = 0.08
_LEAD_FULL = 0.25
_COVERAGE_MIN = 0.5
_EARLY_TOLERANCE_SECONDS = 2.0


class Cap(IntEnum):
    """The most that a kind of cause can be worth, as the signs for it go."""

    CHANGE_SERVICE_TIME_TOPOLOGY = 92
    SERVICE = 70
    TIME_ONLY = 40


@dataclass(frozen=True)
class Signs:
    """How far each independent sign speaks for one service as the source, 0 to 1."""

    explains: float
    deepest: float
    early: float
    symptoms: float
    pointed: float

    @property
    def agreement(self) -> float:
        return (
            0.30 * self.explains + 0.25 * self.deepest + 0.15 * self.early + 0.15 * self.symptoms + 0.15 * self.pointed
        )


@dataclass(frozen=True)
class Cause:
    """One possible cause. `change` is None where a service itself is meant; `closeness` is 1 for a change at once
    before the first symptom; `alone` is False when another change of the same service is nearly as close.
    """

    service: str | None
    change: Change | None
    signs: Signs
    cap: Cap
    score: float
    closeness: float = 0.0
    alone: bool = True
    confidence: int = 0
    explained: tuple[str, ...] = ()
    why_lower: str = ""


@dataclass(frozen=True)
class Ranking:
    """`best` is None when nothing at all is known. `unclear` is a sentence when the best is not good enough."""

    best: Cause | None
    others: tuple[Cause, ...]
    lead: float
    coverage: float
    unclear: str | None


def rank(facts: Facts) -> Ranking:
    """All causes, best first."""
    timely, late = _split(facts)
    causes = [_service_cause(facts, name) for name in facts.affected]
    causes += [_change_cause(facts, change, timely) for change in timely]
    causes.sort(key=lambda cause: (-cause.score, cause.change is None, _moment(cause), cause.service or ""))
    if not causes:
        return Ranking(None, _late_causes(late, facts), 0.0, 0.0, "Nothing affected was found: no alert, no signal.")
    best = causes[0]
    lead = best.score - max((cause.score for cause in causes if cause.service != best.service), default=0.0)
    coverage = best.signs.explains
    best = replace(best, confidence=_confidence(best, lead))
    unclear = _unclear(facts, best, lead, causes)
    rivals = [_ruled(facts, cause, best) for cause in causes[1:] if not _same_case(cause, best)]
    others = (*rivals, *_late_causes(late, facts))[: LIMITS.finding_alternatives]
    return Ranking(best, others, lead, coverage, unclear)


def began(facts: Facts, change: Change) -> datetime | None:
    """When the symptoms began that the change could explain; None when there are none."""
    if change.service is None or change.service not in facts.affected:
        cone = facts.cone(change.service) if change.service else facts.affected
        return min((facts.first_of.get(name, facts.first_at) for name in cone), default=None)
    return facts.first_of.get(change.service) or min(
        facts.first_of.get(name, facts.first_at) for name in facts.cone(change.service)
    )


def _split(facts: Facts) -> tuple[list[Change], list[Change]]:
    """The changes that may be causes by their time, and those that came too late to be."""
    timely, late = [], []
    for change in facts.changes:
        since = began(facts, change) or facts.first_at
        if change.at > since or _mostly_before(facts, change):
            late.append(change)
        elif since - change.at <= LIMITS.change_window:
            timely.append(change)
    return timely, late


def _mostly_before(facts: Facts, change: Change) -> bool:
    """Whether most of what the change would have to explain began before it."""
    cone = facts.cone(change.service) if change.service else ()
    before = [name for name in cone if facts.first_of.get(name, change.at) < change.at]
    return 2 * len(before) > len(cone)


def _signs(facts: Facts, service: str, cone: tuple[str, ...]) -> Signs:
    own = facts.of(service)
    known = service in facts.catalog.services
    deeper = facts.catalog.dependencies(service) & set(facts.affected)
    local = any(item.kind == SymptomKind.SATURATION for item in own)
    return Signs(
        explains=facts.placed * len(cone) / len(facts.affected) if facts.affected else 0.0,
        deepest=1.0 if known and not deeper else 0.0,
        early=_early(facts, service),
        symptoms=1.0 if own or service in facts.unhealthy else 0.0,
        pointed=1.0 if local or service in facts.pointed_at else 0.0,
    )


def _early(facts: Facts, service: str) -> float:
    """1 when its first symptom was the first of all, 0 when it was the last; a half when it is not known.

    For a service without symptoms of its own, the first that points at it counts.
    """
    pointing = [item.at for item in facts.symptoms if item.points_at == service]
    first = facts.first_of.get(service) or min(pointing, default=None)
    if first is None:
        return 0.5
    behind = (first - facts.first_at).total_seconds()
    span = (max(facts.first_of.values()) - facts.first_at).total_seconds()
    return 1.0 if behind <= _EARLY_TOLERANCE_SECONDS else max(0.0, 1.0 - behind / span) if span else 0.0


def _service_cause(facts: Facts, service: str) -> Cause:
    cone = facts.cone(service)
    signs = _signs(facts, service, cone)
    return Cause(service, None, signs, Cap.SERVICE, 0.7 * signs.agreement, explained=cone)


def _change_cause(facts: Facts, change: Change, timely: list[Change]) -> Cause:
    since = began(facts, change) or facts.first_at
    closeness = 1.0 - (since - change.at) / LIMITS.change_window
    service = change.service
    cone = tuple(name for name in (facts.cone(service) if service else ()) if _not_before(facts, name, change.at))
    if service is None or not cone or service in facts.healthy - set(facts.first_of):
        signs = Signs(0.0, 0.0, 0.0, 0.0, 0.0)
        return Cause(service, change, signs, Cap.TIME_ONLY, 0.06 * closeness, closeness)
    signs = _signs(facts, service, cone)
    fits = signs.deepest == 1.0 and signs.explains >= _COVERAGE_MIN
    cap = Cap.SERVICE if service in facts.affected else Cap.TIME_ONLY
    if fits and service in facts.affected:
        cap = Cap.CHANGE_SERVICE_TIME_TOPOLOGY
    alone = not any(_is_near(change, other) for other in timely)
    score = 0.7 * signs.agreement + 0.3 * closeness * (1.0 if cap == Cap.CHANGE_SERVICE_TIME_TOPOLOGY else 0.5)
    return Cause(service, change, signs, cap, score, closeness, alone, explained=cone)


def _not_before(facts: Facts, service: str, at: datetime) -> bool:
    return facts.first_of.get(service, at) >= at


def _is_near(change: Change, other: Change) -> bool:
    near = abs(change.at - other.at) <= LIMITS.change_window / 3
    return other.id != change.id and other.service == change.service and near


def _confidence(cause: Cause, lead: float) -> int:
    distinct = min(1.0, max(0.0, lead) / _LEAD_FULL)
    signs = cause.signs
    if cause.change is None:
        share = 0.55 * signs.agreement + 0.25 * distinct + 0.20 * signs.explains
    else:
        share = (
            0.45 * signs.agreement + 0.20 * distinct + 0.15 * signs.explains + 0.15 * cause.closeness
            + 0.05 * cause.alone
        )  # fmt: skip
    return round(cause.cap * share)


def _unclear(facts: Facts, best: Cause, lead: float, causes: list[Cause]) -> str | None:
    if not facts.affected:
        return "No service shows a symptom; only changes near in time are known."
    if not facts.catalog.services:
        return "The catalogue is empty, so nobody can tell which service depends on which."
    if best.cap == Cap.TIME_ONLY:
        return "The best lead is near in time only; nothing else connects it with the symptoms."
    if facts.placed < _COVERAGE_MIN:
        return "Most alerts name no service, so their place in the topology is not known."
    if best.signs.explains < _COVERAGE_MIN:
        return f"The best lead explains {len(best.explained)} of {len(facts.affected)} affected services."
    if lead < _LEAD_MIN:
        rival = next(cause for cause in causes if cause.service != best.service)
        return f"{best.service} and {rival.service or 'another change'} are nearly equally likely."
    return None


def _same_case(cause: Cause, best: Cause) -> bool:
    """Whether this is the best cause's own service, said without its change: no rival of it."""
    return cause.service == best.service and cause.change is None


def _ruled(facts: Facts, cause: Cause, best: Cause) -> Cause:
    """A rival with what it is worth and why it ranks lower."""
    confidence = min(_confidence(cause, 0.0), max(best.confidence - 1, 0))
    return replace(cause, confidence=confidence, why_lower=_why_lower(facts, cause, best))


def _why_lower(facts: Facts, cause: Cause, best: Cause) -> str:
    service, winner = cause.service, best.service
    if service is None:
        return "It names no service, so only its time speaks for it."
    if service == winner:
        return _why_not_this_change(cause, best)
    if cause.change is not None and cause.cap == Cap.TIME_ONLY:
        return f"Only its time speaks for it: {_untouched(facts, service)}."
    if winner in facts.catalog.dependencies(service):
        return f"{service} depends on {winner}, which is affected itself; its symptoms follow from there."
    if len(cause.explained) < len(best.explained):
        return f"It would explain {len(cause.explained)} of the affected services, {winner} {len(best.explained)}."
    if cause.signs.early < best.signs.early:
        return f"Its symptoms began later than those of {winner}."
    return f"Fewer signs point at it than at {winner}."


def _why_not_this_change(cause: Cause, best: Cause) -> str:
    if best.change is None or cause.change is None:
        return "The service explains more than this change of it does."
    gap = int(abs(best.change.at - cause.change.at).total_seconds())
    return f"Another change of {best.service} came {gap} s later, closer to the first symptom."


def _untouched(facts: Facts, service: str) -> str:
    if service in facts.healthy:
        return f"the signal of {service} is healthy"
    if not facts.cone(service):
        return f"neither {service} nor anything that depends on it shows a symptom"
    return f"{service} shows no symptom of its own"


def _late_causes(late: list[Change], facts: Facts) -> tuple[Cause, ...]:
    nothing = Signs(0.0, 0.0, 0.0, 0.0, 0.0)
    found = []
    for change in late:
        after = max(change.at - (began(facts, change) or facts.first_at), timedelta())
        why = f"It came {int(after.total_seconds())} s after the first symptom that it could explain."
        if not after:
            why = "Most of what it would have to explain began before it."
        found.append(Cause(change.service, change, nothing, Cap.TIME_ONLY, 0.0, why_lower=why))
    return tuple(found)


def _moment(cause: Cause) -> float:
    """Later changes first, among equals."""
    return -cause.change.at.timestamp() if cause.change else 0.0
