"""Remote write 1.0 and 2.0: what becomes a point, and what is refused in which words."""

import math
from datetime import UTC, datetime
from typing import Any

import cramjam
import pytest

from handrail.domain.metric import MetricKind, MetricPoint
from handrail.kernel.errors import Refused, TooLarge
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.prometheus_remote_write.answer import answer
from handrail.plugins.integrations.prometheus_remote_write.parse import parse
from handrail.plugins.integrations.prometheus_remote_write.schema import V1_REQUEST, V2_REQUEST

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
AT = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
MILLIS = 1767601800000
V1 = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
V2 = {**V1, "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
Series = tuple[list[tuple[str, str]], list[tuple[float, int]]]


def packed(content: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(content))


def request(*series: Series) -> Any:
    message: Any = V1_REQUEST()
    for labels, samples in series:
        item = message.timeseries.add()
        for name, value in labels:
            item.labels.add(name=name, value=value)
        for number, at in samples:
            item.samples.add(value=number, timestamp=at)
    return message


def read(message: Any, headers: dict[str, str] = V1) -> Parsed:
    return parse(Inbound(packed(message.SerializeToString()), headers=headers), NOW)


def test_samples_become_points() -> None:
    labels = [("__name__", "up"), ("instance", "a"), ("job", "")]
    parsed = read(request((labels, [(1.0, MILLIS), (0.0, MILLIS + 250)])))
    assert parsed.points == (
        MetricPoint({"instance": "a"}, "up", 1.0, AT, MetricKind.GAUGE),
        MetricPoint({"instance": "a"}, "up", 0.0, AT.replace(microsecond=250_000), MetricKind.GAUGE),
    )


def test_a_counter_is_known_by_metadata_or_by_its_name() -> None:
    message = request(([("__name__", "jobs_total")], [(1, MILLIS)]), ([("__name__", "jobs")], [(1, MILLIS)]))
    assert [said.kind for said in read(message).points] == ["counter", "gauge"]
    message.metadata.add(type=1, metric_family_name="jobs")
    assert [said.kind for said in read(message).points] == ["counter", "counter"]


def test_stale_markers_and_infinities_are_left_out() -> None:
    samples = [(math.nan, MILLIS), (math.inf, MILLIS), (2.0, MILLIS)]
    assert [said.value for said in read(request(([("__name__", "up")], samples))).points] == [2.0]


def test_a_native_histogram_is_its_count_and_sum() -> None:
    message = request(([("__name__", "h")], []))
    message.timeseries[0].histograms.add(count_int=4, sum=2.5, timestamp=MILLIS)
    message.timeseries[0].histograms.add(count_float=1.5, sum=math.nan, timestamp=MILLIS)
    assert [(said.name, said.value) for said in read(message).points] == [("h_count", 4.0), ("h_sum", 2.5)]


def test_version_two_reads_its_symbols() -> None:
    message: Any = V2_REQUEST()
    message.symbols.extend(["", "__name__", "jobs", "job", "shop"])
    series = message.timeseries.add()
    series.labels_refs.extend([1, 2, 3, 4])
    series.samples.add(value=7, timestamp=MILLIS)
    series.metadata.type = 1
    assert read(message, V2).points == (MetricPoint({"job": "shop"}, "jobs", 7.0, AT, MetricKind.COUNTER),)
    message.timeseries.add().labels_refs.extend([1, 99])
    assert [(item.index, item.code) for item in read(message, V2).rejected] == [(1, "symbols_invalid")]


@pytest.mark.parametrize(
    ("labels", "at", "code"),
    [
        ([("job", "a")], MILLIS, "metric_name_missing"),
        ([("__name__", "up"), ("job", "a"), ("job", "b")], MILLIS, "label_repeated"),
        ([("__name__", "up"), ("", "a")], MILLIS, "label_name_missing"),
        ([("__name__", "up"), ("job", "a\0")], MILLIS, "label_invalid"),
        ([("__name__", "up")], 0, "point_time_missing"),
        ([("__name__", "up")], 2**62, "point_time_missing"),
    ],
)
def test_a_bad_series_is_named_and_the_others_are_kept(labels: list[tuple[str, str]], at: int, code: str) -> None:
    good: Series = ([("__name__", "up")], [(1.0, MILLIS)])
    parsed = read(request((labels, [(1.0, at)]), good))
    assert len(parsed.points) == 1
    assert [(item.index, item.code) for item in parsed.rejected] == [(0, code)]
    with pytest.raises(Refused) as refused:
        read(request((labels, [(1.0, at)])))
    assert refused.value.code == "nothing_readable"


def test_an_empty_request_says_nothing() -> None:
    assert read(request()) == Parsed()


BOMB = b"\xff\xff\xff\x7f" + b"\0" * 20


@pytest.mark.parametrize(
    ("inbound", "code"),
    [
        (Inbound(b"", headers=V1), "body_empty"),
        (Inbound(b"\x05nonsense", headers=V1), "snappy_invalid"),
        (Inbound(b"\xff\x06\x00\x00sNaPpYrest", headers=V1), "snappy_invalid"),
        (Inbound(packed(b"\xff\xff\xff"), headers=V1), "protobuf_invalid"),
        (Inbound(b'{"alerts": []}', headers=V1), "unexpected_format"),
        (Inbound(b'{"alerts": []}', headers={"content-type": "application/json"}), "unexpected_format"),
        (Inbound(b"x", headers={"content-type": "text/plain"}), "media_type_unsupported"),
        (Inbound(b"x", headers={"content-type": "application/x-protobuf;proto=other"}), "message_unsupported"),
        (Inbound(b"x", headers={**V1, "content-encoding": "gzip"}), "encoding_unsupported"),
        (Inbound(BOMB, headers=V1), "body_too_large"),
    ],
)
def test_what_is_no_remote_write_is_refused_in_words(inbound: Inbound, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(inbound, NOW)
    assert refused.value.code == code
    assert len(refused.value.detail) > 20


def test_samples_are_bounded_per_request() -> None:
    bound = LIMITS.inbound_telemetry_items
    assert len(read(request(([("__name__", "up")], [(1.0, MILLIS)] * bound))).points) == bound
    with pytest.raises(TooLarge):
        read(request(([("__name__", "up")], [(1.0, MILLIS)] * (bound + 1))))


def test_the_answer_is_204_and_names_the_series_that_were_not_taken() -> None:
    good: Series = ([("__name__", "up")], [(1.0, MILLIS)])
    assert answer(Inbound(b""), read(request(good))) == (204, b"", b"text/plain", [])
    status, body, *_ = answer(Inbound(b""), read(request(good, ([("job", "a")], [(1.0, MILLIS)]))))
    assert status == 400
    assert body.startswith(b"1 series were not taken, the others were; series 1: ")


def test_a_sender_of_version_two_hears_how_much_was_written() -> None:
    message: Any = V2_REQUEST(symbols=["", "__name__", "up", "job"])
    message.timeseries.add(labels_refs=[1, 2]).samples.add(value=math.nan, timestamp=MILLIS)
    message.timeseries.add(labels_refs=[1, 2]).samples.add(value=2, timestamp=MILLIS)
    message.timeseries[1].histograms.add(count_int=3, sum=1.5, timestamp=MILLIS)
    inbound = Inbound(packed(message.SerializeToString()), headers=V2)
    assert answer(inbound, parse(inbound, NOW)) == (204, b"", b"text/plain", [
        (b"x-prometheus-remote-write-samples-written", b"2"),
        (b"x-prometheus-remote-write-histograms-written", b"1"),
        (b"x-prometheus-remote-write-exemplars-written", b"0"),
    ])  # fmt: skip
    message.timeseries.add(labels_refs=[3, 2]).samples.add(value=2, timestamp=MILLIS)
    inbound = Inbound(packed(message.SerializeToString()), headers=V2)
    status, _, _, headers = answer(inbound, parse(inbound, NOW))  # type: ignore[misc]
    assert (status, headers[0]) == (400, (b"x-prometheus-remote-write-samples-written", b"2"))
