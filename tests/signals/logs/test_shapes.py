import pytest

from handrail.kernel.limits import LIMITS
from handrail.signals.logs.shapes import WordShapes, line_shape, tokens_of, word_shape


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("stopped", "stopped"),
        ("42", "<*>"),
        ("10.0.0.7:8080", "<*>"),
        ("0x7fe3a0", "<*>"),
        ("5f0c7a0e-1d5b-4c5e-9a51-0e6e3f5d2a11", "<*>"),
        ("/var/lib/mill/sack.db", "<*>"),
        ("grinder.mill.example", "<*>"),
        ("mill.example:443", "<*>"),
        ("a4:5e:60:c2:ff:0b", "<*>"),
        ("uid=0", "uid=<*>"),
        ("size=12,", "size=<*>,"),
        ("mode=fast", "mode=fast"),
        ("rhost=mill.example", "rhost=<*>"),
        ("owner=null", "owner=<*>"),
        ("source=Wheel{speed=3}", "source=<*>"),
        ("node-3", "<*>"),
        ("eth0", "eth0"),
        ("done.", "done."),
        ("7.", "<*>."),
    ],
)
def test_a_word_has_the_shape_of_its_kind(word: str, shape: str) -> None:
    assert word_shape(word) == shape


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sent 12 bytes", "sent 1033 bytes (1.01 KB)"),
        ("took 00:05", "took <1 sec"),
        ("since Mon Jan 5 09:00:00 2026", "since Feb 17 10:11"),
        ("purged 7", "purged 7 8 9"),
        ('kept tag="two words"', 'kept tag="one"'),
        ("call from 10.0.0.1 ()", "call from 10.0.0.1 (mill7.example.org)"),
    ],
)
def test_a_value_written_in_two_ways_gives_the_same_tokens(one: str, other: str) -> None:
    shapes = WordShapes()
    assert tokens_of(line_shape(one, shapes)) == tokens_of(line_shape(other, shapes))


def test_tokens_joined_give_the_shape_back() -> None:
    assert "".join(tokens_of("a [b] = c, <*>: (d)")) == "a [b] = c, <*>: (d)"


def test_what_lies_past_the_bound_of_a_line_is_not_looked_at() -> None:
    assert len(line_shape("x" * (LIMITS.log_line_chars + 50), WordShapes())) == LIMITS.log_line_chars


def test_words_remembered_have_a_bound() -> None:
    shapes = WordShapes()
    for number in range(LIMITS.log_words_remembered + 1):
        shapes[f"w{number}"]
    assert len(shapes) == 1
