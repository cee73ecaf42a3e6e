"""The addresses at which alerts and changes come in, and the answers that each kind of sender expects there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from handrail.kernel.errors import HandrailError, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.alertmanager import view
from handrail.plugins.integrations.alertmanager.parse import parse_v2
from handrail.plugins.integrations.contract import Inbound, Parsed, Rejected
from handrail.plugins.integrations.pagerduty_events_v2.parse import answer_accepted, answer_refused
from handrail.signals.fold import Outcome, Result
from handrail.signals.http import Answer, error_headers, problem

_encode = msgspec.json.Encoder().encode
_NOT_STORABLE = "not_storable"


@dataclass(frozen=True)
class Door:
    """One address. `integration` is the only one it takes, None where the source decides. `parse` overrides its own.

    `accepted(parsed, results)` writes the answer after the commit; results that were refused stand in it.
    """

    name: str
    accepted: Callable[[Parsed, Sequence[Result]], Answer]
    refused: Callable[[HandrailError, str], Answer]
    integration: str | None = None
    parse: Callable[[Inbound, datetime], Parsed] | None = None
    body_bytes: int = LIMITS.inbound_batch_body_bytes


@dataclass(frozen=True)
class Knock:
    """One request's door, and what its address says: itself without a token, the source, the token, what follows."""

    door: Door
    method: str
    address: str
    source: str | None = None
    token: str | None = None
    rest: str = ""


def find_door(method: str, path: str) -> Knock | None:
    """The door of a request, or None where the address is not one of ours."""
    if path.startswith("/t/"):
        token, _, inner = path[3:].partition("/")
        knock = find_door(method, f"/{inner}") if token and not inner.startswith("t/") else None
        return replace(knock, token=token) if knock else None
    door = _FIXED.get((method, path))
    if door is not None:
        return Knock(door, method, path)
    # Some senders (VMware Aria Operations) post what is new and put what has changed or ended.
    if method not in ("POST", "PUT", "OPTIONS") or not path.startswith("/in/"):
        return None
    source, _, rest = path[4:].partition("/")
    means = "OPTIONS" if method == "OPTIONS" else "POST"
    return Knock(HANDRAIL, means, f"/in/{source}", source, None, rest) if source else None


def all_rejected(parsed: Parsed, results: Sequence[Result]) -> list[Rejected]:
    """What could not be read and what could not be stored, by index in the request."""
    if all(result.outcome != Outcome.REFUSED for result in results):
        return list(parsed.rejected)
    unread = {item.index for item in parsed.rejected}
    indexes = (index for index in range(len(unread) + len(results)) if index not in unread)
    unstored = [
        Rejected(index, _NOT_STORABLE, f"“{result.key[:80]}”: {result.reason}")
        for index, result in zip(indexes, results, strict=True)
        if result.outcome == Outcome.REFUSED
    ]
    return sorted([*parsed.rejected, *unstored], key=lambda item: item.index)


def bad_items(body: bytes, rejected: Sequence[Rejected]) -> bytes:
    """The items of a batch that could not be read, as a JSON list; the whole body where they cannot be told apart."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body
    if isinstance(value, dict):
        value = [*_list(value.get("alerts")), *_list(value.get("changes"))]
    items = _list(value)
    found = [items[item.index] for item in rejected if item.index < len(items)]
    return _encode(found) if found else body


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _accepted(parsed: Parsed, results: Sequence[Result]) -> Answer:
    rejected = all_rejected(parsed, results)
    stored = [result for result in results if result.outcome != Outcome.REFUSED]
    repeats = sum(result.outcome == Outcome.DUPLICATE for result in stored)
    content = {
        "accepted": len(stored) - repeats,
        "duplicate": repeats,
        "rejected": [{"index": item.index, "code": item.code, "reason": item.reason} for item in rejected],
        "alerts": [result.id for result in stored if result.kind == "alert"],
        "changes": [result.id for result in stored if result.kind == "change"],
    }
    return Answer(202 if stored or not rejected else 400, _encode(content))


def _refused(error: HandrailError, address: str) -> Answer:
    # Readable JSON none of whose items could be read is a bad request to a sender that posts batches.
    return problem(error, address, 400 if error.code == "nothing_readable" else None)


def _accepted_as_alertmanager(parsed: Parsed, results: Sequence[Result]) -> Answer:
    return Answer(*view.answer_to_post(all_rejected(parsed, results)))


def _refused_as_alertmanager(error: HandrailError, _address: str) -> Answer:
    status, body = view.answer_refused(error)
    return Answer(status, body, headers=error_headers(error))


def _accepted_as_pagerduty(parsed: Parsed, results: Sequence[Result]) -> Answer:
    if results[0].outcome == Outcome.REFUSED:
        return _refused_as_pagerduty(Unprocessable(results[0].reason, _NOT_STORABLE))
    return Answer(*answer_accepted(parsed.occurrences[0]))


def _refused_as_pagerduty(error: HandrailError, _address: str = "") -> Answer:
    status, body = answer_refused(error)
    return Answer(status, body, headers=error_headers(error))


HANDRAIL = Door("in", _accepted, _refused)
API = replace(HANDRAIL, name="api", integration="generic")
ALERTMANAGER = Door("alertmanager", _accepted_as_alertmanager, _refused_as_alertmanager, "alertmanager", parse_v2)
PAGERDUTY = Door(
    "pagerduty",
    _accepted_as_pagerduty,
    _refused_as_pagerduty,
    "pagerduty_events_v2",
    body_bytes=LIMITS.inbound_body_bytes,
)
ABOUT = replace(ALERTMANAGER, name="about")

_FIXED: dict[tuple[str, str], Door] = {
    ("POST", "/api/v1/alerts"): API,
    ("POST", "/api/v2/alerts"): ALERTMANAGER,
    ("GET", "/api/v2/alerts"): ALERTMANAGER,
    ("POST", "/v2/enqueue"): PAGERDUTY,
    ("GET", "/api/v2/status"): replace(ABOUT, name="/api/v2/status"),
    ("GET", "/-/healthy"): replace(ABOUT, name="/-/healthy"),
    ("GET", "/-/ready"): replace(ABOUT, name="/-/ready"),
    ("HEAD", "/-/healthy"): replace(ABOUT, name="/-/healthy"),
    ("HEAD", "/-/ready"): replace(ABOUT, name="/-/ready"),
}
