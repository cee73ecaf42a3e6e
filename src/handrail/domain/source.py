"""A source: one sender of alerts and changes. Its secrets stand apart; the record says when they moved."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from handrail.domain.noun import Decision, Noun, Row
from handrail.domain.pull import Pull, faults_of
from handrail.domain.severities import SeverityMapping, mapping_of
from handrail.kernel.errors import Conflict, NotFound, Unprocessable
from handrail.kernel.limits import LIMITS

# What is said under these names comes from Handrail itself, or from networks that need no token.
RESERVED = frozenset({"handrail", "open"})
_NAME = re.compile(r"^[a-z][a-z0-9-]{0,63}\Z")
_SNS_ADDRESS = re.compile(r"https://sns\.[a-z0-9-]{1,32}\.amazonaws\.com(?:\.cn)?/")


@dataclass(frozen=True)
class SourceAdded:
    id: str
    name: str
    integration: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.added"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceSecretMade:
    secret_id: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.secret_made"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceSecretRetired:
    secret_id: str
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.secret_retired"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceSigningSecretSet:
    """`given` by a person, because the sender made it, or else made here."""

    secret_id: str
    given: bool
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.signing_secret_set"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceConfirmationAsked:
    """The sender asks that `url` be called before it sends. The URL holds a secret of the sender: it stands apart."""

    confirmation_id: str
    url: str
    topic: str
    at: datetime
    TYPE: ClassVar[str] = "source.confirmation_asked"
    PERSONAL: ClassVar[tuple[str, ...]] = ("url",)


@dataclass(frozen=True)
class SourceConfirmationAnswered:
    confirmation_id: str
    agreed: bool
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.confirmation_answered"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceConfirmationCalled:
    """What came of calling the sender after a person had agreed."""

    confirmation_id: str
    confirmed: bool
    detail: str
    at: datetime
    TYPE: ClassVar[str] = "source.confirmation_called"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceHeartbeatSet:
    """From now on silence for longer than `every_seconds` is an alert; None: silence is nothing."""

    every_seconds: int | None
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.heartbeat_set"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourcePullSet:
    """From now on metrics are pulled this way, and no longer as before."""

    pull: Pull
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.pull_set"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourcePullEnded:
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.pull_ended"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceSeveritiesSet:
    """From now on the sender's words for severities are read this way, and no longer as before."""

    mapping: SeverityMapping
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.severities_set"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceRateSet:
    """From now on the source may send this many alerts a second; None: as many as any source may."""

    alerts_per_second: int | None
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.rate_set"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SourceRemoved:
    by: str
    at: datetime
    TYPE: ClassVar[str] = "source.removed"
    PERSONAL: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class PendingConfirmation:
    """`status` is pending, agreed (and not yet called) or failed; one that ended well is gone."""

    id: str
    url: str
    topic: str
    asked_at: datetime
    status: str = "pending"
    detail: str = ""

    @property
    def place(self) -> str:
        """Where it leads, without what is secret in it."""
        return re.split(r"[?#]", self.url, maxsplit=1)[0]


@dataclass(frozen=True)
class Source:
    id: str
    name: str
    integration: str
    added_at: datetime
    secrets: tuple[str, ...] = ()
    removed_at: datetime | None = None
    signing_secrets: tuple[str, ...] = ()
    confirmations: tuple[PendingConfirmation, ...] = ()
    heartbeat_seconds: int | None = None
    heartbeat_set_at: datetime | None = None
    severities: SeverityMapping = field(default_factory=SeverityMapping)
    alerts_per_second: int | None = None
    pull: Pull | None = None
    pull_set_at: datetime | None = None

    def confirmation(self, confirmation_id: str) -> PendingConfirmation | None:
        return next((item for item in self.confirmations if item.id == confirmation_id), None)


@dataclass(frozen=True)
class AddSource:
    id: str
    name: str
    integration: str
    known_integrations: frozenset[str]
    by: str


@dataclass(frozen=True)
class MakeSecret:
    secret_id: str
    by: str


@dataclass(frozen=True)
class SetSigningSecret:
    secret_id: str
    given: bool
    by: str


@dataclass(frozen=True)
class AskConfirmation:
    confirmation_id: str
    url: str
    topic: str


@dataclass(frozen=True)
class AnswerConfirmation:
    confirmation_id: str
    agreed: bool
    by: str


@dataclass(frozen=True)
class ReportConfirmation:
    confirmation_id: str
    confirmed: bool
    detail: str


@dataclass(frozen=True)
class RetireSecret:
    secret_id: str
    by: str


@dataclass(frozen=True)
class SetHeartbeat:
    """None ends it."""

    every_seconds: int | None
    by: str


