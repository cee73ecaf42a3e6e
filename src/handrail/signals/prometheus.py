"""Asks a server that speaks Prometheus' query API (Prometheus, Thanos, Mimir, VictoriaMetrics) for values.

What a query gives becomes points of the metric that the query is named after, so that two queries with the same labels
stay apart. Only finite floats are points; what was left out is said as a note.
"""

import base64
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from handrail.domain.metric import MetricPoint
from handrail.domain.pull import Pull, PullQuery
from handrail.kernel.clock import Clock, SystemClock
from handrail.kernel.errors import Unavailable
from handrail.kernel.limits import LIMITS, Limits
from handrail.plugins.integrations.fields import clip
from handrail.plugins.outward import Answer, Outward

_FORM = "application/x-www-form-urlencoded"
_SAID_CHARS = 200
_NAME_LABEL = "__name__"


class _Series(msgspec.Struct):
    """One series of a vector or a matrix. Histograms are not looked into."""

    metric: dict[str, str] = {}
    value: tuple[float, str] | None = None
    values: list[tuple[float, str]] | None = None
    histogram: msgspec.Raw = msgspec.Raw()
    histograms: msgspec.Raw = msgspec.Raw()


class _Data(msgspec.Struct):
    result_type: str = msgspec.field(name="resultType")
    result: msgspec.Raw


class _Reply(msgspec.Struct):
    status: str
    data: _Data | None = None
    error_type: str = msgspec.field(name="errorType", default="")
    error: str = ""
    warnings: list[str] = []


_REPLY, _SERIES = msgspec.json.Decoder(_Reply), msgspec.json.Decoder(list[_Series])
_SCALAR = msgspec.json.Decoder(tuple[float, str])


@dataclass(frozen=True)
class Pulled:
    """The points of one answer, how many series they are of, and what is to be known of it, each as a sentence."""

    points: tuple[MetricPoint, ...] = ()
    series: int = 0
    notes: tuple[str, ...] = ()


class PullFailed(Unavailable):
    """A query had no answer that can be used."""

    title = "Metrics could not be pulled"
    default_code = "pull_failed"


@dataclass(frozen=True)
class PrometheusServer:
    """One server with what it is shown. Every call blocks for no longer than the limits say."""

    outward: Outward
    pull: Pull
    secret: str = ""
    limits: Limits = LIMITS
    clock: Clock = field(default_factory=SystemClock)

    def at(self, query: PullQuery, moment: float) -> Pulled:
        """What the query gives at a moment (seconds since 1970). Raises PullFailed and OutwardFailed."""
        return self._ask("query", query, {"time": _number(moment)})

    def between(self, query: PullQuery, first: float, last: float, step: int) -> Pulled:
        """What the query gives at every step from first to last. Raises PullFailed and OutwardFailed."""
        return self._ask("query_range", query, {"start": _number(first), "end": _number(last), "step": str(step)})

    def _ask(self, what: str, query: PullQuery, more: Mapping[str, str]) -> Pulled:
        """Posted as a form, because a long query does not fit into an address."""
        form = {"query": query.promql, "timeout": f"{self.limits.pull_answer_seconds}s", **more}
        headers = {"content-type": _FORM, "accept": "application/json", **self._shown()}
        url = f"{self.pull.url.rstrip('/')}/api/v1/{what}"
        answer = self.outward.request("POST", url, headers, urlencode(form).encode())
        read, clock = read_reply(query.name, answer, self.limits), clock_note(answer, self.clock.now(), self.limits)
        return replace(read, notes=(clock, *read.notes)) if clock else read

    def _shown(self) -> dict[str, str]:
        if not self.secret:
            return {}
        if not self.pull.user:
            return {"authorization": f"Bearer {self.secret}"}
        pair = f"{self.pull.user}:{self.secret}".encode()
        return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}


