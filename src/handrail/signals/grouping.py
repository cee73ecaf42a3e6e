"""Groups a stream of alerts into episodes of one cause, each alert as it comes: pure, and the same every time.

1. continue: an alert whose signature was last seen at most `gap` seconds ago stays in that signature's group.
2. begin: a signature that was quiet joins the group that began on the same host within `lag` seconds, else opens one.
   What begins together has one cause; what merely overlaps has not, so everyday noise and a second cause stay apart.
3. let go: in a group grown to a storm, a signature with a small share begins anew. A storm of one kind says nothing
   about the few other alerts that happen to come during it.

A group depends on the alerts up to it only. Alerts never move and groups never merge."""

from collections.abc import Hashable
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple


@dataclass(frozen=True)
class Setting:
    """Seconds, except `storm` (alerts in a group), `share` (0 to 1) and `signatures` (kept at most; the longest quiet
    are forgotten first)."""

    gap: float = 4.0
    lag: float = 0.0
    storm: int = 500
    share: float = 0.02
    signatures: int = 100_000

    def __post_init__(self) -> None:
        if not (isfinite(self.gap) and isfinite(self.lag) and self.gap >= 0 and self.lag >= 0):
            raise ValueError("gap and lag are finite and not negative")
        if self.storm < 1 or not 0 <= self.share <= 1 or self.signatures < 1:
            raise ValueError("storm and signatures are at least 1, share lies between 0 and 1")


class Placement(NamedTuple):
    """`group` counts from 0 in the order of opening. `score` in [0, 1] says how firmly: 1 opens or repeats, 0.5 for
    what only began together."""

    group: int
    reason: str
    score: float


class _Group:
    __slots__ = ("began", "id", "size")

    def __init__(self, number: int, began: float) -> None:
        self.id, self.began, self.size = number, began, 0


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
        self._repeats = f"the same signature at most {self.setting.gap:g} s before"
        self._together = f"began within {self.setting.lag:g} s of the group on the same host"

    def place(self, at: float, host: Hashable, signature: Hashable) -> Placement:
        """`at` in seconds. An alert that comes late (`at` before others already seen) counts as of its signature's
        last alert."""
        setting = self.setting
        session = self._sessions.get(signature)
        if session is not None and at - session.last <= setting.gap:
            group = session.group
            if group.size <= setting.storm or session.count >= setting.share * group.size:
                group.size += 1
                session.count += 1
                session.last = max(session.last, at)
                return session.repeat
        return self._begin(at, host, signature)

    def _begin(self, at: float, host: Hashable, signature: Hashable) -> Placement:
        group = self._openings.get(host)
        if group is not None and abs(at - group.began) <= self.setting.lag and group.size <= self.setting.storm:
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
