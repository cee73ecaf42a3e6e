"""Reads remote write requests into points: unpack within bounds, decode, then series by series."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import cramjam
from google.protobuf.message import DecodeError, Message

from handrail.domain.metric import MetricKind, MetricPoint
from handrail.kernel.errors import BadInput, Refused, TooLarge, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed, Rejected
from handrail.plugins.integrations.fields import clip, read_body, short_labels
from handrail.plugins.integrations.prometheus_remote_write.schema import V1_REQUEST, V2_REQUEST

EXPECTED = "Prometheus remote write 1.0 or 2.0: protobuf, packed with snappy (block format)"
_V1, _V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
_MEDIA_TYPES = ("application/x-protobuf", "")
_COUNTER = 1
_COUNTER_ENDS = ("_total", "_count", "_sum", "_bucket")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_MAX = 253_402_300_799_999  # the end of the year 9999
_VARINT_BYTES_MAX = 5
_FRAMED = b"\xff\x06\x00\x00sNaPpY"


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """All samples as points. A series that cannot be used is listed by its index; the others are kept."""
    kind = _protocol(inbound)
    request = _decoded(_unpacked(inbound.body), V1_REQUEST if kind == _V1 else V2_REQUEST)
    series: Sequence[Any] = request.timeseries  # type: ignore[attr-defined]
    read = _reader_v1(request) if kind == _V1 else _reader_v2(request)
    points: list[MetricPoint] = []
    rejected: list[Rejected] = []
    for index, item in enumerate(series):
        if len(points) + len(item.samples) + len(item.histograms) * 2 + len(rejected) > LIMITS.inbound_telemetry_items:
            raise TooLarge(
                f"The request has more than {LIMITS.inbound_telemetry_items} samples; lower max_samples_per_send.",
                code="batch_too_large",
            )
        try:
            points += read(item)
        except Refused as fault:
            rejected.append(Rejected(index, fault.code, fault.detail))
    if rejected and not points:
        raise Unprocessable(
            f"None of the {len(rejected)} series could be read: {rejected[0].reason}", code="nothing_readable"
        )
    return Parsed(points=tuple(points), rejected=tuple(rejected))


def written(inbound: Inbound, left_out: Collection[int]) -> list[tuple[str, int]]:
    """How much of a request of 2.0 was taken, by the names of its answer; `left_out`: indexes of series that were not.

    1.0 has no such answer. What says nothing to a detector (stale markers) was taken all the same.
    """
    if _protocol(inbound) == _V1:
        return []
    series: Sequence[Any] = _decoded(_unpacked(inbound.body), V2_REQUEST).timeseries  # type: ignore[attr-defined]
    taken = [item for index, item in enumerate(series) if index not in left_out]
    samples, histograms = (sum(len(getattr(item, name)) for item in taken) for name in ("samples", "histograms"))
    return [("samples", samples), ("histograms", histograms), ("exemplars", 0)]


def _protocol(inbound: Inbound) -> str:
    """The message that the content type names; without a name it is 1.0, whatever the version header says."""
    media, _, parameters = inbound.headers.get("content-type", "").partition(";")
    if media.strip().lower() not in _MEDIA_TYPES:
        _refuse_other(inbound)
        raise BadInput(
            f"The content type “{clip(media.strip(), 64)}” is not read; send application/x-protobuf: {EXPECTED}.",
            code="media_type_unsupported",
        )
    said = {
        name.strip().lower(): value.strip().strip('"')
        for name, _, value in (item.partition("=") for item in parameters.split(";"))
    }
    named = said.get("proto", _V1)
    if named not in (_V1, _V2):
        raise BadInput(f"The message “{clip(named, 64)}” is not read; send {_V1} or {_V2}.", code="message_unsupported")
    if inbound.headers.get("content-encoding", "snappy").strip().lower() not in ("snappy", "", "identity"):
        raise BadInput(
            "Remote write is packed with snappy; send Content-Encoding: snappy.", code="encoding_unsupported"
        )
    return named


def _refuse_other(inbound: Inbound) -> None:
    """What is JSON is another sender's, which is worth naming."""
    if inbound.body.lstrip()[:1] in (b"{", b"["):
        raise other_sender(read_body(inbound), EXPECTED)


def _unpacked(body: bytes) -> bytes:
    """The content of a snappy block. Its length stands in front, so that a bomb is refused before it grows."""
    if not body:
        raise BadInput(f"The body is empty; expected {EXPECTED}.", code="body_empty")
    if body.startswith(_FRAMED):
        raise BadInput("The body is snappy's framed format; remote write uses the block format.", code="snappy_invalid")
    size = _length(body)
    if size is not None and size > LIMITS.inbound_batch_body_bytes:
        raise TooLarge(f"Unpacked, the body is larger than {LIMITS.inbound_batch_body_bytes} bytes.", "body_too_large")
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        raise _not_snappy(body) from None


