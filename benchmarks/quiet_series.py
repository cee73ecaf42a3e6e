"""How quiet series without any fault are: findings per 1,000 series and day, and in the hours of the night.

    python -m benchmarks.quiet_series [--series 200] [--days 4] [--step 60] [--seed 3]

Draws series of nine kinds, some of them harder than most in a real estate (heavy tails, queues that wander, work that
begins at nine), lets a day pass to learn, and counts what is said afterwards. Nothing is wrong with any of them.
"""

import argparse
import json
import math
from collections import Counter

import numpy as np

from handrail.kernel.limits import LIMITS
from handrail.signals.detect.watch import Watch

KINDS = ("noise", "slow", "daily", "requests", "latency", "queue", "office", "sparse", "constant")
DAY = 86_400
BEGAN = 1_764_547_200.0


def measure(series: int, days: int, step: int, seed: int) -> dict[str, object]:
    dice = np.random.default_rng(seed)
    kind = np.arange(series) % len(KINDS)
    size, phase = np.exp(dice.normal(3.0, 1.0, series)), dice.uniform(0.0, DAY, series)
    slow, queue, keep = np.zeros(series), np.zeros(series), math.exp(-step / 300.0)
    watches = [Watch() for _ in range(series)]
    said: Counter[str] = Counter()
    night = 0
    for n in range(days * DAY // step):
        at = BEGAN + n * step
        grain = dice.normal(size=series)
        slow = keep * slow + math.sqrt(1.0 - keep * keep) * grain
        day = np.sin(2.0 * np.pi * (at + phase) / DAY)
        work = min(max(3.0 * math.sin(2.0 * math.pi * (at / DAY - 0.25)), 0.0), 1.0)
        queue = np.maximum(
            queue + dice.poisson(0.13 * step * (1.0 + 0.5 * day)) - dice.poisson(0.2 * step, series), 0.0
        )
        values = np.choose(
            kind,
            [
                size * (5.0 + 0.25 * grain), size * (5.0 + 0.25 * slow), size * (3.0 + day + 0.1 * slow),
                dice.poisson(step * size * (2.0 + day)) / step, size * 1e-3 * np.exp(0.6 * grain + 0.3 * day), queue,
                dice.poisson(20.0 * size * work) / 20.0, dice.poisson(0.02 * step, series) / step, np.round(size),
            ],
        )  # fmt: skip
        for number, (watch, value) in enumerate(zip(watches, values.tolist(), strict=True)):
            for anomaly in watch.observe(at, value):
                if at >= BEGAN + DAY and watch.detector.n > LIMITS.series_learning_points:
                    said[f"{KINDS[kind[number]]}: {anomaly.kind.value}"] += 1
                    night += at % DAY < DAY / 4
    per = 1000.0 / series / max(days - 1, 1)
    return {
        "series": series,
        "days_counted": days - 1,
        "step_seconds": step,
        "findings_per_1000_series_and_day": round(said.total() * per, 2),
        "of_these_from_0_to_6": round(night * per, 2),
        "by_kind_and_finding": dict(said.most_common()),
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--series", type=int, default=200)
    asked.add_argument("--days", type=int, default=4)
    asked.add_argument("--step", type=int, default=60)
    asked.add_argument("--seed", type=int, default=3)
    given = asked.parse_args()
    print(json.dumps(measure(given.series, given.days, given.step, given.seed), indent=2))


if __name__ == "__main__":
    main()