@dataclass(frozen=True)
class SetPull:
    pull: Pull
    by: str


@dataclass(frozen=True)
class EndPull:
    by: str


@dataclass(frozen=True)
class SetSeverities:
    """`words` and `label` as people wrote them."""

    words: dict[str, str]
    label: str
    by: str


@dataclass(frozen=True)
class SetRate:
    """None: as many as any source may."""

    alerts_per_second: int | None
    by: str


@dataclass(frozen=True)
class RemoveSource:
    by: str


def decide(source: Source | None, command: object, now: datetime) -> Decision:
    if source is None:
        return _add(command, now) if isinstance(command, AddSource) else NotFound("There is no such source.")
    if source.removed_at is not None:
        return Conflict("This source was removed.")
    match command:
        case MakeSecret():
            return [SourceSecretMade(command.secret_id, command.by, now)]
        case RetireSecret():
            if command.secret_id not in (*source.secrets, *source.signing_secrets):
                return NotFound("This source has no such secret.")
            return [SourceSecretRetired(command.secret_id, command.by, now)]
        case SetHeartbeat():
            return _set_heartbeat(source, command, now)
        case SetPull():
            return _set_pull(source, command, now)
        case EndPull():
            if source.pull is None:
                return Conflict("Nothing is pulled for this source.", "no_pull")
            return [SourcePullEnded(command.by, now)]
        case SetSeverities():
            return _set_severities(source, command, now)
        case SetRate():
            return _set_rate(source, command, now)
        case RemoveSource():
            return [SourceRemoved(command.by, now)]
        case SetSigningSecret():
            return _set_signing_secret(source, command, now)
        case AskConfirmation():
            return _ask_confirmation(source, command, now)
        case AnswerConfirmation():
            return _answer_confirmation(source, command, now)
        case ReportConfirmation():
            found = source.confirmation(command.confirmation_id)
            if found is None or found.status != "agreed":
                return Conflict("This confirmation is not being called.", "confirmation_answered")
            return [SourceConfirmationCalled(command.confirmation_id, command.confirmed, command.detail, now)]
    return Conflict("The source does not know this command.")


def is_sns_address(url: str) -> bool:
    """Whether an address is https and on `sns.<region>.amazonaws.com` or `.com.cn` exactly, without user or port."""
    return _SNS_ADDRESS.match(url) is not None and url.isascii() and url.isprintable() and " " not in url


def _set_signing_secret(source: Source, command: SetSigningSecret, now: datetime) -> Decision:
    if len(source.signing_secrets) >= LIMITS.signing_secrets_per_source:
        return Conflict("This source has as many signing secrets as it may; retire one first.", "signing_secrets_full")
    return [SourceSigningSecretSet(command.secret_id, command.given, command.by, now)]


def _ask_confirmation(source: Source, command: AskConfirmation, now: datetime) -> Decision:
    """Senders repeat themselves, and strangers with a token could ask without end: what is known or too much is passed
    over, for the sender can do nothing about either."""
    is_known = any(item.url == command.url and item.status != "failed" for item in source.confirmations)
    if is_known or len(source.confirmations) >= LIMITS.confirmations_per_source:
        return []
    # What can never be called takes at most half of the places, so that it keeps nobody honest out.
    strange = sum(not is_sns_address(item.url) for item in source.confirmations)
    if not is_sns_address(command.url) and strange >= LIMITS.confirmations_per_source // 2:
        return []
    return [SourceConfirmationAsked(command.confirmation_id, command.url, command.topic, now)]


def _answer_confirmation(source: Source, command: AnswerConfirmation, now: datetime) -> Decision:
    found = source.confirmation(command.confirmation_id)
    if found is None:
        return NotFound("There is no such confirmation.")
    if found.status == "agreed":
        return Conflict("Somebody has agreed to this already.", "confirmation_answered")
    if command.agreed and not is_sns_address(found.url):
        return Unprocessable(
            "This address is not one of Amazon's for confirming (https, sns.<region>.amazonaws.com), so it is not "
            "called. Dismiss it, and find out who sent it.",
            "confirmation_address",
        )
    return [SourceConfirmationAnswered(command.confirmation_id, command.agreed, command.by, now)]


def _set_heartbeat(source: Source, command: SetHeartbeat, now: datetime) -> Decision:
    least, most = LIMITS.heartbeat_seconds_least, LIMITS.heartbeat_seconds_most
    if command.every_seconds is not None and not least <= command.every_seconds <= most:
        return Unprocessable(f"A heartbeat comes every {least} to {most} seconds.", "bad_heartbeat")
    if command.every_seconds == source.heartbeat_seconds:
        return []
    return [SourceHeartbeatSet(command.every_seconds, command.by, now)]


