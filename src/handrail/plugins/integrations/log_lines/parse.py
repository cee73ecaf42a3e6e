"""Reads lines of logs as shippers post them. What is no JSON is plain text: a log may hold anything."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from handrail.domain.log_line import LogLine
from handrail.kernel.errors import BadInput, Refused, TooLarge
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import guess_sender, other_sender, refuse_if_nothing
from handrail.plugins.integrations.contract import Inbound, Parsed, Rejected
from handrail.plugins.integrations.fields import clip, first_of, read_body, words
from handrail.plugins.integrations.log_text import log_lines

EXPECTED = "log lines: JSON objects with a “message” each, one a line or in a list, or plain text"
_MESSAGES = ("message", "msg", "short_message", "log", "event", "text", "body")
_SERVICES = (
    "service", "service.name", "service_name", "app", "application", "component", "container_name", "_service",
)  # fmt: skip
_LEVELS = ("level", "severity", "log.level", "severity_text", "levelname", "lvl")
_ERRORS = frozenset(
    {"error", "err", "eror", "fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "severe", "failure"}
)
_SYSLOG_ERROR, _PINO_ERROR, _PINO_LAST = 3, 50, 100


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """Lines, and by index what has no message. Raises a refusal where nothing of it is a line."""
    items = _items(inbound)
    if len(items) > LIMITS.inbound_telemetry_items:
        raise TooLarge(
            f"The request has more than {LIMITS.inbound_telemetry_items} log lines; send smaller batches.",
            code="batch_too_large",
        )
    service = clip(inbound.query.get("service", "").strip(), LIMITS.label_chars)
    lines: list[LogLine] = []
    rejected: list[Rejected] = []
    for index, item in enumerate(items):
        if type(item) is str:
            lines += log_lines(service, item)
            continue
        try:
            lines += _read(item, service)
        except Refused as fault:
            rejected.append(Rejected(index, fault.code, fault.detail))
    refuse_if_nothing(lines, rejected, items, EXPECTED)
    return Parsed(lines=tuple(lines), rejected=tuple(rejected))


def _items(inbound: Inbound) -> list[Any]:
    """What the body holds: one JSON value where it is one, else line by line. A single line that begins like JSON has
    to be some, unless its sender calls it text: `[main] started` begins so as well."""
    body = inbound.body.strip()
    is_text = inbound.headers.get("content-type", "").startswith("text/")
    if body[:1] in (b"{", b"[") and not is_text:
        try:
            return _listed(read_body(Inbound(body)))
        except BadInput:
            if b"\n" not in body:
                raise
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadInput("The body is no UTF-8 text; send log lines as UTF-8.", code="text_encoding") from None
    return [line if is_text else _line(line) for line in text.splitlines() if line.strip()]


def _listed(value: Any) -> list[Any]:
    """One object alone may be somebody's alert that has a message as well: taken for a line, nobody would be told."""
    if type(value) is list:
        return value
    if type(value) is not dict or guess_sender(value) or not any(name in value for name in _MESSAGES):
        raise other_sender(value, EXPECTED)
    return [value]


def _line(line: str) -> Any:
    if not line.lstrip().startswith("{"):
        return line
    try:
        value = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return line
    return value if type(value) is dict else line


def _read(item: Any, otherwise: str) -> tuple[LogLine, ...]:
    if type(item) is not dict:
        raise BadInput("A log line must be an object or a text.", code="item_not_an_object")
    message = next((said for name in _MESSAGES if (said := words(item.get(name)))), "")
    if not message:
        raise BadInput("A log line has no “message”.", code="log_message_missing")
    named = {name: words(item.get(name)) for name in _SERVICES}
    service = clip(first_of(named, _SERVICES) or otherwise, LIMITS.label_chars)
    return log_lines(service, message, is_error=_is_error(item))


def _is_error(item: Mapping[str, Any]) -> bool:
    said = first_of({name: words(item.get(name)) for name in _LEVELS}, _LEVELS) or ""
    if said.isascii() and said.isdecimal():
        number = int(said[:9])
        return number <= _SYSLOG_ERROR or _PINO_ERROR <= number <= _PINO_LAST
    return said.lower() in _ERRORS
