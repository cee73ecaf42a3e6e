"""Logs as JSON with their trace. Set up once per process, before anything is logged."""

import logging
import sys
from typing import Any

import structlog
from opentelemetry import trace

from handrail.kernel.secrets import redact
from handrail.settings import Settings


def set_up(settings: Settings, service: str) -> None:
    """Configure logging and tracing for this process."""
    _set_up_logs(settings.log_level)
    if settings.trace_file or settings.otlp_endpoint:
        # The SDK takes a tenth of a second to import, which a start without traces need not pay.
        from handrail.tracing import set_up_traces

        set_up_traces(settings, service)


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
