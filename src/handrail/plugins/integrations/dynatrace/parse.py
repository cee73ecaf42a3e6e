"""Reads one problem of Dynatrace into an occurrence. Names may have spaces, and anything may be JSON in a text."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import guess_sender, other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.dynatrace.tables import ALIASES, SERVICE_TYPES, SEVERITIES, STATES
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    key_text,
    mapping,
    moment,
    raw_of,
    read_body,
    read_inner,
    service_of,
    short_labels,
    words,
)
from handrail.plugins.integrations.reading import (
    Word,
    ended_at,
    first_link,
    first_words,
    labels_of,
    listed,
    object_in,
    plain,
    severity_word,
    short,
    status_in,
    unread_times,
)

EXPECTED = "Dynatrace's problem notification (an object with “PID” or “ProblemID”, “ProblemTitle” and “State”)"
_KNOWN = frozenset(
    {
        "pid", "problemtitle", "state", "problemseverity", "problemurl", "impactedentities", "tags",
        "problemdetailstext", "problemdetailshtml", "problemdetailsmarkdown", "problemdetailsjson",
    }
)  # fmt: skip
# A problem's id and a state are not only Dynatrace's (Nagios numbers problems as well).
_TELLING = {"problemtitle", "problemseverity", "problemimpact", "problemurl", "impactedentities"}
_TIMES = ("startTime", "endTime")
_TAG = re.compile(r"<[^>]{1,200}>")
_PLACEHOLDER = re.compile(r"\{[A-Za-z]+\}")


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One problem. Dynatrace sends no delivery id."""
    body = read_body(inbound)
    said = _said(body)
    sender = guess_sender(body)
    if not said.keys() & {"pid", "problemid"} or not said.keys() & _TELLING:
        raise other_sender(body, EXPECTED)
    if sender and "Dynatrace" not in sender:
        raise other_sender(body, EXPECTED)
    return Parsed(occurrences=(_occurrence(body, said),))


def _said(body: Any) -> dict[str, Any]:
    """Values by name without case and spaces (“Problem URL”); a placeholder that was not filled in is left out."""
    found: dict[str, Any] = {}
    for name, value in mapping(body).items():
        if not (type(value) is str and _PLACEHOLDER.fullmatch(value.strip())):
            found.setdefault(ALIASES.get(_plain(name), _plain(name)), value)
    return found


def _plain(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "")


def _occurrence(body: Mapping[str, Any], said: Mapping[str, Any]) -> Occurrence:
    details = object_in(said.get("problemdetailsjson"))
    key = first_words(said.get("pid"), said.get("problemid"))
    if not key:
        raise BadInput("The problem's “PID” and “ProblemID” are empty.", code="event_attribute_missing")
    status = status_in(STATES, first_words(said.get("state"), details.get("status")) or "open", "State")
    starts_at = moment(details.get("startTime")) or moment(said.get("starttime"))
    ends_at = moment(details.get("endTime")) or moment(said.get("endtime"))
    entities = _entities(said)
    service, resource = _service_and_resource(entities)
    tags = _tags(said.get("tags"))
    title = first_words(said.get("problemtitle"), details.get("title"))
    word = _severity(said, details)
    return Occurrence(
        dedup_key=key_text(key),
        status=status,
        title=clip(title or f"Dynatrace problem {words(said.get('problemid')) or key}", LIMITS.title_chars),
        severity_raw=word.said,
        severity=word.rung,
        service=service_of(tags) or short(service or resource),
        resource=short(resource or service),
        summary=clip(_summary(said), LIMITS.summary_chars),
        labels=short_labels(
            {
                **tags,
                **labels_of(
                    {
                        "problem": said.get("problemid"),
                        "impact": said.get("problemimpact"),
                        "problem_severity": first_words(said.get("problemseverity"), details.get("severityLevel")),
                        "state": said.get("state"),
                    }
                ),
            }
        ),
        occurred_at=_said_at(said, status, starts_at, ends_at),
        starts_at=starts_at,
        ends_at=ends_at if status == AlertStatus.RESOLVED else None,
        link=first_link(said.get("problemurl")),
        raw=raw_of(body),
        extra=_extra(body, details, entities),
    )


def _said_at(
    said: Mapping[str, Any], status: AlertStatus, starts_at: datetime | None, ends_at: datetime | None
) -> datetime | None:
    """A problem that was opened again keeps its first start, from before its last end: then the arrival counts."""
    if status == AlertStatus.RESOLVED:
        return ended_at(starts_at, ends_at)
    words_for_it = (plain(said.get("state")), plain(said.get("event.statustransition")))
    return None if status != AlertStatus.FIRING or "reopened" in words_for_it else starts_at


def _severity(said: Mapping[str, Any], details: Mapping[str, Any]) -> Word:
    word = first_words(said.get("problemseverity"), details.get("severityLevel"), details.get("severity"))
    return severity_word(word, SEVERITIES)


def _entities(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Type and name of all that is hit: a list, JSON of one in a text, or names with commas."""
    given = said.get("impactedentities")
    if type(given) is str:
        try:
            given = read_inner(given)
        except BadInput:
            given = listed(given)
    found = []
    for item in listed(given):
        name = words(item) or first_words(mapping(item).get("name"), mapping(item).get("entity"))
        kind = words(mapping(item).get("type")) or words(mapping(item).get("entity")).rpartition("-")[0]
        if name:
            found.append((kind.upper(), name))
    return found or [("", words(name)) for name in listed(said.get("impactedentity")) if words(name)]


def _service_and_resource(entities: list[tuple[str, str]]) -> tuple[str, str]:
    service = next((name for kind, name in entities if kind in SERVICE_TYPES), "")
    return service, next((name for kind, name in entities if kind not in SERVICE_TYPES), "")


def _tags(said: Any) -> dict[str, str]:
    """“name:value”, “[Context]name:value” and bare words, in a text with commas or a list of texts or objects."""
    found: dict[str, str] = {}
    for tag in listed(said):
        name, value = first_words(mapping(tag).get("key"), tag), words(mapping(tag).get("value"))
        if not value:
            name, _, value = re.sub(r"^\[[^\]]*\]", "", name).partition(":")
        if name.strip():
            found.setdefault(name.strip(), value.strip() or "true")
    return short_labels(found)


def _summary(said: Mapping[str, Any]) -> str:
    plain = first_words(said.get("problemdetailstext"), said.get("problemdetailsmarkdown"))
    return plain or " ".join(_TAG.sub(" ", words(said.get("problemdetailshtml"))).split())


def _extra(body: Mapping[str, Any], details: Mapping[str, Any], entities: list[tuple[str, str]]) -> dict[str, object]:
    extra: dict[str, object] = extra_of(
        body, frozenset(name for name in body if ALIASES.get(_plain(name), _plain(name)) in _KNOWN)
    )
    if details:
        extra["details"] = {**extra_of(details, frozenset(_TIMES)), **unread_times(details, _TIMES)}
    if len(entities) > 1:
        hit = [clip(f"{kind} {name}".strip(), LIMITS.label_chars) for kind, name in entities]
        extra["entities"] = hit[: LIMITS.labels_per_alert]
    return extra
