"""What the API answers: field names are the product's words and stay. Built from domain states, never the other way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from handrail.domain import document as documents
from handrail.domain import gate as gates
from handrail.domain import incident as incidents
from handrail.domain import message as messages
from handrail.domain import pull as pulls
from handrail.domain import run as runs
from handrail.domain import source as sources
from handrail.domain.alert import Alert as AlertState
from handrail.domain.people import Permission, Person, permitted
from handrail.kernel.clock import from_text, to_text
from handrail.operations.accounts import Caller
from handrail.store import queries
from handrail.store.intake import Minutes, RefusalCount, SourceStat
from handrail.store.pulls import PullState

T = TypeVar("T")

Moment = Annotated[
    datetime, PlainSerializer(to_text, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(BaseModel, Generic[T]):
    """`next` is the cursor of the page that follows, null on the last."""

    items: list[T]
    next: str | None


class Fault(BaseModel):
    pointer: str
    detail: str


class Problem(BaseModel):
    """RFC 9457. `code` is stable; `type` leads to its meaning; `retry` says that the same request may succeed later."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[Fault]
    request_id: str
    retry: bool


# people


class Account(Shape):
    id: str
    kind: str
    login: str
    name: str
    roles: list[str]
    teams: list[str]
    active: bool
    must_set_password: bool
    created_at: Moment
    signed_in_at: Moment | None


class Session(Shape):
    """What a sign-in gives: the cookie is set, `csrf` goes into the header X-CSRF-Token of every unsafe request."""

    csrf: str
    expires_at: Moment
    must_set_password: bool
    account: Account


class Me(Shape):
    account: Account
    permissions: list[str]
    scopes: list[str] | None = Field(description="What the token is narrowed to; null for all that the roles grant.")
    csrf: str | None

    @staticmethod
    def of(caller: Caller) -> "Me":
        person = caller.person
        return Me(
            account=Account.model_validate(caller.account),
            permissions=[str(permission) for permission in Permission if permitted(person, permission)],
            scopes=sorted(person.scopes) if person.scopes is not None else None,
            csrf=caller.csrf,
        )


class NewAccount(Shape):
    account: Account
    password: str | None = Field(description="One-time password, shown once; null for machines and in a replay.")


class OneTimePassword(Shape):
    account_id: str
    password: str | None = Field(description="Shown once; null in a replay.")


class Token(Shape):
    id: str
    owner_id: str
    name: str
    last_four: str
    scopes: list[str] | None
    expires_at: Moment | None
    revoked_at: Moment | None


class NewToken(Shape):
    id: str
    token: str | None = Field(description="Shown once; null in a replay.")


# sources


class PullQuery(Shape):
    name: str
    promql: str


class Pull(Shape):
    """How metrics are pulled, and how that went last."""

    url: str
    queries: list[PullQuery]
    every_seconds: int
    history_seconds: int
    user: str
    has_secret: bool = Field(description="Whether a secret is shown to the server; nobody sees it again.")
    tried_at: Moment | None
    pulled_at: Moment | None = Field(description="When it went well last.")
    series: int
    trouble: str = Field(description="Why it does not go well, in words; empty while it does.")
    notes: str = Field(description="What else is to be known, such as warnings of the server and values left out.")

    @staticmethod
    def of(pull: pulls.Pull, state: PullState | None) -> "Pull":
        queries = [PullQuery(name=query.name, promql=query.promql) for query in pull.queries]
        tried, pulled = (state.tried_at, state.pulled_at) if state else (None, None)
        return Pull(
            url=pull.url, queries=queries, every_seconds=pull.every_seconds, history_seconds=pull.history_seconds,
            user=pull.user, has_secret=pull.secret_id is not None, tried_at=from_text(tried) if tried else None,
            pulled_at=from_text(pulled) if pulled else None, series=state.series if state else 0,
            trouble=state.trouble if state else "", notes=state.notes if state else "",
        )  # fmt: skip


class SourceVerdicts(Shape):
    """Requests by how sure we are of their sender: signed, by its token alone, from a network that needs none."""

    verified: int
    token: int
    unsigned: int


