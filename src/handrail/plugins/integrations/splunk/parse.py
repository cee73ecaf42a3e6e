"""Reads what Splunk's webhook action sends, one search's first result, into an occurrence."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import guess_sender, other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    key_of,
    key_text,
    mapping,
    moment,
    raw_of,
    read_body,
    short_labels,
    words,
)
from handrail.plugins.integrations.reading import (
    first_link,
    first_words,
    listed,
    object_in,
    severity_word,
    short,
    status_in,
    unread_times,
)
from handrail.plugins.integrations.splunk.tables import (
    GIVEN_KEYS,
    KEY_NAMES,
    MORE_KEY_NAMES,
    OWN_STATUS,
    RESOURCE_NAMES,
    SERVICE_NAMES,
    SEVERITIES,
    SEVERITY_NAMES,
    STATUS_NAMES,
    STATUSES,
)
from handrail.plugins.integrations.usual import USUAL_STATUSES

EXPECTED = "Splunk's alert (an object with “search_name”, “results_link”, “sid” and “result”)"
_KNOWN = frozenset({"search_name", "results_link", "result"})
_TITLES = ("alert_title", "title", "rule_title", "summary")
_SUMMARIES = ("alert_message", "message", "description", "_raw")


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One search's alert. `sid` names one run of the search, so it is the delivery's id."""
    body = read_body(inbound)
    sender = guess_sender(body)
    signs = {"search_name", "results_link", "sid", "result"} & mapping(body).keys()
    if len(signs) < 2 or not signs & {"search_name", "results_link"} or (sender and "Splunk" not in sender):
        raise other_sender(body, EXPECTED)
    return Parsed(occurrences=(_occurrence(body),), replay_id=_delivery(body))


def _delivery(body: Mapping[str, Any]) -> str | None:
    """A real-time search has one `sid` for all it finds: only with its result does it name a delivery."""
    sid = words(body.get("sid"))
    return key_of("splunk", sid, key_text(raw_of(body.get("result")).decode())) if sid else None


def _occurrence(body: Mapping[str, Any]) -> Occurrence:
    result, search = _result(body.get("result")), words(body.get("search_name"))
    title = _first(result, _TITLES[:1]) or search or _first(result, _TITLES)
    if not title:
        raise BadInput("The alert has neither a “search_name” nor a title in its result.", code="alert_title_missing")
    status, at = _status(result), moment(result.get("_time")) or moment(result.get("_indextime"))
    word = severity_word(_first(result, SEVERITY_NAMES) or words(body.get("severity")), SEVERITIES)
    return Occurrence(
        dedup_key=_key(body, result, search or title),
        status=status,
        title=clip(title, LIMITS.title_chars),
        severity_raw=word.said,
        severity=word.rung,
        service=short(_first(result, SERVICE_NAMES) or _first(result, RESOURCE_NAMES)),
        resource=short(_first(result, RESOURCE_NAMES)),
        summary=clip(_first(result, _SUMMARIES), LIMITS.summary_chars),
        labels=short_labels({"search_name": title, **_labels(result)}),
        occurred_at=at,
        starts_at=at if status == AlertStatus.FIRING else None,
        ends_at=at if status == AlertStatus.RESOLVED else None,
        link=first_link(body.get("results_link")),
        raw=raw_of(body),
        extra=_extra(body, result),
    )


def _result(said: Any) -> dict[str, Any]:
    """The first result: an object, also as JSON in a text, or a list of them where people changed the action."""
    return object_in(said) or mapping(next(iter(listed(said)), None))


def _first(result: Mapping[str, Any], names: Iterable[str]) -> str:
    """The first that says something. A field with several values is a list here: its first value stands for it."""
    return first_words(*(_one(result.get(name)) for name in names))


def _one(value: Any) -> Any:
    return next(iter(value), None) if type(value) is list else value


def _status(result: Mapping[str, Any]) -> AlertStatus:
    """Fires, unless the result says otherwise; `status` holds HTTP's numbers and anything else as well."""
    own = _one(result.get(OWN_STATUS))
    if words(own):
        return status_in(USUAL_STATUSES, own, OWN_STATUS)
    said = (STATUSES.get(words(_one(result.get(name))).lower()) for name in STATUS_NAMES)
    return next((status for status in said if status), AlertStatus.FIRING)


def _key(body: Mapping[str, Any], result: Mapping[str, Any], search: str) -> str:
    """What the result gives, else the search and what it is about. Never `sid`, which is one run's."""
    given = _first(result, GIVEN_KEYS)
    if given:
        return key_text(given)
    parts = [words(_one(result.get(name))) for name in KEY_NAMES]
    more = [f"{name}={said}" for name in MORE_KEY_NAMES if (said := words(_one(result.get(name))))]
    return key_of("splunk", words(body.get("app")), search, *parts, *more)


def _labels(result: Mapping[str, Any]) -> dict[str, str]:
    found = {name: words(_one(value)) for name, value in result.items() if name and not name.startswith(("_", "date_"))}
    return {name: said for name, said in found.items() if said and len(said) <= LIMITS.label_chars}


def _extra(body: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, object]:
    """The envelope's other fields, and the parts of the result that became no label."""
    extra: dict[str, object] = {**extra_of(body, _KNOWN), **unread_times(result, ("_time",))}
    beside = extra_of(result, frozenset(_labels(result)) | {"_raw", "_time"})
    if beside:
        extra["result"] = beside
    return extra
