"""OpenTelemetry traces: OTLP JSON (ResourceSpans), whole or one export a line, as the collector's file exporter writes.

A server span whose parent is a client span of another service shows that this one calls that one. Such dependencies
are learned, not declared. Messages over a queue are no calls: who consumes does not make the producer wait.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handrail.kernel.errors import BadInput
from handrail.plugins.importers.contract import Imported, Importer
from handrail.plugins.importers.draft import Draft, fit_name
from handrail.plugins.importers.reading import items, mapping, read_json_lines, word

_KINDS = {"SPAN_KIND_INTERNAL": 1, "SPAN_KIND_SERVER": 2, "SPAN_KIND_CLIENT": 3, "SPAN_KIND_PRODUCER": 4,
          "SPAN_KIND_CONSUMER": 5}  # fmt: skip
_SERVER, _CLIENT, _PRODUCER, _CONSUMER = 2, 3, 4, 5
_PEERS = ("peer.service", "service.peer.name")


@dataclass(frozen=True, slots=True)
class _Span:
    service: str
    kind: int
    parent: tuple[str, str] | None
    peer: str | None


def read(body: bytes) -> Imported:
    """Services and the calls between them. Raises BadInput where nothing is an export of spans."""
    draft = Draft()
    spans: dict[tuple[str, str], _Span] = {}
    found = 0
    for export in read_json_lines(body):
        for resource in _resources(export):
            found += 1
            _take_resource(draft, resource, spans)
    if not found:
        raise BadInput("The file has no resourceSpans.", "import_unreadable")
    _take_calls(draft, spans)
    return draft.done()


def _resources(export: Any) -> Iterator[dict[str, Any]]:
    top = mapping(export)
    for resource in items(top.get("resourceSpans") or top.get("resource_spans")):
        yield mapping(resource)


def _take_resource(draft: Draft, resource: dict[str, Any], spans: dict[tuple[str, str], _Span]) -> None:
    facts = _attributes(mapping(resource.get("resource")).get("attributes"))
    said = facts.get("service.name")
    if said is None or said.startswith("unknown_service"):
        draft.lose("resourceSpans", "A resource without service.name was left out.")
        return
    name = draft.service(said, f"service.name {said}")
    if name is None:
        return
    environment = facts.get("deployment.environment.name") or facts.get("deployment.environment")
    draft.say(name, "environment", environment, f"service.name {said}")
    draft.say(name, "region", facts.get("cloud.region"), f"service.name {said}")
    for scope in items(resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans")):
        for item in items(mapping(scope).get("spans")):
            span = mapping(item)
            trace, own = word(span.get("traceId")), word(span.get("spanId"))
            if trace is None or own is None:
                draft.lose(f"service.name {said}", "Spans without traceId or spanId were left out.")
                continue
            parent, kind = word(span.get("parentSpanId")), span.get("kind")
            attributes = _attributes(span.get("attributes"))
            spans[trace, own] = _Span(
                name, kind if isinstance(kind, int) else _KINDS.get(str(kind), 0),
                (trace, parent) if parent and parent.strip("0") else None,
                next((attributes[key] for key in _PEERS if key in attributes), None),
            )  # fmt: skip


def _take_calls(draft: Draft, spans: dict[tuple[str, str], _Span]) -> None:
    answered: set[tuple[str, str]] = set()
    lost: Counter[str] = Counter()
    for span in spans.values():
        if span.parent is None or span.kind not in (_SERVER, _CONSUMER):
            continue
        caller = spans.get(span.parent)
        if caller is None:
            lost["server spans whose caller is not in this file"] += 1
        elif caller.service == span.service:
            continue
        elif caller.kind == _PRODUCER or span.kind == _CONSUMER:
            lost["messages over a queue, which are no calls"] += 1
        else:
            answered.add(span.parent)
            draft.calls(caller.service, span.service, f"service.name {caller.service}", learned=True)
    for key, span in spans.items():
        if span.kind != _CLIENT or key in answered:
            continue
        peer = fit_name(span.peer) if span.peer else None
        if peer is None:
            lost["client spans that do not say whom they called"] += 1
        elif peer != span.service and draft.service(peer, f"peer.service {peer}"):
            draft.calls(span.service, peer, f"service.name {span.service}", learned=True)
    for what, count in lost.items():
        draft.lose("spans", f"{count} {what}.")


def _attributes(listed: Any) -> dict[str, str]:
    """Attributes whose value is one word, as text."""
    found = {}
    for item in items(listed):
        key, value = word(mapping(item).get("key")), mapping(mapping(item).get("value"))
        text = word(value.get("stringValue", value.get("intValue")))
        if key is not None and text is not None:
            found[key] = text
    return found


IMPORTER = Importer("otel-traces", "OpenTelemetry traces", "OTLP JSON with resourceSpans, whole or one a line", read)
