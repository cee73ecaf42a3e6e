"""Spans hang on the parent that travels with the event, and cost nothing where nobody takes them."""

import pytest
from opentelemetry import trace as opentelemetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from handrail.kernel import trace

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(opentelemetry, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "_tracer", provider.get_tracer("test"))
    return exporter


def test_a_span_joins_the_trace_of_its_parent_and_gives_children_their_own(spans: InMemorySpanExporter) -> None:
    with trace.span("inbound", PARENT, source="estate") as inbound, trace.span("deliver", inbound):
        pass
    deliver, first = spans.get_finished_spans()
    assert f"{first.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert first.parent is not None and f"{first.parent.span_id:016x}" == "b7ad6b7169203331"
    assert deliver.parent is not None and deliver.parent.span_id == first.context.span_id


def test_without_a_taker_the_parent_is_carried_on() -> None:
    with trace.span("inbound", PARENT) as carried:
        assert carried == PARENT
