"""The envelope of CloudEvents 1.0 in its three HTTP modes, and of bare CDEvents, as one value."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.fields import clip, mapping, moment, read_body, text, words

EXPECTED = "a CloudEvent 1.0 (structured, binary or batch) with “specversion”, “id”, “source” and “type”, or a CDEvent"

# HTTP's own quoting of header values, which is taken off before the percent signs are read.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_ATTRIBUTES = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"}
)


@dataclass(frozen=True)
class Event:
    """One event whatever way it came. `item` is all of it, for `raw`; `data` is an object, a text or nothing."""

    id: str
    source: str
    type: str
    subject: str
    occurred_at: datetime | None
    data: Any
    item: Mapping[str, Any]
    extensions: dict[str, Any] = field(default_factory=dict)


def read_event(item: Any) -> Event:
    """One event in the structured form, or a bare CDEvent."""
    if type(item) is not dict:
        raise BadInput("An event must be an object.", code="event_not_an_object")
    context = item.get("context")
    if "specversion" not in item and type(context) is dict and "subject" in item:
        return _bare_cdevent(item, context)
    _check_version(item)
    if "data" in item and "data_base64" in item:
        raise BadInput("The event has both “data” and “data_base64”.", code="event_data_twice")
    return Event(
        id=_required(item, "id"),
        source=_required(item, "source"),
        type=_required(item, "type"),
        subject=words(item.get("subject")),
        occurred_at=moment(item.get("time")),
        data=_data(item),
        item=item,
        extensions={name: value for name, value in item.items() if name not in _ATTRIBUTES},
    )


def is_event(item: Any) -> bool:
    """Whether an item means to be an event at all; what then is wrong with it is `read_event`'s to say."""
    return type(item) is dict and ("specversion" in item or (type(item.get("context")) is dict and "subject" in item))


def is_binary(inbound: Inbound) -> bool:
    """Whether the attributes stand in headers. A body that says it is a whole event is one, whatever stands beside."""
    if inbound.headers.get("content-type", "").strip().lower().startswith("application/cloudevents"):
        return False
    return any(f"ce-{name}" in inbound.headers for name in ("specversion", "type", "id"))


def read_binary(inbound: Inbound) -> Event:
    """The binary mode: attributes stand in ce-* headers, percent-encoded, and the body is the data alone."""
    attributes: dict[str, Any] = {
        name[len("ce-") :]: _header(value) for name, value in inbound.headers.items() if name.startswith("ce-")
    }
    for reserved in ("data", "data_base64"):
        attributes.pop(reserved, None)
    if not inbound.body.strip():
        return read_event(attributes)
    content_type = inbound.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type == "application/json" or content_type.endswith("+json") or content_type == "text/json":
        return read_event({**attributes, "data": read_body(inbound)})
    encoded = base64.b64encode(inbound.body).decode()
    return read_event({**attributes, "datacontenttype": content_type, "data_base64": encoded})


def _bare_cdevent(item: Mapping[str, Any], context: Mapping[str, Any]) -> Event:
    """CDEvents without a CloudEvent around them; the context carries what the envelope would."""
    return Event(
        id=_required(context, "id"),
        source=_required(context, "source"),
        type=_required(context, "type"),
        subject=words(mapping(item["subject"]).get("id")),
        occurred_at=moment(context.get("timestamp")),
        data=item,
        item=item,
    )


def _check_version(item: Mapping[str, Any]) -> None:
    version = words(item.get("specversion"))
    if version != "1.0":
        said = f"“{clip(version, 64)}”" if version else "missing"
        raise BadInput(f"The event's “specversion” is {said}; 1.0 is read.", code="event_version")


def _required(item: Mapping[str, Any], name: str) -> str:
    said = words(item.get(name))
    if not said:
        raise BadInput(f"The event has no “{name}”.", code="event_attribute_missing")
    if len(said) > LIMITS.link_chars:
        raise BadInput(f"The event's “{name}” is longer than {LIMITS.link_chars} characters.", code="event_attribute")
    return said


def _header(value: str) -> str:
    quoted = _QUOTED.fullmatch(value.strip())
    try:
        read = unquote_to_bytes(_ESCAPED.sub(r"\1", quoted[1]) if quoted else value).decode()
    except UnicodeDecodeError:
        raise BadInput("A ce-* header is not percent-encoded UTF-8.", code="event_attribute") from None
    if "\0" in read:
        raise BadInput("A ce-* header holds a NUL character.", code="event_attribute")
    return read


def _data(item: Mapping[str, Any]) -> Any:
    """The data: JSON inside of base64 or of text is read as well; what is no JSON is left where it is, in `raw`."""
    if "data_base64" not in item:
        return _unwrapped(item.get("data"))
    try:
        content = base64.b64decode(text(item["data_base64"]) or "", validate=True)
        return read_body(Inbound(content))
    except (binascii.Error, ValueError, BadInput):
        return None


def _unwrapped(data: Any) -> Any:
    """An object that the sender wrote as text; other text stays text."""
    if type(data) is not str or not data.lstrip().startswith("{"):
        return data
    try:
        return read_body(Inbound(data.encode()))
    except BadInput:
        return data
