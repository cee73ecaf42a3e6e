"""Watches the series that are pushed (OTLP, remote write) or pulled: what is out of the ordinary becomes an alert.

Points are looked at and not kept. What was learned of a series is in memory: after a restart it is learned anew, and
alerts that were open then end when nothing was found for a while.
"""

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.domain.metric import MetricKind, MetricPoint
from handrail.kernel.clock import Clock, to_text
from handrail.kernel.limits import LIMITS, Limits
from handrail.plugins.integrations.contract import Parsed
from handrail.plugins.integrations.fields import clip, resource_of, service_of, short_labels
from handrail.signals import metrics
from handrail.signals.detect.trail import Trail
from handrail.signals.detect.watch import GAP_STEPS, Anomaly, Kind, Watch
from handrail.signals.heartbeat import OWN
from handrail.signals.ingest import Ingestor
from handrail.signals.metric_groups import Found, Judged, MetricGroups, Series, group_firing, group_key
from handrail.signals.picture import Picture, written
from handrail.store import alerts
from handrail.store.database import Database

_log = logging.getLogger("handrail.signals")
_VERDICT = "own"
_PREFIX = "metric/"


@dataclass
class _Watched:
    watch: Watch
    heard: float
    last_at: float = float("-inf")
    last_total: float | None = None
    group: tuple[Judged, int] | None = None
    trail: Trail = field(default_factory=Trail)

    def observe(self, at: float, value: float, is_mean: bool = False) -> tuple[list[Anomaly], list[Found]]:
        """What the series says by itself at this point, and what it says together with others."""
        anomalies: list[Anomaly] = []
        if is_mean:
            self.watch.learn_mean(at, value)
        else:
            anomalies = self.watch.observe(at, value)
        moved: list[Found] = []
        detector = self.watch.detector
        for moment, looked, _ in self.watch.looked:
            self.trail.add(moment, looked, detector.expected, detector.error)
            if self.group is not None:
                judged, place = self.group
                moved += judged.put(place, moment, looked, detector)
        return anomalies, moved

    def value_of(self, point: MetricPoint, at: float) -> float | None:
        """What is watched: a gauge or a delta as it is, a counter as its rate. None for the first point of a counter,
        and where it began anew."""
        if point.kind is not MetricKind.COUNTER:
            return point.value
        before, self.last_total = self.last_total, point.value
        if before is None or point.value < before or at <= self.last_at:
            return None
        return (point.value - before) / (at - self.last_at)


@dataclass
class _Source:
    """When a source was last heard, and its longest pause lately: what it did not say, no series of it has missed."""

    newest: float = float("-inf")
    pause: tuple[float, float] = (0.0, 0.0)
    left_out: int = 0

    def hear(self, at: float, remembered_seconds: float) -> None:
        if at <= self.newest:
            return
        began, ended = self.pause
        if self.newest > 0.0 and (at - self.newest >= ended - began or at - ended > remembered_seconds):
            self.pause = (self.newest, at)
        self.newest = at

    def explains(self, anomaly: Anomaly) -> bool:
        """Whether the series was silent because its source was."""
        began, ended = self.pause
        shared = min(anomaly.at, ended) - max(anomaly.at - anomaly.value, began)
        return anomaly.kind is Kind.MISSING and anomaly.value - max(shared, 0.0) <= GAP_STEPS * anomaly.expected


