"""Reads OTLP's metrics into points. Pure: who keeps them and what they mean is not decided here."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from handrail.domain.metric import MetricKind, MetricPoint
from handrail.kernel.errors import BadInput, Refused, TooLarge
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Rejected
from handrail.plugins.integrations.fields import clip, moment, short_labels, words
from handrail.plugins.integrations.otlp.wire import attributes_of, integer, part, parts

# Data point flag: the sender had nothing to say at that moment (FLAG_NO_RECORDED_VALUE).
_NO_VALUE = 1
_DELTAS = (1, "1", "AGGREGATION_TEMPORALITY_DELTA")
# The end of the name, the value as it came, its kind, labels of its own.
_Said: TypeAlias = tuple[str, Any, MetricKind, dict[str, str]]
_FORMS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")


@dataclass(frozen=True)
class _Metric:
    name: str
    labels: Mapping[str, str]
    kind: MetricKind


def points_of(tree: Mapping[str, Any]) -> tuple[tuple[MetricPoint, ...], tuple[Rejected, ...]]:
    """All points, and by index the data points that could not be read. Raises TooLarge beyond the bound."""
    points: list[MetricPoint] = []
    rejected: list[Rejected] = []
    for index, (metric, form, data) in enumerate(_data_points(tree)):
        try:
            points += _read(metric, form, data)
        except Refused as fault:
            rejected.append(Rejected(index, fault.code, fault.detail))
        if len(points) + len(rejected) > LIMITS.inbound_telemetry_items:
            raise TooLarge(
                f"The request has more than {LIMITS.inbound_telemetry_items} points; send smaller batches.",
                code="batch_too_large",
            )
    return tuple(points), tuple(rejected)


def metric_labels(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Attributes as labels: names as Prometheus writes them, scalar values only, bounded."""
    plain = {label_name(name): value for name, value in attributes.items() if not isinstance(value, dict | list)}
    return short_labels(plain)


@lru_cache(maxsize=LIMITS.labels_per_alert * LIMITS.patterns_remembered)
def label_name(attribute: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in attribute)


def _data_points(tree: Mapping[str, Any]) -> Iterator[tuple[_Metric, str, Any]]:
    for of_resource in parts(tree, "resourceMetrics"):
        resource = attributes_of(part(of_resource, "resource"))
        for of_scope in parts(of_resource, "scopeMetrics") or parts(of_resource, "instrumentationLibraryMetrics"):
            for metric in parts(of_scope, "metrics"):
                yield from _of_metric(metric, resource)


def _of_metric(metric: Any, resource: Mapping[str, Any]) -> Iterator[tuple[_Metric, str, Any]]:
    for form in _FORMS:
        held = part(metric, form)
        for data in parts(held, "dataPoints"):
            labels = metric_labels({**resource, **attributes_of(data)})
            yield _Metric(words(part(metric, "name")), labels, _kind(form, held)), form, data


def _kind(form: str, held: Any) -> MetricKind:
    if form != "gauge" and part(held, "aggregationTemporality") in _DELTAS:
        return MetricKind.DELTA
    rises = form in ("histogram", "exponentialHistogram", "summary") or part(held, "isMonotonic") in (True, "true")
    return MetricKind.COUNTER if form != "gauge" and rises else MetricKind.GAUGE


def _read(metric: _Metric, form: str, data: Any) -> list[MetricPoint]:
    if type(data) is not dict:
        raise BadInput("A data point must be an object.", code="item_not_an_object")
    if (integer(part(data, "flags")) or 0) & _NO_VALUE:
        return []
    if not metric.name:
        raise BadInput("A metric has no “name”.", code="metric_name_missing")
    at = moment(part(data, "timeUnixNano"))
    if at is None:
        raise BadInput(f"A point of “{clip(metric.name, 64)}” has no “timeUnixNano”.", code="point_time_missing")
    if form in ("gauge", "sum"):
        said = part(data, "asDouble")
        return _points(metric, at, [("", part(data, "asInt") if said is None else said, metric.kind, {})])
    count = part(data, "count")
    said_all: list[_Said] = [
        ("_count", 0 if count is None else count, metric.kind, {}),  # protobuf leaves out what is zero
        ("_sum", part(data, "sum"), metric.kind, {}),
    ]
    for item in parts(data, "quantileValues"):
        quantile, value = words(part(item, "quantile")) or "0", part(item, "value")
        said_all.append(("", 0 if value is None else value, MetricKind.GAUGE, {"quantile": quantile}))
    return _points(metric, at, said_all)


def _points(metric: _Metric, at: datetime, said: list[_Said]) -> list[MetricPoint]:
    """Values that are no finite number are left out: a detector can do nothing with them."""
    name = clip(metric.name, LIMITS.label_chars)
    return [
        MetricPoint({**metric.labels, **extra} if extra else metric.labels, f"{name}{end}", number, at, kind)
        for end, value, kind, extra in said
        if (number := _number(value)) is not None
    ]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        return None
    try:
        read = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None
