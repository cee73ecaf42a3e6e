"""OTLP over HTTP: which log records become alerts, how metrics become points, in JSON and in protobuf."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from handrail.domain.log_line import LogLine
from handrail.domain.metric import MetricKind, MetricPoint
from handrail.kernel.errors import NotFound, Refused, TooLarge
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.otlp.answer import answer
from handrail.plugins.integrations.otlp.logs import severity_of_record, template
from handrail.plugins.integrations.otlp.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
AT = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
NANOS = 1767601800000000000
PROTOBUF = {"content-type": "application/x-protobuf"}


def read(tree: Any, path: str = "") -> Parsed:
    return parse(Inbound(json.dumps(tree).encode(), path=path), NOW)


def record(message: str = "failed", **fields: Any) -> dict[str, Any]:
    return {"timeUnixNano": str(NANOS), "severityNumber": 17, "body": {"stringValue": message}, **fields}


def logs(*records: Any, service: str = "ledger") -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": list(records)}]}]}


def metric(**form: Any) -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "ledger"}}]}
    metrics = [{"name": "queue.depth", **form}]
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}


def point(**fields: Any) -> dict[str, Any]:
    return {"timeUnixNano": str(NANOS), **fields}


def test_an_error_record_reads_field_by_field() -> None:
    sent = record(
        "Posting 7 failed", traceId="5F1C2B3A4D5E6F708192A3B4C5D6E7F8", spanId="", severityText="ERROR",
        attributes=[{"key": "exception.type", "value": {"stringValue": "OSError"}}],
    )  # fmt: skip
    [said] = read(logs(sent)).occurrences
    assert (said.title, said.service, said.severity_raw, said.status) == (
        "Posting 7 failed",
        "ledger",
        "ERROR",
        "firing",
    )
    assert said.occurred_at == said.starts_at == AT
    assert said.labels == {"service_name": "ledger", "exception_type": "OSError"}
    assert said.annotations == {"template": "OSError: Posting <*> failed"}
    assert said.extra == {"records": 1, "trace_id": "5f1c2b3a4d5e6f708192a3b4c5d6e7f8"}
    assert json.loads(said.raw)["logRecord"] == sent


def test_records_of_one_service_and_kind_of_message_are_one_alert() -> None:
    later = record("order 8 of 'b' failed", timeUnixNano=str(NANOS + 10**9), severityNumber=21)
    [said] = read(logs(record("order 7 of 'a' failed"), later)).occurrences
    assert (said.extra["records"], said.title, said.severity_raw) == (2, "order 8 of 'b' failed", "fatal")
    assert said.starts_at == AT


def test_another_service_or_another_message_is_another_alert() -> None:
    keys = {
        read(logs(record(body), service=service)).occurrences[0].dedup_key
        for body, service in (("failed", "a"), ("failed", "b"), ("broken", "a"), ("failed", "a"))
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("user 7 gone", "user 8123 gone"),
        ("id 3f2a9c41-0d5e-4b7a-9a55-1c2d3e4f5a6b", "id 00000000-1111-4222-8333-444455556666"),
        ("refused by 10.0.0.1:5432", "refused by 10.9.8.7:5433"),
        ('no table "a b"', 'no table "c"'),
        ("took 1.25s at 2026-01-05T08:30:00Z", "took 12ms at 2026-01-05T09:30:00Z"),
        ("GET https://a.example/x?y=1 failed", "GET https://b.example/z failed"),
        ("cannot read /var/lib/a.txt", "cannot read /tmp/b/c"),
        ("mail to a@x.example", "mail to b.c@y.example"),
    ],
)
def test_what_varies_does_not_make_another_template(one: str, other: str) -> None:
    assert template(one) == template(other)
    assert template(one) != template("something else")


@pytest.mark.parametrize("unit", ["a", "a-", "a.", "a+", "-", "/a", "1-", '"', "'", "a@", "a://", "' \"", "x'"])
def test_a_hostile_message_takes_no_longer_than_its_length(unit: str) -> None:
    """Going back over the message from each of its places takes a hundred times as long, far beyond the bound."""
    message = (unit * LIMITS.annotation_chars)[: LIMITS.annotation_chars]
    began = time.perf_counter()
    for _ in range(50):
        template(message)
    assert time.perf_counter() - began < 2


def test_words_stay_in_the_template() -> None:
    assert template("can't reach payments-db, won't wait") == "can't reach payments-db, won't wait"
    assert template("connection to database refused") == "connection to database refused"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"severityNumber": 16}, None), ({"severityNumber": 17}, "error"), ({"severityNumber": "24"}, "fatal"),
        ({"severityNumber": "SEVERITY_NUMBER_ERROR3"}, "error"), ({"severityNumber": "SEVERITY_NUMBER_INFO"}, None),
        ({"severityText": "Error"}, "Error"), ({"severityText": "Information"}, None), ({}, None),
        ({"severityNumber": 9, "severityText": "ERROR"}, None), ({"severityNumber": 17, "severityText": "E"}, "error"),
        ({"severityNumber": 0, "severityText": "FATAL"}, "FATAL"), ({"severityNumber": 99}, None),
    ],
)  # fmt: skip
def test_the_number_decides_and_without_one_the_text(fields: dict[str, Any], expected: str | None) -> None:
    assert severity_of_record(fields) == expected


@pytest.mark.parametrize("nanos", [NANOS + 1, str(NANOS + 1), f" {NANOS + 1} "])
def test_nanoseconds_are_read_as_numbers_beyond_two_to_the_53_and_as_text(nanos: Any) -> None:
    [said] = read(logs(record(timeUnixNano=nanos))).occurrences
    assert said.occurred_at == AT


def test_a_record_without_its_time_has_the_time_it_was_seen_at() -> None:
    [said] = read(logs(record(timeUnixNano="0", observedTimeUnixNano=str(NANOS)))).occurrences
    assert said.occurred_at == AT


def test_a_structured_body_is_titled_by_its_message() -> None:
    values = [{"key": "message", "value": {"stringValue": "disk full"}}, {"key": "n", "value": {"intValue": "3"}}]
    [said] = read(logs(record(body={"kvlistValue": {"values": values}}))).occurrences
    assert said.title == "disk full"


def test_one_bad_record_does_not_cost_the_others() -> None:
    parsed = read(logs(record(), 7))
    assert len(parsed.occurrences) == 1
    assert [item.index for item in parsed.rejected] == [1]


def test_records_below_error_are_lines_and_no_alerts_and_empty_requests_say_nothing() -> None:
    assert read(logs(record(severityNumber=9))) == Parsed(lines=(LogLine("ledger", "failed"),))
    assert read({}, path="v1/logs") == Parsed()
    assert parse(Inbound(b"", headers=PROTOBUF, path="v1/metrics"), NOW) == Parsed()


def test_an_error_is_an_alert_and_a_line_that_says_so() -> None:
    parsed = read(logs(record("Posting 7 failed\n  at ledger.py:1"), record("done", severityNumber=9)))
    assert len(parsed.occurrences) == 1
    assert parsed.lines == (LogLine("ledger", "Posting 7 failed", True, True), LogLine("ledger", "done"))


@pytest.mark.parametrize(
    "fields",
    [
        {"severityNumber": 9}, {"severityNumber": 0}, {"severityNumber": 0, "severityText": "INFO"},
        {"severityNumber": 0, "severityText": "ERROR"}, {"severityNumber": 17}, {"severityNumber": 24},
        {"body": {"kvlistValue": {"values": [{"key": "msg", "value": {"stringValue": "hi"}}]}}, "severityNumber": 9},
        {"body": {"stringValue": ""}, "severityNumber": 9, "eventName": "started"},
        {"body": {"stringValue": "nul \0 inside"}, "severityNumber": 9},
    ],
)  # fmt: skip
def test_lines_of_protobuf_are_those_of_json(fields: dict[str, Any]) -> None:
    tree = logs(record("Posting 7 was made", **fields), service="unknown_service:java")
    message = ParseDict(tree, ExportLogsServiceRequest()).SerializeToString()
    told = parse(Inbound(message, PROTOBUF, path="v1/logs"), NOW)
    if "\0" not in str(fields.get("body", {}).get("stringValue")):
        assert told.lines == read(tree).lines
    assert len(told.lines) == 1 and told.lines[0].service == "" and "\0" not in told.lines[0].text


def test_gauges_and_sums_become_points() -> None:
    attributes = [{"key": "queue.name", "value": {"stringValue": "q"}}, {"key": "n", "value": {"intValue": "2"}}]
    labels = {"service_name": "ledger", "queue_name": "q", "n": "2"}
    gauge = metric(gauge={"dataPoints": [point(asInt="42", attributes=attributes)]})
    assert read(gauge, "v1/metrics").points == (MetricPoint(labels, "queue.depth", 42.0, AT, MetricKind.GAUGE),)
    for temporality, monotonic, kind in (
        (2, True, "counter"),
        (2, False, "gauge"),
        (1, True, "delta"),
        (1, False, "delta"),
    ):
        sent = {"aggregationTemporality": temporality, "isMonotonic": monotonic, "dataPoints": [point(asDouble=1.5)]}
        [said] = read(metric(sum=sent)).points
        assert (said.value, said.kind) == (1.5, kind)


def test_histograms_and_summaries_become_count_sum_and_quantiles() -> None:
    histogram = metric(histogram={"aggregationTemporality": 2, "dataPoints": [point(count="10", sum=3.5)]})
    assert [(said.name, said.value) for said in read(histogram).points] == [
        ("queue.depth_count", 10.0), ("queue.depth_sum", 3.5),
    ]  # fmt: skip
    summary = metric(summary={"dataPoints": [point(count=2, sum=1, quantileValues=[{"quantile": 0.5, "value": 9}])]})
    last = read(summary).points[-1]
    assert (last.name, last.value, last.labels["quantile"]) == ("queue.depth", 9.0, "0.5")


@pytest.mark.parametrize("fields", [{"asDouble": "NaN"}, {"asDouble": "Infinity"}, {"flags": 1, "asInt": 0}, {}])
def test_points_that_say_no_finite_number_are_left_out(fields: dict[str, Any]) -> None:
    assert read(metric(gauge={"dataPoints": [point(**fields)]})) == Parsed()


def test_a_point_without_a_time_is_named_and_the_others_are_kept() -> None:
    parsed = read(metric(gauge={"dataPoints": [{"asInt": 1}, point(asInt=2)]}))
    assert [said.value for said in parsed.points] == [2.0]
    assert [(item.index, item.code) for item in parsed.rejected] == [(0, "point_time_missing")]


def test_protobuf_says_the_same_as_json() -> None:
    sent = logs(record("Posting 7 failed", severityText="ERROR"))
    message = ParseDict(sent, ExportLogsServiceRequest())
    packed = Inbound(message.SerializeToString(), headers=PROTOBUF, path="v1/logs")
    [by_wire], [by_text] = parse(packed, NOW).occurrences, read(sent).occurrences
    assert (by_wire.dedup_key, by_wire.title, by_wire.labels) == (by_text.dedup_key, by_text.title, by_text.labels)
    assert by_wire.occurred_at == by_text.occurred_at
    numbers = metric(gauge={"dataPoints": [point(asInt="0"), point(asDouble=2.5)]})
    packed = Inbound(
        ParseDict(numbers, ExportMetricsServiceRequest()).SerializeToString(), headers=PROTOBUF, path="v1/metrics"
    )
    assert parse(packed, NOW).points == read(numbers).points


def test_trace_ids_of_protobuf_are_hex() -> None:
    message = ParseDict(logs(record()), ExportLogsServiceRequest())
    message.resource_logs[0].scope_logs[0].log_records[0].trace_id = bytes(range(16))
    packed = Inbound(message.SerializeToString(), headers=PROTOBUF, path="v1/logs")
    [said] = parse(packed, NOW).occurrences
    assert said.extra["trace_id"] == "000102030405060708090a0b0c0d0e0f"


@pytest.mark.parametrize(
    ("inbound", "code"),
    [
        (Inbound(b"\xff\xff", headers=PROTOBUF, path="v1/logs"), "protobuf_invalid"),
        (Inbound(b"", headers=PROTOBUF), "signal_open"),
        (Inbound(b'{"resourceSpans": []}'), "unexpected_format"),
        (Inbound(b'{"resourceMetrics": []}', path="v1/logs"), "unexpected_format"),
        (Inbound(b"{}", path="v1/traces"), "signal_not_read"),
    ],
)
def test_what_is_not_read_is_refused_in_words(inbound: Inbound, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(inbound, NOW)
    assert refused.value.code == code
    assert isinstance(refused.value, NotFound) == (code == "signal_not_read")


def test_points_are_bounded_per_request() -> None:
    points = [point(asInt=1)] * (LIMITS.inbound_telemetry_items + 1)
    with pytest.raises(TooLarge):
        read(metric(gauge={"dataPoints": points}))
    assert len(read(metric(gauge={"dataPoints": points[1:]})).points) == LIMITS.inbound_telemetry_items


def test_the_answer_has_the_requests_encoding_and_counts_what_was_not_taken() -> None:
    assert answer(Inbound(b""), Parsed()) == (200, b"{}", b"application/json")
    assert answer(Inbound(b"", headers=PROTOBUF, path="v1/logs"), Parsed()) == (200, b"", b"application/x-protobuf")
    bad = read(logs(record(), 7))
    said = json.loads(answer(Inbound(b"", path="v1/logs"), bad)[1])
    assert said["partialSuccess"]["rejectedLogRecords"] == "1"
    packed = answer(Inbound(b"", headers=PROTOBUF, path="v1/logs"), bad)[1]
    assert ExportLogsServiceResponse.FromString(packed).partial_success.rejected_log_records == 1


def test_a_count_of_zero_that_protobuf_leaves_out_is_zero() -> None:
    body = metric(histogram={"aggregationTemporality": 2, "dataPoints": [point(count="0", sum=0.0)]})
    message = ParseDict(body, ExportMetricsServiceRequest()).SerializeToString()
    parsed = parse(Inbound(message, {"content-type": "application/x-protobuf"}, path="v1/metrics"), NOW)
    assert [(said.name.rpartition("_")[2], said.value) for said in parsed.points] == [("count", 0.0), ("sum", 0.0)]


def test_a_number_with_an_underscore_is_none_and_a_truth_in_text_is_one() -> None:
    assert read(metric(gauge={"dataPoints": [point(asInt="1_0")]})).points == ()
    [said] = read(metric(sum={"isMonotonic": "true", "dataPoints": [point(asInt="7")]})).points
    assert said.kind == MetricKind.COUNTER
