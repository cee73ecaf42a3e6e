"""Judges several series of one thing together: how far all of them are from what was expected, given how they usually
move with each other. So series that always move as one count once, several that are each a little odd count together,
and series that part company are found though each is ordinary. Streaming, past points only, bounded memory.

A row is one value of each member: its distance from what its own detector expected, in usual distances. The row's
Mahalanobis distance, over a fading covariance that is drawn towards its diagonal, is one more series for a `Detector`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handrail.kernel.limits import LIMITS
from handrail.signals.detect.one import Detector
from handrail.signals.detect.setting import Setting

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class JointSetting:
    """`distance_most` bounds what one member says in a row, `learnt_most` what it teaches: one outlier must not become
    usual at once. `floor` is a variance that is always granted."""

    rate: float = 0.005
    floor: float = 0.02
    distance_most: float = 10.0
    learnt_most: float = 4.0
    moved_least: float = 3.0
    members_least: int = 2


@dataclass(frozen=True)
class Moved:
    """A row that is out of the ordinary: its moment, the places of the members that make it so with their distances,
    the largest first, and whether they moved (else they only parted company)."""

    at: float
    distance: float
    usual: float
    members: tuple[tuple[int, float], ...]
    is_move: bool


def distance_of(value: float, detector: Detector) -> float | None:
    """How far a value is from what was expected, in usual distances, signed; None while the detector is young. Call it
    after the detector scored the value."""
    if detector.n <= detector.setting.learning_points:
        return None
    residual = value - detector.expected
    # A series without any error is a constant: what leaves it is as far as can be said.
    usual = max(detector.error, 1e-9 * abs(detector.level), 1e-12)
    return residual / usual


class Joint:
    """`put` each member's value in the order of time; a row ends when all who are heard have spoken, or one speaks
    again. Members beyond the bound are not judged together."""

    def __init__(self, setting: JointSetting | None = None, of_series: Setting | None = None) -> None:
        self._setting = setting or JointSetting()
        self._detector = Detector(of_series)
        self._row: dict[int, float] = {}
        self._spread, self._counts = np.eye(0), np.zeros((0, 0))
        self._heard, self._at = 0, 0.0
        self.members = 0

    def join(self) -> int | None:
        """A place for one more member; None when there is none."""
        if self.members >= LIMITS.joint_members:
            return None
        self.members += 1
        spread, counts = np.eye(self.members), np.zeros((self.members, self.members))
        spread[:-1, :-1], counts[:-1, :-1] = self._spread, self._counts
        self._spread, self._counts = spread, counts
        return self.members - 1

    def put(self, place: int, at: float, distance: float | None) -> Moved | None:
        """What is new by this value; mostly nothing. None: this member has nothing to say yet."""
        moved = self._end_row() if place in self._row else None
        if distance is None:
            return moved
        most = self._setting.distance_most
        self._row[place] = min(max(distance, -most), most)
        self._at = max(self._at, at)
        if moved is None and self._heard and len(self._row) >= self._heard:
            moved = self._end_row()
        return moved

    def _end_row(self) -> Moved | None:
        row, self._row, self._heard = self._row, {}, len(self._row)
        if len(row) < self._setting.members_least:
            return None
        places = sorted(row)
        said = np.array([row[place] for place in places])
        # Mostly everybody speaks: then the matrices are taken as they are.
        at = ... if len(row) == self.members else np.ix_(places, places)
        weights = self._weigh(self._spread[at], said)
        distance = sqrt(max(float(said @ weights), 0.0) / len(row))
        self._learn(at, said)
        usual = self._detector.level
        score = self._detector.score(self._at, distance)
        if score < self._detector.setting.threshold or distance <= self._detector.expected:
            return None
        return self._moved(places, said, said * weights, distance, usual)

    def _weigh(self, spread: Floats, said: Floats) -> Floats:
        """The row over its covariance: what each member says beyond what the others say already."""
        # The fewer rows for each member, the more is taken as if members were unrelated.
        known = min(self._detector.n, 1.0 / self._setting.rate)
        shrunk = len(said) / (known + len(said))
        mixed = (1 - shrunk) * spread
        mixed[np.diag_indices_from(mixed)] += shrunk * np.diag(spread) + self._setting.floor
        return np.asarray(np.linalg.solve(mixed, said), dtype=np.float64)

    def _learn(self, at: Any, said: Floats) -> None:
        bounded = np.minimum(np.maximum(said, -self._setting.learnt_most), self._setting.learnt_most)
        self._counts[at] += 1
        rates = np.maximum(1.0 / (self._counts[at] + 1), self._setting.rate)
        self._spread[at] += rates * (np.outer(bounded, bounded) - self._spread[at])

    def _moved(self, places: Sequence[int], said: Floats, shares: Floats, distance: float, usual: float) -> Moved:
        """Who moved; where hardly anyone did by itself, those who say the most that the others do not."""
        far = [at for at in np.argsort(-np.abs(said)) if abs(said[at]) >= self._setting.moved_least]
        is_move = len(far) >= self._setting.members_least
        named: Sequence[int] = far if is_move else list(np.argsort(-shares)[: self._setting.members_least])
        return Moved(self._at, distance, usual, tuple((places[at], float(said[at])) for at in named), is_move)
