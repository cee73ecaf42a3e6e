"""Check an exported Handrail record without Handrail: one file, the standard library and `cryptography`.

    python verify.py EXPORT [--key VKEY_OR_FILE] [--checkpoints FILE] [--json]

EXPORT         the exported folder, or the same as a .zip
--key          the log's public key, as text or a file with it, as you received it before and elsewhere. Without it the
               key inside the export is used; that shows that the export is consistent, not who signed it
--checkpoints  a checkpoints.log kept outside the system: shows a tail that was cut off, and a rewritten record
--json         print the report as JSON

Exit status: 0 the record holds, 1 it does not, 2 it cannot be read. Needs Python 3.9 or newer.

How to read this file, from top to bottom:
  1  hashes       RFC 6962 leaf and node hashes, the tree as a row of peaks
  2  notes        Ed25519 signed checkpoints (C2SP signed-note and tlog-checkpoint)
  3  leaves       the canonical text of one entry
  4  findings     what is wrong, and at which index
  5  chain        every leaf names the hash of the one before it; every checkpoint names the root over all of them
  6  authority    no act without a satisfied gate, or a policy that was adopted, recorded before it
  7  record       all checks on a stream of entries, alert batches and evidence
  8  export       reading a folder or a zip
  9  command      arguments, report, exit status
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import io
import json
import re
import sys
import zipfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Protocol

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # pragma: no cover
    sys.exit("This check needs the Python package “cryptography”. Install it with: python -m pip install cryptography")

FORMAT = "handrail-record-1"
FINDINGS_KEPT = 100
ACTS_KEPT = 100
LINE_BYTES_MAX = 64 * 1024 * 1024
FILE_BYTES_MAX = 256 * 1024 * 1024


class Malformed(ValueError):
    """The text is not what its format asks for."""


class Forged(Malformed):
    """The text is well formed, and the key did not sign it."""


class CannotRead(Exception):
    """There is nothing that could be checked."""


def utf8(text: str) -> bytes:
    """Bytes of a text. Lone surrogates, which no honest text holds, give bytes that fit no digest."""
    return text.encode("utf-8", "surrogatepass")


def sha256_hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def personal_digest(salt: bytes, content: bytes) -> str:
    """The commitment to text that may be erased: without the salt it tells nothing about the text."""
    return hmac.new(salt, content, hashlib.sha256).hexdigest()


def shown(text: object, chars: int = 80) -> str:
    """Text from the record made safe for a terminal."""
    safe = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(text)[: chars + 1])
    return safe if len(safe) <= chars else safe[:chars] + "…"


# 1 hashes

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def append_peak(peaks: tuple[bytes, ...], size: int, leaf: bytes) -> tuple[bytes, ...]:
    """Add a leaf hash to a tree of `size` leaves. Peaks are the roots of its full subtrees: one per set bit of size."""
    kept = list(peaks)
    while size & 1:
        leaf = node_hash(kept.pop(), leaf)
        size >>= 1
    kept.append(leaf)
    return tuple(kept)


def root_of_peaks(peaks: tuple[bytes, ...]) -> bytes:
    """The RFC 6962 root: the smaller subtrees on the right are joined first."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for left in reversed(peaks[:-1]):
        root = node_hash(left, root)
    return root


# 2 notes

