"""What the folders of senders share above `fields`: how a vendor's tables of words are asked, lists, tags, links, times
that could not be read, and one way to make a bounded occurrence. Pure.

A vendor's words are plain tables in the vendor's folder, written in lower case with single underscores (`plain`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urljoin

from handrail.domain.alert import AlertStatus, Occurrence, Severity, spellings
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.fields import (
    clip,
    key_text,
    link,
    mapping,
    moment,
    raw_of,
    read_inner,
    short_annotations,
    short_labels,
    text,
    words,
)

_TAG = re.compile(r"<[^<>]{1,200}>")
FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus.FIRING, AlertStatus.ACKNOWLEDGED, AlertStatus.RESOLVED


def plain(value: Any) -> str:
    """A sender's word as the tables write it: lower case, with single underscores for spaces and hyphens."""
    return "_".join(words(value).lower().replace("-", " ").replace("_", " ").split())


def short(value: Any) -> str | None:
    """A scalar as one bounded text, None where it says nothing."""
    return clip(words(value), LIMITS.label_chars) or None


def first_words(*values: Any) -> str:
    """The first value that says something; objects and lists say nothing."""
    return next((said for said in map(words, values) if said), "")


def status_in(table: Mapping[str, AlertStatus], said: Any, field: str) -> AlertStatus:
    """The status that a sender's word stands for. Raises BadInput with the words that are known."""
    status = table.get(plain(said))
    if status is None:
        raise unknown_status(said, field, table)
    return status


def unknown_status(said: Any, field: str, known: Iterable[str]) -> BadInput:
    came = f"“{clip(text(said) or '', 64)}” is not known" if said is not None else "is missing"
    return BadInput(f"The “{field}” {came}; known are {', '.join(known)}.", code="alert_status_unknown")


@dataclass(frozen=True, slots=True)
class Word:
    """A sender's own word for a severity, and the rung that its format's table names for it, None where it has none."""

    said: str | None = None
    rung: Severity | None = None


NO_WORD = Word()


def severity_word(said: Any, table: Mapping[str, Severity]) -> Word:
    """The sender's own word as it came, and how bad that is to this sender (Zabbix's “Warning” is low).

    A word of no table stands alone: the source's own mapping reads it, or the ladder, which takes what it does not know
    for medium. People see what was sent.
    """
    own = short(said)
    if not own:
        return NO_WORD
    said = plain(own)
    if said in table:
        return Word(own, table[said])
    return Word(own, next((table[said] for said in map(plain, spellings(own)) if said in table), None))


def first_moment(*values: Any) -> datetime | None:
    """The first value that is a time."""
    return next((read for read in map(moment, values) if read), None)


def ended_at(starts_at: datetime | None, ends_at: datetime | None) -> datetime | None:
    """When a resolve happened. One that tells an end before its own start must not look older than what it ends."""
    return max(starts_at, ends_at) if starts_at and ends_at else ends_at


def first_link(*values: Any, base: Any = None) -> str | None:
    """The first value that is a web address; a path from the root is completed by `base`, the sender's own address."""
    home = link(base)
    for value in values:
        found = link(value)
        if found is None and home and type(value) is str and value.startswith("/"):
            found = link(_joined(home, value))
        if found:
            return found
    return None


def unread_times(item: Mapping[str, Any], names: Iterable[str]) -> dict[str, object]:
    """Times that were sent and could not be read, so that a person sees why they are missing.

    Zeros, and the years before computers, are no such case: they mean “not yet”.
    """
    unread: dict[str, object] = {}
    for name in names:
        said = item.get(name)
        if said and moment(said) is None and not _is_unset(words(said)):
            unread[name] = clip(text(said) or "", LIMITS.label_chars)
    return unread


def _is_unset(said: str) -> bool:
    return said.strip("0.-") == "" or said.startswith(("0001-", "0000-", "1970-"))


