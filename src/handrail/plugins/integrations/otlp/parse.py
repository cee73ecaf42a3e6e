"""Tells OTLP's signals apart by path or content, and reads each."""

from datetime import datetime
from typing import Any, cast

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from handrail.kernel.errors import BadInput, NotFound
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.otlp.logs import read_logs, read_protobuf_logs
from handrail.plugins.integrations.otlp.metrics import points_of
from handrail.plugins.integrations.otlp.wire import is_protobuf, part, read_message, read_tree

EXPECTED = "OTLP over HTTP: logs (“resourceLogs”) at /v1/logs or metrics (“resourceMetrics”) at /v1/metrics"


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """Alerts and lines from logs, or points from metrics. An empty request is fine and says nothing."""
    signal = _signal_of_path(inbound.path)
    if not signal and is_protobuf(inbound):
        raise BadInput("Protobuf does not say which signal it is; post to /v1/logs or /v1/metrics.", code="signal_open")
    if signal == "logs" and is_protobuf(inbound):
        return read_protobuf_logs(cast(ExportLogsServiceRequest, read_message(inbound, signal)), now)
    tree = read_tree(inbound, signal or "logs")
    signal = signal or _signal_of(tree)
    if type(tree) is not dict or not signal or _is_other(tree, signal):
        raise other_sender(tree, EXPECTED)
    if signal == "logs":
        return read_logs(tree, now)
    points, rejected = points_of(tree)
    return Parsed(points=points, rejected=rejected)


def _signal_of_path(path: str) -> str:
    last = path.rstrip("/").rpartition("/")[2].lower()
    if last in ("traces", "profiles", "v1development"):
        raise NotFound(
            f"Handrail reads logs and metrics, not {last}; leave this signal out of the exporter's pipeline.",
            code="signal_not_read",
        )
    return last if last in ("logs", "metrics") else ""


def _signal_of(tree: Any) -> str:
    if part(tree, "resourceLogs") is not None:
        return "logs"
    return "metrics" if part(tree, "resourceMetrics") is not None else ""


def _is_other(tree: dict[str, Any], signal: str) -> bool:
    """Whether what came is not what the path says: another signal, or another sender's object."""
    expected = "resourceLogs" if signal == "logs" else "resourceMetrics"
    return bool(tree) and type(part(tree, expected)) is not list