@dataclass
class Watching:
    """One per process. `take` looks at points, `ended` at what is over; both say what is to be told as alerts."""

    limits: Limits = LIMITS
    _series: OrderedDict[Series, _Watched] = field(default_factory=OrderedDict)
    _sources: dict[str, _Source] = field(default_factory=dict)
    _open: dict[str, tuple[Occurrence, datetime]] = field(default_factory=dict)
    _groups: MetricGroups = field(default_factory=MetricGroups)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(
        self, source: str, points: Iterable[MetricPoint], now: datetime, *, tell: bool = True, is_mean: bool = False
    ) -> tuple[Occurrence, ...]:
        """Look at points of one source, in the order of their times. Those that come late are left out. History is only
        learned from: with `tell` False nothing is said of it, and `is_mean` tells that its points are means already."""
        found: list[Found] = []
        latest = now.timestamp() + self.limits.inbound_clock_skew.total_seconds()
        # Many points share their labels' dictionary, which lives as long as they do.
        names: dict[tuple[int, str], Series] = {}
        with self._lock:
            heard = self._sources.setdefault(source, _Source())
            for point in sorted(points, key=lambda point: point.at):
                name = (id(point.labels), point.name)
                series = names.get(name)
                if series is None:
                    series = names[name] = (source, point.name, tuple(sorted(point.labels.items())))
                watched, at = self._watched(series, now), point.at.timestamp()
                if watched is None:
                    heard.left_out += 1
                    continue
                if at <= watched.last_at or at > latest:
                    continue
                heard.hear(at, self.limits.series_forgotten_seconds)
                value = watched.value_of(point, at)
                watched.last_at = at
                if value is None:
                    continue
                anomalies, moved = watched.observe(at, value, is_mean)
                found += moved if tell else ()
                for anomaly in anomalies:
                    if tell and self._is_news(watched, heard, anomaly):
                        found.append(Found(series, anomaly.at, anomaly.sentence, anomaly))
            said = {each.dedup_key: each for each in self._told(source, found, now)}
            self._open |= {key: (each, now) for key, each in said.items() if each.status != AlertStatus.RESOLVED}
        return tuple(said.values())

    def left_out(self, source: str) -> int:
        """Points of a source whose series are not watched, since this was last asked."""
        with self._lock:
            heard = self._sources.setdefault(source, _Source())
            left, heard.left_out = heard.left_out, 0
        return left

    def _is_news(self, watched: _Watched, heard: _Source, anomaly: Anomaly) -> bool:
        return watched.watch.detector.n > self.limits.series_learning_points and not heard.explains(anomaly)

    def _told(self, source: str, found: Sequence[Found], now: datetime) -> Iterator[Occurrence]:
        """One alert a finding; where many series were missing at once, or several of a service moved together, that is
        one thing and one alert. A gap tells of the sender: it has no part in what moved."""
        missing = [one for one in found if one.anomaly is not None and one.anomaly.kind is Kind.MISSING]
        many = len(missing) > self.limits.series_missing_told
        if many:
            yield _many_missing(source, [one.series for one in missing], now)
        alone, together = self._groups.sort_out([one for one in found if one not in missing])
        for one in [*alone, *(() if many else missing)]:
            if one.anomaly is not None:
                yield _firing(one.series, one.anomaly, self._picture(one), now)
        for group, members in together.items():
            for one in members:
                before = self._open.pop(_key(one.series, one.anomaly), None) if one.anomaly is not None else None
                if before is not None:
                    yield _resolved(before[0], now)
            shared = set(members[0].series[2]).intersection(*(one.series[2] for one in members))
            pictures = {one.series: picture for one in members if (picture := self._picture(one, shared))}
            yield group_firing(group_key(_PREFIX, group), group, members, pictures, now)

    def _picture(self, one: Found, shared: Container[tuple[str, str]] = ()) -> Picture | None:
        """Titled by the labels that are not `shared` by all pictures beside it."""
        watched = self._series.get(one.series)
        _, name, pairs = one.series
        labels = [pair for pair in pairs if pair not in shared]
        title = clip(f"{name} ({', '.join(f'{k}={v}' for k, v in labels)})" if labels else name, LIMITS.label_chars)
        return watched.trail.picture(title, one.at) if watched is not None else None

    def _watched(self, series: Series, now: datetime) -> _Watched | None:
        """The series' watch; None when too many series are heard of already."""
        moment = now.timestamp()
        found = self._series.get(series)
        if found is None:
            if len(self._series) >= self.limits.series_watched:
                oldest = next(iter(self._series.values()))
                if moment - oldest.heard < self.limits.series_forgotten_seconds:
                    metrics.UNWATCHED.inc()
                    return None
                self._series.popitem(last=False)
            found = self._series[series] = _Watched(Watch(), moment, group=self._groups.join(series))
        found.heard = moment
        self._series.move_to_end(series)
        return found

    def remember(self, open_before: Sequence[Occurrence], now: datetime) -> None:
        """Alerts that were open before this process began: they end like its own."""
        with self._lock:
            self._open |= {said.dedup_key: (said, now) for said in open_before if said.dedup_key not in self._open}

    def ended(self, now: datetime) -> tuple[Occurrence, ...]:
        """Resolves for what was not found again for a while."""
        with self._lock:
            over = [key for key, (_, at) in self._open.items() if now - at >= self.limits.series_quiet]
            return tuple(_resolved(self._open.pop(key)[0], now) for key in over)


