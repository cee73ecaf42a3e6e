"""Groups a stream of alerts into episodes of one cause, each alert as it comes: pure, and the same every time.

A pair is one signature on one host. A pair's alert, in this order:

1. repeats: it came a short pause ago, so it stays in its group. The pause allowed is `gap` divided by the
   group's size, and never below `floor`: what comes thick and then pauses has stopped.
2. is lent: a newer group is active on its host, and gets the alert. Being lost in a big group spoils a small one,
   not the other way round. A storm gets what a storm is made of, a smaller group of two pairs or more what brings
   little.
3. is loose: it makes up little of a storm. A storm of one kind says nothing about the few others that come during it.
4. begins: the pair was quiet. It joins the group in which its signature began on another host a moment ago, else the
   one active on its host, else it opens one. A pair that begins often is a habit, and habits neither join nor gather.

On a host with several groups at work only the same moment joins: any lag would join what merely overlaps. A storm is
over when one of its main pairs is; what goes on is another cause. A group depends on the alerts up to it only. Alerts
never move and groups never merge."""

from collections.abc import Hashable
from dataclasses import dataclass
from math import exp, floor, isfinite
from typing import NamedTuple

# Groups looked at on one host, the newest first.
LIVE = 8


@dataclass(frozen=True)
class Setting:
    """`gap` and `lag` in seconds for a group of one alert, `floor` and `memory` in seconds, `storm` in alerts of a
    group, `loose` and `main` as shares of it, `habit` in beginnings within about `memory`; `pairs` are kept at most,
    the longest quiet are forgotten first."""

    gap: float = 50.0
    floor: float = 4.0
    lag: float = 6.0
    storm: int = 200
    loose: float = 0.02
    main: float = 0.2
    habit: float = 3.0
    memory: float = 600.0
    pairs: int = 100_000

    def __post_init__(self) -> None:
        spans = (self.gap, self.floor, self.lag, self.memory, self.habit)
        if not all(isfinite(span) and span >= 0 for span in spans) or not self.memory:
            raise ValueError("gap, floor, lag, memory and habit are finite and not negative, memory not zero")
        if min(self.storm, self.pairs) < 1 or not 0 <= self.loose <= self.main <= 1:
            raise ValueError("storm and pairs are at least 1, and loose and main are shares, loose not above main")


class Placement(NamedTuple):
    """`group` counts from 0 in the order of opening. `score` in [0, 1] says how firmly: 1 opens or repeats at once,
    falling to half of it at the longest pause allowed; 0.5 at most for what only shares the host."""

    group: int
    reason: str
    score: float


class _Group:
    __slots__ = ("began", "checked", "id", "last", "over", "pairs", "size")

    def __init__(self, number: int, at: int) -> None:
        self.id, self.size, self.over = number, 0, False
        self.began = self.last = self.checked = at
        self.pairs: list[_Pair] = []


class _Pair:
    __slots__ = ("began", "beginnings", "count", "group", "last", "loose", "repeat")

    def __init__(self, group: _Group, at: int) -> None:
        self.group, self.count, self.loose, self.beginnings = group, 0, False, 0.0
        self.began = self.last = at
        self.repeat = Placement(group.id, "", 1.0)


