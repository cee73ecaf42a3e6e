"""Reads moments as people's programs write them beside RFC 3339: mail's, Unix's, Go's and the American form. Pure.

A date that could be two days is none, and so is one with a zone that is not known: a wrong time is worse than a missing
one.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_CHARS_MAX: Final = 64
_UNKNOWN: Final = "unknown"
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12,
}  # fmt: skip
_LONG_MONTHS = frozenset(
    {
        "january", "february", "march", "april", "june", "july", "august", "sept", "september", "october", "november",
        "december",
    }
)  # fmt: skip
_DAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
# RFC 5322's names; other abbreviations mean different zones to different people.
_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
    "pst": -8, "pdt": -7,
}  # fmt: skip
_TOKEN = re.compile(
    r"(?P<time>\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)"
    r"|(?P<year_first>\d{4}([-/.])\d{1,2}\3\d{1,2})"
    r"|(?P<year_last>\d{1,2}([-/.])\d{1,2}\5\d{4})"
    r"|(?P<offset>[+-]\d\d(?::?\d\d)?)"
    r"|(?P<number>\d{1,4})"
    r"|(?P<word>[A-Za-z]+)"
    r"|[\s,]+",
    re.ASCII,
)


def read_date(said: str) -> datetime | None:
    """The moment in UTC; without a zone it is taken as UTC. None where it is not told without doubt."""
    found = _tokens(said)
    if found is None:
        return None
    try:
        year, month, day = _day_of(found)
        hour, minute, second, fraction = _time_of(found)
        at = datetime(year, month, day, hour, minute, min(second, 59), fraction)  # a leap second is the one before
        return at.replace(tzinfo=_zone_of(found)).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def _tokens(said: str) -> dict[str, list[str]] | None:
    """What the text holds, by sort; None where a part of it is of no sort."""
    if len(said) > _CHARS_MAX:
        return None
    found: dict[str, list[str]] = {}
    place = 0
    while place < len(said):
        token = _TOKEN.match(said, place)
        if token is None:
            return None
        place = token.end()
        sort, part = next(((name, part) for name, part in token.groupdict().items() if part), ("", ""))
        if sort == "word":
            sort = _sort_of(part.lower())
        if sort == _UNKNOWN:
            return None
        if sort:
            found.setdefault(sort, []).append(part.lower())
    return found if all(len(parts) == 1 for sort, parts in found.items() if sort not in ("number", "zone")) else None


def _sort_of(word: str) -> str:
    if word in _ZONES:
        return "zone"
    if word in ("am", "pm"):
        return "half"
    if word[:3] in _MONTHS and (len(word) == 3 or word in _LONG_MONTHS):
        return "month"
    return "" if word[:3] in _DAYS or word in ("t", "at") else _UNKNOWN


_LONG_MONTHS = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "sept",
        "october",
        "november",
        "december",
    ]
)


def _day_of(found: dict[str, list[str]]) -> tuple[int, int, int]:
    if "year_first" in found:
        year, month, day = (int(part) for part in re.split("[-/.]", found["year_first"][0]))
        return year, month, day
    if "year_last" in found:
        return _of_year_last(found["year_last"][0], is_american="half" in found)
    day, year = sorted((int(number) for number in found["number"]), key=lambda number: number > 31)
    return year, _MONTHS[found["month"][0][:3]], day


def _of_year_last(said: str, *, is_american: bool) -> tuple[int, int, int]:
    """Month first where the hours have halves or the second number is no month; with dots it is the day that leads."""
    first, second, year = (int(part) for part in re.split("[-/.]", said))
    if "." in said or first > 12:
        return year, second, first
    if is_american or second > 12 or first == second:
        return year, first, second
    raise ValueError("It could be two days.")


def _time_of(found: dict[str, list[str]]) -> tuple[int, int, int, int]:
    parts = re.split("[:.,]", found["time"][0])
    hour, minute = int(parts[0]), int(parts[1])
    second = int(parts[2]) if len(parts) > 2 else 0
    fraction = int(f"{parts[3]:0<6}"[:6]) if len(parts) > 3 else 0
    if second > 60:
        raise ValueError("A minute has no more seconds.")
    if "half" in found:
        if not 1 <= hour <= 12:
            raise ValueError("A half day has no such hour.")
        hour = hour % 12 + (12 if found["half"][0] == "pm" else 0)
    return hour, minute, second, fraction


def _zone_of(found: dict[str, list[str]]) -> timezone:
    """An offset goes before a name: Go writes both (“+0000 UTC”)."""
    if "offset" in found:
        said = found["offset"][0].replace(":", "")
        minutes = int(said[1:3]) * 60 + int(said[3:5] or "0")
        return timezone(timedelta(minutes=-minutes if said[0] == "-" else minutes))
    return timezone(timedelta(hours=_ZONES[found["zone"][0]])) if "zone" in found else UTC