def listed(value: Any) -> list[Any]:
    """A list, whatever way it was sent: as one, as text with commas, as a single value, or not at all."""
    if type(value) is list:
        return value
    if type(value) is str:
        return [part.strip() for part in value.split(",") if part.strip()]
    return [] if value is None else [value]


def without_tags(html: str) -> str:
    """What a piece of HTML says to people. Pages write it as text, so that what looks like a tag is none."""
    return unescape(_TAG.sub("", html)).replace("\xa0", " ").strip()


def labels_of(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """The pairs that say something; what is empty or nested is no label."""
    return {name: said for name, value in pairs.items() if name and (said := words(value))}


def object_in(value: Any) -> dict[str, Any]:
    """An object, also one that was sent as JSON inside a text; empty where it is neither."""
    if type(value) is not str:
        return mapping(value)
    try:
        return mapping(read_inner(value))
    except BadInput:
        return {}


def pairs(value: Any) -> dict[str, Any]:
    """Tags as senders write them: an object, or a list (also JSON or commas in a text) of “name:value” texts, of pairs,
    or of objects with key and value.

    A tag without a value says “true”. Of one name the first counts.
    """
    if type(value) is str:
        value = _pairs_in(value)
    if type(value) is dict:
        return {name: said for name, said in value.items() if name}
    found: dict[str, Any] = {}
    for item in value if type(value) is list else ():
        if type(item) is str and item:
            name, _, said = item.partition(":")
            found.setdefault(name.strip(), said.strip() or "true")
        elif type(item) is list and len(item) == 2 and words(item[0]):
            found.setdefault(words(item[0]), item[1])
        elif type(item) is dict:
            name = first_words(item.get("key"), item.get("tag"), item.get("name"))
            found.setdefault(name, first_words(item.get("value")) or "true")
    return {name: said for name, said in found.items() if name}


def _pairs_in(said: str) -> Any:
    if said.lstrip().startswith(("[", "{")):
        try:
            return read_inner(said)
        except BadInput:
            pass  # “[Environment]prod, team:a” is no JSON
    return listed(said)


def occurrence(
    item: Mapping[str, Any],
    *,
    key: str,
    status: AlertStatus,
    title: str,
    severity: Word = NO_WORD,
    service: str | None = None,
    resource: str | None = None,
    summary: str = "",
    labels: Mapping[str, Any] | None = None,
    annotations: Mapping[str, Any] | None = None,
    occurred_at: datetime | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    address: str | None = None,
    extra: Mapping[str, object] | None = None,
) -> Occurrence:
    """The occurrence with all its texts cut to their bounds. Without a title the identity stands in for it.

    `occurred_at`: without it, the end of a resolved alert, or the start of a firing one. An acknowledgement or a
    resolve that tells no time happened when it came, not when the alert began.
    """
    ended = ended_at(starts_at, ends_at) if status == RESOLVED else None
    return Occurrence(
        dedup_key=key_text(key),
        status=status,
        title=clip(title or f"Alert {key_text(key)}", LIMITS.title_chars),
        severity_raw=severity.said,
        severity=severity.rung,
        service=clip(service or "", LIMITS.label_chars) or None,
        resource=clip(resource or "", LIMITS.label_chars) or None,
        summary=clip(summary, LIMITS.summary_chars),
        labels=short_labels({name: said for name, said in (labels or {}).items() if text(said)}),
        annotations=short_annotations({name: said for name, said in (annotations or {}).items() if text(said)}),
        occurred_at=occurred_at or ended or (starts_at if status == FIRING else None),
        starts_at=starts_at,
        ends_at=ended,
        link=address,
        raw=raw_of(item),
        extra=dict(extra or {}),
    )


def missing(what: str, code: str = "alert_title_missing") -> BadInput:
    return BadInput(f"The notification has no {what}.", code=code)


def _joined(home: str, path: str) -> str | None:
    try:
        return urljoin(home, path)
    except ValueError:
        return None
