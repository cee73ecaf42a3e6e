"""Reads what Zabbix's webhook media types send: our own parameters, and the common ones of others."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, Severity
from handrail.plugins.integrations.batch import guess_sender, other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import extra_of, key_of, moment, read_body, service_of, short_labels, words
from handrail.plugins.integrations.reading import (
    ACKNOWLEDGED,
    FIRING,
    RESOLVED,
    first_link,
    first_words,
    missing,
    occurrence,
    pairs,
    severity_word,
    status_in,
    unread_times,
)

EXPECTED = "what a Zabbix media type sends (an object with “trigger”, “hostname” and “status” or “value”)"

STATUSES = {
    "problem": FIRING, "1": FIRING, "true": FIRING, "firing": FIRING, "update": FIRING, "updated": FIRING,
    "acknowledged": ACKNOWLEDGED, "suppressed": ACKNOWLEDGED,
    "ok": RESOLVED, "resolved": RESOLVED, "recovery": RESOLVED, "recovered": RESOLVED, "closed": RESOLVED,
    "0": RESOLVED, "false": RESOLVED,
}  # fmt: skip
SEVERITIES = {
    "not_classified": Severity.INFO, "information": Severity.INFO, "warning": Severity.LOW, "average": Severity.MEDIUM,
    "high": Severity.HIGH, "disaster": Severity.CRITICAL, "0": Severity.INFO, "1": Severity.INFO, "2": Severity.LOW,
    "3": Severity.MEDIUM, "4": Severity.HIGH, "5": Severity.CRITICAL,
}  # fmt: skip
# The names that media types in use give to one thing, ours first.
NAMES = {
    "trigger": ("trigger", "trigger_name", "event_name", "triggername", "name", "subject", "alert_subject"),
    "host": ("hostname", "host", "host_name", "hostName", "event_source_host"),
    "status": ("status", "event_status", "trigger_status", "value", "event_value", "trigger_value"),
    "severity": ("severity", "event_severity", "trigger_severity", "nseverity", "event_nseverity"),
    "trigger_id": ("trigger_id", "triggerid", "triggerId"),
    "event_id": ("event_id", "eventid", "eventId"),
    "item": ("item", "event_opdata", "opdata", "item_value", "message", "alert_message"),
    "ack": ("ack", "event_ack_status", "acknowledged", "ack_status"),
    "link": ("link", "event_url", "trigger_url", "url"),
    "tags": ("tags", "event_tags", "eventtags"),
}
_TIMES = (
    "timestamp", "clock", "time", "date", "event_date", "event_time", "zone", "recovery_date", "recovery_time",
    "event_recovery_date", "event_recovery_time", "recovery_timestamp",
)  # fmt: skip
_KNOWN = frozenset({name for names in NAMES.values() for name in names} | set(_TIMES))
_UNFILLED = re.compile(r"\{[$A-Z][A-Z0-9_.:$\"]*\}|\*UNKNOWN\*")
_IN_LINK = {name: re.compile(rf"[?&]{name}=(\d{{1,20}})") for name in ("triggerid", "eventid")}
# How Zabbix's own message templates begin a subject; the name after it is the same for the problem and its end.
_LED = re.compile(r"(?:problem|updated problem(?: in [^:]{1,40})?|resolved(?: in [^:]{1,40})?|ok): +", re.IGNORECASE)
_ZONE = re.compile(r"[+-]\d\d(:?\d\d)?|Z|UTC|")
_OF_EVENT = frozenset({"event_date", "event_time", "recovery_date", "recovery_time"})


def parse(inbound: Inbound, now: datetime) -> Parsed:
    body = read_body(inbound)
    if type(body) is not dict or guess_sender(body):
        raise other_sender(body, EXPECTED)
    sent = {name: said for name, said in body.items() if not _is_unfilled(said)}
    said = {field: first_words(*(sent.get(name) for name in names)) for field, names in NAMES.items()}
    names_it = said["trigger_id"] or said["event_id"] or not {"trigger", "trigger_name"}.isdisjoint(body)
    if not (names_it and (said["status"] or said["ack"] or said["host"])):
        raise other_sender(body, EXPECTED)
    return Parsed(occurrences=(_read(body, sent, said),))


def _is_unfilled(value: Any) -> bool:
    """A macro that Zabbix had no value for stays as it was written."""
    return type(value) is str and _UNFILLED.fullmatch(value.strip()) is not None


def _read(body: Mapping[str, Any], sent: Mapping[str, Any], said: Mapping[str, str]) -> Occurrence:
    key, status = _key(said), _status(said)
    tags = pairs(next((sent[name] for name in NAMES["tags"] if sent.get(name)), None))
    started = _when(sent, ("timestamp", "clock"), ("date", "event_date"), ("time", "event_time"))
    ended = _when(sent, ("recovery_timestamp",), ("recovery_date", "event_recovery_date"),
                  ("recovery_time", "event_recovery_time"))  # fmt: skip
    return occurrence(
        body,
        key=key,
        status=status,
        title=said["trigger"],
        severity=severity_word(said["severity"], SEVERITIES),
        service=service_of(short_labels(tags)),
        resource=said["host"],
        summary=said["item"],
        labels={**tags, "host": said["host"], "zabbix_severity": said["severity"]},
        occurred_at=ended or _said_at(body, sent) if status == RESOLVED else started,
        starts_at=started,
        ends_at=ended,
        address=first_link(said["link"]),
        extra={**extra_of(body, _KNOWN), **_unread(sent, started)},
    )


def _said_at(body: Mapping[str, Any], sent: Mapping[str, Any]) -> datetime | None:
    """The time of a recovery that names none: that of its message, if any, and never that of the event it ends.

    A media type that has a place for an event's or a recovery's time writes the event's into the plain ones.
    """
    return None if _OF_EVENT & body.keys() else _when(sent, ("timestamp", "clock"), ("date",), ("time",))


def _key(said: Mapping[str, str]) -> str:
    """The trigger, since a recovery may come with an event of its own; without it the event, or host and name."""
    for name, field in (("triggerid", "trigger_id"), ("eventid", "event_id")):
        found = _IN_LINK[name].search(said["link"])
        number = said[field] or (found.group(1) if found else "")
        if number:
            return f"{field.removesuffix('_id')}/{number}"
    if not said["trigger"]:
        raise missing("trigger: neither an id nor a name")
    led = _LED.match(said["trigger"])
    return key_of(said["host"], said["trigger"][led.end() :] if led else said["trigger"])


def _status(said: Mapping[str, str]) -> AlertStatus:
    status = status_in(STATUSES, said["status"], "status") if said["status"] else FIRING
    is_seen = said["ack"].lower() in ("yes", "1", "true", "acknowledged")
    return ACKNOWLEDGED if status == FIRING and is_seen else status


def _when(
    sent: Mapping[str, Any], stamps: tuple[str, ...], dates: tuple[str, ...], times: tuple[str, ...]
) -> datetime | None:
    """Epoch seconds, a whole time in one field, or Zabbix's date and time (2026.01.05 and 09:00:00) with our zone. With
    a zone that is no offset it is none: hours away from the truth, a resolve would look older than its problem."""
    for name in (*stamps, *times, *dates):
        whole = moment(sent.get(name)) if name in stamps or len(words(sent.get(name))) > 10 else None
        if whole:
            return whole
    date = first_words(*(sent.get(name) for name in dates)).replace(".", "-").replace("/", "-")
    time = first_words(*(sent.get(name) for name in times))
    zone = words(sent.get("zone"))
    if not date or not time or not _ZONE.fullmatch(zone):
        return None
    return moment(f"{date}T{time}{zone.removesuffix('UTC')}")


def _unread(sent: Mapping[str, Any], started: datetime | None) -> dict[str, object]:
    if started is not None:
        return {}
    return unread_times(sent, ("timestamp", "clock", "date", "time", "event_date", "event_time", "zone"))
