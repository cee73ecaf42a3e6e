"""Alerts as Alertmanager's API v2 shows them, its filter language, and its answers to those who post."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

import re2

from handrail.domain.alert import Alert, AlertStatus
from handrail.kernel.errors import BadInput, HandrailError
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.alertmanager.fingerprint import remembered_hash
from handrail.plugins.integrations.contract import Rejected

RECEIVER = "handrail"
_NAME = re2.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_QUOTED_NAME = re2.compile(r'"(?:[^"\\]|\\.)+"')
_TRUE_WORDS = {"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"}
# RE2 and Go, which Alertmanager is written in, read one language and name its faults in different words.
_GO_WORDS = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}
_ABOUT_THE_WHOLE = {"missing )", "unexpected )"}
_HEX = set("0123456789abcdef")


class _Pattern(Protocol):
    def fullmatch(self, text: str) -> object | None: ...


@dataclass(frozen=True)
class Matcher:
    """One condition on a label: `=`, `!=`, `=~` or `!~`. A label that is not there counts as empty."""

    name: str
    operator: str
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        said = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (said == self.value) == (self.operator == "=")
        return (_compiled(self.value).fullmatch(said) is not None) == (self.operator == "=~")


@dataclass(frozen=True)
class AlertQuery:
    """What `GET /api/v2/alerts` was asked. Handrail never silences or inhibits, so those flags exclude nothing."""

    matchers: tuple[Matcher, ...] = ()
    active: bool = True
    silenced: bool = True
    inhibited: bool = True
    unprocessed: bool = True
    receiver: str | None = None

    def selects(self, alert: Alert) -> bool:
        if alert.status == AlertStatus.RESOLVED or not self.active:
            return False
        if self.receiver is not None and _compiled(self.receiver).fullmatch(RECEIVER) is None:
            return False
        return all(matcher.matches(alert.labels) for matcher in self.matchers)


def read_query(parameters: Iterable[tuple[str, str]]) -> AlertQuery:
    """The query of a request; raises BadInput with Alertmanager's own words when a part cannot be read."""
    matchers: list[Matcher] = []
    flags: dict[str, bool] = {}
    receiver = None
    for name, value in parameters:
        if name == "filter":
            matchers.append(read_matcher(value))
        elif name in ("active", "silenced", "inhibited", "unprocessed"):
            flags[name] = value.strip().lower() in _TRUE_WORDS
        elif name == "receiver" and value:
            receiver = value
            _check_pattern(value, "failed to parse receiver param: ")
    return AlertQuery(tuple(matchers), receiver=receiver, **flags)


def read_matcher(said: str) -> Matcher:
    """One filter, as `name="value"`, `name!=value`, `name=~"regular expression"` or `name!~…`; a name with other signs
    stands in quotes (`"service.name"="value"`), as Alertmanager takes it since 0.27."""
    rest = said.strip()
    found = _NAME.match(rest) or _QUOTED_NAME.match(rest)
    if found is None:
        raise _bad_matcher(f"bad matcher format: {said}")
    name, rest = found.group(0), rest[found.end() :].lstrip()
    name = _unquoted(name) if name.startswith('"') else name
    operator = next((sign for sign in ("=~", "!=", "!~", "=") if rest.startswith(sign)), None)
    if operator is None:
        raise _bad_matcher(f"bad matcher format: {said}")
    value = _unquoted(rest[len(operator) :].strip())
    if operator in ("=~", "!~"):
        _check_pattern(value, "")
    return Matcher(name, operator, value)


def gettable(alert: Alert) -> dict[str, Any]:
    """One alert as `GET /api/v2/alerts` shows it. An open alert ends, unless said again, after Alertmanager's hold."""
    shown: dict[str, Any] = {
        "annotations": dict(sorted(alert.annotations.items())),
        "endsAt": _millis(alert.ends_at or alert.last_at + LIMITS.alert_hold),
        "fingerprint": _fingerprint(alert.dedup_key),
        "receivers": [{"name": RECEIVER}],
        "startsAt": _millis(alert.starts_at),
        "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": _millis(alert.last_at),
    }
    if alert.link:
        shown["generatorURL"] = alert.link
    shown["labels"] = dict(sorted(alert.labels.items()))
    return shown


def listed(alerts: Iterable[Alert], query: AlertQuery) -> list[dict[str, Any]]:
    """The selected alerts in Alertmanager's order, which is that of the fingerprint."""
    return sorted((gettable(alert) for alert in alerts if query.selects(alert)), key=lambda shown: shown["fingerprint"])


def answer_to_post(rejected: Sequence[Rejected]) -> tuple[int, bytes]:
    """Status and JSON body for a post: 200 and nothing, or 400 with the reasons joined (the good ones are kept)."""
    if not rejected:
        return 200, b""
    return answer_text("; ".join(item.reason for item in rejected))


def answer_text(reason: str) -> tuple[int, bytes]:
    """Alertmanager answers what it checks itself with a JSON text and 400; also a filter that cannot be read."""
    return 400, json.dumps(reason, ensure_ascii=False).encode() + b"\n"


def answer_refused(refused: HandrailError) -> tuple[int, bytes]:
    """Its answer to a body that it cannot read at all."""
    status = 400 if refused.status == 422 else refused.status
    return status, json.dumps({"code": status, "message": refused.detail}, ensure_ascii=False).encode()


def _unquoted(raw: str) -> str:
    """The value with its escapes read; a stray quote is refused, a stray backslash is itself."""
    quoted = raw.startswith('"')
    inner = raw[1:] if quoted else raw
    closed = not quoted
    out: list[str] = []
    at = 0
    while at < len(inner):
        letter, last = inner[at], at == len(inner) - 1
        if letter == "\\" and not last:
            at += 1
            out.append({"n": "\n", '"': '"', "\\": "\\"}.get(inner[at], "\\" + inner[at]))
        elif letter == '"':
            if not quoted or not last:
                raise _bad_matcher(f"matcher value contains unescaped double quote: {raw}")
            closed = True
        else:
            out.append(letter)
        at += 1
    if not closed:
        raise _bad_matcher(f"matcher value contains unescaped double quote: {raw}")
    return "".join(out)


def _check_pattern(pattern: str, before: str) -> None:
    try:
        _compiled(pattern)
    except re2.error as fault:
        said = fault.args[0].decode(errors="replace") if isinstance(fault.args[0], bytes) else str(fault)
        code, _, part = said.partition(": ")
        part = f"^(?:{pattern})$" if code in _ABOUT_THE_WHOLE or not part else part
        raise _bad_matcher(f"{before}error parsing regexp: {_GO_WORDS.get(code, code)}: `{part}`") from None


@lru_cache(maxsize=LIMITS.patterns_remembered)
def _compiled(pattern: str) -> _Pattern:
    """RE2, as Alertmanager uses: the same language, and no pattern takes more than linear time."""
    options = re2.Options()
    options.log_errors = False
    compiled: _Pattern = re2.compile(f"(?:{pattern})", options)
    return compiled


def _bad_matcher(why: str) -> BadInput:
    return BadInput(why, code="filter_invalid")


def _fingerprint(dedup_key: str) -> str:
    """Alerts of other senders have other keys; they get sixteen digits as well, which clients rely on."""
    if len(dedup_key) == 16 and set(dedup_key) <= _HEX:
        return dedup_key
    return remembered_hash(dedup_key.encode())


def _millis(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
