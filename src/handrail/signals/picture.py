"""What a detector saw, small enough to travel with its alert: so that people, and an auditor later, see exactly that.

A picture is one series over a stretch of time with what was expected of it. Lists are of one length; None is a gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from handrail.kernel.limits import LIMITS

Numbers = tuple[float | None, ...]
_DIGITS = 5


@dataclass(frozen=True)
class Picture:
    """`times` in seconds since 1970. `low` and `high` bound what was expected at each; empty where nothing was. `at` is
    the moment that the finding is about. `is_count`: numbers of lines in steps, drawn as bars."""

    title: str
    unit: str
    times: tuple[float, ...]
    values: Numbers
    at: float
    low: Numbers = ()
    high: Numbers = ()
    is_count: bool = False


@dataclass(frozen=True)
class Shown:
    """The pictures of one finding, and the lines it quotes: hostile text."""

    pictures: tuple[Picture, ...] = ()
    samples: tuple[str, ...] = field(default=())


def written(picture: Picture) -> dict[str, Any]:
    """As JSON, the newest points within the bound, numbers as short as a picture needs them."""
    newest = slice(-LIMITS.picture_points, None)
    return {
        "title": picture.title, "unit": picture.unit, "at": round(picture.at, 3), "is_count": picture.is_count,
        "times": [round(at, 3) for at in picture.times[newest]], "values": _short(picture.values[newest]),
        "low": _short(picture.low[newest]), "high": _short(picture.high[newest]),
    }  # fmt: skip


def read(raw: str) -> Shown:
    """What an alert's own words show; nothing where they hold no pictures or none that can be drawn."""
    try:
        held = msgspec.json.decode(raw, type=_Held)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return Shown()
    drawn = tuple(picture for picture in held.pictures[: LIMITS.pictures_per_alert] if _is_whole(picture))
    return Shown(drawn, held.samples[: LIMITS.log_samples])


@dataclass(frozen=True)
class _Held:
    pictures: tuple[Picture, ...] = ()
    samples: tuple[str, ...] = ()


def _is_whole(picture: Picture) -> bool:
    count = len(picture.times)
    bands = {len(picture.low), len(picture.high)}
    return 0 < count <= LIMITS.picture_points and len(picture.values) == count and bands in ({0}, {count})


def _short(numbers: Sequence[float | None]) -> list[float | None]:
    return [None if number is None else float(f"{number:.{_DIGITS}g}") for number in numbers]
