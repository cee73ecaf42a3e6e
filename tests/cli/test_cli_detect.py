"""`handrail detect` says in words what is out of the ordinary in files, and what is wrong with a file."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Runner


def table(folder: Path, *, spike: float = 300.0) -> Path:
    values = np.random.default_rng(5).normal(100.0, 2.0, 600)
    values[500] += spike
    file = folder / "requests.csv"
    file.write_text("timestamp,rps\n" + "".join(f"{1767603600 + 60 * n},{v}\n" for n, v in enumerate(values.tolist())))
    return file


def test_a_spike_is_told_in_words_with_its_moment(run: Runner, tmp_path: Path) -> None:
    done = run("detect", str(table(tmp_path)))
    assert "Expected about" in done.out and "spike" in done.out and "2026-01-05" in done.out


def test_json_has_what_was_expected_what_came_and_how_rare(run: Runner, tmp_path: Path) -> None:
    (found,) = json.loads(run("detect", str(table(tmp_path)), "--json").out)
    assert (found["series"], found["finding"], found["at"]) == ("rps", "spike", "2026-01-05T17:20:00.000000Z")
    assert found["expected"] == pytest.approx(100, abs=1) and found["value"] > 390
    assert found["one_in_points"] > 400 and found["breach_in_seconds"] is None


def test_nothing_to_find_is_said(run: Runner, tmp_path: Path) -> None:
    assert "Nothing is out of the ordinary" in run("detect", str(table(tmp_path, spike=0.0))).err


def test_a_trend_tells_the_time_until_its_limit(run: Runner, tmp_path: Path) -> None:
    file = tmp_path / "disk.csv"
    file.write_text("time,used,free\n" + "".join(f"{60 * n},{0.1 * n},7\n" for n in range(1, 900)))
    found = json.loads(run("detect", str(file), "--value", "used", "--limit", "100", "--json").out)
    trend = [each for each in found if each["finding"] == "trend to limit"]
    assert trend and 0 < trend[0]["breach_in_seconds"] <= 4 * 3600


def test_parquet_is_read_as_csv_is(run: Runner, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed (handrail[parquet]).")
    from pyarrow import csv, parquet

    parquet.write_table(csv.read_csv(str(table(tmp_path))), str(tmp_path / "t.parquet"))
    assert pyarrow.__version__
    of_csv = json.loads(run("detect", str(tmp_path / "requests.csv"), "--json").out)
    of_parquet = json.loads(run("detect", str(tmp_path / "t.parquet"), "--json").out)
    assert [{**row, "file": ""} for row in of_parquet] == [{**row, "file": ""} for row in of_csv] != []
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:200])
    assert "is no whole Parquet file" in run("detect", str(tmp_path / "cut.parquet"), code=2).err


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "it has none"), (b"when,rps\n1,2\n", "it has when, rps"),
     (b"time,host\n1,web-1\n", "is not a number: 'web-1'"),
     (b"time,a\nsoon,1\n", "is not a moment: 'soon'"), (b"time,a\n2,1\n1,1\n", "goes back in time"),
     (b"time,a\n\xff\xfe,1\n", "is not UTF-8"), (b"time,a\n1," + b"9" * 200_000, "is no CSV")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(
    run: Runner, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    assert words in run("detect", str(file), code=2).err


def test_a_file_that_is_not_there_ends_with_3(run: Runner, tmp_path: Path) -> None:
    assert "There is no file" in run("detect", str(tmp_path / "nowhere.csv"), code=3).err
    assert "cannot be read" in run("detect", str(tmp_path), code=2).err