def bounded(limits: Limits) -> Limits:
    """The bounds of an outward client that pulls: its answers are larger and may take longer than others."""
    return replace(
        limits, outward_answer_bytes=limits.pull_answer_bytes, outward_total_seconds=limits.pull_answer_seconds
    )


def clock_note(answer: Answer, now: datetime, limits: Limits) -> str:
    """A sentence where the server's clock is far from ours, as its answer's date tells; then it looks for values where
    there are none. Empty where all is well or nothing is known."""
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return ""
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    apart = (there - now).total_seconds()
    if abs(apart) <= limits.inbound_clock_skew.total_seconds():
        return ""
    return f"The server's clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} this one."


def read_reply(name: str, answer: Answer, limits: Limits = LIMITS) -> Pulled:
    """The points of an answer to the query `name`. Raises PullFailed in words."""
    reply = _decoded(name, answer)
    if reply.status != "success" or reply.data is None:
        said = _words(reply.error) or f"it answered with {answer.status}"
        raise PullFailed(f"Query {name} was refused: {_words(reply.error_type) or 'error'}: {said}.")
    try:
        series = _series_of(reply.data)
    except msgspec.DecodeError as error:
        raise PullFailed(f"Query {name} was answered with a result that cannot be read: {error}.") from None
    if len(series) > limits.pull_series:
        raise PullFailed(
            f"Query {name} gives {len(series)} series, more than the {limits.pull_series} that are pulled; let it "
            "aggregate, or select fewer."
        )
    return _points_of(name, series, reply.warnings)


def _decoded(name: str, answer: Answer) -> _Reply:
    """Errors of the query are JSON too, with a status of 400, 422 or 503; anything else is a proxy's or no such API."""
    try:
        return _REPLY.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    match answer.status:
        case 401 | 403:
            why = f"the server does not let us in ({answer.status}); check the user and the secret"
        case 404:
            why = "the server knows no such address (404); give the URL that stands before /api/v1/query"
        case status if 300 <= status < 400:
            why = f"the server sends us elsewhere ({status}), which is not followed; give the URL it leads to"
        case 200:
            why = "the answer is not what Prometheus answers"
        case status:
            why = f"the server answered with {status}"
    raise PullFailed(f"Query {name} had no usable answer: {why}.")


def _series_of(data: _Data) -> list[_Series]:
    match data.result_type:
        case "vector" | "matrix":
            return _SERIES.decode(data.result)
        case "scalar":
            return [_Series(value=_SCALAR.decode(data.result))]
    raise msgspec.DecodeError(f"a {_words(data.result_type)} is no series")


def _points_of(name: str, series: Sequence[_Series], warnings: Sequence[str]) -> Pulled:
    left: Counter[str] = Counter()
    points: list[MetricPoint] = []
    for each in series:
        labels = {key: value for key, value in each.metric.items() if key != _NAME_LABEL}
        if each.histogram or each.histograms:
            left["histogram"] += 1
        for at, text in each.values if each.values is not None else [each.value] if each.value else []:
            value = _float(text)
            if value is None:
                left["not finite"] += 1
            else:
                points.append(MetricPoint(labels, name, value, datetime.fromtimestamp(at, UTC)))
    notes = [f"Query {name}: the server warns: {_words(warning)}." for warning in warnings[:3]]
    if left["histogram"]:
        notes.append(
            f"Query {name}: {left['histogram']} series are histograms and were left out; ask for a quantile or a rate."
        )
    if left["not finite"]:
        notes.append(f"Query {name}: {left['not finite']} values were NaN or infinite and were left out.")
    if not series:
        notes.append(f"Query {name} gave no series.")
    return Pulled(tuple(points), len(series), tuple(notes))


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _number(moment: float) -> str:
    return f"{moment:.3f}"


def _words(said: Any) -> str:
    """A server's text on one line, bounded: it may be anything."""
    return clip(" ".join("".join(c if c.isprintable() else " " for c in str(said)).split()), _SAID_CHARS).rstrip(".")
