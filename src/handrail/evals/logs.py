"""Scores the shipped log template miner on labelled log lines: one configuration for every system, no expression for
any of them. A system is a file `<System>_2k.gt.csv.gz` (or .csv) with LineId, Content, EventId and its template."""

import csv
import gzip
import io
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from handrail.evals.grouping import Grouping, score_grouping
from handrail.evals.report import Report
from handrail.kernel.errors import BadInput
from handrail.signals.logs.miner import TemplateMiner
from handrail.signals.logs.setting import Setting

_MARKS = (".gt.csv.gz", ".gt.csv")


@dataclass(frozen=True)
class System:
    """Lines in the order of the file, with the true group and template of each."""

    name: str
    lines: Sequence[str]
    groups: Sequence[str]
    templates: Sequence[str]


@dataclass(frozen=True)
class Mined:
    """The group and template of each line, and how long it took to find them, reading apart."""

    groups: Sequence[int]
    templates: Sequence[str]
    seconds: float


def load(directory: Path) -> list[System]:
    """Every system below a folder, sorted by name. Raises BadInput when there is none."""
    files = sorted(file for file in directory.rglob("*.gt.csv*") if file.name.endswith(_MARKS))
    if not files:
        raise BadInput(f"{directory} has no *.gt.csv.gz below it. Give the folder that holds the labelled log lines.")
    return [_read(file) for file in files]


def _read(file: Path) -> System:
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode("utf-8", "replace")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if not rows or not {"Content", "EventId", "EventTemplate"} <= rows[0].keys():
        raise BadInput(f"{file} lacks rows with Content, EventId and EventTemplate. Give the file as it was published.")
    return System(
        name=file.name.split(".")[0].removesuffix("_2k"),
        lines=[row["Content"] for row in rows],
        groups=[row["EventId"] for row in rows],
        templates=[row.get("EventTemplateCorrected") or row["EventTemplate"] for row in rows],
    )


def mine(lines: Sequence[str], setting: Setting) -> Mined:
    """Groups and templates of the lines of one system, taken one after the other by a fresh miner."""
    began = time.perf_counter()
    miner = TemplateMiner(setting)
    given = [miner.add(line) for line in lines]
    miner.merge()
    groups = [miner.group_of(group) for group in given]
    took = time.perf_counter() - began
    texts = {template.group: template.text for template in miner.templates()}
    return Mined(groups, [texts[group] for group in groups], took)


def evaluate(directory: Path, *, predictions: Path | None = None, threshold: float | None = None) -> Report:
    """Grouping and template scores per system and their plain means. `threshold`, a whole number, stands for the
    setting's `values_min`. `predictions` is written as CSV with a row per line: system, line, group, template."""
    setting = Setting() if threshold is None else Setting(values_min=int(threshold))
    systems = load(directory)
    mined = [mine(system.lines, setting) for system in systems]
    if predictions is not None:
        write_predictions(predictions, systems, mined)
    pairs = list(zip(systems, mined, strict=True))
    scored = {one.name: score_grouping(got.groups, one.groups, got.templates, one.templates) for one, got in pairs}
    count, took = sum(len(one.lines) for one in systems), sum(got.seconds for got in mined)
    return Report(
        suite="logs",
        data=str(directory),
        n=count,
        scores=_means(list(scored.values())) | {"systems": {name: _rounded(one) for name, one in scored.items()}},
        speed={"seconds": round(took, 3), "lines_per_second": round(count / took)},
        config=asdict(setting) | {"systems": len(systems), "expressions_per_system": 0},
    )


def _means(scored: Sequence[Grouping]) -> dict[str, float]:
    names = ("ga", "fga", "pa", "fta")
    return {f"{name}_mean": round(fmean(getattr(one, name) for one in scored), 4) for name in names}


def _rounded(one: Grouping) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(one).items()}


def write_predictions(file: Path, systems: Sequence[System], mined: Sequence[Mined]) -> None:
    """Lines count from 1, as in the labels."""
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["system", "line", "group", "template"])
        for system, got in zip(systems, mined, strict=True):
            for line, (group, template) in enumerate(zip(got.groups, got.templates, strict=True), start=1):
                writer.writerow([system.name, line, group, template])
