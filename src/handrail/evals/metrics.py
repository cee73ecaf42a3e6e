"""Scores the shipped metric anomaly detector on a folder of labelled series. One configuration for all files; a file is
read in time order and every score comes from past points only."""

import csv
import gzip
import io
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handrail.evals.report import Report
from handrail.evals.windows import PROFILES, Floats, Scored, best_threshold, cross_validated, final_score
from handrail.kernel.errors import BadInput
from handrail.signals.detect.many import ManyDetector
from handrail.signals.detect.one import Detector
from handrail.signals.detect.setting import Setting
from handrail.signals.detect.table import read_moment

LABELS = "combined_windows.json"
SPEED_SERIES = 1_000
SPEED_STEPS = 300


@dataclass(frozen=True)
class Series:
    """`name` is category/file.csv as the labels have it; `stamps` are as they were written."""

    name: str
    stamps: Sequence[str]
    seconds: Floats
    values: Floats
    windows: Sequence[tuple[int, int]]


def load(directory: Path) -> list[Series]:
    """Every labelled series below a folder, sorted by name. The labels stand in one `combined_windows.json` somewhere
    below it, the series as `<category>/<file>.csv`, plain or gzipped. Raises BadInput when either is absent."""
    found = sorted(directory.rglob(LABELS)) if directory.is_dir() else []
    if not found:
        raise BadInput(f"{directory} has no {LABELS} below it. Give the folder that holds labels and data.")
    labels = json.loads(found[0].read_text())
    files = {f"{file.parent.name}/{file.name.removesuffix('.gz')}": file for file in sorted(directory.rglob("*.csv*"))}
    series = [_read(name, files[name], labels[name]) for name in sorted(labels) if name in files]
    if not series:
        raise BadInput(
            f"None of the files that {found[0]} labels is below {directory}. Give the folder that holds both."
        )
    return series


def _read(name: str, file: Path, windows: Sequence[Sequence[str]]) -> Series:
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    seconds = np.array([read_moment(row["timestamp"]) for row in rows])
    values = np.array([float(row["value"] or "nan") for row in rows])
    spans = [_span(seconds, read_moment(first), read_moment(last)) for first, last in windows]
    return Series(name, [row["timestamp"] for row in rows], seconds, values, sorted(spans))


def _span(seconds: Floats, first: float, last: float) -> tuple[int, int]:
    index = np.flatnonzero((seconds >= first) & (seconds <= last))
    return int(index[0]), int(index[-1])


def evaluate(directory: Path, *, predictions: Path | None = None, threshold: float | None = None) -> Report:
    """Scores of the shipped detector in three cost profiles, each with its own best threshold, and in the standard one
    with the shipped (or given) threshold and with one found on the other half of the files. `predictions` is written as
    CSV with a row per point: file, timestamp, score."""
    series, setting = load(directory), Setting()
    # Processor time: what one core does, whatever else runs beside it.
    began = time.process_time()
    scored = [Scored(_score(one, setting), one.windows) for one in series]
    took = time.process_time() - began
    points = sum(len(one.values) for one in series)
    if predictions is not None:
        write_predictions(predictions, series, scored)
    used = setting.threshold if threshold is None else threshold
    return Report(
        suite="metrics",
        data=str(directory),
        n=points,
        scores=_scores(scored, used),
        speed={
            "seconds": round(took, 2),
            "one_series_points_per_second": round(points / took),
            "thousand_series_points_per_second": round(_speed_of_many(setting)),
        },
        config=asdict(setting) | {"threshold_used": used, "files": len(series)},
    )


def _score(series: Series, setting: Setting) -> Floats:
    step = Detector(setting).score
    pairs = zip(series.seconds.tolist(), series.values.tolist(), strict=True)
    return np.array([step(at, value) for at, value in pairs])


def _scores(scored: Sequence[Scored], threshold: float) -> dict[str, Any]:
    standard = PROFILES["standard"]
    best = {name: round(final_score(scored, profile), 1) for name, profile in PROFILES.items()}
    fixed = {f"{name}_fixed": round(final_score(scored, profile, threshold), 1) for name, profile in PROFILES.items()}
    halves = {name: round(value, 1) for name, value in cross_validated(scored, standard).items()}
    return (
        best
        | fixed
        | {
            "cross_validated": halves,
            "best_threshold": round(best_threshold(scored, standard), 4),
            "windows": sum(len(one.windows) for one in scored),
        }
    )


def _speed_of_many(setting: Setting) -> float:
    """Points per second over many series at once, on made-up noise."""
    rng = np.random.default_rng(0)
    values = rng.normal(100.0, 5.0, (SPEED_STEPS, SPEED_SERIES))
    many = ManyDetector(SPEED_SERIES, setting)
    began = time.process_time()
    for step, row in enumerate(values):
        many.score(np.full(SPEED_SERIES, step * 60.0), row)
    return SPEED_STEPS * SPEED_SERIES / (time.process_time() - began)


def write_predictions(path: Path, series: Sequence[Series], scored: Sequence[Scored]) -> None:
    """One row per point: file, timestamp as it was read, score in [0, 1]."""
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "timestamp", "score"])
        for one, result in zip(series, scored, strict=True):
            writer.writerows(
                (one.name, stamp, f"{score:.6f}")
                for stamp, score in zip(one.stamps, result.scores.tolist(), strict=True)
            )
