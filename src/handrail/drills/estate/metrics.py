"""What one service measures of itself, in Prometheus text."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from handrail.drills.estate.pool import Pool

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)


class Metrics:
    """The metrics of one service; the pool's are read from the pool of the release in force."""

    def __init__(self, service: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._service = service
        self._registry = CollectorRegistry()
        self._requests = self._counter("http_requests", "Requests answered.", "code")
        self._durations = Histogram(
            "http_request_duration_seconds", "Time to answer.", ["service"], buckets=_BUCKETS, registry=self._registry
        ).labels(service)
        self.in_flight = self._gauge("http_requests_in_flight", "Requests being answered.").labels(service)
        self._dependency = self._counter("dependency_requests", "Calls to what it depends on.", "dependency", "outcome")
        self._pool_in_use = self._gauge("pool_connections_in_use", "Connections taken from the pool.")
        self._pool_max = self._gauge("pool_connections_max", "Connections in the pool.")
        self._pool_waiting = self._gauge("pool_waiting", "Requests waiting for a connection.")
        self._build = self._gauge("build_info", "The version in force.", "version")
        self._registry.register(_Processor())

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, ["service", *labels], registry=self._registry)

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(name, about, ["service", *labels], registry=self._registry)

    def answered(self, code: int, seconds: float) -> None:
        self._requests.labels(self._service, str(code)).inc()
        self._durations.observe(seconds)

    def called(self, dependency: str, outcome: str) -> None:
        self._dependency.labels(self._service, dependency, outcome).inc()

    def deployed(self, version: str, pool: Pool) -> None:
        """Show another release and its pool."""
        self._build.clear()
        self._build.labels(self._service, version).set(1)
        self._pool_in_use.labels(self._service).set_function(lambda: pool.in_use)
        self._pool_max.labels(self._service).set_function(lambda: pool.size)
        self._pool_waiting.labels(self._service).set_function(lambda: pool.waiting)

    def text(self) -> bytes:
        return generate_latest(self._registry)


class _Processor(Collector):
    """Processor time by the standard library, where the client library's own collector knows only Linux."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily("process_cpu_seconds", "Processor time used.", value=time.process_time())
