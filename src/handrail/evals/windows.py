"""The scoring of anomaly detectors by labelled windows (Ahmad, Lavin, Purdy, Agha, Neurocomputing 2017).

Early detections in a window earn most, a second one in the same window earns nothing, false ones cost more the further
they stand from a window. Pure: arrays in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PROBATION_SHARE = 0.15
PROBATION_POINTS_MAX = 750
NEVER = float("inf")


@dataclass(frozen=True)
class Profile:
    """What a hit earns, what a false alarm and a miss cost."""

    hit: float
    false_alarm: float
    miss: float


PROFILES = {
    "standard": Profile(1.0, 0.11, 1.0),
    "low_fp": Profile(1.0, 0.22, 1.0),
    "low_fn": Profile(1.0, 0.11, 2.0),
}


@dataclass(frozen=True)
class Scored:
    """One file: a score in [0, 1] per point, and its windows as (first, last) indexes, in order, both inclusive."""

    scores: Floats
    windows: Sequence[tuple[int, int]]


def worth(x: Floats) -> Floats:
    """+1 well before the end of a window, 0 at its end, -1 far behind it."""
    near = 2.0 / (1.0 + np.exp(5.0 * np.minimum(x, 3.0))) - 1.0
    return np.where(x > 3.0, -1.0, near)


def probation_points(n: int) -> int:
    """So many first points are not scored: the detector is learning."""
    return min(int(PROBATION_SHARE * n), PROBATION_POINTS_MAX)


def _steps(file: Scored, profile: Profile) -> tuple[Floats, Floats]:
    """Each scored point with what the raw sum gains once the threshold has sunk to the point's score."""
    n = len(file.scores)
    first = probation_points(n)
    outside = np.full(n, -profile.false_alarm)
    inside = np.zeros(n, dtype=bool)
    ends = [*(left for left, _ in file.windows), n][1:]
    for (left, right), end in zip(file.windows, ends, strict=True):
        outside[right + 1 : end] = profile.false_alarm * worth(
            np.arange(1, end - right, dtype=float) / max(right - left, 1)
        )
        inside[left : right + 1] = True
    kept = ~inside
    kept[:first] = False
    scores, gains = [file.scores[kept]], [outside[kept]]
    for left, right in file.windows:
        index = np.arange(max(left, first), right + 1)
        if len(index) == 0:
            continue
        width = right - left + 1
        values = profile.hit * worth(-(right - index + 1) / width) / worth(np.array([-1.0]))[0]
        order = np.argsort(-file.scores[index], kind="stable")
        best = np.maximum.accumulate(values[order])
        scores.append(file.scores[index][order])
        gains.append(np.diff(best, prepend=-profile.miss))
    return np.concatenate(scores), np.concatenate(gains)


def _curve(files: Sequence[Scored], profile: Profile) -> tuple[Floats, Floats]:
    """Every threshold that changes anything, falling, with the raw sum at it."""
    null = -profile.miss * sum(len(file.windows) for file in files)
    parts = [_steps(file, profile) for file in files]
    scores = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0)
    gains = np.concatenate([part[1] for part in parts]) if parts else np.zeros(0)
    order = np.argsort(-scores, kind="stable")
    scores, raw = scores[order], null + np.cumsum(gains[order])
    last = np.append(scores[1:] != scores[:-1], [True] * bool(len(scores)))
    return np.append(NEVER, scores[last]), np.append(null, raw[last])


def _final(raw: float, files: Sequence[Scored], profile: Profile) -> float:
    windows = sum(len(file.windows) for file in files)
    if not windows:
        return 0.0
    null, perfect = -profile.miss * windows, profile.hit * windows
    return 100.0 * (raw - null) / (perfect - null)


def best_threshold(files: Sequence[Scored], profile: Profile) -> float:
    """The one threshold for all the files that earns most; of equals the highest."""
    thresholds, raw = _curve(files, profile)
    return float(thresholds[int(np.argmax(raw))])


def raw_sum(files: Sequence[Scored], profile: Profile, threshold: float) -> float:
    """Hits less misses and false alarms when every score of at least `threshold` is a detection."""
    thresholds, raw = _curve(files, profile)
    return float(raw[int(np.count_nonzero(thresholds >= threshold)) - 1]) if threshold != NEVER else float(raw[0])


def final_score(files: Sequence[Scored], profile: Profile, threshold: float | None = None) -> float:
    """0 for silence, 100 for the perfect detector. Without a threshold the best one of these files is taken, as the
    published protocol does."""
    chosen = best_threshold(files, profile) if threshold is None else threshold
    return _final(raw_sum(files, profile, chosen), files, profile)


def cross_validated(files: Sequence[Scored], profile: Profile) -> dict[str, float]:
    """Threshold from every other file, applied unchanged to the others, both ways, and both sums pooled."""
    first, second = files[::2], files[1::2]
    to_second, to_first = best_threshold(first, profile), best_threshold(second, profile)
    pooled = raw_sum(first, profile, to_first) + raw_sum(second, profile, to_second)
    return {
        "first_to_second": final_score(second, profile, to_second),
        "second_to_first": final_score(first, profile, to_first),
        "pooled": _final(pooled, files, profile),
    }
