"""OTLP's requests, protobuf or JSON, as one tree in the shape of its JSON: lowerCamelCase names, ids as hex."""

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.fields import read_body

encode_json = msgspec.json.encode
_HEX_FIELDS = ("trace_id", "span_id")
_REQUESTS: Mapping[str, type[Message]] = {"logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}


def is_protobuf(inbound: Inbound) -> bool:
    kind = inbound.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf")


def read_tree(inbound: Inbound, signal: str) -> Any:
    """The request as a tree. In protobuf the signal decides how the bytes are to be read."""
    return as_tree(read_message(inbound, signal)) if is_protobuf(inbound) else read_body(inbound)


def read_message(inbound: Inbound, signal: str) -> Message:
    message = _REQUESTS[signal]()
    try:
        message.ParseFromString(inbound.body)
    except DecodeError:
        raise BadInput(
            f"The body is no protobuf request for {signal} of OTLP; check the exporter's endpoint and encoding.",
            code="protobuf_invalid",
        ) from None
    return message


def part(item: Any, name: str) -> Any:
    """A field by its JSON name; the schema's own name is taken as well, as protobuf's readers do. None if absent."""
    if type(item) is not dict:
        return None
    return item[name] if name in item else item.get(_schema_name(name))


def parts(item: Any, name: str) -> list[Any]:
    value = part(item, name)
    return value if type(value) is list else []


def integer(value: Any) -> int | None:
    """64-bit integers come as numbers or as text."""
    if type(value) is int:
        return value
    if type(value) is str and value.strip().lstrip("-").isascii() and value.strip().lstrip("-").isdecimal():
        return int(value) if len(value) < 24 else None
    if type(value) is float and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return None


def value_of(value: Any) -> Any:
    """What an AnyValue holds, as plain JSON. A bare value, which some senders write, stands for itself."""
    if type(value) is not dict:
        return value
    for name in ("stringValue", "boolValue", "intValue", "doubleValue", "bytesValue"):
        held = part(value, name)
        if held is not None:
            return integer(held) if name == "intValue" and integer(held) is not None else held
    if part(value, "arrayValue") is not None:
        return [value_of(item) for item in parts(part(value, "arrayValue"), "values")]
    if part(value, "kvlistValue") is not None:
        return attributes_of(part(value, "kvlistValue"), "values")
    return None


def attributes_of(item: Any, name: str = "attributes") -> dict[str, Any]:
    """Key and value pairs as a mapping; a repeated key keeps its last value."""
    pairs = part(item, name)
    if type(pairs) is dict:  # not OTLP, but plain enough to be read
        return pairs
    return {
        pair["key"]: value_of(pair.get("value"))
        for pair in (pairs if type(pairs) is list else ())
        if type(pair) is dict and type(pair.get("key")) is str
    }


@lru_cache(maxsize=256)
def _schema_name(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def as_tree(message: Message) -> dict[str, Any]:
    """A message in the shape of its JSON."""
    return {field.json_name: _branch(field, value) for field, value in message.ListFields()}


def _branch(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return [as_tree(item) for item in value] if field.is_repeated else as_tree(value)
    if field.type == FieldDescriptor.TYPE_BYTES and not field.is_repeated:
        return value.hex() if field.name in _HEX_FIELDS else base64.b64encode(value).decode()
    return list(value) if field.is_repeated else value
