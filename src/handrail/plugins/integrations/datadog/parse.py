"""Reads one of Datadog's webhooks into an occurrence, whatever its template calls things."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import guess_sender, other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.datadog.tables import (
    NAMES,
    NO_SEVERITY,
    SEVERITIES,
    TRANSITION_SEVERITIES,
    TRANSITIONS,
)
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
    resource_of,
    service_of,
    short_labels,
    words,
)
from handrail.plugins.integrations.reading import (
    NO_WORD,
    Word,
    first_link,
    labels_of,
    object_in,
    pairs,
    plain,
    severity_word,
    short,
    status_in,
)

EXPECTED = (
    "Datadog's webhook (the default payload with “title”, “event_type” and “date”, or a template with “alert_id”, "
    "“alert_transition” or “aggreg_key”)"
)
_PLAIN = re.compile(r"[^a-z0-9]")
_VARIABLE = re.compile(r"\$[A-Z][A-Z_0-9]*(\[.*\])?")
_BRACKET = re.compile(r"\s*\[(?P<said>[^\[\]]{1,200})\]\s*")
_LED = re.compile(r"(?:\[Monitor Alert\]\s*)?(?P<said>[A-Z][A-Za-z -]{1,20}?)(?: on (?P<scope>\{[^}]*\}|\S+))?: ")
_PRIORITY = re.compile(r"P[1-5]")
_MONITOR = re.compile(r"/monitors[#/](\d{1,20})")
_URL = re.compile(r"https?://[^\s()\[\]<>\"]{1,2000}")
_TELLING = ("transition", "aggregation", "cycle")
_DEFAULT = ("title", "event_type")


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One event. The delivery id is Datadog's event id, where the template sends it."""
    body = read_body(inbound)
    said = _said(body)
    sender = guess_sender(body)
    if type(body) is not dict or not _is_event(said) or (sender and "Datadog" not in sender):
        raise other_sender(body, EXPECTED)
    return Parsed(occurrences=(_occurrence(body, said),), replay_id=_delivery(said))


def _is_event(said: Mapping[str, Any]) -> bool:
    """By names that only Datadog has. Others have an alert's id too, so it counts beside one more of these."""
    if any(name in said for name in _TELLING):
        return True
    if "alert_id" in said:
        led = _Title(words(said.get("title"))).transition
        return bool(led) or any(name in said for name in ("scope", "type", "event_type"))
    return all(name in said for name in _DEFAULT) and ("date" in said or "delivery" in said)


def _said(body: Any) -> dict[str, Any]:
    """The values under one name each. What a template did not fill in (“$ALERT_ID”, “null”, empty) was not sent."""
    plain: dict[str, Any] = {}
    for name, value in mapping(body).items():
        if value not in (None, "", [], {}, "null") and not (type(value) is str and _VARIABLE.fullmatch(value.strip())):
            plain.setdefault(_PLAIN.sub("", name.lower()), value)
    found = {}
    for name, spellings in NAMES.items():
        value = next((plain[spelling] for spelling in spellings if spelling in plain), None)
        if value is not None:
            found[name] = value
    found["org"] = {name: plain.get("org" + name) for name in ("id", "name")} | object_in(plain.get("org"))
    return found


def _delivery(said: Mapping[str, Any]) -> str | None:
    """An event is told again under its own id when it is updated, so its time belongs to it, and all that may tell a
    state: a template may send the alert's cycle as the id."""
    event = words(said.get("delivery"))
    states = (words(said.get(name)) for name in ("updated", "transition", "status", "type", "title"))
    return key_of("datadog", event, *states) if event else None


class _Title:
    """A title taken apart: “[P2] [Triggered on {host:web-1}] CPU is high” has a transition, a scope and a rest."""

    def __init__(self, whole: str) -> None:
        self.transition = self.scope = self.priority = ""
        self.is_test = False
        kept, place = "", 0
        while found := _BRACKET.match(whole, place):
            if not self._takes(found["said"]):
                kept += found.group(0)
            place = found.end()
        rest = whole[place:]
        led = _LED.match(rest)
        if led and not self.transition and _is_transition(led["said"]):
            self.transition, self.scope, rest = led["said"], (led["scope"] or "").strip("{}"), rest[led.end() :]
        self.rest = (kept + rest).strip() or whole

    def _takes(self, said: str) -> bool:
        word, _, scope = said.partition(" on ")
        if plain(said) == "test":
            self.is_test = True
            return False
        if _PRIORITY.fullmatch(said):
            self.priority = said
        elif not self.transition and _is_transition(word):
            self.transition, self.scope = word, scope.strip("{}")
        else:
            return said == "Monitor Alert"
        return True


def _is_transition(said: str) -> bool:
    return plain(said) in TRANSITIONS