class SourceRefusal(Shape):
    code: str
    count: int
    last_at: Moment
    reason: str


class Source(Shape):
    id: str
    name: str
    integration: str
    address: str = Field(description="Where the sender posts to, on this server.")
    added_at: Moment
    removed_at: Moment | None
    secrets: list[str] = Field(description="Ids of the live tokens.")
    signing_secrets: list[str] = Field(description="Ids of the live signing secrets; with any, signatures alone count.")
    heartbeat_seconds: int | None = Field(description="Silence for longer than this is an alert; null: it is nothing.")
    alerts_per_second: int | None = Field(description="As many it may send; null: as many as any source.")
    pull: Pull | None = Field(description="How metrics are pulled; null: none are.")
    last_seen_at: Moment | None
    accepted: int
    duplicate: int
    refused: int
    last_refusal: str
    per_minute: int = Field(description="Alerts and changes of the last sixty seconds.")
    minutes: list[int] = Field(description="The same for each minute of the last hour, oldest first.")
    verdicts: SourceVerdicts
    refusals: list[SourceRefusal] = Field(description="What was refused, by code, the latest first.")

    @staticmethod
    def of(
        source: sources.Source, stat: SourceStat | None = None, pulled: PullState | None = None,
        minutes: Minutes | None = None, refusals: Sequence[RefusalCount] = (),
    ) -> "Source":  # fmt: skip
        minutes = minutes or Minutes()
        return Source(
            id=source.id, name=source.name, integration=source.integration, address=f"/in/{source.name}",
            added_at=source.added_at, removed_at=source.removed_at, secrets=list(source.secrets),
            signing_secrets=list(source.signing_secrets), heartbeat_seconds=source.heartbeat_seconds,
            alerts_per_second=source.alerts_per_second,
            pull=Pull.of(source.pull, pulled) if source.pull else None,
            last_seen_at=from_text(stat.last_seen) if stat else None, accepted=stat.accepted if stat else 0,
            duplicate=stat.duplicate if stat else 0, refused=stat.refused if stat else 0,
            last_refusal=stat.last_refusal if stat else "",
            per_minute=minutes.per_minute, minutes=list(minutes.received),
            verdicts=SourceVerdicts(
                verified=stat.verified if stat else 0, token=stat.by_token if stat else 0,
                unsigned=stat.unsigned if stat else 0,
            ),
            refusals=[
                SourceRefusal(code=each.code, count=each.count, last_at=from_text(each.last_at), reason=each.reason)
                for each in refusals
            ],
        )  # fmt: skip


class NewSource(Shape):
    source: Source
    secret_id: str
    token: str | None = Field(description="Shown once; null in a replay.")


class NewSecret(Shape):
    source_id: str
    secret_id: str
    token: str | None = Field(description="Shown once; null in a replay.")


class Quarantined(Shape):
    id: str
    source: str
    received_at: Moment
    code: str
    reason: str
    size: int


class QuarantinedBody(Quarantined):
    body_base64: str
    headers: dict[str, str] = Field(description="Those that were kept, for reading it again.")


# alerts, changes, candidates


class Alert(Shape):
    id: str
    source: str
    dedup_key: str
    status: str
    severity: str
    severity_raw: str | None
    title: str
    summary: str
    service: str | None
    resource: str | None
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: Moment
    ends_at: Moment | None
    first_at: Moment
    last_at: Moment
    count: int
    late: int
    turns: int = Field(description="How often it went on or off after its first word.")
    link: str | None
    verdict: str
    candidate_id: str | None = None

    @staticmethod
    def of(alert: AlertState, candidate_id: str | None) -> "Alert":
        return Alert.model_validate(alert).model_copy(update={"candidate_id": candidate_id})


class Occurrence(Shape):
    """One thing that a source said. The record's entry `batch` commits to `leaf`; `raw` are the sender's own words."""

    batch: int
    position: int
    alert_id: str
    leaf: dict[str, Any]
    raw: str


