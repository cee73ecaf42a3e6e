"""More small readers for vendors' formats: their words for a severity or a status, lists, dates, and what was unread.

A vendor's words are plain tables in the vendor's folder; here is only how a table is asked. All are pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from handrail.domain.alert import AlertStatus, Severity, severity_of
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.kernel.payload import read_json
from handrail.plugins.integrations.fields import clip, link, mapping, moment, text, words

READ = replace(LIMITS, json_keys=LIMITS.inbound_json_keys, json_string_chars=LIMITS.inbound_json_string_chars)


def short(value: Any) -> str | None:
    """A scalar as one bounded text, None where it says nothing."""
    return clip(words(value), LIMITS.label_chars) or None


def severity_word(said: Any, table: Mapping[str, Severity]) -> str | None:
    """The sender's word where the ladder reads it as the vendor's table does, else the rung that the table names.

    A word in no table stays as it is: the ladder takes it for medium, and people see what was sent.
    """
    word = short(said)
    rung = table.get(word.lower()) if word else None
    if word is None or rung is None or severity_of(word) == rung:
        return word
    return rung.value


def status_word(said: Any, table: Mapping[str, AlertStatus]) -> AlertStatus:
    """What the vendor's table says about a word, in any case and with any spacing; refused when it is not in it."""
    word = " ".join(words(said).lower().replace("_", " ").replace("-", " ").split())
    status = table.get(word)
    if status is None:
        came = f"The status “{clip(word, 64)}” is not known" if word else "The alert says no status"
        raise BadInput(f"{came}; this format has {', '.join(table)}.", code="alert_status_unknown")
    return status


def listed(value: Any) -> list[Any]:
    """A list, whatever way it was sent: as one, as text with commas, as a single value, or not at all."""
    if type(value) is list:
        return value
    if type(value) is str:
        return [part.strip() for part in value.split(",") if part.strip()]
    return [] if value is None else [value]


def first_words(*values: Any) -> str:
    """The first of the values that people can read."""
    return next((said for value in values if (said := words(value))), "")


def first_link(*values: Any) -> str | None:
    return next((found for value in values if (found := link(value))), None)


def object_in(value: Any) -> dict[str, Any]:
    """An object, also one that was sent as JSON inside a text; empty where it is neither."""
    if type(value) is not str:
        return mapping(value)
    try:
        return mapping(read_json(value.encode("utf-8", "surrogatepass"), READ))
    except BadInput:
        return {}


def date(value: Any) -> datetime | None:
    """A moment as `moment` reads it, or as mail writes it (“Sat, 05 Jun 2021 15:10:09 GMT”)."""
    read = moment(value)
    if read or type(value) is not str:
        return read
    try:
        read = parsedate_to_datetime(value)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def unread(item: Mapping[str, Any], names: Iterable[str]) -> dict[str, object]:
    """Times that were sent and could not be used, so that a person can see why they are missing. Zeros mean “none”."""
    kept: dict[str, object] = {}
    for name in names:
        said = item.get(name)
        if said and words(said).strip("0.-") != "" and date(said) is None and not words(said).startswith("0001-"):
            kept[name] = clip(text(said) or "", LIMITS.label_chars)
    return kept


def labels_of(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """The pairs that say something; what is empty or nested is no label."""
    return {name: said for name, value in pairs.items() if name and (said := words(value))}