def _state(said: Any) -> str:
    """`$ALERT_STATUS` is a sentence about numbers for some monitors: only a word that is a transition counts."""
    return words(said) if _is_transition(words(said)) else ""


def _occurrence(body: Mapping[str, Any], said: Mapping[str, Any]) -> Occurrence:
    title = _Title(words(said.get("title")))
    text, tags = words(said.get("body")), labels_of(pairs(said.get("tags")))
    transition = words(said.get("transition")) or title.transition or _state(said.get("status"))
    status = _status(transition, said)
    shown = title.rest or words(said.get("alert_title"))
    if not shown and not words(said.get("alert_id")) and not words(said.get("aggregation")):
        raise BadInput("The event has neither a title nor a monitor.", code="alert_title_missing")
    at, labels = moment(said.get("updated")) or moment(said.get("date")), short_labels(tags)
    host = words(said.get("host"))
    monitor = words(said.get("alert_id")) or _own_monitor(text)
    scope = words(said.get("scope")) or title.scope
    word = _severity(said, title.priority, transition, status)
    return Occurrence(
        dedup_key=_key(said, monitor, scope, title),
        status=status,
        title=clip(shown or f"Datadog monitor {monitor}".strip(), LIMITS.title_chars),
        severity_raw=word.said,
        severity=word.rung,
        service=short(said.get("service")) or service_of(labels),
        resource=short(host) or resource_of(labels),
        summary=clip(_without_marks(text), LIMITS.summary_chars),
        labels=short_labels(
            {
                **tags,
                **labels_of(
                    {
                        "monitor": monitor,
                        "scope": scope,
                        "transition": transition,
                        "event_type": said.get("event_type"),
                        "organisation": mapping(said.get("org")).get("name"),
                    }
                ),
            }
        ),
        occurred_at=at,
        starts_at=None if status == AlertStatus.RESOLVED else moment(said.get("date")),
        ends_at=at if status == AlertStatus.RESOLVED else None,
        link=first_link(said.get("link")) or _link_in(text),
        raw=raw_of(body),
        extra=extra_of(body, _known(body)),
    )


def _status(transition: str, said: Mapping[str, Any]) -> AlertStatus:
    """What the transition says. Without one (other events than monitors') a success resolves and the rest fires."""
    if transition:
        return status_in(TRANSITIONS, transition, "alert_transition")
    return AlertStatus.RESOLVED if words(said.get("type")).lower() == "success" else AlertStatus.FIRING


def _severity(said: Mapping[str, Any], in_title: str, transition: str, status: AlertStatus) -> Word:
    for word in (words(said.get("priority")), in_title):
        if word and word.lower() not in NO_SEVERITY:
            return severity_word(word, SEVERITIES)
    rung = TRANSITION_SEVERITIES.get(plain(transition))
    if rung:
        return Word(transition, rung)
    word = words(said.get("type"))
    return severity_word(word, SEVERITIES) if word and status == AlertStatus.FIRING else NO_WORD


def _key(said: Mapping[str, Any], monitor: str, scope: str, title: _Title) -> str:
    """Monitor and scope; Datadog writes the same scope in any order. An event's own id never: each has another.

    A monitor without its scope is many alerts, which the aggregation key, the cycle or the host tells apart. Somebody's
    test of a monitor neither fires nor ends its alert.
    """
    organisation = words(mapping(said.get("org")).get("id"))
    ordered = ",".join(sorted(part.strip() for part in scope.split(",")))
    given, test = words(said.get("aggregation")) or words(said.get("cycle")), "|test" if title.is_test else ""
    if words(said.get("alert_id")) and (scope or not given):
        return key_text(f"{organisation}|{monitor}|{ordered or words(said.get('host'))}{test}")
    if given:
        return key_text(given + test)
    return key_of("datadog", organisation, monitor, ordered, test if monitor else title.rest)


def _without_marks(text: str) -> str:
    """The message without the signs that only tell Datadog how to show it."""
    return text.replace("%%%", "").strip()


def _own_monitor(text: str) -> str:
    """The monitor that Datadog links below the message. People link other monitors within it."""
    return next(reversed(_MONITOR.findall(text)), "")


def _link_in(text: str) -> str | None:
    """The first of Datadog's own pages that the body links."""
    return next(
        (found for url in _URL.findall(text) if ("datadoghq." in url or "ddog" in url) and (found := link(url))), None
    )


def _known(body: Mapping[str, Any]) -> frozenset[str]:
    """Under which names this template sent what was read."""
    spellings = {spelling for names in NAMES.values() for spelling in names} - {"id", "eventid"}
    return frozenset(name for name in body if _PLAIN.sub("", name.lower()) in spellings)
