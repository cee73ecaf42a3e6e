"""Reads OTLP's log records: those of severity error and above into alerts, one for each service and kind of message;
all of them into lines for who watches logs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from handrail.domain.alert import SEVERITY_WORDS, AlertStatus, Occurrence, Severity
from handrail.domain.log_line import LogLine
from handrail.kernel.errors import BadInput, Refused, TooLarge
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Parsed, Rejected
from handrail.plugins.integrations.fields import clip, first_of, key_of, moment, raw_of, short_annotations, text, words
from handrail.plugins.integrations.log_text import log_lines
from handrail.plugins.integrations.otlp.metrics import metric_labels
from handrail.plugins.integrations.otlp.wire import as_tree, attributes_of, integer, part, parts, value_of

_ERROR, _FATAL, _LAST = 17, 21, 24
_GRAVE = (Severity.CRITICAL, Severity.HIGH)
_MESSAGE_FIELDS = ("message", "msg", "error", "exception.message", "event", "log")
_RESOURCE_NAMES = ("service_instance_id", "k8s_pod_name", "host_name", "container_name", "container_id")
_KEPT_ATTRIBUTES = ("exception.type", "exception.message", "error.type", "event.name", "http.route", "code.function")
# A message's parts: quoted values, addresses, mailboxes, paths, and last any run of word signs. The last one takes in
# all that the ones before it stumble over, so that the search never goes back: the time stays linear.
_PART = re.compile(
    r"(?P<varies>\"[^\"]*\"|'[^']*'|[a-z][a-z0-9+.-]*://\S+|[\w.+-]+@[\w.-]+|(?:/[\w.@%+-]+){2,})|[\w.:+'-]+",
    re.IGNORECASE,
)
_HAS_DIGIT = re.compile(r"\d")
_LETTERED_HEX = re.compile(r"[0-9a-f]{8,}", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_TEMPLATE_CHARS = 1024


@dataclass(frozen=True)
class _Record:
    """One log record beside what holds for all of its resource and scope."""

    record: Mapping[str, Any]
    resource: Mapping[str, Any]
    scope: str

    @property
    def at(self) -> datetime | None:
        return moment(_time(self.record, "timeUnixNano")) or moment(_time(self.record, "observedTimeUnixNano"))


def read_logs(tree: Mapping[str, Any], now: datetime) -> Parsed:
    """One occurrence for each service and template; it counts its records, and its words are the newest record's."""
    groups: dict[tuple[str, str], list[_Record]] = {}
    rejected: list[Rejected] = []
    lines: list[LogLine] = []
    for index, (found, resource, scope) in enumerate(_records(tree)):
        _bound(index)
        try:
            record = _checked(found, resource, scope)
        except Refused as fault:
            rejected.append(Rejected(index, fault.code, fault.detail))
            continue
        is_grave = severity_of_record(record.record) is not None
        if is_grave:
            groups.setdefault((_service(record), _template_of(record)), []).append(record)
        lines += log_lines(_service(record), _message(record), is_error=is_grave, is_alert=is_grave)
    if len(groups) > LIMITS.inbound_batch_alerts:
        raise TooLarge(f"The request makes {len(groups)} alerts; send smaller batches.", code="batch_too_large")
    occurrences = tuple(_occurrence(records, template, now) for (_, template), records in groups.items())
    return Parsed(occurrences=occurrences, rejected=tuple(rejected), lines=tuple(lines))


def read_protobuf_logs(request: ExportLogsServiceRequest, now: datetime) -> Parsed:
    """The same. A record below error whose body is plain text is a line and nothing else: most of a log is, and a tree
    of each of its records would cost many times more than reading it."""
    lines: list[LogLine] = []
    rest: list[dict[str, Any]] = []
    seen = 0
    for of_resource in request.resource_logs:
        resource = as_tree(of_resource.resource)
        service = _named(attributes_of(resource))
        for of_scope in of_resource.scope_logs:
            seen += len(of_scope.log_records)
            _bound(seen - 1)
            heavy = []
            for record in of_scope.log_records:
                number, body = record.severity_number, record.body.string_value
                if body and (0 < number < _ERROR or not (number or record.severity_text)):
                    lines += log_lines(service, body)
                else:
                    heavy.append(as_tree(record))
            if heavy:
                scopes = [{"scope": as_tree(of_scope.scope), "logRecords": heavy}]
                rest.append({"resource": resource, "scopeLogs": scopes})
    parsed = read_logs({"resourceLogs": rest}, now)
    return replace(parsed, lines=(*parsed.lines, *lines))


def _bound(index: int) -> None:
    if index >= LIMITS.inbound_telemetry_items:
        raise TooLarge(
            f"The request has more than {LIMITS.inbound_telemetry_items} log records; send smaller batches.",
            code="batch_too_large",
        )


def severity_of_record(record: Mapping[str, Any]) -> str | None:
    """“error” or “fatal” (or the sender's word for it) for a record of that weight; None for a lighter one."""
    number = _severity_number(part(record, "severityNumber"))
    said = words(part(record, "severityText"))
    known = SEVERITY_WORDS.get(said.lower())
    if not number:
        return said if known in _GRAVE else None
    if not _ERROR <= number <= _LAST:
        return None
    return said if known in _GRAVE else ("fatal" if number >= _FATAL else "error")


