import gzip
from pathlib import Path

import pytest

from handrail.evals.group import evaluate
from handrail.kernel.errors import BadInput

HEAD = "t,host,short,name,label\n"
ROWS = (
    "1,shop,Disk,Disk is full,-\n50,shop,Http,Errors,outage.0.1\n"
    "50,shop,Slow,Slow,outage.0.1\n51,shop,Http,Errors,outage.0.1\n"
)


def test_arrangements_are_found_in_folders_at_any_depth_and_named_for_them(tmp_path: Path) -> None:
    for name in ("calm", "mixed"):
        folder = tmp_path / "grouping" / name
        folder.mkdir(parents=True)
        (folder / "one.csv.gz").write_bytes(gzip.compress((HEAD + ROWS).encode()))
    (tmp_path / "unrelated.csv").write_text("a,b\n1,2\n")
    report = evaluate(tmp_path)
    assert report.n == 8
    assert report.scores["calm"] == report.scores["mixed"]
    assert report.scores["calm"] == {"macro_f1": 1.0, "macro_mcc": 1.0, "groups": 2, "incidents": 1}
    assert set(evaluate(tmp_path / "grouping" / "calm").scores) == {"calm"}


def test_predictions_hold_a_row_for_each_alert(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(HEAD + ROWS)
    out = tmp_path / "out.txt"
    evaluate(tmp_path, predictions=out)
    file = f"{tmp_path.name}/one.csv"
    assert out.read_text().splitlines() == ["file,row,group", *(f"{file},{row},{int(row > 0)}" for row in range(4))]


def test_a_folder_without_sequences_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no alert sequences"):
        evaluate(tmp_path)


def test_a_broken_row_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(HEAD + "1,shop,Disk,Disk is full,-\nsoon,shop,Disk,Disk is full,-\n")
    with pytest.raises(BadInput, match="alert 2"):
        evaluate(tmp_path)


def test_a_gap_below_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="gap in seconds"):
        evaluate(tmp_path, threshold=-1)
