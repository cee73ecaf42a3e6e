"""What each page shows, as values. Routes fill these from queries; templates read nothing else.

Every template gets `page` (Page) and `view` (the class named in the comment above it). A live part of a page gets the
same two values as its page. Times are aware UTC datetimes. All text is shown as text, whoever wrote it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from handrail.domain.alert import Severity
from handrail.web.run_graph import RunGraph
from handrail.web.svg import Chart


# What every page has
@dataclass(frozen=True)
class Viewer:
    """Who looks. `can` holds permission words (`domain.people.Permission`); pages only show what is in it."""

    id: str
    name: str
    roles: tuple[str, ...]
    can: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Notice:
    """What came of the last form: `kind` is done, refused or note."""

    kind: str
    text: str


@dataclass(frozen=True)
class Page:
    """`active` names the menu entry: board, approvals, alerts, record, sources, people, or nothing.

    `path` is this page's own path, sent back by every form as `back`. `topics` are what the page listens to.
    `index` is the last entry of the record that the page knows of. `typed` is what a refused form held, by the id of
    its field, so that nothing typed is lost.
    """

    title: str
    path: str
    now: datetime
    csrf: str
    viewer: Viewer | None = None
    active: str = ""
    topics: tuple[str, ...] = ()
    index: int = 0
    approvals_waiting: int = 0
    notice: Notice | None = None
    instance: str = ""
    version: str = ""
    practice: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Option:
    """One choice of a select."""

    value: str
    label: str
    selected: bool = False


@dataclass(frozen=True)
class Actor:
    """Who did something. `kind` is person, machine or model."""

    kind: str
    name: str
    on_behalf_of: str | None = None


@dataclass(frozen=True)
class Measure:
    """A span with its name, such as “To detect”; `value` None is not reached yet."""

    label: str
    seconds: float | None
    at: datetime | None = None
    note: str = ""


# sign_in.html, set_password.html
@dataclass(frozen=True)
class SignInView:
    refused: str = ""
    login: str = ""
    next: str = "/"


@dataclass(frozen=True)
class PasswordView:
    """`forced` at first sign-in with a one-time password."""

    forced: bool
    chars_min: int
    refused: str = ""


# alerts
@dataclass(frozen=True)
class AlertRow:
    """`verdict` says how the sender was known: token, signature, or how it was not."""

    id: str
    title: str
    severity: Severity
    status: str
    source: str
    service: str | None
    count: int
    first_at: datetime
    last_at: datetime
    verdict: str


# alerts.html
@dataclass(frozen=True)
class AlertsView:
    alerts: tuple[AlertRow, ...]
    total: int
    sources: tuple[Option, ...] = ()
    statuses: tuple[Option, ...] = ()
    search: str = ""
    newer: str | None = None
    older: str | None = None


@dataclass(frozen=True)
class AlertOccurrence:
    """One occurrence and where the record commits to it: entry `index` holds the batch's root, `position` in it."""

    at: datetime
    status: str
    occurred_at: datetime | None
    index: int | None
    position: int | None


# alert.html
@dataclass(frozen=True)
class SilenceRow:
    """`status` is scheduled, live, ended or over; `by` a name."""

    id: str
    kind: str
    status: str
    matchers: tuple[str, ...]
    reason: str
    starts_at: datetime
    ends_at: datetime
    by: str
    released: int
    may_end: bool


