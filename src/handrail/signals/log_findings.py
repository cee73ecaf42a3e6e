"""What is unusual in a stream of log lines: a message never seen, one that fell silent, one that comes far more or less
often, a burst of errors, a number far from those seen in its place. Pure: time comes with the lines.

Counts are taken per window and compared with a slowly forgetting mean; nothing is said while the first windows teach
what is usual. Memory is bounded by the templates watched and the lines kept as samples.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from handrail.kernel.limits import LIMITS, Limits
from handrail.signals.logs.miner import TemplateMiner
from handrail.signals.logs.seen import Seen, Values, Watch
from handrail.signals.logs.shapes import WordShapes

_ERRORS = (
    "error", "exception", "fatal", "panic", "failed", "failure", "critical", "denied", "refused", "traceback",
)  # fmt: skip
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
    """`at` is the end of the window, in seconds since 1970. `samples` are lines as they came, cut; hostile text.

    An empty `template` means all lines that are errors, or all lines. `counts`: how many came in each of the last
    windows of `window_seconds`, this one last; `usual` is what was expected of one, give or take `spread`.
    """

    kind: LogFindingKind
    at: float
    template: str
    sentence: str
    samples: tuple[str, ...]
    counts: tuple[int, ...] = ()
    usual: float = 0.0
    spread: float = 0.0
    window_seconds: float = 60.0

    @property
    def is_of_errors(self) -> bool:
        """Whether what came speaks of an error, by its words."""
        return self.kind == LogFindingKind.ERROR_BURST or any(map(speaks_of_error, (self.template, *self.samples)))


def speaks_of_error(line: str) -> bool:
    # Ten plain searches take a fifth of the time of one expression that ignores case.
    said = line[: LIMITS.log_sample_chars].lower()
    for word in _ERRORS:  # noqa: SIM110
        if word in said:
            return True
    return False


class LogFinder:
    """Takes lines in the order of their time; a late line counts in the window that is open.

    `words` may be shared between finders; `limits` bounds what this one remembers.
    """

    def __init__(self, watch: Watch | None = None, limits: Limits = LIMITS, words: WordShapes | None = None) -> None:
        self._watch = watch or Watch()
        self._limits = limits
        self._miner = TemplateMiner(limits=limits, words=words)
        self._seen: dict[int, Seen] = {}
        self._ends_at: float | None = None
        self._window = 0
        self._errors, self._all = Seen(0), Seen(0)
        self._novelty = 0.0
        self._is_partial = False
        self._lasting: frozenset[tuple[LogFindingKind, str]] = frozenset()

    @property
    def size(self) -> int:
        """How many shapes of lines are remembered: what this finder costs."""
        return self._miner.size

    @property
    def lasting(self) -> frozenset[tuple[LogFindingKind, str]]:
        """What was told, by kind and template, and went on in the last window."""
        return self._lasting

    def take(self, at: float, line: str, *, is_error: bool = False, is_alert: bool = False) -> list[LogFinding]:
        """The findings of the windows that ended before this line. `is_error`: its sender calls it one; `is_alert`: it
        is told already, so that it is no news."""
        findings = self.tick(at)
        self._count(self._all, line)
        group = self._miner.group_of(self._miner.add(line))
        seen = self._seen.get(group)
        if seen is None and len(self._seen) < self._limits.log_templates_watched:
            seen = self._seen[group] = Seen(self._window)
        if seen is not None:
            seen.is_alert = seen.is_alert or is_alert
            self._count(seen, line)
            self._weigh_numbers(seen, line)
        if is_error or speaks_of_error(line):
            self._count(self._errors, line)
        return findings

    def miss(self) -> None:
        """Lines of the open window were lost on their way: its counts tell nothing."""
        self._is_partial = True

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

    def _count(self, seen: Seen, line: str) -> None:
        if not seen.count:
            # Samples of an earlier window were kept in case that the message falls silent.
            seen.samples = []
        seen.count += 1
        if len(seen.samples) < LIMITS.log_samples:
            seen.samples.append(line[: LIMITS.log_sample_chars])

    def _weigh_numbers(self, seen: Seen, line: str) -> None:
        numbers = _NUMBERS.findall(line[: LIMITS.log_sample_chars])[: LIMITS.log_line_numbers]
        for place, text in enumerate(numbers):
            value = float(text)
            values = seen.values.setdefault((len(numbers), place), Values())
            if values.is_odd(value, self._watch) and seen.odd is None:
                seen.odd = (value, line[: LIMITS.log_sample_chars])
            values.learn(value)

    def _close(self, at: float) -> list[LogFinding]:
        self._miner.merge()
        self._follow_merges()
        texts = {template.group: template.text for template in self._miner.templates()}
        findings: list[LogFinding] = []
        if self._window >= self._watch.learning_windows and not self._is_partial:
            findings = [*self._judge_all(at), *self._judge_errors(at)]
            news = self._is_news()
            for group, seen in sorted(self._seen.items()):
                findings += self._judge(seen, texts[group], at, news)
        self._follow_novelty()
        for seen in (self._errors, self._all, *self._seen.values()):
            self._forget(seen)
        self._lasting = frozenset(self._going_on(texts))
        self._window += 1
        self._is_partial = False
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
                into.add_up(gone)

    def _new(self) -> int:
        """How many templates are new in this window; those that are alerts anyway are no news."""
        return sum(seen.since_window == self._window and not seen.is_alert for seen in self._seen.values())

    def _is_news(self) -> bool:
        """Whether a new message is worth a word: not while every window brings some, as after a start or in prose."""
        rare = self._novelty <= self._watch.novelty_most
        return rare or self._new() > self._novelty + self._watch.deviations * math.sqrt(self._novelty + 1)

    def _follow_novelty(self) -> None:
        windows = self._window - self._watch.novelty_from + 1
        if windows > 0:
            self._novelty += max(self._watch.novelty_forgetting, 1 / windows) * (self._new() - self._novelty)

    def _judge(self, seen: Seen, text: str, at: float, news: bool) -> Iterator[LogFinding]:
        if seen.since_window == self._window and seen.count:
            if not seen.is_alert and (news or speaks_of_error(text)):
                sentence = f"A message never seen before came {_times(seen.count)}: {text}"
                yield self._finding(LogFindingKind.NEW_TEMPLATE, at, text, sentence, seen)
            return
        if self._is_shift(seen):
            more = "more" if seen.count > seen.usual else "less"
            sentence = f"A message came {more} often than usual ({seen.count}, usually about {seen.usual:.0f}): {text}"
            yield self._finding(LogFindingKind.RATE_SHIFT, at, text, sentence, seen)
        if not seen.count and self._is_missed(seen):
            seen.told_silent = True
            if self._all.count:
                often = _times(round(seen.usual))
                sentence = f"A message that usually comes about {often} in a window stopped: {text}"
                yield self._finding(LogFindingKind.VANISHED_TEMPLATE, at, text, sentence, seen)
        if seen.odd is not None:
            value, line = seen.odd
            sentence = f"A number in a message is far from those seen in its place ({value:g}): {text}"
            yield self._finding(LogFindingKind.PARAMETER_ANOMALY, at, text, sentence, seen, (line,))

    def _judge_all(self, at: float) -> Iterator[LogFinding]:
        """Silence of the whole log is one finding, whatever messages it had."""
        if not self._all.count and self._is_missed(self._all):
            self._all.told_silent = True
            sentence = f"Every message stopped; usually about {_lines(round(self._all.usual))} came in a window."
            yield self._finding(LogFindingKind.VANISHED_TEMPLATE, at, "", sentence, self._all)

    def _judge_errors(self, at: float) -> Iterator[LogFinding]:
        errors = self._errors
        if self._is_shift(errors) and errors.count >= max(self._watch.errors_min, errors.usual):
            sentence = f"Lines that speak of errors came {_times(errors.count)}, usually about {errors.usual:.0f}."
            yield self._finding(LogFindingKind.ERROR_BURST, at, "", sentence, errors)

    def _finding(
        self, kind: LogFindingKind, at: float, text: str, sentence: str, seen: Seen, samples: tuple[str, ...] = ()
    ) -> LogFinding:
        before = [0] * min(self._window, LIMITS.log_windows_shown) + list(seen.past)
        return LogFinding(
            kind, at, text, sentence, samples or tuple(seen.samples),
            (*before[-min(self._window, LIMITS.log_windows_shown - 1) :], seen.count), seen.usual, seen.spread(),
            self._watch.window_seconds,
        )  # fmt: skip

    def _is_missed(self, seen: Seen) -> bool:
        """Only a message that comes in nearly every window is missed, and after twice the silence it ever kept."""
        steady = seen.usual >= self._watch.silent_usual_min and seen.steady >= self._watch.steady_min
        long = seen.silent + 1 >= max(self._watch.silent_windows, 2 * seen.longest_silence)
        return steady and long and not seen.told_silent

    def _is_shift(self, seen: Seen) -> bool:
        """A shift is told once, when it begins; silence has a finding of its own."""
        watch, count, usual = self._watch, seen.count, seen.usual
        far = abs(count - usual) > watch.deviations * seen.spread()
        shifted = count > 0 and far and (count > watch.factor * usual or count * watch.factor < usual)
        begins = shifted and not seen.shifted
        seen.shifted = shifted
        return begins

    def _going_on(self, texts: dict[int, str]) -> Iterator[tuple[LogFindingKind, str]]:
        named = [(texts[group], seen) for group, seen in self._seen.items()]
        for text, seen in (*named, ("", self._all)):
            if seen.told_silent and seen.silent < self._watch.gone_windows:
                yield LogFindingKind.VANISHED_TEMPLATE, text
        for text, seen in named:
            if seen.shifted:
                yield LogFindingKind.RATE_SHIFT, text
        if self._errors.shifted:
            yield LogFindingKind.ERROR_BURST, ""

    def _forget(self, seen: Seen) -> None:
        """The window's count becomes part of what is usual. A message that is silent keeps its usual count and its
        samples, so that its silence can be told and shown. A window of which lines were lost teaches nothing."""
        if not self._is_partial:
            self._learn(seen)
        seen.past.append(seen.count)
        seen.count, seen.odd = 0, None

    def _learn(self, seen: Seen) -> None:
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


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _lines(count: int) -> str:
    return "one line" if count == 1 else f"{count} lines"
