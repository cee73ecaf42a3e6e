"""What an integration is: `verify` who sent it, on raw bytes, then `parse` what it says. Both are pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from handrail.domain.alert import Occurrence, ReportedChange, Severity
from handrail.domain.log_line import LogLine
from handrail.domain.metric import MetricPoint


class Verdict(StrEnum):
    """How sure we are of the sender; stored with every occurrence and shown to people."""

    VERIFIED = "verified"
    TOKEN = "token"  # noqa: S105
    UNSIGNED = "unsigned"


@dataclass(frozen=True)
class Inbound:
    """One request as it came. Header names are lower case; `path` is what follows the integration's own address.

    `certificates`: PEM by address; the one that `Integration.certificate_url` asked for, or none where it is not to be
    had.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    certificates: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Rejected:
    """One item of a batch that could not be read: its index and why; the others are kept."""

    index: int
    code: str
    reason: str


@dataclass(frozen=True)
class Confirmation:
    """A sender asks to be confirmed by a request to `url` before it sends. Only a person may agree to that."""

    url: str
    topic: str
    token: str


@dataclass(frozen=True)
class Parsed:
    """What one request says. `replay_id` is the sender's own delivery id where the format has one.

    `points` are samples of metrics and `lines` of logs, for detectors: they are no alerts, and no one is told of them.
    """

    occurrences: tuple[Occurrence, ...] = ()
    changes: tuple[ReportedChange, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    replay_id: str | None = None
    confirmations: tuple[Confirmation, ...] = ()
    points: tuple[MetricPoint, ...] = ()
    lines: tuple[LogLine, ...] = ()


Reply: TypeAlias = tuple[int, bytes, bytes] | tuple[int, bytes, bytes, Sequence[tuple[bytes, bytes]]]


@dataclass(frozen=True)
class Integration:
    """The manifest of one sender's format.

    `verify(inbound, secrets, now)` returns the verdict or raises BadSignature; `secrets` are all live ones. It is
    None where the format has no signature: the source's token alone then tells who sends.
    `certificate_url(inbound)` names the certificate that `verify` needs, where a format has one (SNS).
    `token_in_body(body)` finds the source's token where a format carries it inside (PagerDuty's routing key).
    `answer(inbound, parsed)` is what the sender's protocol wants to hear after the commit: status, body, media type,
    and headers where it has some.
    `severities`: what the format's words for severities mean where the ladder does not say it; `parse` applies it.
    `parse(inbound, now)` returns what was said or raises a Refused leaf when nothing of it can be read.
    """

    name: str
    title: str
    parse: Callable[[Inbound, datetime], Parsed]
    verify: Callable[[Inbound, Sequence[str], datetime], Verdict] | None = None
    token_in_body: Callable[[bytes], str | None] | None = None
    certificate_url: Callable[[Inbound], str | None] | None = None
    answer: Callable[[Inbound, Parsed], Reply] | None = None
    severities: Mapping[str, Severity] = field(default_factory=dict)
    docs: str = ""
