"""Reads a Nagios or Icinga notification, as our sender script or another sends the macros."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, Severity
from handrail.plugins.integrations.batch import guess_sender, other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import extra_of, key_of, moment, read_body, words
from handrail.plugins.integrations.reading import (
    ACKNOWLEDGED,
    FIRING,
    NO_WORD,
    RESOLVED,
    first_link,
    missing,
    occurrence,
    plain,
    severity_word,
    status_in,
    unknown_status,
)

EXPECTED = "a Nagios or Icinga notification (an object with “host”, “state” and “type”, or with the macros' names)"

TYPES = {
    "problem": FIRING, "flappingstart": FIRING, "recovery": RESOLVED,
    "acknowledgement": ACKNOWLEDGED, "acknowledgment": ACKNOWLEDGED, "acknowledged": ACKNOWLEDGED,
    "downtimestart": ACKNOWLEDGED,
}  # fmt: skip
TYPES_BY_STATE = frozenset(
    {"", "flappingstop", "flappingend", "flapping", "flappingdisabled", "downtimeend", "downtimecancelled",
     "downtimeremoved", "custom"}
)  # fmt: skip
STATES = {
    "ok": RESOLVED, "up": RESOLVED, "0": RESOLVED, "warning": FIRING, "critical": FIRING, "unknown": FIRING,
    "down": FIRING, "unreachable": FIRING, "pending": FIRING, "1": FIRING, "2": FIRING, "3": FIRING,
}  # fmt: skip
SEVERITIES = {
    "critical": Severity.CRITICAL, "down": Severity.CRITICAL, "unreachable": Severity.HIGH, "warning": Severity.MEDIUM,
    "unknown": Severity.MEDIUM, "pending": Severity.LOW, "1": Severity.MEDIUM, "2": Severity.CRITICAL,
    "3": Severity.MEDIUM,
}  # fmt: skip
# By the macros' names, without marks and in capitals; what concerns a service goes before its host.
NAMES = {
    "type": ("NOTIFICATIONTYPE", "TYPE"),
    "host": ("HOSTNAME", "HOST", "HOSTDISPLAYNAME", "HOSTALIAS"),
    "service": ("SERVICEDESC", "SERVICE", "SERVICENAME", "SERVICEDESCRIPTION", "SERVICEDISPLAYNAME"),
    "state": ("SERVICESTATE", "STATE", "HOSTSTATE"),
    "output": ("SERVICEOUTPUT", "OUTPUT", "HOSTOUTPUT"),
    "long": ("LONGSERVICEOUTPUT", "LONGOUTPUT", "LONGHOSTOUTPUT"),
    "time": ("TIMET", "TIMESTAMP", "LONGDATETIME", "DATE"),
    "problem": ("SERVICEPROBLEMID", "PROBLEMID", "HOSTPROBLEMID"),
    "link": ("SERVICENOTESURL", "NOTESURL", "HOSTNOTESURL", "SERVICEACTIONURL", "HOSTACTIONURL"),
    "author": ("NOTIFICATIONAUTHOR", "AUTHOR", "ACKAUTHOR"),
    "comment": ("NOTIFICATIONCOMMENT", "COMMENT", "ACKCOMMENT"),
    "address": ("HOSTADDRESS", "ADDRESS"),
}
_KNOWN = frozenset(name for names in NAMES.values() for name in names)
_PREFIXES = ("NAGIOS_", "ICINGA_", "ICINGA2_", "NOTIFY_")
# $HOSTSTATEID$ counts otherwise than $SERVICESTATEID$.
_HOST_STATES = {"0": "UP", "1": "DOWN", "2": "UNREACHABLE"}


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One notification. A flapping or a downtime that ends, and a custom one, follow the state."""
    body = read_body(inbound)
    if type(body) is not dict or guess_sender(body):
        raise other_sender(body, EXPECTED)
    sent = {_macro(name): (name, value) for name, value in body.items()}
    said = {field: _first(sent, names) for field, names in NAMES.items()}
    is_notification = not {"NOTIFICATIONTYPE", "SERVICESTATE", "HOSTSTATE"}.isdisjoint(sent) or (
        plain(said["type"]).replace("_", "") in TYPES.keys() | TYPES_BY_STATE and "STATE" in sent and "TYPE" in sent
    )
    if not (is_notification and not {"HOSTNAME", "HOST", "HOSTALIAS", "HOSTDISPLAYNAME"}.isdisjoint(sent)):
        raise other_sender(body, EXPECTED)
    extra = extra_of(body, frozenset(name for name in body if _macro(name) in _KNOWN))
    return Parsed(occurrences=(_read(body, said, extra),))


def _macro(name: str) -> str:
    plain_name = name.strip("$").upper()
    for prefix in _PREFIXES:
        plain_name = plain_name.removeprefix(prefix)
    return "".join(sign for sign in plain_name if sign.isalnum())


def _first(sent: Mapping[str, tuple[str, Any]], names: tuple[str, ...]) -> str:
    """The first macro that has a value: one that Nagios did not fill stays as “$NAME$”."""
    values = (words(sent[name][1]) for name in names if name in sent)
    return next((said for said in values if said and not (said[0] == said[-1] == "$")), "")


def _read(body: Mapping[str, Any], said: Mapping[str, str], extra: Mapping[str, object]) -> Occurrence:
    host, service = said["host"], said["service"]
    if not host:
        raise missing("host", "alert_labels_missing")
    status, occurred_at = _status(said), moment(said["time"])
    state = said["state"] if service else _HOST_STATES.get(said["state"], said["state"])
    return occurrence(
        body,
        # Icinga's own way to name a service; a host's name has no “!”.
        key=(f"{host}!{service}" if service else host) if "!" not in host else key_of(host, service),
        status=status,
        title=service or f"Host {host} is {state or 'in trouble'}",
        severity=severity_word(state, SEVERITIES) if plain(state) in SEVERITIES else NO_WORD,
        service=service,
        resource=host,
        summary="\n".join(part for part in (said["output"], said["long"], _remark(said)) if part),
        labels={"host": host, "state": state, "address": said["address"], "problem_id": said["problem"]},
        occurred_at=occurred_at,
        starts_at=occurred_at if status == FIRING else None,
        ends_at=occurred_at,
        address=first_link(said["link"]),
        extra={**extra, **({"time": said["time"]} if said["time"] and occurred_at is None else {})},
    )


def _remark(said: Mapping[str, str]) -> str:
    return f"{said['author']}: {said['comment']}" if said["author"] and said["comment"] else said["comment"]


def _status(said: Mapping[str, str]) -> AlertStatus:
    kind = plain(said["type"]).replace("_", "").partition("(")[0]
    if kind == "downtimestart" and STATES.get(plain(said["state"])) == RESOLVED:
        return RESOLVED  # a downtime of what works sets nothing aside
    if kind in TYPES:
        return TYPES[kind]
    if kind not in TYPES_BY_STATE:
        raise unknown_status(said["type"], "type", (*TYPES, *sorted(TYPES_BY_STATE - {""})))
    return status_in(STATES, said["state"], "state")
