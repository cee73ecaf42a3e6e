"""What a batch of submissions does to the alerts that are known: pure, and in the order they came.

A repeat is what says nothing new about an alert in the state it is in: it moves `last_at` and is not stored again.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from handrail.domain.alert import Alert, AlertStatus, Occurrence, first, is_unknown_word, merge
from handrail.kernel.clock import to_text
from handrail.plugins.integrations.contract import Parsed, Verdict
from handrail.store.alerts import Kept
from handrail.store.intake import Tally

Identity = tuple[str, str]
_BY_VERDICT: dict[str, tuple[int, int, int]] = {
    Verdict.VERIFIED: (1, 0, 0), Verdict.TOKEN: (0, 1, 0), Verdict.UNSIGNED: (0, 0, 1),
}  # fmt: skip
ServiceOf: TypeAlias = Callable[[str, Occurrence, str | None], str | None]
"""(source, what was said, service until now) -> the service of the catalogue that it belongs to, or None."""


class Outcome(StrEnum):
    NEW = "new"
    DUPLICATE = "duplicate"
    UPDATED = "updated"
    LATE = "late"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one occurrence or change. `id` and `key` are the alert's (or the change's)."""

    id: str
    key: str
    outcome: Outcome
    kind: str = "alert"
    reason: str = ""


@dataclass(frozen=True)
class Submission:
    """What one request of one source says."""

    source: str
    parsed: Parsed
    verdict: str
    trace: str | None = None


class Leaf(msgspec.Struct, frozen=True):
    """What the record commits to of one occurrence. Fields stand in the order of canonical JSON, that of names."""

    dedup_key: str
    id: str
    occurred_at: str | None
    raw_digest: str
    received_at: str
    source: str
    status: str
    verdict: str


encode_leaf: Callable[[Leaf], bytes] = msgspec.json.Encoder().encode
_encode_said = msgspec.json.Encoder(order="deterministic").encode


@dataclass
class Fold:
    """The growing answer. `known` starts with the rows that exist for the identities of the batch."""

    known: dict[Identity, Kept]
    now: datetime
    ids: Iterator[str]
    service_of: ServiceOf = lambda source, said, before: None
    changed: dict[Identity, Kept] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    occurrences: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    tallies: dict[str, Tally] = field(default_factory=dict)
    unknown: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, submission: Submission) -> list[Result]:
        """Take every occurrence of a submission."""
        received_at = to_text(self.now)
        return [self._take(submission, said, received_at) for said in submission.parsed.occurrences]

    def repeat(self, submission: Submission) -> list[Result]:
        """The results for a delivery that was taken before: the same alerts, nothing changed."""
        results = []
        for said in submission.parsed.occurrences:
            kept = self.known.get((submission.source, said.dedup_key))
            results.append(Result(kept.alert.id if kept else "", said.dedup_key, Outcome.DUPLICATE))
        return results

    def count(self, source: str, results: Sequence[Result], verdict: str = "") -> None:
        """Add one request of a source with what became of what it says."""
        repeats = [result.outcome for result in results].count(Outcome.DUPLICATE)
        self.tally(source, Tally(len(results) - repeats, repeats, 0, "", *_BY_VERDICT.get(verdict, (0, 0, 0))))

    def tally(self, source: str, tally: Tally) -> None:
        before = self.tallies.get(source)
        self.tallies[source] = before + tally if before is not None else tally

    def _take(self, submission: Submission, said: Occurrence, received_at: str) -> Result:
        identity = (submission.source, said.dedup_key)
        kept, fingerprint = self.known.get(identity), said_digest(said)
        if kept is None:
            alert, outcome = self._first(submission, self._placed(submission, said), fingerprint), Outcome.NEW
            kept = Kept(alert, alert.status == AlertStatus.RESOLVED, None, submission.trace)
        elif kept.alert.fingerprint == fingerprint and kept.alert.status == said.status:
            self._hear_again(identity, kept, said)
            return Result(kept.alert.id, said.dedup_key, Outcome.DUPLICATE)
        else:
            kept, outcome = _said_more(
                kept, submission, self._placed(submission, said, kept.alert.service), fingerprint, self.now
            )
        self.known[identity] = self.changed[identity] = kept
        if is_unknown_word(said):
            word = (submission.source, (said.severity_raw or "").strip())
            self.unknown[word] = self.unknown.get(word, 0) + 1
        if kept.candidate_id is not None:
            self.moved.add(kept.candidate_id)
        self._keep(submission, said, kept.alert.id, received_at)
        return Result(kept.alert.id, said.dedup_key, outcome)

    def _placed(self, submission: Submission, said: Occurrence, before: str | None = None) -> Occurrence:
        """What was said, at the service that the catalogue gives it; `before` is where the alert was until now."""
        service = self.service_of(submission.source, said, before)
        return said if service is None else replace(said, service=service)

    def _hear_again(self, identity: Identity, kept: Kept, said: Occurrence) -> None:
        """A repeat with the sender's own time changes nothing but when it was heard, which the row holds apart."""
        if said.occurred_at is not None and identity not in self.changed:
            self.heard.add(kept.alert.id)
            return
        said_at = min(said.occurred_at or self.now, self.now)
        alert = replace(kept.alert, last_at=self.now, last_said_at=max(kept.alert.last_said_at, said_at))
        self.known[identity] = self.changed[identity] = replace(kept, alert=alert)

    def _first(self, submission: Submission, said: Occurrence, fingerprint: str) -> Alert:
        return first(next(self.ids), submission.source, said, fingerprint, submission.verdict, self.now)

    def _keep(self, submission: Submission, said: Occurrence, alert_id: str, received_at: str) -> None:
        leaf = Leaf(
            said.dedup_key,
            alert_id,
            to_text(said.occurred_at) if said.occurred_at else None,
            hashlib.sha256(said.raw).hexdigest(),
            received_at,
            submission.source,
            said.status.value,
            submission.verdict,
        )
        self.occurrences.append((alert_id, encode_leaf(leaf), said.raw))


def said_digest(said: Occurrence) -> str:
    """What an occurrence says, as a digest. How long a firing alert is expected to last is not part of it:
    Prometheus moves that with every repeat."""
    ends_at = said.ends_at if said.status == AlertStatus.RESOLVED else None
    content = (
        said.status, said.title, said.severity_raw, said.service, said.resource, said.summary, said.labels,
        said.annotations, said.occurred_at, said.starts_at, ends_at, said.link, said.extra,
        *(() if said.severity is None else (said.severity,)),
    )  # fmt: skip
    return hashlib.sha256(_encode_said(content)).hexdigest()


def _said_more(
    kept: Kept, submission: Submission, said: Occurrence, fingerprint: str, now: datetime
) -> tuple[Kept, Outcome]:
    before = kept.alert
    merged = merge(before, said, now)
    if merged.late > before.late:
        return replace(kept, alert=merged), Outcome.LATE
    after = replace(merged, fingerprint=fingerprint, verdict=submission.verdict)
    reopened = before.status == AlertStatus.RESOLVED and after.status != AlertStatus.RESOLVED
    trace = submission.trace if reopened else kept.trace
    return Kept(after, kept.correlated and not reopened, kept.candidate_id, trace), Outcome.UPDATED