class Change(Shape):
    id: str
    source: str
    change_key: str
    kind: str
    service: str | None
    title: str
    at: Moment
    known_at: Moment
    version: str | None
    previous_version: str | None
    environment: str | None
    link: str | None
    evidence: str
    author: str


class Member(Shape):
    alert_id: str
    service: str | None
    title: str
    reason: str
    score: int


class CandidateLine(Shape):
    id: str
    title: str
    status: str
    services: list[str]
    suggested_severity: str
    severity_reason: str
    started_at: Moment
    opened_at: Moment
    grown_at: Moment
    count: int
    incident_id: str | None
    merged_into: str | None = Field(None, description="The candidate that a person merged this one into.")
    split_from: str | None = Field(None, description="The candidate that a person split this one off.")


class Candidate(CandidateLine):
    """`members` are the first; `GET /candidates/{id}/members` lists them all."""

    members: list[Member]


# incidents


class Half(Shape):
    by: str
    what: str
    at: Moment


class Stage(Shape):
    stage: str
    machine: Half | None
    human: Half | None


class Incident(Shape):
    id: str
    reference: str
    title: str
    severity: str
    suggested_severity: str | None
    status: str
    stage: str
    stages: list[Stage]
    services: list[str]
    roles: dict[str, str]
    candidate_id: str | None
    readiness_gate_id: str | None
    declared_by: str
    declared_at: Moment
    started_at: Moment
    detected_at: Moment
    mitigated_at: Moment | None
    recovered_at: Moment | None
    closed_at: Moment | None

    @staticmethod
    def of(incident: incidents.Incident) -> "Incident":
        def half(stage: incidents.Stage, which: incidents.Half) -> Half | None:
            done = incident.half(stage, which)
            return Half.model_validate(done) if done else None

        return Incident(
            id=incident.id, reference=incident.reference, title=incident.title, severity=incident.severity,
            suggested_severity=incident.suggested_severity, status="closed" if incident.closed_at else "live",
            stage=incident.stage, services=list(incident.services), roles=dict(incident.roles),
            stages=[
                Stage(stage=stage, machine=half(stage, "machine"), human=half(stage, "human"))
                for stage in incidents.STAGES
                if stage != incidents.Stage.CLOSED
            ],
            candidate_id=incident.candidate_id, readiness_gate_id=incident.readiness_gate_id,
            declared_by=incident.declared_by, declared_at=incident.declared_at, started_at=incident.started_at,
            detected_at=incident.detected_at, mitigated_at=incident.mitigated_at,
            recovered_at=incident.recovered_at, closed_at=incident.closed_at,
        )  # fmt: skip


class GateAsked(Shape):
    gate_id: str


class Closed(Shape):
    incident_id: str
    review_id: str


class Citation(Shape):
    evidence: str
    quote: str
    shows: str


class Alternative(Shape):
    cause: str
    confidence: int
    why_lower: str


class Provenance(Shape):
    method: str
    version: str
    inputs_digest: str
    policy: str


class Finding(Shape):
    id: str
    incident_id: str
    status: str
    claim: str
    cause_kind: str
    cause_id: str | None
    service: str | None
    confidence: int
    meaning: str
    citations: list[Citation]
    alternatives: list[Alternative]
    looked_at: list[str]
    would_change: str
    dropped: list[str]
    provenance: Provenance
    made_at: Moment


class Proposal(Shape):
    id: str
    incident_id: str
    finding_id: str | None
    status: str
    action: str
    parameters: dict[str, str]
    preview: dict[str, Any]
    evidence: list[str]
    runbook: str
    inputs: dict[str, str]
    proposer: str
    made_at: Moment
    run_id: str | None


# gates


class Eligible(Shape):
    roles: list[str]
    teams: list[str]
    people: list[str]


class Subject(Shape):
    kind: str
    id: str
    digest: str
    title: str


class Vote(Shape):
    by: str
    vote: str
    at: Moment
    reason: str = Field(validation_alias="words")


