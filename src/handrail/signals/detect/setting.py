"""The one configuration of the metric anomaly detector. It is the same for every series."""

from dataclasses import dataclass

DAY_SECONDS = 86_400.0
WEEK_SECONDS = 7 * DAY_SECONDS


@dataclass(frozen=True)
class Setting:
    """Rates are shares of the newest point in a running mean; while a mean is young they are 1/n instead.

    Evidence is in nats: the negative logarithm of how often something at least as far out came before. A feature
    counts only above `evidence_floor` (what ordinary noise reaches) and up to `evidence_cap` more, so that none decides
    alone how loud an alarm is. The floor holds for a point every `floor_step_seconds`; fewer points an hour bring fewer
    chance extremes, so it falls by `floor_per_step` nats as the step grows e-fold. The sum fades by `memory` per point;
    `score_half` of it is a score of one half. After an alarm come `rest_points` without another; between no
    evidence and the threshold lie `ranks` ranks, and from `rank_least` on they rest as well."""

    level_rate: float = 0.002
    offset_rate: float = 0.03
    recent_rate: float = 1 / 6
    spread_rate: float = 1 / 36
    step_rate: float = 0.01
    scale_rate: float = 0.001
    day_slots: int = 48
    day_rate: float = 0.03
    week_slots: int = 168
    week_rate: float = 0.05
    season_gain: float = 0.8
    median_points: int = 9
    learning_points: int = 100
    histogram_octaves: int = 20
    histogram_halved_every: int = 10_000
    tail_slope: float = 0.5
    evidence_floor: float = 4.0
    evidence_cap: float = 5.0
    floor_step_seconds: float = 300.0
    floor_per_step: float = 0.75
    floor_least: float = 1.0
    floor_most: float = 8.0
    memory: float = 0.7
    rest_points: int = 250
    ranks: int = 10
    rank_least: int = 8
    score_half: float = 13.5
    threshold: float = 0.5
