"""Metrics of one service judged together: one alert that names which of them moved, rather than one for each.

Two things make findings one: members of a group that are out of the ordinary within a few minutes of each other, and
members that are so jointly (`detect.joint`) though none is by itself.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import msgspec

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.kernel.limits import LIMITS, Limits
from handrail.plugins.integrations.fields import clip, resource_of, service_of
from handrail.signals.detect.joint import Joint, Moved, distance_of
from handrail.signals.detect.one import Detector
from handrail.signals.detect.watch import Anomaly
from handrail.signals.picture import Picture, written

Labels: TypeAlias = tuple[tuple[str, str], ...]
Series: TypeAlias = tuple[str, str, Labels]
# A source and the service that its metrics are of; their labels where they name none.
Group: TypeAlias = tuple[str, str | Labels]
_PARTS = ("_count", "_sum", "_bucket", "_total")
_NAMED = 5


@dataclass(frozen=True)
class Found:
    """One series that is out of the ordinary at a moment in seconds since 1970. `anomaly` is what its own detector
    says; None where only the group as a whole does."""

    series: Series
    at: float
    sentence: str
    anomaly: Anomaly | None = None


@dataclass
class Judged:
    """The metrics of one service on one resource: the detector of them all, and whose place in it is whose."""

    joint: Joint = field(default_factory=Joint)
    series: list[Series] = field(default_factory=list)

    def put(self, place: int, at: float, value: float, detector: Detector) -> list[Found]:
        """The members that are out of the ordinary together by this point, which their own detector has scored; mostly
        none."""
        moved = self.joint.put(place, at, distance_of(value, detector))
        return [] if moved is None else list(_members(self.series, moved))


@dataclass
class MetricGroups:
    """`join` a series once, and `sort_out` what a batch of points brought."""

    limits: Limits = LIMITS
    _judged: OrderedDict[Group, Judged] = field(default_factory=OrderedDict)
    _lately: dict[Group, dict[Series, Found]] = field(default_factory=dict)

    def join(self, series: Series) -> tuple[Judged, int] | None:
        """The group of a series and its place there; None when the group is full."""
        group = _resource_group(series)
        judged = self._judged.get(group)
        if judged is None:
            if len(self._judged) >= self.limits.joint_groups:
                self._judged.popitem(last=False)
            judged = self._judged[group] = Judged()
        place = judged.joint.join()
        if place is None:
            return None
        judged.series.append(series)
        return judged, place

    def sort_out(self, found: Sequence[Found]) -> tuple[list[Found], dict[Group, list[Found]]]:
        """What is told by itself, and what of a group: all its members that moved within a few minutes. Looks at the
        times of the points: what comes in one batch need not have been at once."""
        alone: list[Found] = []
        together: dict[Group, list[Found]] = {}
        for one in sorted(found, key=lambda one: one.at):
            group = group_of(one.series)
            lately = self._lately.setdefault(group, {})
            since = one.at - self.limits.series_together.total_seconds()
            for series in [series for series, other in lately.items() if other.at < since]:
                del lately[series]
            before = lately.get(one.series)
            # What the series' own detector said is kept: the group's word adds nothing to it.
            if one.anomaly is not None or before is None or before.anomaly is None:
                lately[one.series] = one
            if len(lately) > 1:
                together[group] = list(lately.values())
                alone = [other for other in alone if other.series not in lately or group_of(other.series) != group]
            else:
                alone.append(one)
        self._forget(max((one.at for one in found), default=0.0))
        return alone, together

    def _forget(self, latest: float) -> None:
        """Groups without anything new need no memory."""
        since = latest - self.limits.series_together.total_seconds()
        for group, lately in list(self._lately.items()):
            if all(one.at < since for one in lately.values()):
                del self._lately[group]


def group_of(series: Series) -> Group:
    source, _, labels = series
    return source, service_of(dict(labels)) or labels


def group_key(prefix: str, group: Group) -> str:
    source, of = group
    name = of if isinstance(of, str) else hashlib.sha256(repr(of).encode()).hexdigest()[:16]
    return clip(f"{prefix}{source}/together/{name}", LIMITS.label_chars)


def group_firing(
    key: str, group: Group, members: Sequence[Found], pictures: Mapping[Series, Picture], now: datetime
) -> Occurrence:  # fmt: skip
    """The alert of a group. High when several metrics say so by themselves: that is more than one finding."""
    source, of = group
    ranked = sorted(members, key=lambda one: (one.anomaly is None, one.series))
    names = list(dict.fromkeys(one.series[1] for one in ranked))
    by_themselves = {_base(one.series[1]) for one in ranked if one.anomaly is not None}
    shown = [pictures[one.series] for one in ranked if one.series in pictures][: LIMITS.pictures_per_alert]
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    labels = _shared_labels(ranked)
    raw = {
        "source": source, "finding": "together", "at": now.timestamp(),
        "members": [
            {
                "name": one.series[1], "labels": dict(one.series[2]), "sentence": one.sentence,
                "by_itself": one.anomaly is not None,
            }
            for one in ranked[: LIMITS.joint_members]
        ],
        "pictures": [written(picture) for picture in shown],
    }  # fmt: skip
    service = of if isinstance(of, str) else None
    return Occurrence(
        dedup_key=key,
        status=AlertStatus.FIRING,
        title=clip(f"{_many(names, ranked)} of {service or source} moved together: {listed}", LIMITS.title_chars),
        severity_raw="high" if len(by_themselves) > 1 else "medium",
        service=service,
        resource=resource_of(labels),
        summary=clip("\n".join(_line(one) for one in ranked), LIMITS.summary_chars),
        labels={**labels, "source": source, "finding": "together"},
        occurred_at=now,
        raw=msgspec.json.encode(raw),
    )


def _many(names: Sequence[str], members: Sequence[Found]) -> str:
    return f"{len(names)} metrics" if len(names) > 1 else f"{len(members)} series"


def _members(series: Sequence[Series], moved: Moved) -> Iterator[Found]:
    how = f"The metrics of this resource lie {moved.distance:.2g} times off together, usually {moved.usual:.2g}"
    for place, distance in moved.members:
        if moved.is_move:
            said = f"{abs(distance):.1f} usual errors {'above' if distance > 0 else 'below'} what was expected. {how}."
        else:
            said = f"It no longer moves as it did with the others. {how}."
        yield Found(series[place], moved.at, said)


def _line(one: Found) -> str:
    return f"{one.series[1]}: {one.sentence}"


def _base(name: str) -> str:
    """A histogram's count and sum are one thing."""
    return next((name.removesuffix(end) for end in _PARTS if name.endswith(end)), name)


def _resource_group(series: Series) -> Group:
    """Judged together are metrics of one service on one resource: a pod's row has nothing to do with another pod's."""
    source, _, labels = series
    named = dict(labels)
    service = service_of(named)
    return (source, (("service", service), ("resource", resource_of(named) or ""))) if service else (source, labels)


def _shared_labels(members: Sequence[Found]) -> dict[str, str]:
    shared = set(members[0].series[2]).intersection(*(one.series[2] for one in members))
    return dict(sorted(shared))
