"""Sorts the lines of files into messages, and sets them beside what is usual: the pure part of `handrail logs`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from handrail.kernel.limits import LIMITS
from handrail.signals.log_findings import speaks_of_error
from handrail.signals.logs.miner import TemplateMiner


@dataclass(frozen=True)
class Message:
    """One template, how many lines had it here and in the usual log, and the first such line here, cut."""

    template: str
    count: int
    usual: int
    sample: str

    @property
    def is_of_errors(self) -> bool:
        return speaks_of_error(self.template) or speaks_of_error(self.sample)


@dataclass(frozen=True)
class Compared:
    """Messages in order of their count; of a comparison those that are new first, and those that stopped apart."""

    lines: int
    usual_lines: int
    messages: tuple[Message, ...]
    stopped: tuple[Message, ...] = ()


def compare(lines: Iterable[str], usual: Iterable[str] = ()) -> Compared:
    """Both logs are sorted by one miner, so that a message has the same template in both. Empty lines do not count."""
    miner = TemplateMiner()
    before = Counter(miner.add(line) for line in usual if line.strip())
    here: Counter[int] = Counter()
    samples: dict[int, str] = {}
    for line in lines:
        if line.strip():
            group = miner.add(line)
            here[group] += 1
            samples.setdefault(group, line.rstrip()[: LIMITS.log_sample_chars])
    miner.merge()
    counts, usually = _merged(miner, here), _merged(miner, before)
    first: dict[int, str] = {}
    for group, sample in samples.items():
        first.setdefault(miner.group_of(group), sample)
    found = [
        Message(template.text, counts[template.group], usually[template.group], first.get(template.group, ""))
        for template in miner.templates()
        if template.lines
    ]
    compared = bool(before)
    there = sorted((one for one in found if one.count), key=lambda one: (compared and one.usual > 0, -one.count))
    gone = sorted((one for one in found if not one.count), key=lambda one: -one.usual)
    return Compared(here.total(), before.total(), tuple(there), tuple(gone))


def _merged(miner: TemplateMiner, counts: Counter[int]) -> Counter[int]:
    merged: Counter[int] = Counter()
    for group, count in counts.items():
        merged[miner.group_of(group)] += count
    return merged
