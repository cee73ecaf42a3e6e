"""`handrail eval` says what it cannot score, and ends with 2."""

from pathlib import Path

from tests.cli.conftest import Runner


def test_an_unknown_suite_is_named_with_those_that_are_known(run: Runner, tmp_path: Path) -> None:
    done = run("eval", "weather", str(tmp_path), code=2)
    assert "weather" in done.err
    assert "metrics, logs, group" in done.err


def test_a_folder_that_is_not_there_is_named(run: Runner, tmp_path: Path) -> None:
    done = run("eval", "logs", str(tmp_path / "nowhere"), code=2)
    assert "nowhere" in done.err