_SIGNATURE_LINE = re.compile(r"\u2014 ([^ +\n]+) ([A-Za-z0-9+/=]+)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURES_MAX = 100
LOG_SEPARATOR = "---"
ED25519 = b"\x01"


@dataclass(frozen=True)
class Key:
    """A public key of a log: name, key id (4 bytes) and the Ed25519 key (32 bytes)."""

    name: str
    key_id: bytes
    public: bytes


@dataclass(frozen=True)
class Checkpoint:
    """What was signed: the log's name, how many entries it had, and the root over them."""

    origin: str
    size: int
    root: bytes


def key_id_of(name: str, public: bytes) -> bytes:
    return hashlib.sha256(utf8(name) + b"\n" + ED25519 + public).digest()[:4]


def read_base64(text: str, what: str) -> bytes:
    """Standard base64 with padding, in its one spelling."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"{what} is not base64") from None
    if base64.b64encode(content).decode() != text:
        raise Malformed(f"{what} is not in its one base64 spelling")
    return content


def read_key(text: str) -> Key:
    """Read a verifier key: `<name>+<key id hex>+<base64(0x01 || public key)>`."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or not parts[0] or any(letter.isspace() for letter in parts[0]):
        raise Malformed("the key is not of the form name+id+base64")
    content = read_base64(parts[2], "the key")
    if len(content) != 33 or content[:1] != ED25519:
        raise Malformed("the key is not an Ed25519 key")
    key = Key(parts[0], key_id_of(parts[0], content[1:]), content[1:])
    if key.key_id.hex() != parts[1]:
        raise Malformed("the key id does not belong to the key")
    return key


def split_note(text: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Part a signed note into what is signed and its signatures (name, key id, signature)."""
    if any(ord(letter) < 0x20 and letter != "\n" for letter in text):
        raise Malformed("the note holds control characters")
    signed, gap, tail = text.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise Malformed("the note has no signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > _SIGNATURES_MAX:
        raise Malformed("the note has too many signatures")
    signatures = []
    for line in lines:
        match = _SIGNATURE_LINE.fullmatch(line)
        if match is None:
            raise Malformed("a signature line is not of the form “— name base64”")
        content = read_base64(match[2], "a signature")
        if len(content) < 5:
            raise Malformed("a signature is too short")
        signatures.append((match[1], content[:4], content[4:]))
    return signed + "\n", signatures


def check_signature(text: str, key: Key) -> str:
    """Answer with what `key` signed. Signatures by others (witnesses) are passed over."""
    signed, signatures = split_note(text)
    ours = [signature for name, key_id, signature in signatures if name == key.name and key_id == key.key_id]
    if not ours:
        raise Forged("it is not signed by the key")
    for signature in ours:
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, utf8(signed))
        except (InvalidSignature, ValueError):
            raise Forged("its signature does not fit") from None
    return signed


def open_note(text: str, key: Key) -> Checkpoint:
    """Read a checkpoint and check its signature. Lines after the root are signed too, and not ours to judge."""
    lines = check_signature(text, key)[:-1].split("\n")
    if len(lines) < 3:
        raise Malformed("the checkpoint has too few lines")
    if lines[0] != key.name:
        raise Malformed("the checkpoint is of another log")
    if _SIZE.fullmatch(lines[1]) is None:
        raise Malformed("the size is not a number")
    root = read_base64(lines[2], "the root")
    if len(root) != 32:
        raise Malformed("the root is not 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root)


def split_log(text: str) -> list[str]:
    """The notes of a checkpoints.log: parted by lines `---`, before, between or after notes."""
    notes: list[str] = []
    held: list[str] = []
    for line in [*text.split("\n"), LOG_SEPARATOR]:
        if line != LOG_SEPARATOR:
            held.append(line)
            continue
        if any(held):
            # The line break before `---` ends the note; at the end of the file `split` leaves one empty piece more.
            note = "\n".join(held)
            notes.append(note if note.endswith("\n") else note + "\n")
        held = []
    return notes


# 3 leaves

_HEX = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")
_LEAF_KEYS = frozenset(
    ("index", "stream", "seq", "type", "actor", "happened_at", "recorded_at", "reason", "body_digest",
     "personal_digest", "previous")
)  # fmt: skip
_ACTOR_KEYS = frozenset({"kind", "id", "on_behalf_of"})
_ACTOR_KINDS = ("person", "machine", "model")
_INTEGER_MAX = 2**53 - 1


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may take different values of a key that stands twice, so none may."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Malformed("a key stands twice")
    return result


def _no_constant(name: str) -> Any:
    raise Malformed(f"{name} is not JSON")


def read_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_repeats, parse_constant=_no_constant)
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("it is not JSON") from None


def is_hex(value: object) -> bool:
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _INTEGER_MAX


def read_leaf(text: str) -> dict[str, Any]:
    """Read the one spelling of a leaf; a leaf with other keys, other types or another spelling is refused."""
    leaf = read_json(text)
    if not isinstance(leaf, dict) or leaf.keys() != _LEAF_KEYS:
        raise Malformed("it does not have exactly the keys of a leaf")
    actor = leaf["actor"]
    if not isinstance(actor, dict) or actor.keys() != _ACTOR_KEYS:
        raise Malformed("its actor does not have exactly the keys of an actor")
    faults = [name for name in ("index", "seq") if not is_count(leaf[name])]
    faults += [name for name in ("stream", "type", "reason") if not isinstance(leaf[name], str)]
    faults += [name for name in ("happened_at", "recorded_at") if not _is_time(leaf[name])]
    faults += [name for name in ("personal_digest", "previous") if not (leaf[name] is None or is_hex(leaf[name]))]
    if not is_hex(leaf["body_digest"]):
        faults.append("body_digest")
    if (
        actor["kind"] not in _ACTOR_KINDS
        or not isinstance(actor["id"], str)
        or not _is_text_or_null(actor["on_behalf_of"])
    ):
        faults.append("actor")
    if not faults and (leaf["previous"] is None) != (leaf["index"] == 0):
        faults.append("previous")
    if faults:
        raise Malformed(f"it has a wrong {faults[0]}")
    # A leaf holds only texts, whole numbers and null under plain ASCII keys: for these this spelling is RFC 8785.
    if json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False) != text:
        raise Malformed("it is not in its canonical spelling")
    return leaf


def _is_time(value: object) -> bool:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _is_text_or_null(value: object) -> bool:
    return value is None or isinstance(value, str)


# 4 findings


@dataclass(frozen=True)
class Finding:
    """One fault: the index of the entry (None when it belongs to none), a stable kind, and a sentence."""

    index: int | None
    kind: str
    sentence: str


@dataclass
class Findings:
    """Faults as they are found. All are counted, the first hundred are kept, one per index and kind."""

    kept: list[Finding] = field(default_factory=list)
    count: int = 0
    first_bad_index: int | None = None

    def add(self, index: int | None, kind: str, sentence: str) -> None:
        if index is not None and any(each.index == index and each.kind == kind for each in self.kept):
            return
        self.count += 1
        if index is not None and (self.first_bad_index is None or index < self.first_bad_index):
            self.first_bad_index = index
        if len(self.kept) < FINDINGS_KEPT:
            self.kept.append(Finding(index, kind, sentence))

    def in_order(self) -> list[Finding]:
        return sorted(self.kept, key=lambda each: (each.index is None, each.index or 0))


# 5 chain


@dataclass(frozen=True)
class Link:
    """One position of the record. `hash` is None when its own entry is not there; `previous` when it cannot be told.

    A suspect entry is one that is already known not to be what was written.
    """

    position: int
    hash: bytes | None
    previous: bytes | None
    suspect: bool = False


class Chain:
    """Compares each leaf with what the next one says of it, and the tree with every checkpoint.

    Invariant: the tree grows by the hash that an entry had when it was written, as far as this can be told: its own, or
    the one that its successor names. So one changed entry is named by its index, and the checkpoints still vouch for
    all the others. Two links are held back because only the next but one tells which of two neighbours was changed.
    """

    def __init__(self, checkpoints: Iterable[Checkpoint], findings: Findings) -> None:
        self.findings = findings
        self.waiting = deque(sorted(checkpoints, key=lambda each: each.size))
        self.window: list[Link] = []
        self.elsewhere: dict[int, bytes] = {}
        self.blamed: set[int] = set()
        self.peaks: tuple[bytes, ...] = ()
        self.size = 0
        self.lost = False
        self.fitting = 0
        self.unfit = 0
        self.signed_size = 0
        self._unfit_run: list[Checkpoint] = []
        self._compare()

    def add(self, link: Link) -> None:
        if link.suspect:
            self.blamed.add(link.position)
        self.window.append(link)
        if len(self.window) == 3:
            self._settle()

    def add_missing(self, first: int, last: int) -> None:
        """The hash of one missing entry is named by its successor; those of more are lost, and so is the tree."""
        if last > first:
            self._drain()
            self.lost = True
        self.add(Link(last, None, None, suspect=True))
        self.blamed.add(first)

    def end(self, size: int) -> None:
        """All entries were added: compare what is left, and name a tail that is not there."""
        self._drain()
        self._name_fork("the record was changed")
        beyond = [each.size for each in self.waiting if each.size > size]
        if beyond:
            self.findings.add(
                size, "cut_tail",
                f"A signed checkpoint covers {max(beyond)} entries, but the record ends after {size}: "
                f"{_entries(size, max(beyond) - 1)} {'are' if max(beyond) - size > 1 else 'is'} missing at the end.",
            )  # fmt: skip

    def _drain(self) -> None:
        while self.window:
            self._settle()

    def _settle(self) -> None:
        link = self.window.pop(0)
        after = self.window[0] if self.window else None
        known = self.elsewhere.get(link.position, link.hash)
        if after is not None and after.previous is not None and after.previous != known:
            known = self._judge(link, after, after.previous)
        self._grow(known)

    def _judge(self, link: Link, after: Link, claim: bytes) -> bytes | None:
        """`after` says that this entry had another hash. Tell which of the two was changed."""
        if link.hash is None or link.suspect:
            return claim
        if after.suspect:
            return link.hash
        third = self.window[1] if len(self.window) > 1 else None
        if third is None or third.previous is None or after.hash is None:
            return self._judge_last(link, after, claim)
        if third.previous == after.hash:
            self._blame_changed(link.position)
        else:
            self.blamed.add(link.position)
            self.findings.add(
                link.position, "broken_link",
                f"Entry {after.position} does not follow entry {link.position}: one of the two was changed.",
            )  # fmt: skip
        return claim

    def _judge_last(self, link: Link, after: Link, claim: bytes) -> bytes | None:
        """Nobody vouches for `after`: ask the checkpoints that cover one or both."""
        for checkpoint in self.waiting if not self.lost else ():
            if after.hash is None or checkpoint.size > after.position + 1:
                break
            for own in (link.hash or claim, claim):
                if self._root_with(checkpoint.size, own, after.hash) == checkpoint.root:
                    if own == claim:
                        self._blame_changed(link.position)
                        return claim
                    self._blame_inserted(after.position)
                    return own
        self.blamed.add(after.position)
        self.findings.add(
            after.position, "broken_link",
            f"Entry {after.position} does not follow entry {link.position}, and no checkpoint covers it: it was "
            f"inserted, or one of the two was changed.",
        )  # fmt: skip
        return link.hash

    def _root_with(self, size: int, *hashes: bytes) -> bytes:
        peaks, count = self.peaks, self.size
        for each in hashes[: size - count]:
            peaks, count = append_peak(peaks, count, each), count + 1
        return root_of_peaks(peaks)

    def _blame_changed(self, position: int) -> None:
        self.blamed.add(position)
        self.findings.add(
            position, "changed_leaf", f"Entry {position} was changed: entry {position + 1} names another hash for it."
        )

    def _blame_inserted(self, position: int) -> None:
        self.blamed.add(position)
        self.findings.add(
            position, "inserted_entry", f"Entry {position} was inserted or changed: it does not follow the one before."
        )

    def _grow(self, known: bytes | None) -> None:
        self.lost = self.lost or known is None
        if known is None or self.lost:
            return
        self.peaks = append_peak(self.peaks, self.size, known)
        self.size += 1
        self._compare()

    def _compare(self) -> None:
        fitted = False
        while self.waiting and self.waiting[0].size == self.size:
            checkpoint = self.waiting.popleft()
            if checkpoint.root == root_of_peaks(self.peaks):
                fitted = True
                self.fitting += 1
            else:
                self.unfit += 1
                self._unfit_run.append(checkpoint)
        if fitted:
            self._name_fork("another record was signed with this key, which parts from this one")
            self.signed_size = self.size

    def _name_fork(self, what: str) -> None:
        """Name neighbouring checkpoints that do not fit. The first entry that may differ is the first after the last
        checkpoint that fits, unless a fault was found that says more."""
        if not self._unfit_run:
            return
        size, count = self._unfit_run[0].size, len(self._unfit_run)
        first = min((each for each in self.blamed if self.signed_size <= each < size), default=self.signed_size)
        words = f"The checkpoint of {size} entries does" if count == 1 else f"{count} checkpoints from {size} on do"
        sentence = f"{words} not fit the entries: {what} at entry {first} or after it."
        self.findings.add(first if size else None, "fork", sentence)
        self._unfit_run.clear()


def _entries(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first} to {last}"


# 6 authority

ACT_TYPES = ("action.started", "message.sending")
_GATE_ENDS = ("gate.voided", "gate.withdrawn", "gate.expired", "gate.rejected")
_GATE_TYPES = ("gate.opened", "gate.voted", "gate.satisfied", *_GATE_ENDS)
READ_TYPES = frozenset((*ACT_TYPES, *_GATE_TYPES, "document.adopted", "alerts.received", "record.erased"))


@dataclass(frozen=True)
class Act:
    """An effect outside, and the authority that its entry names."""

    index: int
    type: str
    kind: str
    id: str


@dataclass
class Gate:
    """A gate as its entries up to here tell it. `votes` are voter -> (vote, digest, why it may not count)."""

    body: dict[str, Any]
    votes: dict[str, tuple[object, object, str | None]] = field(default_factory=dict)
    satisfied: object = None
    ended: tuple[str, int] | None = None


class Authority:
    """Follows gates and adopted policies, and asks at each act whether its authority stood in the record before it."""

    def __init__(self) -> None:
        self.gates: dict[str, Gate] = {}
        self.policies: set[str] = set()

    def see(self, leaf: dict[str, Any], body: dict[str, Any]) -> None:
        """Take in an entry that gives or takes authority."""
        kind, stream = leaf["type"], leaf["stream"]
        if kind == "document.adopted" and body.get("kind") == "policy":
            self.policies.add(str(body.get("digest")))
        if kind not in _GATE_TYPES or not stream.startswith("gate/"):
            return
        if kind == "gate.opened":
            self.gates[stream] = Gate(body)
            return
        gate = self.gates.get(stream)
        if gate is None:
            return
        if kind == "gate.voted":
            gate.votes[str(body.get("by"))] = (body.get("vote"), body.get("digest"), _vote_fault(leaf, body, gate))
        elif kind == "gate.satisfied":
            gate.satisfied = body.get("digest")
        elif gate.ended is None:
            gate.ended = (kind, leaf["index"])

    def fault_of(self, body: dict[str, Any]) -> str | None:
        """Why the act with this body had no authority, or None when it had."""
        digest, authority = body.get("digest"), body.get("authority")
        if not is_hex(digest) or not isinstance(authority, dict):
            return "it names no authority"
        kind, name = authority.get("kind"), authority.get("id")
        if kind == "policy":
            adopted = isinstance(name, str) and name in self.policies
            return None if adopted else f"the policy {shown(name)} was not adopted before it"
        if kind != "gate":
            return "it names neither a gate nor a policy"
        gate = self.gates.get(f"gate/{name}")
        if gate is None:
            return f"its gate {shown(name)} was not opened before it"
        fault = _gate_fault(gate, digest)
        return f"its gate {shown(name)} {fault}" if fault else None


def _vote_fault(leaf: dict[str, Any], body: dict[str, Any], gate: Gate) -> str | None:
    voter = body.get("by")
    if leaf["actor"]["kind"] != "person":
        return "did not come from a person"
    if leaf["actor"]["id"] != voter:
        return "was cast by another account"
    if voter == gate.body.get("proposer"):
        return "is the proposer's own"
    if voter == gate.body.get("last_editor"):
        return "is the last editor's own"
    return None


def _gate_fault(gate: Gate, digest: object) -> str | None:
    subject: Any = gate.body.get("subject")
    quorum: Any = gate.body.get("quorum")
    if not isinstance(subject, dict) or subject.get("digest") != digest:
        return "was opened for other content"
    if gate.satisfied != digest:
        return "was not satisfied for this content before it"
    if gate.ended is not None:
        return f"had ended before it ({gate.ended[0]} at entry {gate.ended[1]})"
    approvals = {who: fault for who, (vote, voted, fault) in gate.votes.items() if (vote, voted) == ("approve", digest)}
    for who, fault in approvals.items():
        if fault is not None:
            return f"counts an approval by {shown(who)} that {fault}"
    if not is_count(quorum) or quorum == 0:
        return "has no quorum"
    if len(approvals) < quorum:
        return f"needed {quorum} approvals and had {len(approvals)}"
    return None


# 7 record


@dataclass(frozen=True)
class Entry:
    """One entry as it was found at a position: literal texts, and the erasable part when it is still there."""

    position: int
    leaf: str
    body: str
    salt: str | None = None
    content: str | None = None
    surplus: bool = False


@dataclass
class Report:
    """The outcome. `findings` are bounded; `finding_count` is not."""

    ok: bool
    origin: str
    size: int
    root: str
    first_bad_index: int | None
    finding_count: int
    findings: list[Finding]
    counts: dict[str, int]
    signed_size: int
    unsigned_tail: int
    acts: list[Act]


class Streams:
    """Each stream counts its entries 0, 1, 2, ... without gaps; entries already named as absent explain gaps."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.next: dict[str, int] = {}
        self.absent = 0

    def check(self, position: int, stream: str, seq: int) -> None:
        expected = self.next.get(stream, 0)
        self.next[stream] = seq + 1
        if expected < seq <= expected + self.absent:
            self.absent -= seq - expected
        elif seq != expected:
            self.findings.add(
                position, "stream_gap",
                f"Entry {position} is number {seq} of the stream {shown(stream)}, where {expected} was expected.",
            )  # fmt: skip


class RecordCheck:
    """All checks on a record that is read in order: entries, then alert batches, then evidence."""

    def __init__(self, key: Key, notes: Iterable[tuple[str, str]]) -> None:
        """`notes` are checkpoints with the place where each was found."""
        self.key = key
        self.findings = Findings()
        self.counts = dict.fromkeys(
            ("entries", "checkpoints", "acts", "acts_by_gate", "acts_by_policy", "erased", "batches", "occurrences",
             "evidence"), 0,
        )  # fmt: skip
        self.chain = Chain(self._opened(notes), self.findings)
        self.streams = Streams(self.findings)
        self.authority = Authority()
        self.acts: list[Act] = []
        self.next = 0
        self._unexplained: dict[int, int] = {}
        self._batches: dict[int, tuple[str, int]] = {}

    def _opened(self, notes: Iterable[tuple[str, str]]) -> list[Checkpoint]:
        opened: set[Checkpoint] = set()
        for place, text in notes:
            try:
                opened.add(open_note(text, self.key))
            except Forged as fault:
                self.findings.add(None, "forged_checkpoint", f"{place} was not signed by {self.key.name}: {fault}.")
            except Malformed as fault:
                self.findings.add(None, "unreadable_checkpoint", f"{place} cannot be read: {fault}.")
        self.counts["checkpoints"] = len(opened)
        return list(opened)

    def add(self, entry: Entry, suspect: bool = False) -> dict[str, Any] | None:
        """Check one entry and answer with its leaf, or None when it has none. `suspect`: the caller named a fault."""
        place = entry.position
        if entry.surplus or place < self.next:
            self.findings.add(place, "inserted_entry", f"An entry too many stands before entry {self.next}.")
            return None
        if place > self.next:
            self._miss(self.next, place - 1)
        self.next = place + 1
        self.counts["entries"] += 1
        leaf = self._link(entry, suspect)
        if leaf is None:
            self.streams.absent += 1
            return None
        body_holds = self._check_body(entry, leaf)
        self._check_personal(entry, leaf)
        if leaf["index"] == place:
            self.streams.check(place, leaf["stream"], leaf["seq"])
        else:
            self.streams.absent += 1
        if body_holds and leaf["type"] in READ_TYPES:
            self._read_body(place, leaf, entry.body)
        return leaf

    def _miss(self, first: int, last: int) -> None:
        verb = "is" if first == last else "are"
        self.findings.add(first, "missing_entry", f"{_entries(first, last).capitalize()} {verb} missing.")
        self.streams.absent += last - first + 1
        self.chain.add_missing(first, last)

    def _link(self, entry: Entry, suspect: bool) -> dict[str, Any] | None:
        place, own = entry.position, leaf_hash(utf8(entry.leaf))
        try:
            leaf = read_leaf(entry.leaf)
        except Malformed as fault:
            self.findings.add(place, "changed_leaf", f"The leaf of entry {place} was changed: {fault}.")
            self.chain.add(Link(place, own, None, suspect=True))
            return None
        if leaf["index"] != place:
            self.findings.add(
                place, "swapped_entry", f"In the place of entry {place} stands one that says it is {leaf['index']}."
            )
            self.chain.elsewhere[leaf["index"]] = own
            self.chain.add(Link(place, None, None, suspect=True))
            return leaf
        previous = bytes.fromhex(leaf["previous"]) if leaf["previous"] else None
        self.chain.add(Link(place, own, previous, suspect))
        return leaf

    def _check_body(self, entry: Entry, leaf: dict[str, Any]) -> bool:
        if sha256_hex(utf8(entry.body)) == leaf["body_digest"]:
            return True
        self.findings.add(entry.position, "changed_body", f"The body of entry {entry.position} was changed.")
        return False

    def _check_personal(self, entry: Entry, leaf: dict[str, Any]) -> None:
        place, digest = entry.position, leaf["personal_digest"]
        if entry.salt is None and entry.content is None:
            if digest is not None:
                self._unexplained[leaf["index"]] = place
            return
        if not is_hex(entry.salt) or entry.content is None or digest is None:
            holds = False
        else:
            own = personal_digest(bytes.fromhex(str(entry.salt)), utf8(entry.content))
            holds = hmac.compare_digest(own, digest)
        if not holds:
            self.findings.add(place, "changed_personal", f"The personal text of entry {place} was changed.")

    def _read_body(self, place: int, leaf: dict[str, Any], text: str) -> None:
        try:
            body = read_json(text)
        except Malformed:
            body = None
        if not isinstance(body, dict):
            self.findings.add(place, "unreadable_body", f"The body of entry {place} is not a JSON object.")
            return
        if leaf["type"] in ACT_TYPES:
            self._check_act(place, leaf["type"], body)
        elif leaf["type"] == "alerts.received":
            self._expect_batch(leaf["index"], body)
        elif leaf["type"] == "record.erased":
            self._explain_erasure(place, body)
        else:
            self.authority.see(leaf, body)

    def _check_act(self, place: int, kind: str, body: dict[str, Any]) -> None:
        self.counts["acts"] += 1
        fault = self.authority.fault_of(body)
        if fault is not None:
            self.findings.add(place, "no_authority", f"Entry {place} ({kind}) had no authority: {fault}.")
            return
        given = body["authority"]
        self.counts[f"acts_by_{given['kind']}"] += 1
        if len(self.acts) < ACTS_KEPT:
            self.acts.append(Act(place, kind, given["kind"], str(given["id"])))

    def _expect_batch(self, place: int, body: dict[str, Any]) -> None:
        if is_hex(body.get("root")) and is_count(body.get("count")):
            self._batches[place] = (body["root"], body["count"])
        else:
            self.findings.add(place, "unreadable_body", f"Entry {place} does not name the root and count of its batch.")

    def _explain_erasure(self, place: int, body: dict[str, Any]) -> None:
        index = body.get("index")
        if isinstance(index, int) and index < place and self._unexplained.pop(index, None) is not None:
            self.counts["erased"] += 1

    def end_entries(self) -> None:
        for place in sorted(self._unexplained.values()):
            self.findings.add(
                place, "missing_personal",
                f"The personal text of entry {place} is gone, and no entry says that it was erased.",
            )  # fmt: skip
        self.chain.end(self.next)

    def add_batch(self, batch: int, occurrences: Iterable[tuple[int, str]]) -> None:
        """Check the occurrences of one batch, given in order of position, against the root in its entry."""
        root, count = self._batches.pop(batch, ("", 0))
        peaks: tuple[bytes, ...] = ()
        size, gap = 0, None
        for position, text in occurrences:
            if position != size and gap is None:
                gap = size
            peaks = append_peak(peaks, size, leaf_hash(utf8(text)))
            size += 1
        self.counts["batches"] += 1
        self.counts["occurrences"] += size
        if not root:
            self.findings.add(batch, "unknown_alerts", f"No entry {batch} commits to the alert batch of this number.")
        elif size < count:
            where = "" if gap is None else f"; the first missing is {gap}"
            self.findings.add(
                batch, "missing_alert",
                f"The alert batch of entry {batch} has {size} of {count} occurrences{where}.",
            )  # fmt: skip
        elif size > count or gap is not None:
            self.findings.add(batch, "inserted_alert", f"The alert batch of entry {batch} has occurrences too many.")
        elif root_of_peaks(peaks).hex() != root:
            self.findings.add(batch, "changed_alert", f"An occurrence in the alert batch of entry {batch} was changed.")

    def end_batches(self) -> None:
        for batch in sorted(self._batches):
            self.add_batch(batch, ())

    def add_evidence(self, name: str, digest: str) -> None:
        self.counts["evidence"] += 1
        if name != digest:
            self.findings.add(None, "changed_evidence", f"The evidence {shown(name)} was changed.")

    def report(self) -> Report:
        chain = self.chain
        return Report(
            ok=self.findings.count == 0,
            origin=self.key.name,
            size=self.next,
            root="" if chain.lost else root_of_peaks(chain.peaks).hex(),
            first_bad_index=self.findings.first_bad_index,
            finding_count=self.findings.count,
            findings=self.findings.in_order(),
            counts={**self.counts, "checkpoints_fitting": chain.fitting, "checkpoints_unfit": chain.unfit},
            signed_size=chain.signed_size,
            unsigned_tail=max(0, self.next - chain.signed_size),
            acts=self.acts,
        )


# 8 export


class Export(Protocol):
    """An export that can be read: a folder or a zip. Nothing is unpacked."""

    def names(self) -> list[str]: ...

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]: ...


class FolderExport:
    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        return sorted(each.relative_to(self.path).as_posix() for each in self.path.rglob("*") if each.is_file())

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return (self.path / name).open("rb")


class ZipExport:
    """A zip whose files stand at its top, or all in one folder."""

    def __init__(self, path: Path) -> None:
        self.archive = zipfile.ZipFile(path)
        manifests = [name for name in self.archive.namelist() if name.split("/")[-1] == "manifest.json"]
        self.prefix = min(manifests, key=len)[: -len("manifest.json")] if manifests else ""

    def names(self) -> list[str]:
        inside = (name for name in self.archive.namelist() if name.startswith(self.prefix))
        return sorted(name[len(self.prefix) :] for name in inside if not name.endswith("/"))

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return self.archive.open(self.prefix + name)


@dataclass(frozen=True)
class Manifest:
    origin: str
    vkey: str
    size: int
    root: str
    exported_at: str
    instance: str


def open_export(path: Path) -> Export:
    if path.is_dir():
        return FolderExport(path)
    if not path.exists():
        raise CannotRead(f"There is no {path}.")
    if not zipfile.is_zipfile(path):
        raise CannotRead(f"{path} is neither a folder nor a zip.")
    return ZipExport(path)


def read_file(export: Export, name: str) -> str:
    try:
        with export.open(name) as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except (OSError, KeyError):
        raise CannotRead(f"The export has no {name}.") from None
    if len(content) > FILE_BYTES_MAX:
        raise CannotRead(f"{name} is too large.")
    return content.decode("utf-8", "surrogateescape")


def read_manifest(export: Export) -> Manifest:
    try:
        content = read_json(read_file(export, "manifest.json"))
    except Malformed:
        raise CannotRead("The manifest is not JSON.") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CannotRead(f"This is not an export in the format {FORMAT}.")
    texts = ("origin", "vkey", "root", "exported_at", "instance")
    if not all(isinstance(content.get(name), str) for name in texts) or not is_count(content.get("size")):
        raise CannotRead("The manifest lacks a field or has one of a wrong type.")
    return Manifest(size=content["size"], **{name: content[name] for name in texts})


def read_lines(export: Export, name: str) -> Iterator[str]:
    try:
        with export.open(name) as stream:
            while line := stream.readline(LINE_BYTES_MAX + 1):
                if len(line) > LINE_BYTES_MAX:
                    raise CannotRead(f"{name} has a line that is too long.")
                yield line.decode("utf-8", "surrogateescape")
    except (OSError, KeyError):
        raise CannotRead(f"The export has no readable {name}.") from None


@dataclass(frozen=True)
class Line:
    """A line of entries.jsonl. `says` is the index that its leaf gives, None when it cannot be read."""

    says: int | None
    leaf: str = ""
    body: str = ""
    salt: str | None = None
    content: str | None = None


def read_line(text: str) -> Line:
    try:
        row = read_json(text)
        personal = row["personal"]
        line = Line(None, row["leaf"], row["body"])
        if personal is not None:
            line = Line(None, row["leaf"], row["body"], personal["salt"], personal["content"])
    except (Malformed, KeyError, TypeError):
        return Line(None, leaf=text)
    texts = isinstance(line.leaf, str) and isinstance(line.body, str)
    if not texts or not _is_text_or_null(line.salt) or not _is_text_or_null(line.content):
        return Line(None, leaf=text)
    try:
        says = read_json(line.leaf)["index"]
    except (Malformed, KeyError, TypeError):
        says = None
    return Line(says if is_count(says) else None, line.leaf, line.body, line.salt, line.content)


def placed(lines: Iterator[Line]) -> Iterator[Entry]:
    """Give each line its position. An export has no column for it, so the next line tells a gap from a swap."""
    due = 0
    owed: set[int | None] = set()
    line = next(lines, None)
    while line is not None:
        after = next(lines, None)
        place, surplus = _place(due, line.says, after.says if after is not None else None, owed)
        if place == due and line.says not in (None, due):
            owed.add(due)
        owed.discard(line.says)
        yield Entry(place, line.leaf, line.body, line.salt, line.content, surplus)
        due = due if surplus else place + 1
        line = after


def _place(due: int, says: int | None, follows: int | None, owed: set[int | None]) -> tuple[int, bool]:
    """Where a line stands that says it is `says`, and whether it is one too many.

    `owed` are the places passed whose own entry has not come yet: it may come later, from a swap.
    """
    if says is None or says == due:
        return due, False
    if says < due:
        return (due, False) if says in owed else (says, True)
    if follows is None or follows > says:
        return says, False
    if follows == due and says != due + 1:
        return due, True
    return due, False


def alert_batches(export: Export, findings: Findings) -> Iterator[tuple[int, Iterator[tuple[int, str]]]]:
    for batch, lines in groupby(_alert_lines(export, findings), key=lambda each: each[0]):
        yield batch, ((position, leaf) for _, position, leaf in lines)


def _alert_lines(export: Export, findings: Findings) -> Iterator[tuple[int, int, str]]:
    for number, text in enumerate(read_lines(export, "alerts.jsonl"), start=1):
        try:
            row = read_json(text)
            batch, position, leaf = row["batch"], row["position"], row["leaf"]
        except (Malformed, KeyError, TypeError):
            batch = position = leaf = None
        if isinstance(leaf, str) and is_count(batch) and is_count(position):
            yield batch, position, leaf
        else:
            findings.add(None, "unreadable_alert", f"Line {number} of alerts.jsonl cannot be read.")


def digest_of_file(export: Export, name: str) -> str:
    digest = hashlib.sha256()
    with export.open(name) as stream:
        while piece := stream.read(1024 * 1024):
            digest.update(piece)
    return digest.hexdigest()


def verify_export(path: Path, key: Key | None = None, more_checkpoints: str = "") -> Report:
    """Check an export with the key given, or with its own."""
    export = open_export(path)
    manifest = read_manifest(export)
    try:
        own_key = read_key(manifest.vkey)
    except Malformed as fault:
        raise CannotRead(f"The key in the manifest cannot be read: {fault}.") from None
    names = set(export.names())
    log = read_file(export, "checkpoints.log") if "checkpoints.log" in names else ""
    notes = [(f"Checkpoint {at} of checkpoints.log", text) for at, text in enumerate(split_log(log), start=1)]
    notes += [(f"Checkpoint {at} of the file given", text) for at, text in enumerate(split_log(more_checkpoints), 1)]
    check = RecordCheck(key or own_key, notes)
    if key is not None and key != own_key:
        check.findings.add(None, "other_key", "The key in the export is not the key that was given.")
    for entry in placed(read_line(text) for text in read_lines(export, "entries.jsonl")):
        check.add(entry)
    check.end_entries()
    for batch, occurrences in alert_batches(export, check.findings):
        check.add_batch(batch, occurrences)
    check.end_batches()
    for name in sorted(names):
        if name.startswith("evidence/"):
            check.add_evidence(name[len("evidence/") :], digest_of_file(export, name))
    _compare_manifest(manifest, check)
    return check.report()


def _compare_manifest(manifest: Manifest, check: RecordCheck) -> None:
    report, findings = check.report(), check.findings
    if manifest.origin != check.key.name:
        findings.add(None, "other_log", f"The manifest is of the log {shown(manifest.origin)}.")
    if manifest.size > report.size:
        findings.add(report.size, "cut_tail", f"The manifest names {manifest.size} entries; {report.size} are there.")
    elif manifest.size < report.counts["entries"]:
        findings.add(manifest.size, "inserted_entry", f"The manifest names {manifest.size} entries; more are there.")
    elif report.ok and manifest.root != report.root:
        findings.add(None, "changed_manifest", "The root in the manifest is not the root of the entries.")
    if report.size and not report.signed_size and not report.counts["checkpoints_unfit"]:
        findings.add(None, "unsigned_record", "No checkpoint is signed by the key: nothing vouches for the entries.")


# 9 command


def human_report(report: Report, key_given: bool) -> str:
    counts = report.counts
    rows = [("Record", shown(report.origin)), ("Entries", str(report.size)), ("Root", report.root or "unknown")]
    if key_given:
        rows.append(("Key", "the one you gave"))
    else:
        rows.append(("Key", "the export's own: this shows that the export is consistent, not who signed it."))
        rows.append(("", "Give the key that you hold from elsewhere with --key."))
    rows.append(("Checkpoints", f"{counts['checkpoints_fitting']} verified, covering {report.signed_size} entries"))
    if report.unsigned_tail:
        rows.append(("", f"{report.unsigned_tail} entries at the end are not covered by a checkpoint that fits"))
    if counts["checkpoints_unfit"]:
        rows.append(("", f"{counts['checkpoints_unfit']} do not fit the entries"))
    with_authority = f"{counts['acts_by_gate']} by a gate, {counts['acts_by_policy']} by a policy"
    rows.append(("Acts", f"{counts['acts']}; with authority: {with_authority}"))
    rows += [("", f"entry {act.index}  {act.type}  {act.kind} {shown(act.id)}") for act in report.acts]
    rows.append(("Alerts", f"{counts['occurrences']} occurrences in {counts['batches']} batches"))
    rows.append(("Evidence", f"{counts['evidence']} pieces"))
    rows.append(("Erased", f"{counts['erased']} personal texts, each with the entry that says so"))
    lines = [f"{name:<13}{value}" for name, value in rows]
    if report.ok:
        return "\n".join([*lines, "", "VERIFIED: no fault was found."])
    first = "" if report.first_bad_index is None else f"; the first bad entry is {report.first_bad_index}"
    faults = "1 fault" if report.finding_count == 1 else f"{report.finding_count} faults"
    lines += ["", f"FAILED: {faults}{first}."]
    lines += [f"  {each.kind}: {each.sentence}" for each in report.findings]
    if report.finding_count > len(report.findings):
        lines.append(f"  … and {report.finding_count - len(report.findings)} more")
    return "\n".join(lines)


def _key_from(text: str) -> Key:
    """A key given as text, or as a file that holds it."""
    try:
        if "+" not in text or Path(text).is_file():
            text = Path(text).read_text(encoding="utf-8")
        return read_key(text)
    except (OSError, ValueError) as fault:
        raise CannotRead(f"The key cannot be read: {fault}.") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="verify.py", description="Check an exported Handrail record.")
    parser.add_argument("export", type=Path, help="the exported folder or .zip")
    parser.add_argument("--key", help="the log's public key, or a file with it")
    parser.add_argument("--checkpoints", type=Path, help="a checkpoints.log kept elsewhere")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        key = _key_from(given.key) if given.key else None
        more = given.checkpoints.read_text(encoding="utf-8", errors="surrogateescape") if given.checkpoints else ""
        report = verify_export(given.export, key, more)
    except (CannotRead, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as fault:
        print(f"Cannot read: {fault}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps({**asdict(report), "key_given": key is not None}, indent=2))
    else:
        print(human_report(report, key is not None))
    return 0 if report.ok else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