class Grouper:
    """Not safe for threads. Memory is bounded by `Setting.pairs`."""

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = setting or Setting()
        self.groups = 0
        self._pairs: dict[tuple[Hashable, Hashable], _Pair] = {}
        self._hosts: dict[Hashable, list[_Group]] = {}
        self._signatures: dict[Hashable, _Group] = {}

    def place(self, at: float, host: Hashable, signature: Hashable) -> Placement:
        """`at` in seconds; what falls into one whole second is one moment. Lateness counts like earliness: a pause is a
        distance."""
        moment = floor(at)
        pair = self._pairs.get((host, signature))
        if pair is None or not self._goes_on(pair, moment):
            return self._begin(moment, host, signature, pair)
        group, pause, storm = pair.group, abs(moment - pair.last), self.setting.storm
        pair.last = moment
        if group.size > storm and pair.count < self.setting.loose * group.size:
            pair.loose = True
        borrower = self._borrower(pair, moment, host)
        if borrower is not None:
            return Placement(borrower.id, "came while this newer group was active on its host", 0.25)
        if pair.loose and (pause or group.size > storm):
            self._open(pair, moment)
        group = pair.group
        group.size += 1
        if pair.loose:
            return Placement(group.id, "is rare in the storm on its host, so it stands alone", 1.0)
        pair.count += 1
        group.last = moment
        if not pause:
            return pair.repeat
        return Placement(
            group.id, f"came on this host {pause} s before", self._firmness(pause, group, self.setting.gap)
        )

    def _goes_on(self, pair: _Pair, moment: int) -> bool:
        group, pause = pair.group, abs(moment - pair.last)
        if not self._may_pause(group, pause):
            return False
        return pair.loose or group.size <= self.setting.storm or not self._is_over(group, moment)

    def _may_pause(self, group: _Group, pause: int) -> bool:
        return pause <= self.setting.floor or pause * group.size <= self.setting.gap

    def _is_over(self, storm: _Group, moment: int) -> bool:
        if moment != storm.checked and not storm.over:
            storm.checked = moment
            most = self.setting.main * storm.size
            storm.over = any(
                pair.group is storm and pair.count > most and moment - pair.last > self.setting.floor
                for pair in storm.pairs
            )
        return storm.over

    def _borrower(self, pair: _Pair, moment: int, host: Hashable) -> _Group | None:
        for group in reversed(self._hosts.get(host, ())):
            # A storm counts as active in the next second too: within one second its alerts may come after the pair's.
            storm = group.size > self.setting.storm
            if group.began <= pair.began or group is pair.group or group.over or abs(moment - group.last) > storm:
                continue
            if self._suits_storm(pair) if storm else len(group.pairs) > 1 and self._brings_little(pair, group):
                return group
        return None

    def _suits_storm(self, pair: _Pair) -> bool:
        return not pair.loose and pair.group.size > self.setting.storm

    def _brings_little(self, pair: _Pair, group: _Group) -> bool:
        if pair.loose:
            return True
        a_second = pair.count / (1 + abs(pair.last - pair.began))
        return pair.group.size <= self.setting.storm and a_second <= group.size

    def _begin(self, moment: int, host: Hashable, signature: Hashable, pair: _Pair | None) -> Placement:
        if pair is None:
            pair = self._pairs[host, signature] = _Pair(_Group(-1, moment), moment)
            self._forget()
        pair.beginnings *= exp(-abs(moment - pair.began) / self.setting.memory)
        habit = pair.beginnings >= self.setting.habit
        group, reason, score = (None, "", 1.0) if habit else self._related(moment, host, signature)
        if habit:
            reason = "began as often lately as a habit does, so it stands alone"
        pair.beginnings += 1
        pair.began = pair.last = moment
        pair.count, pair.loose = 1, False
        if group is None:
            group = self._open(pair, moment)
            reason = reason or "nothing that came lately goes with it"
        else:
            pair.group = group
        pair.repeat = Placement(group.id, "came on this host in the same second", 1.0)
        group.pairs.append(pair)
        group.size += 1
        group.last = moment
        if not habit:
            self._signatures[signature] = group
            live = self._hosts.setdefault(host, [])
            if group in live:
                live.remove(group)
            live.append(group)
            del live[:-LIVE]
        return Placement(group.id, reason, score)

    def _related(self, moment: int, host: Hashable, signature: Hashable) -> tuple[_Group | None, str, float]:
        group = self._signatures.get(signature)
        if group is not None and self._is_near(group, moment, self.setting.lag):
            pause = abs(moment - group.last)
            reason = f"its signature began in this group, which was active {pause} s before"
            return group, reason, self._firmness(pause, group, self.setting.lag)
        live = self._hosts.get(host, [])
        live[:] = [group for group in live if self._may_pause(group, abs(moment - group.last))]
        at_work = sum(abs(moment - group.last) <= self.setting.floor for group in live)
        lag = self.setting.lag if at_work <= 1 else 0
        for group in reversed(live):
            if self._is_near(group, moment, lag):
                pause = abs(moment - group.last)
                reason = f"began on this host, where this group was active {pause} s before"
                return group, reason, self._firmness(pause, group, lag) / 2
        return None, "", 1.0

    def _is_near(self, group: _Group, moment: int, lag: float) -> bool:
        pause = abs(moment - group.last)
        return group.size <= self.setting.storm and pause * group.size <= lag

    def _firmness(self, pause: int, group: _Group, span: float) -> float:
        longest = max(self.setting.floor, span / group.size, pause)
        return 1 - pause / longest / 2 if pause else 1.0

    def _open(self, pair: _Pair, moment: int) -> _Group:
        group = pair.group = _Group(self.groups, moment)
        self.groups += 1
        return group

    def _forget(self) -> None:
        most = self.setting.pairs
        if len(self._pairs) > most:
            # A tenth at once, so that the sort is paid for once in many alerts.
            quiet = sorted(self._pairs, key=lambda key: self._pairs[key].last)
            for key in quiet[: max(1, most // 10)]:
                del self._pairs[key]
            kept = {host for host, _ in self._pairs}
            self._hosts = {host: live for host, live in self._hosts.items() if host in kept}
            kept = {signature for _, signature in self._pairs}
            self._signatures = {name: group for name, group in self._signatures.items() if name in kept}