def _set_pull(source: Source, command: SetPull, now: datetime) -> Decision:
    faults = faults_of(command.pull)
    if faults:
        said = f"Metrics cannot be pulled like this: {faults[0].where} {faults[0].what}."
        return Unprocessable(said, "bad_pull", faults)
    if command.pull == source.pull:
        return []
    return [SourcePullSet(command.pull, command.by, now)]


def _set_severities(source: Source, command: SetSeverities, now: datetime) -> Decision:
    mapping = mapping_of(command.words, command.label)
    if not isinstance(mapping, SeverityMapping):
        first = mapping[0]
        said = f"The severities cannot be set like this: {first.where.removeprefix('/words/')}: {first.what}."
        return Unprocessable(said, "bad_severities", mapping)
    return [] if mapping == source.severities else [SourceSeveritiesSet(mapping, command.by, now)]


def _set_rate(source: Source, command: SetRate, now: datetime) -> Decision:
    most = LIMITS.source_alerts_per_second
    if command.alerts_per_second is not None and not 1 <= command.alerts_per_second <= most:
        return Unprocessable(f"A source may send 1 to {most} alerts a second.", "bad_rate")
    if command.alerts_per_second == source.alerts_per_second:
        return []
    return [SourceRateSet(command.alerts_per_second, command.by, now)]


def _add(command: AddSource, now: datetime) -> Decision:
    if not _NAME.match(command.name):
        return Unprocessable("Name a source in lower-case letters, digits and hyphens.", "bad_name")
    if command.name in RESERVED:
        return Unprocessable(f"“{command.name}” is a name of Handrail's own; choose another.", "bad_name")
    if command.integration not in command.known_integrations:
        known = ", ".join(sorted(command.known_integrations))
        return Unprocessable(f"“{command.integration}” is no integration; known: {known}.", "unknown_integration")
    return [SourceAdded(command.id, command.name, command.integration, command.by, now)]


def evolve(source: Source | None, event: object) -> Source:
    if isinstance(event, SourceAdded):
        return Source(event.id, event.name, event.integration, event.at)
    assert source is not None
    match event:
        case SourceSecretMade():
            return replace(source, secrets=(*source.secrets, event.secret_id))
        case SourceSecretRetired():
            left = tuple(item for item in source.secrets if item != event.secret_id)
            signing = tuple(item for item in source.signing_secrets if item != event.secret_id)
            return replace(source, secrets=left, signing_secrets=signing)
        case SourceSigningSecretSet():
            return replace(source, signing_secrets=(*source.signing_secrets, event.secret_id))
        case SourceConfirmationAsked():
            asked = PendingConfirmation(event.confirmation_id, event.url, event.topic, event.at)
            return replace(source, confirmations=(*source.confirmations, asked))
        case SourceConfirmationAnswered():
            return _with_confirmation(source, event.confirmation_id, "agreed" if event.agreed else None)
        case SourceConfirmationCalled():
            status = None if event.confirmed else "failed"
            return _with_confirmation(source, event.confirmation_id, status, event.detail)
        case SourceHeartbeatSet():
            return replace(source, heartbeat_seconds=event.every_seconds, heartbeat_set_at=event.at)
        case SourcePullSet():
            return replace(source, pull=event.pull, pull_set_at=event.at)
        case SourcePullEnded():
            return replace(source, pull=None)
        case SourceSeveritiesSet():
            return replace(source, severities=event.mapping)
        case SourceRateSet():
            return replace(source, alerts_per_second=event.alerts_per_second)
        case SourceRemoved():
            return replace(source, removed_at=event.at, pull=None)
    raise AssertionError(f"unknown source event {event!r}")


def _with_confirmation(source: Source, confirmation_id: str, status: str | None, detail: str = "") -> Source:
    """The source with one confirmation in another status, or without it where there is none any more."""
    changed = (
        replace(item, status=status or "", detail=detail) if item.id == confirmation_id else item
        for item in source.confirmations
    )
    return replace(source, confirmations=tuple(item for item in changed if item.status))


def row(source: Source) -> Row:
    keys = () if source.removed_at else (("source", source.name),)
    return Row("removed" if source.removed_at else "live", source.name, keys=keys)


_EVENTS = (
    SourceAdded, SourceSecretMade, SourceSecretRetired, SourceRemoved, SourceSigningSecretSet, SourceConfirmationAsked,
    SourceConfirmationAnswered, SourceConfirmationCalled, SourceSeveritiesSet, SourceRateSet, SourceHeartbeatSet,
    SourcePullSet, SourcePullEnded,
)  # fmt: skip
NOUN = Noun("source", Source, _EVENTS, decide, evolve, row)
