"""Says a ranking in words for people, and cites the evidence for each statement. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from handrail.analyst.claims import Claim
from handrail.analyst.facts import Facts, Symptom
from handrail.analyst.gather import Gathered, dependency_lines
from handrail.analyst.rank import Cap, Cause, Ranking, began
from handrail.domain.change import Change
from handrail.domain.finding import Alternative, Citation
from handrail.domain.signal import Signal
from handrail.kernel.canonical import canonical
from handrail.kernel.clock import to_text

_TITLE_CHARS = 120
_LINES_MAX = 3
_UNCLEAR_MAX = 35


@dataclass(frozen=True)
class Case:
    """Everything that words are made of."""

    facts: Facts
    gathered: Gathered
    ranking: Ranking


def claim(case: Case) -> str:
    """The statement itself."""
    best, unclear = case.ranking.best, case.ranking.unclear
    if best is None or unclear is not None:
        return f"No clear cause. {unclear or ''}".strip()
    if best.change is None:
        return (
            f"{best.service} itself is the likely source: it is affected, nothing that it depends on is, and no "
            "change that could explain it is known."
        )
    lead = _span((began(case.facts, best.change) or case.facts.first_at) - best.change.at)
    return f"{change_name(best.change)} is the likely cause; it came {lead} before the first symptom of {best.service}."


def confidence(ranking: Ranking) -> int:
    """An unclear ranking is worth no more than a hint."""
    if ranking.best is None:
        return 0
    return ranking.best.confidence if ranking.unclear is None else min(ranking.best.confidence, _UNCLEAR_MAX)


def meaning(case: Case) -> str:
    """What the confidence is made of."""
    best = case.ranking.best
    if best is None:
        return "There was nothing to compute a confidence from."
    signs = best.signs
    parts = [f"{len(best.explained)} of {len(case.facts.affected)} affected services explained"]
    parts += [
        words
        for value, words in (
            (signs.deepest, "nothing deeper affected"),
            (signs.early, "among the first to show symptoms"),
            (signs.symptoms, "symptoms of its own"),
            (signs.pointed, "a full resource of its own or a caller that names it"),
        )
        if value >= 0.75
    ]
    if best.change is not None:
        parts.append("a change shortly before" if best.closeness >= 0.75 else "a change before")
    lead = f"a lead of {round(100 * case.ranking.lead)} of 100 over the next cause elsewhere"
    about = "" if case.ranking.unclear is None else "Of the best lead only: "
    return (
        f"{about}Computed, not calibrated, from {', '.join(parts)}, and {lead}. {_CAPS[best.cap]} is worth at most "
        f"{int(best.cap)}."
    )


def alternatives(case: Case) -> tuple[Alternative, ...]:
    """What else was looked at, and why it ranks lower."""
    ranking = case.ranking
    found = [Alternative(cause_name(cause), cause.confidence, cause.why_lower) for cause in ranking.others]
    if ranking.best is not None and ranking.unclear is not None:
        found.insert(0, Alternative(cause_name(ranking.best), confidence(ranking), ranking.unclear))
    return tuple(found)


def would_change(case: Case) -> str:
    """What would make this finding another one."""
    best = case.ranking.best
    if best is None or case.ranking.unclear is not None:
        return "A signal or an alert from another service, a change not reported yet, or a missing dependency."
    if best.change is None:
        return (
            f"A change of {best.service} shortly before {_clock(case.facts.first_at)} that was not reported, or "
            "something that it depends on turning out affected."
        )
    return (
        f"{best.service} staying unhealthy once the change is taken back, or a symptom of it from before "
        f"{_clock(best.change.at)}."
    )


def claims(case: Case) -> list[Claim]:
    """The citations for the best cause; for an unclear one, what was seen."""
    best = case.ranking.best
    if best is None or best.service is None:
        return [*_symptom_claims(case, None), *_signal_claims(case, ())]
    cited = [] if best.change is None else list(_change_claims(case, best.change))
    callers = [name for name in best.explained if name != best.service]
    return [
        *cited,
        *_symptom_claims(case, best.service),
        *_topology_claims(case, best),
        *_signal_claims(case, (best.service, *callers)),
    ]


def change_name(change: Change) -> str:
    """A change in one phrase, with its versions where it has them."""
    of = f" of {_one_line(change.service)}" if change.service else ""
    if change.version:
        before = f" (before: {_one_line(change.previous_version)})" if change.previous_version else ""
        what = f"The {_one_line(change.kind)} {_one_line(change.version)}{of}{before}"
    else:
        what = f"The change “{_one_line(change.title)}”{of}"
    return f"{what} at {_clock(change.at)}"


def cause_name(cause: Cause) -> str:
    return change_name(cause.change) if cause.change is not None else f"{cause.service} itself"


def _change_claims(case: Case, change: Change) -> Iterator[Claim]:
    if case.gathered.changes is None:
        return
    shows = f"{change_name(change)}, reported by {_one_line(change.source)}."
    since = began(case.facts, change) or case.facts.first_at
    yield Claim(Citation(case.gathered.changes.digest, change.title, shows), change.at, since)


def _symptom_claims(case: Case, service: str | None) -> Iterator[Claim]:
    """The first symptom of the service, and the first of all where that is another."""
    if case.gathered.alerts is None:
        return
    symptoms = case.facts.symptoms
    own = [item for item in symptoms if item.service == service][:1]
    pointing = [item for item in symptoms if item.points_at is not None and item.points_at == service][:1]
    for item in dict.fromkeys((*own, *pointing, *symptoms[:1])):
        yield Claim(Citation(case.gathered.alerts.digest, item.title, _symptom_words(item)), item.at)


def _symptom_words(item: Symptom) -> str:
    names = f", which names {item.points_at}" if item.points_at else ""
    return f"{item.service} shows “{_one_line(item.title)}” since {_clock(item.at)}{names}."


def _topology_claims(case: Case, best: Cause) -> Iterator[Claim]:
    if case.gathered.topology is None or best.service is None:
        return
    callers = [name for name in best.explained if name != best.service]
    reach = set(best.explained)
    lines = [line for line in dependency_lines(case.facts.catalog, callers) if line.rpartition(" ")[2] in reach]
    for line in lines[:_LINES_MAX]:
        yield Claim(Citation(case.gathered.topology.digest, line, f"{line}, so it feels what happens there."))


def _signal_claims(case: Case, services: tuple[str, ...]) -> Iterator[Claim]:
    """The series of these services; without a name for the source, of all that are unhealthy."""
    wanted = services or tuple(sorted(case.facts.unhealthy))
    for name in [name for name in wanted if name in case.gathered.signals][:_LINES_MAX]:
        reading, kept = case.gathered.readings[name], case.gathered.signals[name]
        yield Claim(Citation(kept.digest, _quote(reading), f"The signal of {name}: {reading.words()}."))


def _quote(signal: Signal) -> str:
    """The part of a signal's evidence that says most: a measured number where there is one."""
    for number in (signal.error_rate, signal.p95_seconds):
        if number:
            return canonical(number).decode()
    return '"healthy":true' if signal.healthy else '"healthy":false'


_CAPS = {
    Cap.CHANGE_SERVICE_TIME_TOPOLOGY: "A change that fits in service, time and topology",
    Cap.SERVICE: "A service without a change that fits in all of these",
    Cap.TIME_ONLY: "A change near in time only",
}


def _one_line(text: str | None) -> str:
    """Words from outside, as one short line without control characters."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text or "")
    return " ".join(shown.split())[:_TITLE_CHARS]


def _clock(moment: datetime) -> str:
    return f"{to_text(moment)[11:19]} UTC"


def _span(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