def _key(series: Series, anomaly: Anomaly) -> str:
    source, name, pairs = series
    return clip(f"{_PREFIX}{source}/{name}/{anomaly.kind.value}/{','.join(f'{k}={v}' for k, v in pairs)}", 512)


def _firing(series: Series, anomaly: Anomaly, picture: Picture | None, now: datetime) -> Occurrence:
    source, name, pairs = series
    labels = short_labels({**dict(pairs), "metric": name, "source": source, "finding": anomaly.kind.value})
    raw = {
        "series": {"name": name, "labels": dict(pairs), "source": source}, "finding": anomaly.kind.value,
        "sentence": anomaly.sentence, "expected": anomaly.expected, "value": anomaly.value, "at": anomaly.at,
        "pictures": [written(picture)] if picture is not None else [],
    }  # fmt: skip
    words = "has no points" if anomaly.kind is Kind.MISSING else f"shows a {anomaly.kind.value}"
    return Occurrence(
        dedup_key=_key(series, anomaly),
        status=AlertStatus.FIRING,
        title=clip(f"{name} {words}", LIMITS.title_chars),
        severity_raw="medium",
        service=service_of(labels),
        resource=resource_of(labels),
        summary=anomaly.sentence,
        labels=labels,
        occurred_at=now,
        raw=msgspec.json.encode(raw),
    )


def _many_missing(source: str, missing: Sequence[Series], now: datetime) -> Occurrence:
    names = sorted({name for _, name, _ in missing})
    summary = f"{len(missing)} series had no points for a while, and have them again: {', '.join(names[:5])}."
    raw = {"source": source, "finding": Kind.MISSING.value, "series": len(missing), "at": to_text(now)}
    return Occurrence(
        dedup_key=f"{_PREFIX}{source}/{Kind.MISSING.value}",
        status=AlertStatus.FIRING,
        title=clip(f"{len(missing)} series of {source} had no points", LIMITS.title_chars),
        severity_raw="medium",
        summary=clip(summary, LIMITS.summary_chars),
        labels={"source": source, "finding": Kind.MISSING.value},
        occurred_at=now,
        raw=msgspec.json.encode(raw),
    )


def _resolved(said: Occurrence, now: datetime) -> Occurrence:
    raw = msgspec.json.encode({"key": said.dedup_key, "status": "resolved", "at": to_text(now)})
    return Occurrence(said.dedup_key, AlertStatus.RESOLVED, said.title, "medium", occurred_at=now, raw=raw)


@dataclass(frozen=True)
class Watcher:
    """Hands points to the watching in a thread, and what is found to the intake, under the source “handrail”."""

    watching: Watching
    database: Database
    ingestor: Ingestor
    clock: Clock

    async def on_points(self, source: str, points: Sequence[MetricPoint]) -> None:
        """Called after the commit: a fault here is logged, and what was committed stays answered as it is."""
        try:
            await self._tell(await asyncio.to_thread(self.watching.take, source, points, self.clock.now()))
        except Exception:
            _log.exception("points of source %s could not be looked at", source)

    async def learn(self, source: str, points: Sequence[MetricPoint], is_mean: bool) -> None:
        """Learn from history; nothing is said of it."""
        now = self.clock.now()
        await asyncio.to_thread(lambda: self.watching.take(source, points, now, tell=False, is_mean=is_mean))

    async def run(self) -> None:
        """In the loop of the server, until cancelled: ends what is over. A fault is logged, and it goes on."""
        self.watching.remember(await asyncio.to_thread(self._open_before), self.clock.now())
        while True:
            await asyncio.sleep(self.watching.limits.series_look_seconds)
            try:
                await self._tell(await asyncio.to_thread(self.watching.ended, self.clock.now()))
            except Exception:
                _log.exception("ending what detectors found failed and will be tried again")

    async def _tell(self, said: tuple[Occurrence, ...]) -> None:
        if said:
            await self.ingestor.ingest(OWN, Parsed(occurrences=said), _VERDICT)

    def _open_before(self) -> list[Occurrence]:
        with self.database.read() as connection:
            found = alerts.listed(connection, OWN)
        return [
            Occurrence(alert.dedup_key, alert.status, alert.title, alert.severity_raw)
            for alert in found
            if alert.dedup_key.startswith(_PREFIX)
        ]
