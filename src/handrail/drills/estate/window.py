"""What the monitor knows of one service: samples of its metrics, and what the last moments of them say. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Sample:
    """One scrape. Counters are totals since the service's start; `buckets` are (upper bound, cumulative count).

    `at` is in seconds that never step. A scrape that failed has `up` False and says nothing else.
    """

    at: float
    up: bool
    version: str = ""
    requests: float = 0.0
    errors: float = 0.0
    buckets: tuple[tuple[float, float], ...] = ()
    calls: float = 0.0
    calls_failed: float = 0.0
    in_flight: float = 0.0
    pool_in_use: float = 0.0
    pool_max: float = 0.0
    pool_waiting: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Measures:
    """What a window says; None where it says nothing (no requests, or the service could not be read).

    The gauges are the least that was seen in the window: what holds through all of it.
    """

    down: float
    requests_per_second: float | None = None
    error_rate: float | None = None
    p95_seconds: float | None = None
    call_error_rate: float | None = None
    in_flight: float | None = None
    pool_share: float | None = None
    pool_in_use: float | None = None
    pool_waiting: float | None = None
    cpu_share: float | None = None


# Fewer requests than this say nothing about a rate.
_REQUESTS_MIN = 5


def read_sample(text: str, at: float) -> Sample:
    """The sample that Prometheus text of one of our services holds. Raises ValueError when it is none."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for name, labels, value, *_ in family.samples:
            found.setdefault(name, []).append((labels, value))
    if "build_info" not in found:
        raise ValueError("no build_info among the metrics")
    requests = found.get("http_requests_total", [])
    calls = found.get("dependency_requests_total", [])
    buckets = found.get("http_request_duration_seconds_bucket", [])
    return Sample(
        at=at, up=True, version=found["build_info"][0][0].get("version", ""),
        requests=_total(requests),
        errors=sum(value for labels, value in requests if labels.get("code", "").startswith("5")),
        buckets=tuple(sorted((float(labels["le"]), value) for labels, value in buckets)),
        calls=_total(calls),
        calls_failed=sum(value for labels, value in calls if labels.get("outcome") != "ok"),
        in_flight=_total(found.get("http_requests_in_flight", [])),
        pool_in_use=_total(found.get("pool_connections_in_use", [])),
        pool_max=_total(found.get("pool_connections_max", [])),
        pool_waiting=_total(found.get("pool_waiting", [])),
        cpu_seconds=_total(found.get("process_cpu_seconds_total", [])),
    )  # fmt: skip


def _total(found: Sequence[tuple[dict[str, str], float]]) -> float:
    return sum(value for _, value in found)


class Window:
    """The last samples of one service, oldest first."""

    def __init__(self, samples_max: int = 64) -> None:
        self._samples: deque[Sample] = deque(maxlen=samples_max)

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)

    @property
    def version(self) -> str:
        """The version last seen."""
        return next((sample.version for sample in reversed(self._samples) if sample.up), "")

    def measure(self, now: float, seconds: float) -> Measures:
        """What the last `seconds` say, with the sample just before them as the base of the counters."""
        samples = list(self._samples)
        inside = [sample for sample in samples if sample.at > now - seconds]
        if not samples or not samples[-1].up:
            return Measures(down=1.0)
        seen = [sample for sample in inside if sample.up] or samples[-1:]
        before = [sample for sample in samples if sample.up and sample.at <= now - seconds]
        return _measures(before[-1:] + seen, seen)


def _measures(steps: Sequence[Sample], seen: Sequence[Sample]) -> Measures:
    requests = errors = calls = calls_failed = cpu = span = 0.0
    counts: dict[float, float] = {}
    for earlier, later in pairwise(steps):
        # A counter that fell belongs to a service that started anew: it counts from nothing.
        base = earlier if later.requests >= earlier.requests and later.cpu_seconds >= earlier.cpu_seconds else _NOTHING
        requests += later.requests - base.requests
        errors += later.errors - base.errors
        calls += later.calls - base.calls
        calls_failed += later.calls_failed - base.calls_failed
        cpu += later.cpu_seconds - base.cpu_seconds
        span += later.at - earlier.at
        known = dict(base.buckets)
        for bound, count in later.buckets:
            counts[bound] = counts.get(bound, 0.0) + count - known.get(bound, 0.0)
    return Measures(
        down=0.0,
        requests_per_second=requests / span if span else None,
        error_rate=errors / requests if requests >= _REQUESTS_MIN else None,
        p95_seconds=quantile(0.95, sorted(counts.items())) if requests >= _REQUESTS_MIN else None,
        call_error_rate=calls_failed / calls if calls >= _REQUESTS_MIN else None,
        in_flight=min(sample.in_flight for sample in seen),
        pool_share=min(sample.pool_in_use / sample.pool_max if sample.pool_max else 0.0 for sample in seen),
        pool_in_use=seen[-1].pool_in_use,
        pool_waiting=min(sample.pool_waiting for sample in seen),
        cpu_share=cpu / span if span else None,
    )


_NOTHING = Sample(at=0.0, up=True)


def quantile(share: float, buckets: Sequence[tuple[float, float]]) -> float | None:
    """The quantile that a cumulative histogram shows, as Prometheus computes it; None when it is empty."""
    total = buckets[-1][1] if buckets else 0.0
    if total <= 0:
        return None
    rank = share * total
    lower, below = 0.0, 0.0
    for bound, count in buckets:
        if count >= rank:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * ((rank - below) / (count - below) if count > below else 1.0)
        lower, below = bound, count
    return lower
