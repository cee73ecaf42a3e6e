"""Telemetry and deliveries at the door: packed bodies reach their integration, and what is refused is kept readable."""

from typing import Any

import cramjam
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from handrail.kernel.clock import ManualClock
from handrail.kernel.limits import LIMITS
from handrail.operations.shell import Shell
from handrail.plugins.integrations.prometheus_remote_write.schema import V1_REQUEST, V2_REQUEST
from handrail.signals.inbound import InboundSettings
from handrail.store import tables
from tests.signals.intake import Intake, opened

NANOS = 1767601800000000000
PROTOBUF = {"content-type": "application/x-protobuf"}
SNAPPY = {**PROTOBUF, "content-encoding": "snappy"}


def logs(severity: int = 17) -> bytes:
    request = ExportLogsServiceRequest()
    of_resource = request.resource_logs.add()
    attribute = of_resource.resource.attributes.add(key="service.name")
    attribute.value.string_value = "ledger"
    record = of_resource.scope_logs.add().log_records.add(time_unix_nano=NANOS, severity_number=severity)
    record.body.string_value = "Posting 7 failed"
    return request.SerializeToString()


def samples(name: str) -> bytes:
    request: Any = V1_REQUEST()
    series = request.timeseries.add()
    series.labels.add(name="__name__", value=name)
    series.samples.add(value=1, timestamp=NANOS // 10**6)
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def test_protobuf_logs_become_alerts(desk: Intake) -> None:
    desk.add_source("otel", "otlp")
    reply = desk.post("/in/otel/v1/logs", logs(), "otel", PROTOBUF)
    assert reply.status == 200
    assert (desk.alert().title, desk.alert().service) == ("Posting 7 failed", "ledger")


def test_lines_below_error_reach_who_watches_logs_and_their_source_is_heard(shell: Shell, clock: ManualClock) -> None:
    heard: list[tuple[str, int]] = []
    settings = InboundSettings(on_lines=lambda source, lines: heard.append((source, len(lines))))
    with opened(shell, clock, settings, known={"otel": "otlp"}) as desk:
        assert desk.post("/in/otel/v1/logs", logs(severity=9), "otel", PROTOBUF).status == 200
        assert (heard, desk.alerts()) == ([("otel", 1)], [])
        assert desk.stat("otel").last_seen


def test_a_large_body_is_read_beside_the_loop_and_answered_alike(desk: Intake) -> None:
    desk.add_source("otel", "otlp")
    record = {"severityNumber": 9, "body": {"stringValue": "x" * 100}}
    tree = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record] * 5000}]}]}
    assert desk.post("/in/otel/v1/logs", tree, "otel").status == 200
    reply = desk.post("/in/otel/v1/logs", b"[" + b" " * LIMITS.inbound_parse_apart_bytes, "otel")
    assert (reply.status, reply.json["code"]) == (400, "json_invalid")


def test_remote_write_passes_the_door_packed_and_makes_no_alert(desk: Intake) -> None:
    desk.add_source("metrics", "prometheus_remote_write")
    assert desk.post("/in/metrics", samples("up"), "metrics", SNAPPY).status == 204
    assert desk.alerts() == []
    assert desk.rows(tables.quarantine) == []


def test_remote_write_two_hears_in_the_answer_how_much_was_written(desk: Intake) -> None:
    desk.add_source("metrics", "prometheus_remote_write")
    request: Any = V2_REQUEST(symbols=["", "__name__", "up"])
    request.timeseries.add(labels_refs=[1, 2]).samples.add(value=1, timestamp=NANOS // 10**6)
    headers = {**SNAPPY, "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
    body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    reply = desk.post("/in/metrics", body, "metrics", headers)
    assert (reply.status, reply.headers["x-prometheus-remote-write-samples-written"]) == (204, "1")


def test_remote_write_that_cannot_be_read_is_refused_and_its_bytes_are_kept(desk: Intake) -> None:
    desk.add_source("metrics", "prometheus_remote_write")
    reply = desk.post("/in/metrics", b"\xff\xfe not snappy", "metrics", SNAPPY)
    assert (reply.status, reply.json["code"]) == (400, "snappy_invalid")
    assert len(desk.rows(tables.quarantine)) == 1


@pytest.mark.parametrize("source", ["plain", "prom", "events"])
def test_snappy_for_a_source_that_does_not_read_it_is_refused(desk: Intake, source: str) -> None:
    assert desk.post(f"/in/{source}", samples("up"), source, SNAPPY).status == 400


def test_a_delivery_of_github_makes_one_change_however_often_it_comes(desk: Intake) -> None:
    desk.add_source("hub", "github")
    deployment = {"id": 7, "sha": "a" * 40, "environment": "production", "task": "deploy"}
    body = {
        "action": "created", "deployment": deployment, "deployment_status": {"state": "success"},
        "repository": {"full_name": "acme/shop"}, "sender": {"login": "mira"},
    }  # fmt: skip
    headers = {"x-github-event": "deployment_status", "x-github-delivery": "d-1"}
    first, again = desk.post("/in/hub", body, "hub", headers), desk.post("/in/hub", body, "hub", headers)
    assert (first.json["accepted"], again.json["accepted"], again.json["duplicate"]) == (1, 0, 1)
    assert len(first.json["changes"]) == 1
    assert first.json["changes"] == again.json["changes"]
