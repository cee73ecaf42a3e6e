import csv
import gzip
from pathlib import Path

import pytest

from handrail.evals.logs import evaluate, load
from handrail.kernel.errors import BadInput

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "loghub_2k"
ABSENT = "the labelled log lines are not beside this repository (../shared/data/loghub_2k); nothing to score"
HEAD = "LineId,Content,EventId,EventTemplate,EventTemplateCorrected\n"
ROWS = '1,job 17 done,E1,job <*> done,\n2,job 18 done,E1,job <*> done,\n3,"stopped, again",E2,"stopped, again",\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    below = tmp_path / "some" / "where"
    below.mkdir(parents=True)
    (below / "Mill_2k.gt.csv.gz").write_bytes(gzip.compress((HEAD + ROWS).encode()))
    return tmp_path


def test_systems_are_found_by_themselves_and_scored_apart(folder: Path) -> None:
    report = evaluate(folder)
    assert report.suite == "logs"
    assert report.n == 3
    assert report.scores["systems"] == {"Mill": {"ga": 1.0, "fga": 1.0, "pa": 1.0, "fta": 1.0}}
    assert report.scores["ga_mean"] == report.scores["fta_mean"] == 1.0


def test_predictions_have_a_row_per_line(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "groups.csv"
    evaluate(folder, predictions=file)
    rows = list(csv.reader(file.open()))
    assert rows[0] == ["system", "line", "group", "template"]
    assert [(row[0], row[1], row[3]) for row in rows[1:]] == [
        ("Mill", "1", "job <*> done"),
        ("Mill", "2", "job <*> done"),
        ("Mill", "3", "stopped, again"),
    ]
    assert rows[1][2] == rows[2][2] != rows[3][2]


def test_a_folder_without_labelled_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no \\*"):
        load(tmp_path)


def test_a_file_without_the_needed_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Mill_2k.gt.csv").write_text("LineId,Message\n1,hello\n")
    with pytest.raises(BadInput, match="EventTemplate"):
        load(tmp_path)


@pytest.mark.skipif(not DATA.is_dir(), reason=ABSENT)
def test_the_shipped_configuration_keeps_its_figures() -> None:
    report = evaluate(DATA)
    assert report.scores["ga_mean"] >= 0.95
    assert report.scores["fga_mean"] >= 0.90