def _not_snappy(body: bytes) -> BadInput | Unprocessable:
    if body.lstrip()[:1] in (b"{", b"["):
        try:
            return other_sender(read_body(Inbound(body)), EXPECTED)
        except BadInput as fault:
            return fault
    return BadInput(f"The body is not packed with snappy; expected {EXPECTED}.", code="snappy_invalid")


def _length(body: bytes) -> int | None:
    """The varint at the start of a snappy block; None where it does not end, which the unpacking then refuses."""
    size = 0
    for at, byte in enumerate(body[:_VARINT_BYTES_MAX]):
        size |= (byte & 0x7F) << (7 * at)
        if not byte & 0x80:
            return size
    return None


def _decoded(content: bytes, kind: type[Message]) -> Message:
    message = kind()
    try:
        message.ParseFromString(content)
    except DecodeError:
        raise BadInput(f"The body is no protobuf of remote write; expected {EXPECTED}.", "protobuf_invalid") from None
    return message


def _reader_v1(request: Any) -> Callable[[Any], list[MetricPoint]]:
    counters = {item.metric_family_name for item in request.metadata if item.type == _COUNTER}

    def read(series: Any) -> list[MetricPoint]:
        pairs = [(label.name, label.value) for label in series.labels]
        return _points(pairs, series, lambda name: name in counters)

    return read


def _reader_v2(request: Any) -> Callable[[Any], list[MetricPoint]]:
    symbols: Sequence[str] = request.symbols
    if request.timeseries and (not symbols or symbols[0] != ""):
        raise BadInput("The first of the “symbols” must be the empty text.", code="symbols_invalid")

    def read(series: Any) -> list[MetricPoint]:
        references: Sequence[int] = series.labels_refs
        if len(references) % 2 or any(place >= len(symbols) for place in references):
            raise BadInput("A series refers to symbols that are not there.", code="symbols_invalid")
        words = [symbols[place] for place in references]
        pairs = list(zip(words[::2], words[1::2], strict=True))
        return _points(pairs, series, lambda _: series.metadata.type == _COUNTER)

    return read


def _points(pairs: list[tuple[str, str]], series: Any, is_counter: Callable[[str], bool]) -> list[MetricPoint]:
    name, labels = _labels(pairs)
    kind = MetricKind.COUNTER if is_counter(name) or name.endswith(_COUNTER_ENDS) else MetricKind.GAUGE
    said: Iterable[tuple[str, float, int, MetricKind]] = (
        *((name, sample.value, sample.timestamp, kind) for sample in series.samples),
        *(total for histogram in series.histograms for total in _totals(name, histogram)),
    )
    return [
        MetricPoint(labels, series_name, float(value), _moment(at), its)
        for series_name, value, at, its in said
        if math.isfinite(value)
    ]


def _totals(name: str, histogram: Any) -> list[tuple[str, float, int, MetricKind]]:
    """A stale marker of a histogram is its sum; its count then says nothing."""
    if math.isnan(histogram.sum):
        return []
    count = histogram.count_int or histogram.count_float
    return [
        (f"{name}_count", count, histogram.timestamp, MetricKind.COUNTER),
        (f"{name}_sum", histogram.sum, histogram.timestamp, MetricKind.COUNTER),
    ]


def _labels(pairs: list[tuple[str, str]]) -> tuple[str, Mapping[str, str]]:
    """The metric's name and the other labels. Equal names and empty ones are refused, as the protocol has it."""
    labels = dict(pairs)
    if len(labels) != len(pairs):
        raise BadInput("A series names one label twice.", code="label_repeated")
    if "" in labels:
        raise BadInput("A series has a label without a name.", code="label_name_missing")
    if any("\0" in part for pair in pairs for part in pair):
        raise BadInput("A label holds a NUL character.", code="label_invalid")
    name = labels.pop("__name__", "")
    if not name:
        raise BadInput("A series has no metric name (label “__name__”).", code="metric_name_missing")
    return clip(name, LIMITS.label_chars), short_labels({key: value for key, value in labels.items() if value})


def _moment(milliseconds: int) -> datetime:
    if not 0 < milliseconds <= _MILLISECONDS_MAX:
        raise BadInput("A sample has no usable time (milliseconds since 1970).", code="point_time_missing")
    return _EPOCH + timedelta(milliseconds=milliseconds)
