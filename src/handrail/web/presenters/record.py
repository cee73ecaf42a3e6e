"""The record as rows, one entry with its proof, and what a verification found."""

import json
from datetime import datetime

from handrail.kernel.canonical import canonical
from handrail.record.verifier import Checkpoint as Signed
from handrail.record.verifier import Report
from handrail.store.queries import CheckpointView, EntryView
from handrail.web import views as v
from handrail.web.presenters.sentences import Told, sentence

# What each kind of finding speaks against; a check holds when nothing of its kinds was found.
_CHECKS: tuple[tuple[str, frozenset[str]], ...] = (
    (
        "Indexes run from 0 without a gap, in every stream",
        frozenset({"missing_entry", "swapped_entry", "inserted_entry", "stream_gap", "cut_tail"}),
    ),
    (
        "Every leaf is as it was hashed and linked",
        frozenset({"changed_leaf", "changed_columns", "broken_link", "changed_tile"}),
    ),
    ("Every body gives its digest", frozenset({"changed_body", "unreadable_body"})),
    (
        "Personal text gives its commitment, or its erasure is recorded",
        frozenset({"changed_personal", "missing_personal"}),
    ),
    ("Every seal was made by this installation", frozenset({"bad_seal"})),
    (
        "Every checkpoint, also those outside the database, is signed and consistent",
        frozenset(
            {"forged_checkpoint", "fork", "other_key", "other_log", "unreadable_checkpoint", "unsigned_record",
             "checkpoints_unfit"}
        ),
    ),
    (
        "Alerts and evidence are as committed",
        frozenset({"changed_alert", "inserted_alert", "missing_alert", "unknown_alerts", "unreadable_alert",
                   "changed_evidence"}),
    ),
    ("Every act outside has its authority before it", frozenset({"no_authority"})),
)  # fmt: skip


def entry_row(entry: EntryView, told: Told) -> v.EntryRow:
    return v.EntryRow(
        entry.index, entry.stream, entry.type,
        told.names.actor(entry.actor.kind, entry.actor.id, entry.actor.on_behalf_of),
        entry.happened_at, entry.recorded_at, sentence(entry, told), entry.leaf_hash,
    )  # fmt: skip


def checkpoint(kept: CheckpointView | None, signed: Signed | None, vkey: str, size: int) -> v.Checkpoint | None:
    if kept is None or signed is None:
        return None
    return v.Checkpoint(signed.size, signed.root.hex(), kept.made_at, vkey, kept.note, max(size - signed.size, 0))


def verification(report: Report, at: datetime, seconds: float) -> v.Verification:
    """Every check with whether it holds, and every finding by its entry.

    A kind of finding that no check names makes a check of its own, so that nothing found hides behind ticks.
    """
    kinds = {finding.kind for finding in report.findings}
    named = frozenset().union(*(about for _, about in _CHECKS))
    checks = [v.Check(words, not kinds & about) for words, about in _CHECKS]
    checks += [v.Check(kind.replace("_", " ").capitalize(), False) for kind in sorted(kinds - named)]
    findings = [v.VerifyFinding(finding.index, finding.sentence) for finding in report.findings]
    if report.finding_count > len(findings):
        findings.append(v.VerifyFinding(None, f"And {report.finding_count - len(findings)} more."))
    return v.Verification(report.size, at, seconds, tuple(checks), tuple(findings))


def entry_view(
    entry: EntryView, told: Told, size: int, proof: v.InclusionProof | None, subject: tuple[str, str] | None
) -> v.EntryView:
    leaf = json.loads(entry.leaf)
    return v.EntryView(
        row=entry_row(entry, told),
        size=size,
        leaf=entry.leaf,
        body=_pretty(entry.body),
        body_digest=leaf["body_digest"],
        previous=leaf["previous"],
        reason=entry.reason,
        personal=_pretty(entry.personal) if entry.personal is not None else None,
        erased=entry.erased,
        proof=proof,
        subject=subject,
    )


def proof_view(index: int, signed: Signed, hashes: list[bytes], holds: bool) -> v.InclusionProof:
    """The siblings from the leaf upwards, each on its side."""
    return v.InclusionProof(
        signed.size, signed.root.hex(), tuple(_steps(index, signed.size, hashes)), holds
    )  # fmt: skip


def _steps(index: int, size: int, hashes: list[bytes]) -> list[v.ProofStep]:
    """As RFC 9162 2.1.3.2 walks: odd, or last of its level, has its sibling on the left."""
    node, last = index, size - 1
    steps = []
    for sibling in hashes:
        if node % 2 or node == last:
            steps.append(v.ProofStep("left", sibling.hex()))
            while node % 2 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            steps.append(v.ProofStep("right", sibling.hex()))
        node, last = node >> 1, last >> 1
    return steps


def _pretty(value: object) -> str:
    return json.dumps(json.loads(canonical(value)), indent=2, ensure_ascii=False)
