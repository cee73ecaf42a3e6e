"""What OTLP's exporters want to hear: 200 with an empty response, or how many items were not taken and why."""

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.otlp.wire import encode_json, is_protobuf


def answer(inbound: Inbound, parsed: Parsed) -> tuple[int, bytes, bytes]:
    """In the encoding of the request, as the protocol has it. Exporters do not send again what was refused."""
    count = len(parsed.rejected)
    reason = parsed.rejected[0].reason if parsed.rejected else ""
    is_metrics = inbound.path.rstrip("/").endswith("metrics")
    if not is_protobuf(inbound):
        name = "rejectedDataPoints" if is_metrics else "rejectedLogRecords"
        partial = {"partialSuccess": {name: str(count), "errorMessage": reason}} if count else {}
        return 200, encode_json(partial), b"application/json"
    response = (
        ExportMetricsServiceResponse(
            partial_success=ExportMetricsPartialSuccess(rejected_data_points=count, error_message=reason)
        )
        if is_metrics
        else ExportLogsServiceResponse(
            partial_success=ExportLogsPartialSuccess(rejected_log_records=count, error_message=reason)
        )
    )
    return 200, response.SerializeToString() if count else b"", b"application/x-protobuf"
