"""Where spans go: a file of JSON lines, an OTLP endpoint, or both."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from handrail import __version__
from handrail.settings import Settings


def set_up_traces(settings: Settings, service: str) -> None:
    """Send this process's spans where the settings say."""
    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.version": __version__}))
    if settings.trace_file:
        provider.add_span_processor(
            BatchSpanProcessor(FileExporter(Path(settings.trace_file)), schedule_delay_millis=500)
        )
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
