"""The small readers that every integration shares: tolerant of types, strict on size. All are pure.

Whatever a sender writes comes out as bounded text, aware UTC moments or nothing; what was cut carries a mark.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from handrail.kernel.limits import LIMITS
from handrail.kernel.payload import read_json
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.dates import read_date
from handrail.plugins.integrations.forms import read_form

TRUNCATED = "… [truncated]"
DROPPED_LABELS = "handrail_labels_dropped"

SERVICE_LABELS = (
    "service", "service_name", "service.name", "job", "app", "application", "app_kubernetes_io_name",
    "app.kubernetes.io/name", "component",
)  # fmt: skip
RESOURCE_LABELS = (
    "instance", "host", "hostname", "host.name", "node", "pod", "k8s.pod.name", "container", "device",
)  # fmt: skip

_READ = replace(LIMITS, json_keys=LIMITS.inbound_json_keys, json_string_chars=LIMITS.inbound_json_string_chars)
_ENCODER = msgspec.json.Encoder(order="deterministic")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = _EPOCH + timedelta(seconds=10**8)  # as for numbers, whose size tells their unit
_EXACT_INTEGER = 2**53
_MOMENT_CHARS = 40
_NUMBER = re.compile(r"\d{9,19}(\.\d{1,9})?")
_LINK = re.compile(r"https?://[^\s\x00-\x1f\x7f]+", re.IGNORECASE)


def read_body(inbound: Inbound) -> Any:
    """The JSON of a request, or the fields of a form. Long texts and many labels pass here: they are cut later, with a
    mark."""
    return read_form(inbound.body, _READ) if _is_form(inbound) else read_json(inbound.body, _READ)


def _is_form(inbound: Inbound) -> bool:
    """By its media type; curl names JSON a form as well unless it is told otherwise, so a bracket goes before that."""
    media = inbound.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media == "application/x-www-form-urlencoded" and not inbound.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(
        (b"{", b"[")
    )


def read_inner(said: str) -> Any:
    """JSON that came inside of a text, within the same bounds. Raises BadInput as `read_body` does."""
    return read_json(said.encode("utf-8", "surrogatepass"), _READ)


def text(value: Any) -> str | None:
    """Text of a scalar, exact for integers of any size; JSON text of a list or an object; None for null."""
    if type(value) is str or value is None:
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    return _ENCODER.encode(value).decode()


def words(value: Any) -> str:
    """Text without surrounding space; empty for null, lists and objects: nobody reads those as a title."""
    if type(value) is str:
        return value.strip()
    if type(value) is dict or type(value) is list:
        return ""
    return (text(value) or "").strip()


def clip(value: str, chars: int) -> str:
    """At most `chars` characters, the last of them a mark when something was cut."""
    return value if len(value) <= chars else value[: chars - len(TRUNCATED)] + TRUNCATED


def key_text(value: str) -> str:
    """An identity that fits an index: a long one is replaced by its digest, so that it stays one identity."""
    if len(value) <= LIMITS.label_chars:
        return value
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()


def key_of(*parts: str | None) -> str:
    """An identity made of parts, where the sender gave none. The parts cannot run into one another."""
    return hashlib.sha256(_ENCODER.encode(parts)).hexdigest()[:32]


def mapping(value: Any) -> dict[str, Any]:
    """The object, or an empty one where the sender sent something else."""
    return value if type(value) is dict else {}


def short_labels(labels: Mapping[str, Any], chars: int = LIMITS.label_chars) -> dict[str, str]:
    """At most the allowed number of labels, names and values cut with a mark; nulls are left out.

    When labels were dropped, one label says how many. Those that name a service or a resource are kept first.
    """
    if len(labels) > LIMITS.labels_per_alert:
        labels = _fewer(labels)
    short = {}
    for name, value in labels.items():
        said = value if type(value) is str else text(value)
        if said is None:
            continue
        if len(name) > LIMITS.label_chars:
            name = clip(name, LIMITS.label_chars)
        short[name] = said if len(said) <= chars else clip(said, chars)
    return short


def short_annotations(annotations: Mapping[str, Any]) -> dict[str, str]:
    return short_labels(annotations, LIMITS.annotation_chars)


def service_of(labels: Mapping[str, str]) -> str | None:
    return first_of(labels, SERVICE_LABELS)


def resource_of(labels: Mapping[str, str]) -> str | None:
    return first_of(labels, RESOURCE_LABELS)


def first_of(labels: Mapping[str, str], names: Iterable[str]) -> str | None:
    """The first of the named values that says something."""
    for name in names:
        value = labels.get(name)
        if value:
            return value
    return None


def link(value: Any) -> str | None:
    """A web address that a page may link to; anything else (other schemes, relative, too long) is no link."""
    if type(value) is not str or len(value) > LIMITS.link_chars:
        return None
    return value if _LINK.fullmatch(value) else None


def moment(value: Any) -> datetime | None:
    """A moment from RFC 3339 text, the other forms of `dates`, or epoch seconds, milli-, micro- or nanoseconds.
    None for what is no time.

    Text without a zone is taken as UTC, as the senders that leave it out document. The year 1, the epoch itself and
    small numbers mean “not set” to the senders that write them.
    """
    if type(value) is str:
        return _remembered_moment(value) if len(value) <= _MOMENT_CHARS else _moment_of_words(value)
    if type(value) is int or type(value) is float:
        return _moment_of_number(value)
    return None


def raw_of(item: Any) -> bytes:
    """The sender's own words for one item: JSON with sorted names and exact integers.

    Beyond the bound it is a JSON object that says so, with the digest of the whole and its beginning.
    """
    whole = _ENCODER.encode(item)
    if len(whole) <= LIMITS.raw_alert_bytes:
        return whole
    head = whole[: LIMITS.raw_alert_bytes // 2 - LIMITS.label_chars].decode(errors="ignore")
    return _ENCODER.encode(
        {"truncated": True, "bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest(), "begins": head}
    )


def extra_of(item: Mapping[str, Any], known: frozenset[str]) -> dict[str, object]:
    """What the format does not name. Integers beyond 2^53 become text: canonical JSON has no exact form for them."""
    if item.keys() <= known:
        return {}
    extra = {name: _exact(value) for name, value in item.items() if name not in known}
    size = len(_ENCODER.encode(extra))
    if size <= LIMITS.raw_alert_bytes:
        return extra
    return {"truncated": True, "bytes": size, "fields": len(extra)}


def _exact(value: Any) -> Any:
    if type(value) is int and not -_EXACT_INTEGER <= value <= _EXACT_INTEGER:
        return str(value)
    if type(value) is list:
        return [_exact(item) for item in value]
    if type(value) is dict:
        return {name: _exact(item) for name, item in value.items()}
    return value


def _fewer(labels: Mapping[str, Any]) -> dict[str, Any]:
    telling = ("alertname", "severity", *SERVICE_LABELS, *RESOURCE_LABELS)
    first = {name: labels[name] for name in telling if name in labels}
    kept = dict(list({**first, **labels}.items())[: LIMITS.labels_per_alert - 1])
    return {**kept, DROPPED_LABELS: str(len(labels) - len(kept))}


def _moment_of_words(value: str) -> datetime | None:
    said = value.strip()
    if _NUMBER.fullmatch(said):
        return _moment_of_number(float(said) if "." in said else int(said))
    return _moment_of_text(said)


# A sender repeats its alerts with the moments that they began at, and says “not yet” in the same words.
_remembered_moment = lru_cache(maxsize=LIMITS.moments_remembered)(_moment_of_words)


def _moment_of_text(said: str) -> datetime | None:
    read = _rfc3339(said) or read_date(said)
    return read if read and read >= _EARLIEST else None


def _rfc3339(said: str) -> datetime | None:
    if said[4:5] != "-" or said[7:8] != "-":  # the reader would take week dates and runs of digits as well
        return None
    try:
        read = datetime.fromisoformat(said.removesuffix(" UTC"))
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment_of_number(said: float) -> datetime | None:
    """The size of the number tells its unit: seconds have nine to eleven digits until the year 5138."""
    for unit, ceiling in ((1, 10**11), (10**3, 10**14), (10**6, 10**17), (10**9, 10**19)):
        if 10**8 <= said < ceiling:
            if isinstance(said, int):
                return _EPOCH + timedelta(microseconds=said * 10**6 // unit)
            return _EPOCH + timedelta(seconds=said / unit)
    return None
