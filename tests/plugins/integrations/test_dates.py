"""Moments as people's programs write them: what is told without doubt is read, everything else is none."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.plugins.integrations.dates import read_date
from handrail.plugins.integrations.fields import moment

AT_EIGHT = datetime(2026, 1, 5, 8, tzinfo=UTC)
AT_TWENTY = datetime(2026, 1, 5, 20, tzinfo=UTC)

READ = {
    "Mon, 05 Jan 2026 08:00:00 GMT": AT_EIGHT,
    "5 Jan 2026 09:00 +0100": AT_EIGHT,
    "Mon Jan  5 08:00:00 2026": AT_EIGHT,
    "Mon Jan  5 02:00:00 CST 2026": AT_EIGHT,
    "Mon Jan 05 08:00:00 +0000 2026": AT_EIGHT,
    "January 5, 2026 8:00:00 PM": AT_TWENTY,
    "Jan 5, 2026, 12:00:00 AM": datetime(2026, 1, 5, tzinfo=UTC),
    "1/5/2026 8:00:00 PM": AT_TWENTY,
    "1/5/2026 12:30:00 PM +00:00": datetime(2026, 1, 5, 12, 30, tzinfo=UTC),
    "01/25/2026 08:00:00": datetime(2026, 1, 25, 8, tzinfo=UTC),
    "25/01/2026 08:00:00": datetime(2026, 1, 25, 8, tzinfo=UTC),
    "05.01.2026 08:00": AT_EIGHT,
    "2026.01.05 08:00:00": AT_EIGHT,
    "2026/01/05 08:00:00": AT_EIGHT,
    "2026-01-05 08:00:00.123456789 +0000 UTC": datetime(2026, 1, 5, 8, 0, 0, 123456, tzinfo=UTC),
    "2026-01-05t08:00:00z": AT_EIGHT,
    "2026-01-05T8:00:00Z": AT_EIGHT,
    "2026-06-30T23:59:60Z": datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC),
}


@pytest.mark.parametrize("said", READ)
def test_a_moment_in_another_form_is_read(said: str) -> None:
    assert moment(said) == READ[said]


NONE = [
    "01/05/2026 08:00:00", "05 Jan 2026 08:00:00 CEST", "Mon Jan  5 08:00:00 CET 2026", "1/5/2026 13:00:00 PM",
    "2026-01-05 08:00:61", "08:00:00", "Jan 5", "5 Jan 2026", "Jan 5 Feb 6 2026 08:00:00", "tomorrow at 08:00",
    "Thu, 15 Jan 99999 02:00:00 GMT", "0001-01-01 00:00:00 +0000 UTC", "1970-01-01T00:00:00Z", "31.02.2026 08:00",
    "12/31/9999 11:59:59 PM -1100", "Mon, 05 Jan 2026 08:00:00 GMT" + " " * 100 + "x", "2026-01-05 08:00 09:00",
]  # fmt: skip


@pytest.mark.parametrize("said", NONE)
def test_what_could_be_two_moments_or_none_is_no_moment(said: str) -> None:
    assert moment(said) is None


PARTS = st.sampled_from(
    ["Mon", "Jan", "5", "05", "2026", "08:00:00", "8:00", "PM", "am", "GMT", "CET", "+0100", "-1200", "1/5/2026", ",",
     "2026-01-05", "T", "Z", "9999", "0", "99"]
)  # fmt: skip


@given(st.lists(PARTS, max_size=8).map(" ".join) | st.text(max_size=70))
def test_any_text_is_a_moment_in_utc_or_none(said: str) -> None:
    read = read_date(said)
    assert read is None or read.tzinfo is UTC
