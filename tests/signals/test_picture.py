"""Pictures travel in an alert's own words: bounded, and read back with distrust."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.limits import LIMITS
from handrail.signals.picture import Picture, read, written

SERIES = Picture("latency", "ms", (1.0, 2.0, 3.0), (10.0, None, 1234567.8), 3.0, (8.0, 8.0, 8.0), (12.0, 12.0, 12.0))


def kept(*pictures: Picture) -> str:
    return json.dumps({"pictures": [written(one) for one in pictures], "samples": ["a line"], "more": 1})


def test_what_is_written_is_read_with_numbers_as_short_as_a_picture_needs() -> None:
    shown = read(kept(SERIES))
    assert shown.pictures == (
        Picture("latency", "ms", (1.0, 2.0, 3.0), (10.0, None, 1234600.0), 3.0, (8.0,) * 3, (12.0,) * 3),
    )
    assert shown.samples == ("a line",)


def test_only_the_newest_points_travel() -> None:
    long = Picture("t", "u", tuple(map(float, range(500))), (1.0,) * 500, 499.0)
    (picture,) = read(kept(long)).pictures
    assert len(picture.times) == LIMITS.picture_points and picture.times[-1] == 499.0


def test_more_pictures_than_the_bound_are_not_drawn() -> None:
    assert len(read(kept(*[SERIES] * 50)).pictures) == LIMITS.pictures_per_alert


@pytest.mark.parametrize(
    "raw",
    [
        "", "no json", "[]", "null", '{"pictures": 1}', '{"pictures": [{}]}', "[" * 10_000,
        json.dumps({"pictures": [{"title": "t", "unit": "", "times": [1], "values": [1, 2], "at": 1}]}),
        json.dumps({"pictures": [{"title": "t", "unit": "", "times": [], "values": [], "at": 1}]}),
        json.dumps({"pictures": [{"title": "t", "unit": "", "times": [1], "values": [1], "at": 1, "low": [1]}]}),
        "\ud800",
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_no_picture(raw: str) -> None:
    assert read(raw).pictures == ()


_KEYS = st.sampled_from(["pictures", "times", "values", "at"])


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner))
)
def test_no_words_of_a_sender_crash_it(value: object) -> None:
    read(json.dumps(value))
