"""One trace from an inbound event to the last message: spans that hang on a W3C `traceparent` kept with the event.

Durable hops cut a process's own context, so the parent travels in our records and comes back here as text.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_tracer = trace.get_tracer("handrail")
_propagator = TraceContextTextMapPropagator()


@contextmanager
def span(name: str, parent: str | None = None, **attributes: str | int) -> Iterator[str | None]:
    """A span under `parent` (or the current one); gives the traceparent that children and outward calls carry.

    Where nothing is set up to take spans, nothing is made and the parent is carried on.
    """
    if not active():
        yield parent
        return
    context = _propagator.extract({"traceparent": parent}) if parent else None
    with _tracer.start_as_current_span(name, context=context, attributes=dict(attributes)):
        yield traceparent() or parent


def active() -> bool:
    """Whether spans go anywhere in this process."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def traceparent() -> str | None:
    """The current span as a W3C traceparent, or None where nothing is traced."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")
