"""Reads one PagerDuty event (Events API v2) into an occurrence, and writes PagerDuty's answers."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.kernel.errors import BadInput, Fault, HandrailError
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    key_of,
    key_text,
    link,
    mapping,
    moment,
    raw_of,
    read_body,
    short_annotations,
    short_labels,
    text,
    words,
)

EXPECTED = "one PagerDuty event (Events API v2: an object with “routing_key”, “event_action” and “payload”)"
INVALID_CODE = "pagerduty_event_invalid"

_ACTIONS = {
    "trigger": AlertStatus.FIRING, "acknowledge": AlertStatus.ACKNOWLEDGED, "resolve": AlertStatus.RESOLVED,
}  # fmt: skip
_SEVERITIES = ("critical", "warning", "error", "info")
_KNOWN_EVENT = frozenset({"payload", "routing_key", "event_action", "dedup_key", "client_url"})
_KNOWN_PAYLOAD = frozenset(
    {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
)
_LONG_DETAILS = frozenset({"summary", "description", "message", "details", "runbook", "runbook_url"})


class _Addressed(msgspec.Struct):
    routing_key: str | int | None = None


_ADDRESSED = msgspec.json.Decoder(_Addressed)


def routing_key(body: bytes) -> str | None:
    """The source's token inside the event, read alone and before all else; None where there is none to read."""
    try:
        return words(_ADDRESSED.decode(body).routing_key) or None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One event. Its faults are told all at once, in PagerDuty's words."""
    body = read_body(inbound)
    if type(body) is not dict or not ("event_action" in body or "routing_key" in body):
        raise other_sender(body, EXPECTED)
    faults = _faults(body)
    if faults:
        raise BadInput(
            "Event object is invalid: " + "; ".join(fault.what for fault in faults), code=INVALID_CODE, faults=faults
        )
    return Parsed(occurrences=(_occurrence(body),))


def answer_accepted(occurrence: Occurrence) -> tuple[int, bytes]:
    """PagerDuty's 202, with the key by which the sender may resolve what it triggered."""
    answer = {"status": "success", "message": "Event processed", "dedup_key": occurrence.dedup_key}
    return 202, json.dumps(answer, ensure_ascii=False).encode()


def answer_refused(refused: HandrailError) -> tuple[int, bytes]:
    """PagerDuty's 400 for what cannot be read; other statuses (429, 5xx) keep their own, since senders act on them."""
    status = 400 if refused.status in (400, 401, 422) else refused.status
    errors = [fault.what for fault in refused.faults] or [refused.detail]
    answer = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return status, json.dumps(answer, ensure_ascii=False).encode()


def _faults(body: Mapping[str, Any]) -> tuple[Fault, ...]:
    action, payload = words(body.get("event_action")), body.get("payload")
    faults = []
    if not words(body.get("routing_key")):
        faults.append(Fault("/routing_key", "'routing_key' is missing or blank"))
    if not action:
        faults.append(Fault("/event_action", "'event_action' is missing or blank"))
    elif action not in _ACTIONS:
        known = "'trigger', 'acknowledge' or 'resolve'"
        faults.append(Fault("/event_action", f"'event_action' is invalid (must be one of the following: {known})"))
    if action in ("acknowledge", "resolve") and not words(body.get("dedup_key")):
        faults.append(Fault("/dedup_key", "'dedup_key' is missing or blank"))
    if payload is not None and type(payload) is not dict:
        faults.append(Fault("/payload", "'payload' is invalid (must be an object)"))
    elif action == "trigger":
        faults += _payload_faults(mapping(payload)) if payload else [Fault("/payload", "'payload' is missing or blank")]
    return tuple(faults)


def _payload_faults(payload: Mapping[str, Any]) -> list[Fault]:
    faults = [
        Fault(f"/payload/{name}", f"'payload.{name}' is missing or blank")
        for name in ("summary", "source", "severity")
        if not words(payload.get(name))
    ]
    severity = words(payload.get("severity")).lower()
    if severity and severity not in _SEVERITIES:
        known = "'critical', 'warning', 'error' or 'info'"
        faults.append(
            Fault("/payload/severity", f"'payload.severity' is invalid (must be one of the following: {known})")
        )
    return faults


def _occurrence(body: Mapping[str, Any]) -> Occurrence:
    payload = mapping(body.get("payload"))
    labels, annotations = _details(payload)
    summary = words(payload.get("summary"))
    said = {name: words(payload.get(name)) for name in ("source", "component", "group", "class", "severity")}
    details = mapping(payload.get("custom_details"))
    service = words(details.get("service")) or said["component"] or said["group"]
    return Occurrence(
        dedup_key=_key(body, payload),
        status=_ACTIONS[words(body["event_action"])],
        title=clip(summary, LIMITS.title_chars),
        severity_raw=clip(said["severity"], LIMITS.label_chars) or None,
        service=clip(service, LIMITS.label_chars) or None,
        resource=clip(said["source"], LIMITS.label_chars) or None,
        summary=_summary(summary, details),
        labels=labels,
        annotations=annotations,
        occurred_at=moment(payload.get("timestamp")),
        starts_at=moment(payload.get("timestamp")),
        link=link(body.get("client_url")) or _first_link(body.get("links")),
        raw=raw_of({name: value for name, value in body.items() if name != "routing_key"}),
        extra=_extra(body, payload),
    )


def _key(body: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    given = words(body.get("dedup_key"))
    if given:
        return key_text(given)
    return key_of(*(text(payload.get(name)) for name in ("source", "summary", "component", "group", "class")))


def _details(payload: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Short values of custom_details as labels beside the named ones, long ones as annotations."""
    labels: dict[str, Any] = {name: payload[name] for name in ("component", "group", "class") if payload.get(name)}
    annotations: dict[str, Any] = {}
    for name, value in mapping(payload.get("custom_details")).items():
        said = words(value)
        if not said:
            continue
        is_long = name in _LONG_DETAILS or len(said) > LIMITS.label_chars or "\n" in said
        (annotations if is_long else labels)[name] = said
    return short_labels(labels), short_annotations(annotations)


def _summary(summary: str, details: Mapping[str, Any]) -> str:
    """What explains the title: the details' description, or the whole of a summary that the title had to cut."""
    said = words(details.get("description")) or words(details.get("message"))
    return clip(said or (summary if len(summary) > LIMITS.title_chars else ""), LIMITS.summary_chars)


def _first_link(links: Any) -> str | None:
    for item in links if type(links) is list else ():
        found = link(mapping(item).get("href"))
        if found:
            return found
    return None


def _extra(body: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, object]:
    extra = extra_of(body, _KNOWN_EVENT)
    beside = extra_of(payload, _KNOWN_PAYLOAD)
    details = payload.get("custom_details")
    nested = details if type(details) is not dict else {k: v for k, v in details.items() if type(v) in (dict, list)}
    if nested:
        beside["custom_details"] = extra_of({"value": nested}, frozenset()).get("value")
    said = payload.get("timestamp")
    if said and moment(said) is None:
        beside["timestamp"] = clip(text(said) or "", LIMITS.label_chars)
    return {**extra, "payload": beside} if beside else extra
