"""`handrail logs` sorts lines of files into messages and says what is new in them."""

import gzip
import json
from pathlib import Path

from tests.cli.conftest import Runner


def log(folder: Path, name: str, *more: str) -> Path:
    file = folder / name
    file.write_text("".join(f"served request {at} in {at % 7} ms\n" for at in range(50)) + "\n".join(more))
    return file


def test_messages_are_counted(run: Runner, tmp_path: Path) -> None:
    done = run("logs", str(log(tmp_path, "app.log")))
    assert "50" in done.out and "served request <*> in <*> ms" in done.out
    assert "50 lines, 1 messages." in done.err


def test_what_is_new_and_what_stopped_is_told_also_of_a_packed_log(run: Runner, tmp_path: Path) -> None:
    usual = tmp_path / "usual.log.gz"
    usual.write_bytes(gzip.compress(log(tmp_path, "usual.log", "cache warmed").read_bytes()))
    today = log(tmp_path, "today.log", "disk 3 failed")
    done = run("logs", str(today), "--usual", str(usual))
    assert done.out.index("disk <*> failed") < done.out.index("served request")
    assert "never" in done.out and "1 messages of" in done.err and "cache warmed" in done.out
    content = json.loads(run("logs", str(today), "--usual", str(usual), "--json").out)
    assert content["messages"][0] == {
        "template": "disk <*> failed", "count": 1, "usual": 0, "is_of_errors": True, "sample": "disk 3 failed",
    }  # fmt: skip
    assert (content["lines"], content["usual_lines"], content["templates"]) == (51, 51, 2)


def test_bytes_that_are_no_text_are_marked_and_do_not_end_it(run: Runner, tmp_path: Path) -> None:
    file = tmp_path / "odd.log"
    file.write_bytes(b"caf\xe9 opened\n\x1b[31mred\x1b[0m\n")
    done = run("logs", str(file))
    assert done.code == 0 and "\x1b" not in done.out


def test_a_file_that_is_not_there_or_not_whole_is_told_in_a_sentence(run: Runner, tmp_path: Path) -> None:
    assert "There is no file" in run("logs", str(tmp_path / "none.log"), code=3).err
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"line\n" * 1000)[:-9])
    assert "not whole gzip" in run("logs", str(broken), code=2).err
