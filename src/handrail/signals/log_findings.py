"""What is unusual in a stream of log lines: a message never seen, one that fell silent, one that comes far more or less
often, a burst of errors, a number far from those seen in its place. Pure: time comes with the lines.

Counts are taken per window and compared with a slowly forgetting mean; nothing is said while the first windows teach
what is usual. Memory is bounded by the templates watched and the lines kept as samples.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from handrail.kernel.limits import LIMITS
from handrail.signals.logs.miner import TemplateMiner

_ERRORS = re.compile(r"error|exception|fatal|panic|fail(?:ed|ure)|critical|denied|refused|traceback", re.IGNORECASE)
# Decimal numbers that stand alone; parts of addresses, dates and identifiers are no measurements.
_NUMBERS = re.compile(r"(?<![\w.:/-])\d{1,15}(?:\.\d{1,6})?(?=[a-zA-Z%]{0,3}(?:[\s,;)\]]|$))")


class LogFindingKind(StrEnum):
    NEW_TEMPLATE = "new_template"
    VANISHED_TEMPLATE = "vanished_template"
    RATE_SHIFT = "rate_shift"
    ERROR_BURST = "error_burst"
    PARAMETER_ANOMALY = "parameter_anomaly"


@dataclass(frozen=True)
class LogFinding:
    """`at` is the end of the window, in seconds since 1970. `samples` are lines as they came, cut; hostile text."""

    kind: LogFindingKind
    at: float
    template: str
    sentence: str
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Watch:
    """One configuration for all sources. A count is unusual when it lies `deviations` standard deviations (of a Poisson
    count at least) away and is `factor` times more or less. A number is unusual when it lies `value_deviations`
    standard deviations (of logarithms) off and `factor` times beyond all that were seen, `values_min` at least."""

    window_seconds: float = 60.0
    learning_windows: int = 10
    forgetting: float = 0.1
    deviations: float = 6.0
    factor: float = 3.0
    silent_windows: int = 3
    silent_usual_min: float = 5.0
    steady_min: float = 0.8
    errors_min: int = 10
    value_deviations: float = 6.0
    values_min: int = 50


@dataclass
class _Values:
    """Count, mean and spread of the logarithms of the numbers in one place, and their bounds."""

    count: int = 0
    mean: float = 0.0
    spread: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def is_odd(self, value: float, watch: Watch) -> bool:
        if self.count < watch.values_min:
            return False
        # Half a percent of noise is always granted, or a constant would make its neighbour an anomaly.
        deviation = max(math.sqrt(self.spread / self.count), 0.05)
        far = abs(math.log1p(value) - self.mean) > watch.value_deviations * deviation
        return far and (value > watch.factor * self.high or value * watch.factor < self.low)

    def learn(self, value: float) -> None:
        self.count += 1
        logarithm = math.log1p(value)
        step = logarithm - self.mean
        self.mean += step / self.count
        self.spread += step * (logarithm - self.mean)
        self.low, self.high = min(self.low, value), max(self.high, value)


@dataclass
class _Seen:
    """One template: its count in this window, its usual count in windows that have it, the share of windows that do,
    and the last lines that had it."""

    since_window: int
    count: int = 0
    usual: float = 0.0
    variance: float = 0.0
    longest_silence: int = 0
    steady: float = 0.0
    silent: int = 0
    told_silent: bool = False
    shifted: bool = False
    odd: tuple[float, str] | None = None
    samples: list[str] = field(default_factory=list)
    values: dict[tuple[int, int], _Values] = field(default_factory=dict)


class LogFinder:
    """Takes lines in the order of their time; a late line counts in the window that is open."""

    def __init__(self, watch: Watch | None = None) -> None:
        self._watch = watch or Watch()
        self._miner = TemplateMiner()
        self._seen: dict[int, _Seen] = {}
        self._ends_at: float | None = None
        self._window = 0
        self._errors = _Seen(0)

    def take(self, at: float, line: str) -> list[LogFinding]:
        """The findings of the windows that ended before this line."""
        findings = self.tick(at)
        group = self._miner.group_of(self._miner.add(line))
        seen = self._seen.get(group)
        if seen is None and len(self._seen) < LIMITS.log_templates_watched:
            seen = self._seen[group] = _Seen(self._window)
        if seen is not None:
            self._count(seen, line)
            self._weigh_numbers(seen, line)
        if _ERRORS.search(line[: LIMITS.log_sample_chars]):
            self._count(self._errors, line)
        return findings

    def tick(self, now: float) -> list[LogFinding]:
        """The findings of the windows that ended by now; call it also when no line comes, or silence is not noticed."""
        width = self._watch.window_seconds
        if self._ends_at is None:
            self._ends_at = now + width
        findings: list[LogFinding] = []
        for _ in range(LIMITS.log_windows_caught_up):
            if now < self._ends_at:
                return findings
            findings += self._close(self._ends_at)
            self._ends_at += width
        self._ends_at = max(self._ends_at, now + width)
        return findings

    def _count(self, seen: _Seen, line: str) -> None:
        if not seen.count:
            # Samples of an earlier window were kept in case that the message falls silent.
            seen.samples = []
        seen.count += 1
        if len(seen.samples) < LIMITS.log_samples:
            seen.samples.append(line[: LIMITS.log_sample_chars])

    def _weigh_numbers(self, seen: _Seen, line: str) -> None:
        numbers = _NUMBERS.findall(line[: LIMITS.log_sample_chars])[: LIMITS.log_line_numbers]
        for place, text in enumerate(numbers):
            value = float(text)
            values = seen.values.setdefault((len(numbers), place), _Values())
            if values.is_odd(value, self._watch) and seen.odd is None:
                seen.odd = (value, line[: LIMITS.log_sample_chars])
            values.learn(value)

    def _close(self, at: float) -> list[LogFinding]:
        self._miner.merge()
        self._follow_merges()
        texts = {template.group: template.text for template in self._miner.templates()}
        learnt = self._window >= self._watch.learning_windows
        findings: list[LogFinding] = []
        for group, seen in sorted(self._seen.items()):
            if learnt:
                findings += self._judge(seen, texts[group], at)
            self._forget(seen)
        findings = list(self._judge_errors(at) if learnt else ()) + findings
        self._forget(self._errors)
        self._window += 1
        return findings[: LIMITS.log_window_findings]

    def _follow_merges(self) -> None:
        """Templates that became one are watched as one from here on; what they counted is added up."""
        for group in sorted(self._seen):
            kept = self._miner.group_of(group)
            if kept == group:
                continue
            gone = self._seen.pop(group)
            into = self._seen.setdefault(kept, gone)
            if into is not gone:
                into.count += gone.count
                into.usual += gone.usual
                into.variance += gone.variance
                into.longest_silence = min(into.longest_silence, gone.longest_silence)
                into.steady = max(into.steady, gone.steady)
                into.since_window = min(into.since_window, gone.since_window)
                into.samples = (into.samples + gone.samples)[: LIMITS.log_samples]
                into.odd = into.odd or gone.odd

    def _judge(self, seen: _Seen, text: str, at: float) -> Iterator[LogFinding]:
        samples = tuple(seen.samples)
        if seen.since_window == self._window and seen.count:
            yield LogFinding(
                LogFindingKind.NEW_TEMPLATE,
                at,
                text,
                f"A message never seen before came {_times(seen.count)}: {text}",
                samples,
            )
            return
        if self._is_shift(seen):
            more = "more" if seen.count > seen.usual else "less"
            sentence = f"A message came {more} often than usual ({seen.count}, usually about {seen.usual:.0f}): {text}"
            yield LogFinding(LogFindingKind.RATE_SHIFT, at, text, sentence, samples)
        if not seen.count and self._is_missed(seen):
            seen.told_silent = True
            sentence = f"A message that usually comes about {_times(round(seen.usual))} in a window stopped: {text}"
            yield LogFinding(LogFindingKind.VANISHED_TEMPLATE, at, text, sentence, samples)
        if seen.odd is not None:
            value, line = seen.odd
            sentence = f"A number in a message is far from those seen in its place ({value:g}): {text}"
            yield LogFinding(LogFindingKind.PARAMETER_ANOMALY, at, text, sentence, (line,))

    def _is_missed(self, seen: _Seen) -> bool:
        """Only a message that comes in nearly every window is missed, and after twice the silence it ever kept."""
        steady = seen.usual >= self._watch.silent_usual_min and seen.steady >= self._watch.steady_min
        long = seen.silent + 1 >= max(self._watch.silent_windows, 2 * seen.longest_silence)
        return steady and long and not seen.told_silent

    def _is_shift(self, seen: _Seen) -> bool:
        """A shift is told once, when it begins; silence has a finding of its own."""
        watch, count, usual = self._watch, seen.count, seen.usual
        far = abs(count - usual) > watch.deviations * math.sqrt(max(usual + 1, seen.variance))
        shifted = count > 0 and far and (count > watch.factor * usual or count * watch.factor < usual)
        begins = shifted and not seen.shifted
        seen.shifted = shifted
        return begins

    def _judge_errors(self, at: float) -> Iterator[LogFinding]:
        errors = self._errors
        if self._is_shift(errors) and errors.count >= max(self._watch.errors_min, errors.usual):
            sentence = f"Lines that speak of errors came {_times(errors.count)}, usually about {errors.usual:.0f}."
            yield LogFinding(LogFindingKind.ERROR_BURST, at, "", sentence, tuple(errors.samples))

    def _forget(self, seen: _Seen) -> None:
        """The window's count becomes part of what is usual. A message that is silent keeps its usual count and its
        samples, so that its silence can be told and shown."""
        share = max(self._watch.forgetting, 1 / (self._window - seen.since_window + 1))
        if seen.count:
            # Silence makes a message less steady once it is over: while it lasts, it may be the one to be told.
            seen.steady *= (1 - self._watch.forgetting) ** seen.silent
            seen.steady += share * (1 - seen.steady)
            seen.longest_silence = max(seen.longest_silence, seen.silent)
            seen.silent, seen.told_silent = 0, False
        else:
            seen.silent += 1
        if seen.count or seen is self._errors:
            step = seen.count - seen.usual
            seen.usual += share * step
            seen.variance = (1 - share) * (seen.variance + share * step * step)
        seen.count, seen.odd = 0, None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