class GateLine(Shape):
    """`may_vote` is about you; `why_not` says why not."""

    id: str
    incident_id: str | None
    subject: Subject
    status: str
    proposer: str
    last_editor: str | None
    eligible: Eligible
    quorum: int
    policy: str
    rule: str
    rung: int
    opened_at: Moment
    expires_at: Moment
    decided_at: Moment | None
    usable_until: Moment | None
    votes: list[Vote]
    why: str
    may_vote: bool = False
    why_not: str | None = None


class Gate(GateLine):
    """`content` is exactly what is approved: its canonical JSON (RFC 8785) has the SHA-256 `subject.digest`."""

    content: dict[str, Any]


GateShape = TypeVar("GateShape", bound=GateLine)


def gate_of(cls: type[GateShape], gate: gates.Gate, viewer: Person) -> GateShape:
    """A gate as this viewer sees it; `viewer` holds the roles in the gate's incident."""
    shape = cls.model_validate(gate)
    refusal = gates.may_vote(gate, viewer)
    voted = any(vote.by == viewer.id for vote in gate.votes)
    if gate.status != "open":
        why_not: str | None = f"The gate is {gate.status}."
    elif voted:
        why_not = "You have voted already."
    elif not permitted(viewer, Permission.VOTE):
        why_not = "Your roles do not grant the permission vote."
    else:
        why_not = refusal.detail if refusal else None
    return shape.model_copy(update={"may_vote": why_not is None, "why_not": why_not})


# runs


class Authority(Shape):
    kind: str
    id: str
    rule: str


class Task(Shape):
    id: str
    run_id: str
    incident_id: str
    title: str
    kind: str
    status: str
    needs: list[str]
    owner: str
    escalate_to: list[str]
    instructions: str
    opened_at: Moment | None
    due_at: Moment | None
    overdue: bool
    claimed_by: str | None
    ended_at: Moment | None
    ended_by: str | None
    result: str
    why: str
    gate_id: str | None
    message_id: str | None
    action: str
    parameters: dict[str, str]
    service: str
    audience: str
    authority: Authority | None
    attempt: int
    output: dict[str, Any]
    evidence: str | None

    @staticmethod
    def of(run: runs.Run, task: runs.Task, now: datetime) -> "Task":
        plan = task.plan
        overdue = task.due_at is not None and task.status not in runs.ENDED and now >= task.due_at
        return Task(
            id=plan.id, run_id=run.id, incident_id=run.incident_id, title=plan.title, kind=plan.kind,
            status=task.status, needs=list(plan.needs), owner=plan.owner, escalate_to=list(plan.escalate_to),
            instructions=plan.instructions, opened_at=task.opened_at, due_at=task.due_at, overdue=overdue,
            claimed_by=task.claimed_by, ended_at=task.ended_at, ended_by=task.ended_by, result=task.result,
            why=task.why, gate_id=task.gate_id, message_id=task.message_id, action=plan.action,
            parameters=dict(plan.parameters), service=plan.service, audience=plan.audience,
            authority=Authority.model_validate(task.authority) if task.authority else None, attempt=task.attempt,
            output=task.output, evidence=task.evidence,
        )  # fmt: skip


class RunLine(Shape):
    id: str
    incident_id: str
    runbook: str
    runbook_digest: str
    inputs: dict[str, str]
    status: str
    proposal_id: str | None
    proposer: str
    started_by: str
    started_at: Moment
    ended_at: Moment | None


class Run(RunLine):
    tasks: list[Task]

    @staticmethod
    def of(run: runs.Run, now: datetime) -> "Run":
        line = RunLine.model_validate(run)
        return Run(**dict(line), tasks=[Task.of(run, task, now) for task in run.tasks.values()])


# messages, reviews, documents


class MessageFact(Shape):
    words: str
    entry: int | None


class Delivery(Shape):
    channel: str
    status: str
    attempts: int
    receipt: str
    why: str
    retry_at: Moment | None
    at: Moment | None


