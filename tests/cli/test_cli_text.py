"""What is printed can steer neither the terminal nor the reader's eye."""

import json

import pytest

from handrail.cli import output
from handrail.cli.text import moment, safe, span


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J\x1b[31mall is well\x1b[0m", "\\x1b[2J\\x1b[31mall is well\\x1b[0m"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x9b31m c1", "\\x9b31m c1"),
        ("over\rwritten", "over\\rwritten"),
        ("two\nlines\tand a tab", "two\\nlines\\tand a tab"),
        ("back\x08space \x7f", "back\\x08space \\x7f"),
        ("\u202egnirts desrever", "\\u202egnirts desrever"),
        ("zero\u200bwidth\u2066", "zero\\u200bwidth\\u2066"),
        ("\u2028line\u2029paragraph", "\\u2028line\\u2029paragraph"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("lone \ud800", "lone \\ud800"),
        ("[bold red]markup[/]", "[bold red]markup[/]"),
        ("Grüße, 日本, ✓", "Grüße, 日本, ✓"),
        (None, ""),
    ],
)
def test_nothing_that_a_terminal_obeys_gets_through(hostile: str | None, shown: str) -> None:
    assert safe(hostile) == shown


def test_a_block_of_text_keeps_its_lines_and_nothing_else() -> None:
    assert safe("one\ntwo\x1b[1A\rthree", lines=True) == "one\ntwo\\x1b[1A\\rthree"


def test_a_table_prints_hostile_titles_as_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": "alr_1", "title": "[red]x[/]\x1b[2J\nsecond :bomb:"}]
    output.print_rows(rows, (("ID", lambda row: row["id"]), ("TITLE", lambda row: row["title"])), "none")
    printed = capsys.readouterr().out
    assert "[red]x[/]\\x1b[2J\\nsecond :bomb:" in printed
    assert "\x1b" not in printed
    assert len(printed.splitlines()) == 2


def test_a_list_with_nothing_in_it_says_so_beside_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_rows([], (("ID", lambda row: row["id"]),), "No incident is being handled.")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "No incident is being handled.\n"


def test_fields_print_text_of_several_lines_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_fields([("Title", "A\x1b[2J"), ("Text", "one\ntwo"), ("Empty", "")])
    assert capsys.readouterr().out.splitlines() == ["Title  A\\x1b[2J", "Text   one", "       two"]


def test_json_is_ascii_so_that_hostile_text_is_inert_there_too(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"title": "\x1b[2J\u202e"})
    printed = capsys.readouterr().out
    assert printed.isascii() and "\x1b" not in printed
    assert json.loads(printed) == {"title": "\x1b[2J\u202e"}


def test_moments_and_spans_are_short() -> None:
    assert moment("2026-01-05T09:00:00.123456Z") == "2026-01-05 09:00:00Z"
    assert moment(None) == ""
    assert [span(value) for value in (None, 3.25, 42, 61, 3700)] == ["-", "3.2 s", "42 s", "1 min 1 s", "1 h 1 min"]
