"""How right a grouping of alerts into incidents is, incident by incident (Karner et al., arXiv 2602.06534).

Alerts of no incident (noise) stay in the groups and in the total, so that a group which swallows noise pays for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

NOISE = "-"


@dataclass(frozen=True)
class Score:
    """F1 and recall in [0, 1], Matthews' correlation in [-1, 1], `fall_out` = 1 - true negative rate."""

    f1: float
    mcc: float
    recall: float
    fall_out: float


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def score_incidents(groups: Ids, labels: Ids, names: Sequence[str]) -> dict[str, Score]:
    """One sequence: the group and the label of each alert, labels as positions in `names`. Each incident's score by its
    name; every alert of it is a view on its group, counted as pairs (alert of the incident, alert of the sequence)."""
    total = len(groups)
    if not total:
        return {}
    _, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    pairs, counts = np.unique(labels * len(sizes) + inverse, return_counts=True)
    label_of, group_of = np.divmod(pairs, len(sizes))
    found: dict[str, Score] = {}
    for label in np.unique(label_of):
        name = names[int(label)]
        if name == NOISE:
            continue
        mine = label_of == label
        held = counts[mine].astype(np.float64)
        size = sizes[group_of[mine]].astype(np.float64)
        whole = held.sum()
        tp = float((held**2).sum())
        fp = float((held * (size - held)).sum())
        fn = float((held * (whole - held)).sum())
        tn = float((held * (total - size - whole + held)).sum())
        under = float(np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn))
        found[name] = Score(
            f1=_ratio(2 * tp, 2 * tp + fp + fn),
            mcc=_ratio(tp * tn - fp * fn, under),
            recall=_ratio(tp, tp + fn),
            fall_out=_ratio(fp, fp + tn),
        )
    return found


def macro(scores: Sequence[Mapping[str, Score]]) -> Score:
    """Sequences' incidents, named `step.stage.id`: the mean over the incidents of a stage, over the stages of a step,
    over steps. Nothing scored is zero throughout."""
    stages: dict[tuple[str, str], list[Score]] = defaultdict(list)
    for sequence in scores:
        for name, score in sequence.items():
            step, _, rest = name.partition(".")
            stages[step, rest.rpartition(".")[0]].append(score)
    steps: dict[str, list[Score]] = defaultdict(list)
    for (step, _), of_stage in stages.items():
        steps[step].append(_mean(of_stage))
    return _mean([_mean(of_step) for of_step in steps.values()])


def _mean(scores: Sequence[Score]) -> Score:
    if not scores:
        return Score(0.0, 0.0, 0.0, 0.0)
    return Score(
        f1=fmean(score.f1 for score in scores),
        mcc=fmean(score.mcc for score in scores),
        recall=fmean(score.recall for score in scores),
        fall_out=fmean(score.fall_out for score in scores),
    )
