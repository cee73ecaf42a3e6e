"""Groups a stream of alerts into episodes of one cause, each alert as it comes: pure, and the same every time.

1. continue: an alert whose signature was seen a short pause ago stays in that signature's group. The pause allowed
   falls with the root of the alerts so far, from `gap` to `floor`: what comes thick and then pauses has stopped.
2. begin: a signature that was quiet joins the group that began on the same host within `lag` seconds, else opens one.
   What begins together has one cause; what merely overlaps has not, so everyday noise and a second cause stay apart.
3. let go: in a group grown to a storm, a signature with a small share begins anew. A storm of one kind says nothing
   about the few other alerts that happen to come during it.
4. move over: while a group of `together` signatures or more begins on a host, an alert there of a signature at work in
   another group joins it. A common signature tells less about the cause than several that begin at once.

A group depends on the alerts up to it only. Alerts never move and groups never merge."""

from collections.abc import Hashable
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import NamedTuple


@dataclass(frozen=True)
class Setting:
    """Seconds, except `together` (signatures), `storm` (alerts in a group), `share` (0 to 1) and `signatures` (kept at
    most; the longest quiet are forgotten first)."""

    gap: float = 3.0
    floor: float = 1.0
    lag: float = 0.0
    together: int = 3
    storm: int = 500
    share: float = 0.02
    signatures: int = 100_000

    def __post_init__(self) -> None:
        if not all(isfinite(seconds) and seconds >= 0 for seconds in (self.gap, self.floor, self.lag)):
            raise ValueError("gap, floor and lag are finite and not negative")
        if min(self.storm, self.signatures, self.together) < 1 or not 0 <= self.share <= 1:
            raise ValueError("storm, signatures and together are at least 1, share lies between 0 and 1")


class Placement(NamedTuple):
    """`group` counts from 0 in the order of opening. `score` in [0, 1] says how firmly: 1 opens or repeats, 0.5 for
    what only began together."""

    group: int
    reason: str
    score: float


class _Group:
    __slots__ = ("began", "id", "signatures", "size")

    def __init__(self, number: int, began: float) -> None:
        self.id, self.began, self.size, self.signatures = number, began, 0, 0


class _Session:
    __slots__ = ("count", "group", "last", "repeat")

    def __init__(self, group: _Group, last: float, repeat: Placement) -> None:
        self.group, self.last, self.count, self.repeat = group, last, 0, repeat


class Grouper:
    """Not safe for threads. Memory is bounded by `Setting.signatures`."""

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = setting or Setting()
        self.groups = 0
        self._sessions: dict[Hashable, _Session] = {}
        self._openings: dict[Hashable, _Group] = {}
        self._repeats = (
            f"its signature was at work in this group at most {max(self.setting.gap, self.setting.floor):g} s before"
        )
        self._together = f"began within {self.setting.lag:g} s of the group on the same host"

    def place(self, at: float, host: Hashable, signature: Hashable) -> Placement:
        """`at` in seconds. An alert that comes late (`at` before others already seen) counts as of its signature's
        last alert."""
        session = self._sessions.get(signature)
        if session is not None and self._goes_on(session, at, host):
            session.group.size += 1
            session.count += 1
            session.last = max(session.last, at)
            return session.repeat
        return self._begin(at, host, signature)

    def _goes_on(self, session: _Session, at: float, host: Hashable) -> bool:
        setting, group, pause = self.setting, session.group, at - session.last
        if pause > setting.floor and pause > setting.gap / sqrt(session.count):
            return False
        if group.size > setting.storm and session.count < setting.share * group.size:
            return False
        # Within one moment a signature moves over once at most: else two beginnings would pull at it in turn.
        if pause <= 0:
            return True
        opening = self._openings.get(host)
        return (
            opening is None or opening is group or opening.signatures < setting.together or not self._takes(opening, at)
        )

    def _takes(self, opening: _Group, at: float) -> bool:
        return abs(at - opening.began) <= self.setting.lag and opening.size <= self.setting.storm

    def _begin(self, at: float, host: Hashable, signature: Hashable) -> Placement:
        group = self._openings.get(host)
        if group is not None and self._takes(group, at):
            placed = Placement(group.id, self._together, 0.5)
        else:
            group = self._openings[host] = _Group(self.groups, at)
            self.groups += 1
            placed = Placement(group.id, "nothing on this host began with it", 1.0)
        before = self._sessions.pop(signature, None)
        session = _Session(group, at, Placement(group.id, self._repeats, 1.0))
        if before is not None:
            session.last = max(at, before.last)
        session.count = 1
        group.size += 1
        group.signatures += 1
        self._sessions[signature] = session
        self._forget()
        return placed

    def _forget(self) -> None:
        most = self.setting.signatures
        if len(self._sessions) > most:
            # A tenth at once, so that the sort is paid for once in many alerts.
            quiet = sorted(self._sessions, key=lambda signature: self._sessions[signature].last)
            for signature in quiet[: max(1, most // 10)]:
                del self._sessions[signature]
        if len(self._openings) > most:
            for host in sorted(self._openings, key=lambda host: self._openings[host].began)[: max(1, most // 10)]:
                del self._openings[host]
