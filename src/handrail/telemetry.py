"""Logs as JSON with trace and incident, and where spans go. Set up once per process, before anything is logged."""

import json
import logging
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from handrail import __version__
from handrail.kernel.secrets import redact
from handrail.settings import Settings


def set_up(settings: Settings, service: str) -> None:
    """Configure logging and tracing for this process."""
    _set_up_logs(settings.log_level)
    _set_up_traces(settings, service)


def _set_up_logs(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                _add_trace,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _mask,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.access", "dbos", "alembic", "httpx2", "httpcore2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _add_trace(_logger: Any, _method: str, event: Any) -> Any:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
    return event


def _mask(_logger: Any, _method: str, event: Any) -> Any:
    """No secret reaches a log, whoever wrote the line."""
    return {name: redact(value) if isinstance(value, str) else value for name, value in event.items()}


def _set_up_traces(settings: Settings, service: str) -> None:
    if not (settings.trace_file or settings.otlp_endpoint):
        return
    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.version": __version__}))
    if settings.trace_file:
        provider.add_span_processor(BatchSpanProcessor(FileExporter(Path(settings.trace_file)), schedule_delay_millis=500))
    if settings.otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_endpoint)))
    trace.set_tracer_provider(provider)


class FileExporter(SpanExporter):
    """Spans as JSON lines: name, trace, span, parent, start and end in nanoseconds, attributes."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._lock = threading.Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._lock, self._file.open("a") as out:
            for span in spans:
                out.write(json.dumps(_plain(span)) + "\n")
        return SpanExportResult.SUCCESS


def _plain(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    return {
        "name": span.name,
        "trace": f"{context.trace_id:032x}" if context else None,
        "span": f"{context.span_id:016x}" if context else None,
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "start": span.start_time,
        "end": span.end_time,
        "attributes": dict(span.attributes or {}),
    }
