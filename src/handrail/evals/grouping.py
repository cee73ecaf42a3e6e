"""How right a grouping of log lines is: the four usual measures, as the benchmark's papers define them."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Grouping:
    """Shares from 0 to 1. `ga`: lines in a group that is exactly a true group. `fga`: harmonic mean of precision and
    recall over groups. `pa`: lines with the true template. `fta`: as `fga`, where the template must be equal too."""

    ga: float
    fga: float
    pa: float
    fta: float


def lines_by_group(groups: Sequence[Hashable]) -> dict[Hashable, frozenset[int]]:
    found: dict[Hashable, set[int]] = defaultdict(set)
    for line, group in enumerate(groups):
        found[group].add(line)
    return {group: frozenset(lines) for group, lines in found.items()}


def score_grouping(
    predicted: Sequence[Hashable], true: Sequence[Hashable], templates: Sequence[str], true_templates: Sequence[str]
) -> Grouping:
    """Four sequences of equal length, one item per line. No lines score zero."""
    ours, theirs = lines_by_group(predicted), lines_by_group(true)
    expected = set(theirs.values())
    right = [lines for lines in ours.values() if lines in expected]
    exact = [lines for lines in right if templates[min(lines)] == true_templates[min(lines)]]
    equal = sum(one == other for one, other in zip(templates, true_templates, strict=True))
    count = len(true) or 1
    both = (len(ours) + len(theirs)) or 1
    return Grouping(sum(map(len, right)) / count, 2 * len(right) / both, equal / count, 2 * len(exact) / both)
