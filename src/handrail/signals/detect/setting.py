"""The one configuration of the metric anomaly detector. It is the same for every series."""

from dataclasses import dataclass

DAY_SECONDS = 86_400.0
WEEK_SECONDS = 7 * DAY_SECONDS


@dataclass(frozen=True)
class Setting:
    """Rates are shares of the newest point in a running mean; while a mean is young they are 1/n instead.

    Evidence is in nats: the negative logarithm of how often something at least as far out came before. A feature counts
    only above `evidence_floor` (what ordinary noise reaches) and up to `evidence_cap` more, so that none decides alone
    how loud an alarm is. The sum fades by `memory` per point; `score_half` of it is a score of one half."""

    level_rate: float = 0.002
    recent_rate: float = 0.03
    scale_rate: float = 0.001
    day_slots: int = 48
    day_rate: float = 0.03
    week_slots: int = 168
    week_rate: float = 0.05
    season_gain: float = 0.8
    median_points: int = 13
    levels: int = 8
    novelty_rate: float = 0.001
    learning_points: int = 100
    histogram_octaves: int = 20
    histogram_halved_every: int = 2000
    tail_slope: float = 0.35
    evidence_floor: float = 3.5
    evidence_cap: float = 5.0
    memory: float = 0.7
    rest_points: int = 200
    score_half: float = 8.0
    threshold: float = 0.5
