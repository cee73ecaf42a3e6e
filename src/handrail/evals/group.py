"""`handrail eval group`: the shipped grouping of alerts on sequences of labelled alerts, as a stream."""

import csv
import gzip
import io
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TextIO

import numpy as np

from handrail.evals.groups import Ids, macro, score_incidents
from handrail.evals.report import Report
from handrail.kernel.errors import BadInput
from handrail.signals.grouping import Grouper, Setting

COLUMNS = ("t", "host", "short", "label")


@dataclass(frozen=True)
class Alerts:
    """One file in the order of its rows; `labels` are positions in `names`."""

    file: Path
    times: Sequence[float]
    hosts: Sequence[str]
    signatures: Sequence[str]
    labels: Ids
    names: Sequence[str]


def find(directory: Path) -> dict[str, list[Path]]:
    """The files of each arrangement, named for the folder that holds them. Only files with the columns `t, host, short,
    label` count. Raises BadInput when none is there."""
    found: dict[str, list[Path]] = defaultdict(list)
    files = {*directory.rglob("*.csv"), *directory.rglob("*.csv.gz")} if directory.is_dir() else set()
    for file in sorted(files):
        with _open(file) as lines:
            header = next(csv.reader(lines), [])
        if set(COLUMNS) <= set(header):
            found[file.resolve().parent.name].append(file)
    if not found:
        raise BadInput(
            f"{directory} has no alert sequences below it: CSV files, plain or gzipped, with the columns "
            f"{', '.join(COLUMNS)}. Give the folder that holds them, or one above it."
        )
    return dict(found)


def _open(file: Path) -> TextIO:
    if file.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(file), encoding="utf-8", newline="")
    return file.open(newline="", encoding="utf-8")


def load(file: Path) -> Alerts:
    """Raises BadInput for a row that is cut off or has no number as its time."""
    known: dict[str, int] = {}
    times: list[float] = []
    hosts: list[str] = []
    signatures: list[str] = []
    labels: list[int] = []
    try:
        with _open(file) as lines:
            rows = csv.reader(lines)
            header = next(rows)
            t, host, short, label = (header.index(name) for name in COLUMNS)
            for row in rows:
                at = float(row[t])
                if not isfinite(at):
                    raise ValueError(f"{row[t]} is no time")
                times.append(at)
                hosts.append(row[host])
                signatures.append(row[short])
                labels.append(known.setdefault(row[label], len(known)))
    except (ValueError, IndexError, EOFError, OSError) as broken:
        raise BadInput(f"{file}, alert {len(times) + 1}: {broken}.") from broken
    return Alerts(file, times, hosts, signatures, np.array(labels, dtype=np.int64), list(known))


def evaluate(directory: Path, *, predictions: Path | None = None, threshold: float | None = None) -> Report:
    """Macro F1 and MCC, noise included, per arrangement. `threshold`, in seconds, stands for the setting's `gap`.
    `predictions` is written as CSV with a row per alert: file, row (from 0), group (unique within its file)."""
    if threshold is not None and not (isfinite(threshold) and threshold >= 0):
        raise BadInput("The threshold of this suite is a gap in seconds: zero or more.")
    setting = Setting() if threshold is None else replace(Setting(), gap=threshold)
    scores: dict[str, dict[str, float]] = {}
    count, took = 0, 0.0
    written: list[tuple[str, Ids]] = []
    for arrangement, files in find(directory).items():
        scored, groups = [], 0
        for file in files:
            alerts = load(file)
            grouper = Grouper(setting)
            place = grouper.place
            began = time.process_time()
            placed = [place(*alert) for alert in zip(alerts.times, alerts.hosts, alerts.signatures, strict=True)]
            took += time.process_time() - began
            ids = np.fromiter((one.group for one in placed), dtype=np.int64, count=len(placed))
            scored.append(score_incidents(ids, alerts.labels, alerts.names))
            groups += grouper.groups
            count += len(ids)
            if predictions is not None:
                written.append((f"{arrangement}/{file.name}", ids))
        whole = macro(scored)
        scores[arrangement] = {
            "macro_f1": round(whole.f1, 4),
            "macro_mcc": round(whole.mcc, 4),
            "groups": groups,
            "incidents": sum(map(len, scored)),
        }
    if predictions is not None:
        write_predictions(predictions, written)
    return Report(
        suite="group",
        data=str(directory),
        n=count,
        scores=scores,
        speed={"seconds": round(took, 3), "alerts_per_second": round(count / took) if took else 0},
        config=asdict(setting) | {"streaming": True},
    )


def write_predictions(target: Path, written: Sequence[tuple[str, Ids]]) -> None:
    with target.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "row", "group"])
        for file, ids in written:
            writer.writerows((file, row, group) for row, group in enumerate(ids.tolist()))