def template(message: str) -> str:
    """The message without what varies from one time to the next: numbers, ids, addresses, paths, quoted values."""
    return _SPACE.sub(" ", _PART.sub(_masked, message[: LIMITS.annotation_chars])).strip()[:_TEMPLATE_CHARS]


def _masked(found: re.Match[str]) -> str:
    part = found[0]
    if found["varies"] or _HAS_DIGIT.search(part) or _LETTERED_HEX.fullmatch(part):
        return "<*>" + (":" if part.endswith(":") else "")
    return part


def _severity_number(value: Any) -> int:
    """The enum comes as number, as number in text, or under its name (SEVERITY_NUMBER_ERROR2)."""
    number = integer(value)
    if number is not None:
        return number
    name = words(value).upper().removeprefix("SEVERITY_NUMBER_")
    level = name.rstrip("234")
    starts = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": _ERROR, "FATAL": _FATAL}
    return starts[level] + (int(name[-1]) - 1 if name[-1:].isdigit() else 0) if level in starts else 0


def _records(tree: Mapping[str, Any]) -> Iterator[tuple[Any, Mapping[str, Any], str]]:
    for of_resource in parts(tree, "resourceLogs"):
        resource = attributes_of(part(of_resource, "resource"))
        for of_scope in parts(of_resource, "scopeLogs") or parts(of_resource, "instrumentationLibraryLogs"):
            scope = words(part(part(of_scope, "scope"), "name"))
            for record in parts(of_scope, "logRecords") or parts(of_scope, "logs"):
                yield record, resource, scope


def _checked(record: Any, resource: Mapping[str, Any], scope: str) -> _Record:
    if type(record) is not dict:
        raise BadInput("A log record must be an object.", code="item_not_an_object")
    return _Record(record, resource, scope)


def _service(record: _Record) -> str:
    return _named(record.resource)


def _named(resource: Mapping[str, Any]) -> str:
    """`service.name`; SDKs that were told none write “unknown_service:<process>”, which names nothing."""
    said = words(resource.get("service.name"))
    return "" if said.startswith("unknown_service") else clip(said, LIMITS.label_chars)


def _message(record: _Record) -> str:
    """The words of a record: its body, or the field of a structured body that holds them, or its event's name."""
    body = value_of(part(record.record, "body"))
    if isinstance(body, dict):
        body = next((body[name] for name in _MESSAGE_FIELDS if words(body.get(name))), body)
    attributes = attributes_of(record.record)
    said = (text(body) or "").strip() if body not in ({}, [], "") else ""
    return (
        said
        or words(attributes.get("exception.message"))
        or words(part(record.record, "eventName"))
        or words(attributes.get("event.name"))
    )


def _template_of(record: _Record) -> str:
    attributes = attributes_of(record.record)
    kind = words(attributes.get("exception.type")) or words(attributes.get("error.type"))
    return f"{kind}: {template(_message(record))}" if kind else template(_message(record))


def _occurrence(records: list[_Record], shape: str, now: datetime) -> Occurrence:
    """Written out of the newest record. The worst severity of the group counts."""
    times = [record.at for record in records]
    newest = records[max(range(len(records)), key=lambda place: times[place] or now)]
    record, service = newest.record, _service(newest)
    attributes, message = attributes_of(record), _message(newest)
    said = [severity_of_record(item.record) or "error" for item in records]
    severity = next((word for word in said if SEVERITY_WORDS.get(word.lower()) == Severity.CRITICAL), said[-1])
    labels = metric_labels({**newest.resource, **{name: attributes.get(name) for name in _KEPT_ATTRIBUTES}})
    known = [at for at in times if at]
    lines = message.splitlines()
    return Occurrence(
        dedup_key=key_of("otlp", service, words(newest.resource.get("service.namespace")), shape),
        status=AlertStatus.FIRING,
        title=clip((lines[0].strip() if lines else "") or f"Error log of {service or 'a service'}", LIMITS.title_chars),
        severity_raw=clip(severity, LIMITS.label_chars),
        service=service or None,
        resource=first_of(labels, _RESOURCE_NAMES),
        summary=clip(message, LIMITS.summary_chars) if len(lines) > 1 else "",
        labels=labels,
        annotations=short_annotations({"template": shape, "stacktrace": attributes.get("exception.stacktrace")}),
        occurred_at=max(known) if known else None,
        starts_at=min(known) if known else None,
        raw=raw_of({"resource": dict(newest.resource), "scope": newest.scope, "logRecord": record}),
        extra=_extra(newest, len(records)),
    )


def _extra(newest: _Record, count: int) -> dict[str, object]:
    extra: dict[str, object] = {"records": count}
    for name, field in (("trace_id", "traceId"), ("span_id", "spanId")):
        said = words(part(newest.record, field)).lower()
        if said.strip("0"):
            extra[name] = clip(said, LIMITS.label_chars)
    if newest.scope:
        extra["scope"] = clip(newest.scope, LIMITS.label_chars)
    return extra


def _time(record: Mapping[str, Any], name: str) -> int | None:
    return integer(part(record, name))