class Message(Shape):
    id: str
    incident_id: str
    audience: str
    stage: str
    channels: list[str]
    status: str
    subject: str
    text: str
    facts: list[MessageFact]
    drafted_by: str
    drafted_at: Moment
    last_editor: str | None
    run_id: str | None
    task_id: str | None
    gate_id: str | None
    deliveries: list[Delivery]

    @staticmethod
    def of(message: messages.Message) -> "Message":
        deliveries = [
            Delivery(
                channel=channel, status=delivery.status, attempts=delivery.attempts, receipt=delivery.receipt,
                why=delivery.why, retry_at=delivery.retry_at, at=delivery.at,
            )
            for channel, delivery in sorted(message.deliveries.items())
        ]  # fmt: skip
        return Message(
            id=message.id, incident_id=message.incident_id, audience=message.audience, stage=message.stage,
            channels=list(message.channels), status=message.status, subject=message.subject, text=message.text,
            facts=[MessageFact.model_validate(fact) for fact in message.facts], drafted_by=message.drafted_by,
            drafted_at=message.drafted_at, last_editor=message.last_editor, run_id=message.run_id,
            task_id=message.task_id, gate_id=message.gate_id, deliveries=deliveries,
        )  # fmt: skip


class Review(Shape):
    id: str
    incident_id: str
    status: str
    compiled: dict[str, Any]
    sections: dict[str, str]
    edited: dict[str, str]
    drafted_at: Moment
    accepted_by: str | None
    accepted_at: Moment | None


class DocumentDraft(Shape):
    version: int
    digest: str
    text: str
    by: str
    gate_id: str | None
    at: Moment


class DocumentLine(Shape):
    id: str
    kind: str
    name: str
    version: int
    digest: str
    adopted_at: Moment | None
    waiting_gate_id: str | None

    @staticmethod
    def of(document: documents.Document) -> "DocumentLine":
        return DocumentLine(
            id=document.id, kind=document.kind, name=document.name, version=document.version,
            digest=document.digest, adopted_at=document.adopted_at,
            waiting_gate_id=document.draft.gate_id if document.draft else None,
        )  # fmt: skip


class Document(Shape):
    id: str
    kind: str
    name: str
    version: int
    digest: str
    text: str
    adopted_at: Moment | None
    draft: DocumentDraft | None


# the record


class Actor(Shape):
    kind: str
    id: str
    on_behalf_of: str | None


class EntryLine(Shape):
    """One entry. `personal` is what may be erased; `erased` says that it was."""

    index: int
    stream: str
    seq: int
    type: str
    actor: Actor
    happened_at: Moment
    recorded_at: Moment
    reason: str
    body: dict[str, Any]
    personal: dict[str, Any] | None
    erased: bool
    leaf_hash: str


class Proof(Shape):
    """An RFC 9162 inclusion proof against a signed checkpoint; hashes are hex."""

    checkpoint: str
    size: int
    root: str
    hashes: list[str]


class Entry(EntryLine):
    """`leaf` is the canonical text that is hashed; `proof` is null until a checkpoint covers the entry."""

    leaf: str
    proof: Proof | None


class Checkpoint(Shape):
    size: int
    note: str
    made_at: Moment


class Record(Shape):
    """The record's head. `vkey` verifies its checkpoints."""

    size: int
    root: str
    origin: str
    vkey: str
    checkpoint: Checkpoint | None


class Consistency(Shape):
    """An RFC 9162 consistency proof between two sizes; hashes are hex."""

    first: int
    first_root: str
    second: int
    second_root: str
    hashes: list[str]


class ReportFinding(Shape):
    index: int | None
    kind: str
    sentence: str


class ReportAct(Shape):
    index: int
    type: str
    kind: str
    id: str


class Report(Shape):
    """What a verification found. `unsigned_tail` are entries that no checkpoint signs yet."""

    ok: bool
    origin: str
    size: int
    root: str
    signed_size: int
    unsigned_tail: int
    first_bad_index: int | None
    finding_count: int
    findings: list[ReportFinding]
    counts: dict[str, int]
    acts: list[ReportAct]


class Signed(Shape):
    """`signed_size` is null when there was nothing new to sign."""

    signed_size: int | None


class Health(Shape):
    ready: bool
    problems: list[str]


def entry_lines(found: Sequence[queries.EntryView]) -> list[EntryLine]:
    return [EntryLine.model_validate(entry) for entry in found]
