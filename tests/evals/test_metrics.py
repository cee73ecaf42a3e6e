"""Evaluation of the metric detector: on a folder made here, and on the public data where it lies beside us."""

import csv
import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from handrail.evals.metrics import evaluate, load
from handrail.kernel.errors import BadInput

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "nab"
needs_data = pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="the public series are not beside this repository (../shared/data/nab); nothing to score",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plain and a gzipped series of noise, the first with one spike in a labelled window."""
    start = datetime(2026, 1, 5)
    stamps = [str(start + timedelta(minutes=5 * step)) for step in range(600)]
    values = np.random.default_rng(3).normal(10.0, 1.0, 600)
    values[400] = 60.0
    spiky = "\n".join(["timestamp,value", *(f"{at},{value}" for at, value in zip(stamps, values, strict=True))])
    quiet = "\n".join(["timestamp,value", *(f"{at},7.0" for at in stamps)])
    (tmp_path / "data" / "made").mkdir(parents=True)
    (tmp_path / "data" / "made" / "spiky.csv").write_text(spiky)
    (tmp_path / "data" / "made" / "quiet.csv.gz").write_bytes(gzip.compress(quiet.encode()))
    (tmp_path / "labels").mkdir()
    labels = {"made/spiky.csv": [[stamps[395], stamps[424]]], "made/quiet.csv": [], "made/absent.csv": []}
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps(labels))
    return tmp_path


def test_it_finds_plain_and_gzipped_series_with_their_windows(folder: Path) -> None:
    found = {series.name: series for series in load(folder)}
    assert set(found) == {"made/spiky.csv", "made/quiet.csv"}
    assert found["made/spiky.csv"].windows == [(395, 424)]
    assert found["made/quiet.csv"].windows == []


def test_a_clear_spike_scores_high_with_the_shipped_threshold(folder: Path) -> None:
    report = evaluate(folder)
    assert report.suite == "metrics"
    assert report.n == 1200
    assert report.scores["standard_fixed"] > 90.0


def test_with_a_threshold_out_of_reach_nothing_is_found(folder: Path) -> None:
    report = evaluate(folder, threshold=1.01)
    assert report.scores["standard_fixed"] == 0.0
    assert report.config["threshold_used"] == 1.01


def test_predictions_have_a_row_per_point_with_the_stamp_as_it_was_read(folder: Path) -> None:
    out = folder / "out.csv"
    evaluate(folder, predictions=out)
    rows = list(csv.DictReader(out.open()))
    assert len(rows) == 1200
    assert rows[-1]["file"] == "made/spiky.csv"
    assert rows[600]["timestamp"] == "2026-01-05 00:00:00"
    assert all(0.0 <= float(row["score"]) <= 1.0 for row in rows)


def test_a_folder_without_labels_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"combined_windows\.json"):
        evaluate(tmp_path)


@needs_data
def test_the_figures_of_the_page_hold_on_the_public_data() -> None:
    report = evaluate(SHARED)
    assert report.scores["standard"] == pytest.approx(78.1, abs=0.2)
    assert report.scores["standard_fixed"] == pytest.approx(78.0, abs=0.2)
    assert report.scores["low_fp"] == pytest.approx(74.5, abs=0.2)
    assert report.scores["cross_validated"]["pooled"] == pytest.approx(76.5, abs=0.2)