@dataclass(frozen=True)
class Seen:
    """What a detector saw when it said so: charts, and lines of a log as they came."""

    at: datetime
    charts: tuple[Chart, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class AlertView:
    row: AlertRow
    summary: str
    severity_raw: str | None
    resource: str | None
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    raw: str
    occurrences: tuple[AlertOccurrence, ...]
    dedup_key: str
    link: str | None = None
    belongs_to: tuple[str, str] | None = None
    late: int = 0
    turns: int = 0
    flapping: bool = False
    silenced: SilenceRow | None = None
    may_shelve: bool = False
    spans: tuple[Option, ...] = ()
    seen: Seen | None = None


# board.html
@dataclass(frozen=True)
class Half:
    """One half of a stage. `state` is done, working, waiting or idle."""

    state: str
    text: str


@dataclass(frozen=True)
class Stage:
    """One of the seven. `state` is done, current or ahead."""

    name: str
    state: str
    machine: Half = Half("idle", "")
    human: Half = Half("idle", "")
    entered_at: datetime | None = None


@dataclass(frozen=True)
class IncidentRow:
    id: str
    number: str
    title: str
    severity: str
    stage: str
    stages: tuple[Stage, ...]
    declared_at: datetime
    commander: str | None
    services: tuple[str, ...]
    needs_me: int
    open_tasks: int
    overdue: int
    last_sentence: str
    last_at: datetime
    ended_at: datetime | None = None
    practice: bool = False


@dataclass(frozen=True)
class CandidateCard:
    """Alerts that may be an incident. `reasons` say why they stand together; `suggested_why` why this severity."""

    id: str
    title: str
    suggested: str
    suggested_why: str
    reasons: tuple[str, ...]
    services: tuple[str, ...]
    sources: tuple[str, ...]
    alert_count: int
    first_at: datetime
    last_at: datetime
    alerts: tuple[AlertRow, ...] = ()
    may_declare: bool = False
    practice: bool = False
    more_reasons: tuple[str, ...] = ()


# candidate.html
@dataclass(frozen=True)
class MemberRow:
    """One alert of a candidate, why it is there (`score` of 100), and whether it is chosen in a form that came back."""

    alert: AlertRow
    reason: str
    score: int
    by_person: bool = False
    chosen: bool = False


@dataclass(frozen=True)
class CorrectionRow:
    """What a person's correction says of later alerts."""

    id: str
    at: datetime
    by: str
    ends_at: datetime
    kinds: tuple[str, ...]
    apart_from: tuple[str, ...] = ()
    together_with: tuple[str, ...] = ()
    alone: int = 0


@dataclass(frozen=True)
class CandidateView:
    """A candidate with each of its alerts. `targets` are where chosen alerts may go, `into` what it may be merged into;
    `incident`, `merged_into` and `split_from` are (address, words)."""

    id: str
    title: str
    status: str
    suggested: str
    suggested_why: str
    services: tuple[str, ...]
    count: int
    started_at: datetime
    opened_at: datetime
    members: tuple[MemberRow, ...]
    incident: tuple[str, str] | None = None
    merged_into: tuple[str, str] | None = None
    split_from: tuple[str, str] | None = None
    may_correct: bool = False
    may_move: bool = False
    why_not: str = ""
    targets: tuple[Option, ...] = ()
    into: tuple[Option, ...] = ()
    corrections: tuple[CorrectionRow, ...] = ()
    history: tuple["TimelineRow", ...] = ()
    newer: str | None = None
    older: str | None = None


@dataclass(frozen=True)
class BoardView:
    """`closed` are the last few; `inbound_address` teaches an empty board where to point a sender."""

    incidents: tuple[IncidentRow, ...]
    candidates: tuple[CandidateCard, ...]
    alerts: tuple[AlertRow, ...]
    alerts_total: int = 0
    closed: tuple[IncidentRow, ...] = ()
    inbound_address: str = ""
    may_declare: bool = False
    severities: tuple[Option, ...] = ()


# Gates, proposals, causes
@dataclass(frozen=True)
class Vote:
    """`vote` is approve or reject."""

    by: Actor
    vote: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class GateCard:
    """`subject` is a phrase that follows “Approve” and “Reject”, such as “roll back of payments to 2.4.0”.

    `status` is open, satisfied, rejected, expired, withdrawn, voided or used. `why_not` says why the viewer may not
    vote, when `may_vote` is false. `content` are the exact values that decide, `bound` those that only bind, each with
    the address where it is shown, if any; `digest` covers both, and `canonical` is the very text that it is made of.
    `why` says why a gate ended without a decision, `last_editor` who else had a hand in it and how.
    """

    id: str
    subject: str
    status: str
    digest: str
    content: tuple[tuple[str, str], ...]
    proposer: Actor
    eligible: tuple[str, ...]
    quorum: int
    policy: str
    opened_at: datetime
    expires_at: datetime
    votes: tuple[Vote, ...] = ()
    may_vote: bool = False
    why_not: str = ""
    decided_at: datetime | None = None
    what_then: str = ""
    last_editor: str | None = None
    incident: tuple[str, str] | None = None
    why: str = ""
    canonical: str = ""
    bound: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class LogLine:
    text: str
    marked: bool = False


@dataclass(frozen=True)
class EvidenceItem:
    """One snapshot that a claim cites, with charts, lines or just its sentence."""

    id: str
    kind: str
    sentence: str
    source: str
    digest: str
    at: datetime
    charts: tuple[Chart, ...] = ()
    lines: tuple[LogLine, ...] = ()


@dataclass(frozen=True)
class Confidence:
    """`value` 0 to 1, `word` such as “Likely”, `meaning` one sentence on what that has been worth."""

    value: float
    word: str
    meaning: str


@dataclass(frozen=True)
class Rejected:
    """An alternative that was looked at, and the sentence that rules it out."""

    claim: str
    why: str


@dataclass(frozen=True)
class CauseCard:
    id: str
    claim: str
    confidence: Confidence
    origin: Actor
    at: datetime
    evidence: tuple[EvidenceItem, ...]
    rejected: tuple[Rejected, ...] = ()
    looked_at: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    would_change: str = ""
    is_clear: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of the act. `status` is running, done, recovered, not_done, failed or unknown."""

    status: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True)
class ProposalCard:
    """One exact action. `changes` are the preview's lines, `signal` what must recover."""

    id: str
    title: str
    why: str
    proposer: Actor
    at: datetime
    risk: str
    changes: tuple[str, ...]
    blast_radius: tuple[str, ...]
    undo: str
    signal: str
    verdict: str
    gate: GateCard | None = None
    outcome: Outcome | None = None
    signal_charts: tuple[Chart, ...] = ()
    may_start: bool = False
    incident: str = ""


# Tasks and runs
@dataclass(frozen=True)
class TaskRow:
    """`kind` is person or machine; `status` one of `run_graph.STATUSES`."""

    run_id: str
    id: str
    title: str
    kind: str
    status: str
    instruction: str = ""
    owner: str | None = None
    owner_role: str | None = None
    due_at: datetime | None = None
    done_at: datetime | None = None
    result: str = ""
    overdue: bool = False
    escalated_to: str | None = None
    may_claim: bool = False
    may_finish: bool = False
    may_skip: bool = False
    may_ask_again: bool = False
    may_resolve: bool = False
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RunView:
    id: str
    title: str
    version: str
    graph: RunGraph
    started_at: datetime
    done: int
    total: int


# task.html
@dataclass(frozen=True)
class TaskView:
    task: TaskRow
    incident: tuple[str, str]
    run_title: str
    waits_for: tuple[tuple[str, str, str], ...] = ()
    events: tuple["TimelineRow", ...] = ()


# Messages
@dataclass(frozen=True)
class Fact:
    """A statement in a message and the entry it stands on; None when it is a plan."""

    text: str
    index: int | None


@dataclass(frozen=True)
class Receipt:
    """`state` is queued, delivered, failed or unknown."""

    channel: str
    state: str
    at: datetime
    detail: str = ""
    attempts: int = 1


@dataclass(frozen=True)
class MessageCard:
    """`state` is draft, submitted, approved, sending, delivered, failed or rejected.

    `version` goes with every edit, so that two editors do not overwrite each other; `theirs` are the words that another
    editor saved meanwhile, when the fields hold one's own.
    """

    id: str
    audience: str
    channels: tuple[str, ...]
    subject: str
    text: str
    state: str
    drafted_by: Actor
    at: datetime
    facts: tuple[Fact, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    gate: GateCard | None = None
    may_edit: bool = False
    may_submit: bool = False
    version: int = 0
    last_editor: str | None = None
    theirs: tuple[str, str] | None = None


# message.html
@dataclass(frozen=True)
class MessageView:
    message: MessageCard
    incident: tuple[str, str]


# incident.html
@dataclass(frozen=True)
class TimelineRow:
    """`happened_at` is when it was so, `known_at` when it was recorded; `index` is its entry."""

    index: int
    happened_at: datetime
    known_at: datetime
    actor: Actor
    sentence: str
    source: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Need:
    """One thing that waits for the viewer. `verb` is the link's text, such as “Decide”."""

    kind: str
    title: str
    href: str
    verb: str
    due_at: datetime | None = None


@dataclass(frozen=True)
class RoleRow:
    role: str
    person: str | None
    since: datetime | None = None


@dataclass(frozen=True)
class Check:
    text: str
    holds: bool


@dataclass(frozen=True)
class SignOff:
    """Readiness or closing: shown when due. `done` once it is given; `gate` while its owner is asked."""

    checks: tuple[Check, ...]
    may: bool
    why_not: str = ""
    done: str = ""
    service: str = ""
    owner: str = ""
    gate: GateCard | None = None


@dataclass(frozen=True)
class IncidentView:
    """The room. `may` holds note, assign, investigate, severity, halves, message.

    `investigation` is what the analyst is doing while there is no cause.
    """

    id: str
    number: str
    title: str
    severity: str
    stage: str
    stages: tuple[Stage, ...]
    declared_at: datetime
    declared_by: Actor
    commander: str | None
    services: tuple[str, ...]
    ended_at: datetime | None = None
    practice: bool = False
    measures: tuple[Measure, ...] = ()
    needs: tuple[Need, ...] = ()
    investigation: str = ""
    cause: CauseCard | None = None
    proposals: tuple[ProposalCard, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    run: RunView | None = None
    messages: tuple[MessageCard, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    alerts_total: int = 0
    timeline: tuple[TimelineRow, ...] = ()
    timeline_total: int = 0
    roles: tuple[RoleRow, ...] = ()
    role_options: tuple[Option, ...] = ()
    people: tuple[Option, ...] = ()
    may: frozenset[str] = frozenset()
    readiness: SignOff | None = None
    closing: SignOff | None = None
    review: str | None = None
    review_status: str = ""
    severities: tuple[Option, ...] = ()
    halves: tuple[Option, ...] = ()
    audiences: tuple[Option, ...] = ()
    message_stages: tuple[Option, ...] = ()
    candidate_id: str | None = None


# approvals.html, gate.html
@dataclass(frozen=True)
class ApprovalItem:
    """A gate with what it is about, when that is a proposal or a message."""

    gate: GateCard
    proposal: ProposalCard | None = None
    message: MessageCard | None = None
    severity: str | None = None


@dataclass(frozen=True)
class ApprovalsView:
    """`watching` are open gates that the viewer may see but not decide; `decided` the last few."""

    waiting: tuple[ApprovalItem, ...]
    watching: tuple[GateCard, ...] = ()
    decided: tuple[GateCard, ...] = ()


@dataclass(frozen=True)
class GateView:
    item: ApprovalItem
    cause: CauseCard | None = None
    history: tuple[TimelineRow, ...] = ()


# record.html, entry.html
@dataclass(frozen=True)
class EntryRow:
    index: int
    stream: str
    type: str
    actor: Actor
    happened_at: datetime
    recorded_at: datetime
    sentence: str
    leaf_hash: str


@dataclass(frozen=True)
class Checkpoint:
    """The last signed one; `note` is its exact text, `unsigned` how many entries came since."""

    size: int
    root: str
    at: datetime
    key: str
    note: str
    unsigned: int = 0


@dataclass(frozen=True)
class VerifyFinding:
    index: int | None
    problem: str


@dataclass(frozen=True)
class Verification:
    checked: int
    at: datetime
    seconds: float
    checks: tuple[Check, ...]
    findings: tuple[VerifyFinding, ...] = ()


@dataclass(frozen=True)
class RecordView:
    entries: tuple[EntryRow, ...]
    size: int
    streams: tuple[Option, ...] = ()
    types: tuple[Option, ...] = ()
    stream: str = ""
    newer: str | None = None
    older: str | None = None
    checkpoint: Checkpoint | None = None
    verification: Verification | None = None
    may_verify: bool = True


@dataclass(frozen=True)
class ProofStep:
    """One sibling on the way to the root; `side` is left or right."""

    side: str
    hash: str


@dataclass(frozen=True)
class InclusionProof:
    size: int
    root: str
    steps: tuple[ProofStep, ...]
    holds: bool


@dataclass(frozen=True)
class EntryView:
    """`personal` is the text beside the entry, None when there is none; `erased` when it was taken away."""

    row: EntryRow
    size: int
    leaf: str
    body: str
    body_digest: str
    previous: str | None
    reason: str
    personal: str | None = None
    erased: bool = False
    proof: InclusionProof | None = None
    subject: tuple[str, str] | None = None


# review.html
@dataclass(frozen=True)
class GateWait:
    """A gate in hindsight; `waited_seconds` from its opening to its decision."""

    subject: str
    status: str
    opened_at: datetime
    waited_seconds: float
    votes: tuple[Vote, ...]


@dataclass(frozen=True)
class ReviewSection:
    """One part that people write. `by` is who wrote it last."""

    name: str
    title: str
    text: str
    by: str | None = None
    hint: str = ""


@dataclass(frozen=True)
class ReviewView:
    """`may` holds edit, accept."""

    id: str
    incident: tuple[str, str]
    number: str
    title: str
    severity: str
    services: tuple[str, ...]
    status: str
    written_at: datetime
    sections: tuple[ReviewSection, ...]
    causes: tuple[str, ...]
    measures: tuple[Measure, ...]
    people_did: tuple[str, ...]
    machines_did: tuple[str, ...]
    timeline: tuple[TimelineRow, ...]
    gates: tuple[GateWait, ...]
    messages: tuple[MessageCard, ...]
    may: frozenset[str] = frozenset()
    version: int = 0
    accepted: str = ""
    root: str = ""
    size: int = 0


# evidence.html
@dataclass(frozen=True)
class EvidenceView:
    """A snapshot as it was kept. `text` is shortened where it is long; the raw bytes have an address of their own."""

    digest: str
    about: str
    kind: str
    made_at: datetime
    media_type: str
    bytes: int
    text: str
    is_whole: bool
    charts: tuple[Chart, ...] = ()
    lines: tuple[LogLine, ...] = ()


@dataclass(frozen=True)
class Secret:
    """A password, token or signing secret that is shown this once. `label` says whose and what for.

    `sealed`: it is kept so that it can be used, and still never shown again.
    """

    label: str
    value: str
    sealed: bool = False


# sources.html
@dataclass(frozen=True)
class SigningRow:
    """A live signing secret; nobody sees more of it."""

    id: str
    last_four: str
    set_at: datetime


@dataclass(frozen=True)
class ConfirmationRow:
    """What a sender asks to have confirmed. `may_be_called` says whether the address is one that is ever called."""

    id: str
    source_id: str
    source: str
    topic: str
    place: str
    status: str
    detail: str
    asked_at: datetime
    may_be_called: bool


@dataclass(frozen=True)
class PullRow:
    """How metrics are pulled, as a form takes it, and how that went last. `queries` are lines NAME=PROMQL."""

    url: str
    queries: str
    every_seconds: int
    history_seconds: int
    user: str
    has_secret: bool
    pulled_at: datetime | None
    series: int
    trouble: str
    notes: str


@dataclass(frozen=True)
class RefusalRow:
    """What was refused of a source under one code."""

    code: str
    count: int
    last_at: datetime
    reason: str


@dataclass(frozen=True)
class UnknownWordRow:
    """A word for a severity that a source used and that no mapping knows."""

    word: str
    count: int


@dataclass(frozen=True)
class TriedRow:
    """What one item of a tried payload would become. `what` is alert, change or refused."""

    what: str
    status: str
    severity: str
    word: str
    service: str
    title: str


@dataclass(frozen=True)
class Tried:
    source: str
    rows: tuple[TriedRow, ...]
    points: int


@dataclass(frozen=True)
class SourceRow:
    """`health` is receiving, quiet or refusing. `spark` draws the last hour; `severities` are lines WORD=SEVERITY."""

    id: str
    name: str
    kind: str
    address: str
    authentication: str
    health: str
    last_at: datetime | None
    accepted: int
    refused: int
    alerts_firing: int = 0
    signs: bool = False
    signing: tuple[SigningRow, ...] = ()
    heartbeat_seconds: int | None = None
    last_refusal: str = ""
    pull: PullRow | None = None
    per_minute: int = 0
    in_hour: int = 0
    spark: str = ""
    verdicts: str = ""
    refusals: tuple[RefusalRow, ...] = ()
    severities: str = ""
    severity_label: str = ""
    unknown_words: tuple[UnknownWordRow, ...] = ()
    alerts_per_second: int | None = None


@dataclass(frozen=True)
class RefusedRow:
    """`quarantine` is the id under which the raw bytes are kept, if they are."""

    at: datetime
    source: str
    code: str
    sentence: str
    bytes: int
    quarantine: str | None = None


@dataclass(frozen=True)
class SourcesView:
    sources: tuple[SourceRow, ...]
    refused: tuple[RefusedRow, ...]
    quarantine_bytes: int
    quarantine_bytes_max: int
    quarantine_items: int
    inbound_address: str = ""
    may_manage: bool = False
    integrations: tuple[Option, ...] = ()
    secret: Secret | None = None
    confirmations: tuple[ConfirmationRow, ...] = ()
    tried: Tried | None = None


# silences.html
@dataclass(frozen=True)
class SilencesView:
    silences: tuple[SilenceRow, ...]
    may_manage: bool = False
    spans: tuple[Option, ...] = ()
    kinds: tuple[Option, ...] = ()


# people.html
@dataclass(frozen=True)
class TokenRow:
    id: str
    label: str
    scopes: tuple[str, ...]
    last_four: str = ""
    expires_at: datetime | None = None
    revoked: bool = False


@dataclass(frozen=True)
class PersonRow:
    id: str
    login: str
    name: str
    kind: str
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    active: bool
    seen_at: datetime | None
    tokens: tuple[TokenRow, ...] = ()
    may_make_token: bool = False
    may_manage: bool = False
    login_state: str = ""


@dataclass(frozen=True)
class PeopleView:
    people: tuple[PersonRow, ...]
    may_manage: bool
    role_options: tuple[Option, ...] = ()
    scope_options: tuple[Option, ...] = ()
    secret: Secret | None = None


# error.html
@dataclass(frozen=True)
class ErrorView:
    """`sentence` says what happened and why, `next_step` what to do, `faults` all that is wrong with the input."""

    status: int
    code: str
    sentence: str
    next_step: str = ""
    faults: tuple[str, ...] = ()
    trace: str = ""
    back: str = field(default="/")
