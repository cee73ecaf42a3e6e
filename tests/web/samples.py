"""One outage in view models, rich enough to fill every page: for the gallery and for the template tests."""

# ruff: noqa: E501 (prose in its full length)

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import exp, sin

from handrail.domain.alert import Severity
from handrail.signals.picture import Picture
from handrail.web import views as v
from handrail.web.presenters.charts import drawn
from handrail.web.run_graph import GraphTask, RunGraph
from handrail.web.svg import Chart, Marker, Point, Threshold, Window

NOW = datetime(2026, 3, 17, 14, 21, 38, tzinfo=UTC)
DECLARED = NOW - timedelta(minutes=6, seconds=12)
RELEASE = NOW - timedelta(minutes=11, seconds=40)
DIGEST = "8f2c41d0a97be6c3514e0b7d92f6a8c1e35d70b49af8216cd05e3b7a914fc286"
OTHER = "c07d19ee5b2a4480f3916d7c88be02a45f61d3097ace84b15d20f7639ab8e41c"
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script> {{ 7*7 }} \u202eevil'
CAN = frozenset(
    {"read", "read_record", "declare", "command", "propose", "work", "vote", "write_message", "manage_people"}
)

MIRA = v.Actor("person", "Mira Okafor")
JONAS = v.Actor("person", "Jonas Lind")
SENA = v.Actor("person", "Sena Aydin")
ANALYST = v.Actor("machine", "analyst")
ENGINE = v.Actor("machine", "engine")
CORRELATOR = v.Actor("machine", "correlator")


def at(minutes: float) -> datetime:
    """A moment so many minutes before now."""
    return NOW - timedelta(minutes=minutes)


def page(title: str, path: str, active: str = "", topics: tuple[str, ...] = ()) -> v.Page:
    return v.Page(
        title=title,
        path=path,
        now=NOW,
        csrf="csrf-3f0c",
        active=active,
        topics=topics,
        index=1284,
        viewer=v.Viewer("usr_jonas", "Jonas Lind", ("manager", "responder"), CAN),
        approvals_waiting=2,
        instance="northwind",
        version="0.1.0",
        practice=True,
    )


def _series(minutes: int, step_seconds: int, shape: str) -> tuple[Point, ...]:
    points = []
    for n in range(minutes * 60 // step_seconds):
        moment = NOW - timedelta(seconds=minutes * 60 - n * step_seconds)
        since = (moment - RELEASE).total_seconds()
        noise = sin(n * 1.7) + 0.6 * sin(n * 0.53 + 1)
        if shape == "latency":
            value = (
                84
                + 6 * noise
                + (1900 / (1 + exp(-(since - 210) / 55)) if since > 0 else 0)
                + 30 * noise * (since > 200)
            )
        elif shape == "connections":
            value = 11 + noise + (min(since / 6.2, 39) if since > 0 else 0) * 0.98
        elif shape == "recovery":
            value = 2050 / (1 + exp((since - 560) / 22)) + 90 + 8 * noise
        else:
            value = max(0.0, 0.3 + 0.2 * noise + (min((since - 150) / 6, 38) if since > 150 else 0))
        points.append(Point(moment, None if shape == "errors" and 28 < n < 32 else round(value, 2)))
    return tuple(points)


MARK = Marker(RELEASE, "payments 2.4.1")
LATENCY = Chart(
    "p99 latency of payments",
    "ms",
    _series(25, 10, "latency"),
    Threshold(500, "alert above 500 ms"),
    Window(at(8.4), NOW, "latency above the threshold"),
    MARK,
)
CONNECTIONS = Chart(
    "Open connections of payments",
    "connections",
    _series(25, 10, "connections"),
    Threshold(50, "pool size 50"),
    Window(RELEASE, at(7.4), "climb without fall"),
    MARK,
)
ERRORS = Chart("Failed requests of storefront", "% errors", _series(25, 15, "errors"), None, None, MARK)
RECOVERY = Chart(
    "p99 latency of payments after the roll back",
    "ms",
    _series(12, 5, "recovery"),
    Threshold(500, "must stay under 500 ms"),
)


def stages(current: int) -> tuple[v.Stage, ...]:
    halves = [
        ("detect", "214 occurrences of 18 alerts from 3 services", "–"),
        ("triage", "one candidate, suggests critical", "declared by Mira Okafor, critical confirmed"),
        ("contain", "cause found: payments 2.4.1", "Jonas Lind decides on the roll back"),
        ("remediate", "rolls payments back to 2.4.0", "customer support script on hold lines"),
        ("recover", "checks p99 latency for 5 min", "owner of payments signs off readiness"),
        ("review", "writes the draft from the record", "people own the findings"),
        ("closed", "exports the record", "commander closes"),
    ]
    made = []
    for n, (name, machine, human) in enumerate(halves):
        state = "done" if n < current else "current" if n == current else "ahead"
        doing = {"done": "done", "current": "working", "ahead": "idle"}[state]
        person = "waiting" if state == "current" else doing
        made.append(
            v.Stage(
                name,
                state,
                v.Half(doing, machine),
                v.Half(person, "" if human == "–" else human),
                at(9 - n * 1.6) if n <= current else None,
            )
        )
    return tuple(made)


def alert(n: int, title: str, severity: Severity, service: str, status: str = "firing", count: int = 1) -> v.AlertRow:
    return v.AlertRow(
        f"alr_{n:03}", title, severity, status, "alertmanager-prod", service, count, at(9), at(0.2 + n / 9), "token"
    )


ALERTS = (
    alert(1, "PaymentsLatencyHigh: p99 above 500 ms for 1 min", Severity.CRITICAL, "payments", count=31),
    alert(2, "PaymentsConnectionsExhausted: 50 of 50 in use", Severity.CRITICAL, "payments", count=24),
    alert(3, "OrdersErrorsHigh: 22 % of requests fail", Severity.HIGH, "orders", count=19),
    alert(4, "StorefrontCheckoutFailing: 38 % of checkouts fail", Severity.CRITICAL, "storefront", count=27),
    alert(5, "OrdersQueueDepth: 410 requests wait", Severity.MEDIUM, "orders", count=12),
    alert(6, HOSTILE, Severity.LOW, "storefront", count=2),
    alert(7, "CertificateExpiresSoon: 21 days left", Severity.INFO, "edge", "acknowledged"),
    alert(8, "DiskUsage on db-replica-2 above 80 %", Severity.LOW, "db-replica-2", "resolved", 4),
)

EVIDENCE = (
    v.EvidenceItem(
        "evd_1",
        "metric_window",
        "Connections climb from the second of the release and never fall: 11 to 50 in 4 min.",
        "payments /metrics",
        DIGEST,
        at(5),
        (CONNECTIONS,),
    ),
    v.EvidenceItem(
        "evd_2",
        "metric_window",
        "Latency follows 3 min later, when the pool is full.",
        "payments /metrics",
        OTHER,
        at(5),
        (LATENCY, ERRORS),
    ),
    v.EvidenceItem(
        "evd_3",
        "log_lines",
        "The first wait for a connection stands right after the release.",
        "payments log",
        DIGEST,
        at(5),
        (),
        (
            v.LogLine("14:09:58 release 2.4.1 ready, pool=50"),
            v.LogLine("14:10:44 WARN pool: 49/50 in use, oldest held 46 s by refund_worker", True),
            v.LogLine("14:11:02 ERROR pool: acquire timed out after 5000 ms (waiting=37)", True),
            v.LogLine("14:11:02 request POST /charge 504 5004 ms"),
        ),
    ),
    v.EvidenceItem(
        "evd_4",
        "change",
        "payments 2.4.1 was released 3 min 12 s before the first alert; nothing else changed in 30 min.",
        "ci/deploys",
        OTHER,
        at(11),
    ),
)
CAUSE = v.CauseCard(
    "fnd_1",
    "Release 2.4.1 of payments leaks database connections until requests queue and fail.",
    v.Confidence(0.86, "Very likely", "Of past causes at this level, 9 in 10 were confirmed in review."),
    ANALYST,
    at(5),
    EVIDENCE,
    (
        v.Rejected("The database behind payments is slow", "Its own query time stayed at 4 ms while clients waited."),
        v.Rejected(
            "A rise in traffic", "Requests per second are as on the last four Tuesdays (212, usual 190 to 230)."
        ),
        v.Rejected("orders calls payments too often", "Calls per order are unchanged at 1.02."),
    ),
)

CONTENT = (
    ("action", "practice.rollback"),
    ("service", "payments"),
    ("from version", "2.4.1"),
    ("to version", "2.4.0"),
)
GATE = v.GateCard(
    "gat_1",
    "roll back of payments to 2.4.0",
    "open",
    DIGEST,
    CONTENT,
    ANALYST,
    ("managers", "the on-call of team-payments", "Jonas Lind"),
    1,
    "default 3, rule “roll back of a tier 1 service”",
    at(4.6),
    NOW + timedelta(minutes=24, seconds=18),
    (),
    True,
    "",
    None,
    "The engine then rolls payments back at once, and watches p99 latency for 5 min.",
    None,
    ("/incidents/inc_1", "INC-1"),
    canonical='{"act":"action","action":"practice.rollback"}',
    bound=(
        ("evidence", DIGEST, f"/evidence/{DIGEST}"),
        ("evidence", OTHER, f"/evidence/{OTHER}"),
        ("policy", OTHER, ""),
    ),
)
APPROVED = replace(
    GATE,
    status="satisfied",
    may_vote=False,
    decided_at=at(3),
    votes=(v.Vote(JONAS, "approve", "The release is the only change, and 2.4.0 ran clean for nine days.", at(3)),),
)
REFUSED_TO_ME = replace(
    GATE, id="gat_9", may_vote=False, why_not="You proposed this yourself; someone else has to decide."
)
PROPOSAL = v.ProposalCard(
    "prp_1",
    "Roll payments back to 2.4.0",
    "It is the last version that ran without the leak, and the roll back takes about 20 s.",
    ANALYST,
    at(4.7),
    "medium",
    (
        "payments: version 2.4.1 → 2.4.0",
        "payments: 3 instances restart, one after the other",
        "no change of data or schema",
    ),
    ("payments", "orders (calls it)", "storefront (through orders)"),
    "Roll forward to 2.4.1, the same way, about 20 s.",
    "p99 latency of payments under 500 ms for 60 s",
    "Needs one approver who is not the proposer.",
    GATE,
)
EXECUTED = replace(
    PROPOSAL,
    gate=APPROVED,
    signal_charts=(RECOVERY,),
    outcome=v.Outcome(
        "recovered", "payments runs 2.4.0; p99 latency is back under 500 ms and has stayed there for 60 s.", at(1.2)
    ),
)


def _task(
    n: int, title: str, kind: str, status: str, owner: str | None = None, due: float | None = None, **more: object
) -> v.TaskRow:
    made = v.TaskRow("run_1", f"t{n}", title, kind, status, owner=owner, due_at=at(-due) if due is not None else None)
    return replace(made, **more)  # type: ignore[arg-type]


TASKS = (
    _task(
        1,
        "Collect evidence from payments, orders and storefront",
        "machine",
        "done",
        "engine",
        done_at=at(5.4),
        result="4 snapshots kept.",
    ),
    _task(
        2,
        "Confirm the impact on customers",
        "person",
        "done",
        "Mira Okafor",
        done_at=at(4),
        result="38 % of checkouts fail; card payments only, invoices work.",
    ),
    _task(
        3,
        "Put the support script on the hold lines",
        "person",
        "claimed",
        "Jonas Lind",
        3.2,
        may_finish=True,
        may_skip=True,
        instruction="Tell callers that card payments fail, that no money is lost, and when the next word comes.",
    ),
    _task(
        4,
        "Stop the refund batch of 15:00",
        "person",
        "ready",
        None,
        -1.1,
        overdue=True,
        owner_role="subject expert",
        may_claim=True,
        may_skip=True,
        escalated_to="Sena Aydin, manager of team-payments",
        instruction="The batch opens 40 connections; it must not start while the pool is full.",
    ),
    _task(5, "Roll payments back", "machine", "waiting_for_gate", "engine"),
    _task(6, "Check p99 latency for 60 s", "machine", "waiting", "engine"),
    _task(7, "Tell executives", "person", "waiting", None, 12, owner_role="communications lead"),
    _task(8, "Sign off readiness of payments", "person", "waiting", None, 20, owner_role="owner of payments"),
)
_GRAPH_NEEDS: dict[str, tuple[str, ...]] = {
    "t1": (),
    "t2": (),
    "t3": ("t2",),
    "t4": ("t1",),
    "t5": ("t1", "t2"),
    "t6": ("t5",),
    "t7": ("t2", "t6"),
    "t8": ("t6", "t4"),
}
GRAPH = RunGraph(
    "Bad release",
    tuple(
        GraphTask(t.id, t.title, t.status, t.kind, f"/tasks/run_1/{t.id}", t.owner, t.overdue, _GRAPH_NEEDS[t.id])
        for t in TASKS
    ),
)
RUN = v.RunView("run_1", "Bad release", "3", GRAPH, DECLARED, 2, 8)

FACTS = (
    v.Fact("Card payments fail for 38 % of checkouts since 14:13 UTC.", 1241),
    v.Fact("The cause is release 2.4.1 of payments.", 1262),
    v.Fact("A roll back waits for approval.", 1271),
)
DRAFT = v.MessageCard(
    "msg_1",
    "executives",
    ("mailbox",),
    "Card payments are failing; a fix waits for approval",
    "Since 14:13 UTC 38 % of checkouts with a card fail. The cause is this afternoon's release of payments. "
    "Rolling it back takes under a minute and waits for approval. Next word at 14:45 UTC.",
    "draft",
    v.Actor("machine", "analyst", "Mira Okafor"),
    at(3.5),
    FACTS,
    (),
    None,
    True,
    True,
)
MESSAGE_GATE = replace(
    GATE,
    id="gat_2",
    subject="message to teams",
    digest=OTHER,
    proposer=v.Actor("person", "Mira Okafor"),
    eligible=("communications lead", "managers"),
    content=(("audience", "teams"), ("channels", "mailbox, webhook"), ("subject", "INC-1: payments is failing")),
    what_then="It goes out at once.",
)
SUBMITTED = replace(
    DRAFT,
    id="msg_2",
    audience="teams",
    channels=("mailbox", "webhook"),
    subject="INC-1: payments is failing",
    state="submitted",
    may_edit=False,
    may_submit=False,
    gate=MESSAGE_GATE,
    text="payments 2.4.1 leaks connections. Please do not deploy orders or storefront until INC-1 is closed.",
)
DELIVERED = replace(
    DRAFT,
    id="msg_3",
    audience="support",
    channels=("mailbox", "webhook"),
    subject="Card payments fail: what to tell callers",
    state="delivered",
    may_edit=False,
    may_submit=False,
    receipts=(
        v.Receipt("mailbox", "delivered", at(2.1)),
        v.Receipt("webhook", "delivered", at(2), "202 from hooks.example", 2),
    ),
)

TIMELINE = (
    v.TimelineRow(
        1284, at(0.2), at(0.2), SENA, "Note: the refund batch of 15:00 would open 40 more connections.", "", "note"
    ),
    v.TimelineRow(
        1279, at(2), at(2), ENGINE, "Message to support delivered over webhook on the second try.", "hooks.example"
    ),
    v.TimelineRow(
        1276,
        at(4),
        at(4),
        MIRA,
        "Task done: confirm the impact on customers. 38 % of checkouts fail; card payments only.",
    ),
    v.TimelineRow(1271, at(4.6), at(4.6), ANALYST, "Put to approval: roll back of payments to 2.4.0."),
    v.TimelineRow(
        1262, at(5), at(5), ANALYST, "Cause found, very likely: release 2.4.1 of payments leaks database connections."
    ),
    v.TimelineRow(1250, DECLARED, DECLARED, MIRA, "Declared INC-1 as critical, as suggested."),
    v.TimelineRow(1244, at(8.1), at(7.9), CORRELATOR, "18 alerts of 3 services became one candidate."),
    v.TimelineRow(
        1241, at(8.4), at(8.2), v.Actor("machine", "alertmanager-prod"), f"First alert: {HOSTILE}", "alertmanager-prod"
    ),
    v.TimelineRow(
        1239,
        RELEASE,
        at(11),
        v.Actor("machine", "ci/deploys"),
        "payments 2.4.1 released by anna.k, before it 2.4.0.",
        "ci/deploys",
    ),
)
MEASURES = (
    v.Measure("To detect", 192, at(8.4)),
    v.Measure("To declare", 137, DECLARED),
    v.Measure("To mitigate", None),
)
LADDER = tuple(v.Option(level, level, level == "SEV2") for level in ("SEV1", "SEV2", "SEV3", "SEV4"))
INCIDENT = v.IncidentView(
    id="inc_1",
    number="INC-1",
    title="Card payments fail at checkout",
    severity="SEV1",
    stage="contain",
    stages=stages(2),
    declared_at=DECLARED,
    declared_by=MIRA,
    commander="Mira Okafor",
    services=("payments", "orders", "storefront"),
    practice=True,
    measures=MEASURES,
    needs=(
        v.Need("gate", "Roll back of payments to 2.4.0", "#gate-gat_1", "Decide", GATE.expires_at),
        v.Need("gate", "Message to teams", "#gate-gat_2", "Decide", GATE.expires_at),
        v.Need("task", "Put the support script on the hold lines", "#task-run_1-t3", "Finish", at(-3.2)),
    ),
    cause=CAUSE,
    proposals=(PROPOSAL,),
    tasks=TASKS,
    run=RUN,
    messages=(DRAFT, SUBMITTED, DELIVERED),
    alerts=ALERTS[:6],
    alerts_total=18,
    timeline=TIMELINE,
    timeline_total=45,
    roles=(
        v.RoleRow("commander", "Mira Okafor", DECLARED),
        v.RoleRow("deputy", None),
        v.RoleRow("scribe", "Ines Roth"),
        v.RoleRow("communications lead", "Jonas Lind"),
        v.RoleRow("subject expert", "Sena Aydin"),
    ),
    role_options=tuple(v.Option(r, r) for r in ("commander", "deputy", "scribe", "communications", "expert")),
    people=(
        v.Option("usr_mira", "Mira Okafor"),
        v.Option("usr_jonas", "Jonas Lind"),
        v.Option("usr_sena", "Sena Aydin"),
    ),
    may=frozenset({"note", "assign", "severity", "investigate", "halves", "message"}),
    severities=LADDER,
    halves=(v.Option("contain.machine", "contain, machine half: approved action carried out"),),
    audiences=(v.Option("teams", "Internal teams"), v.Option("executives", "Executives")),
    message_stages=(v.Option("update", "update", True),),
)
RECOVERED = replace(
    INCIDENT,
    stage="recover",
    stages=stages(4),
    proposals=(EXECUTED,),
    needs=(v.Need("readiness", "Sign off that payments is ready", "#readiness", "Sign off"),),
    measures=(
        v.Measure("To detect", 192),
        v.Measure("To declare", 137),
        v.Measure("To mitigate", 281),
        v.Measure("To recover", 352),
    ),
    readiness=v.SignOff(
        (
            v.Check("p99 latency under 500 ms for 5 min", True),
            v.Check("No alert of payments fires", True),
            v.Check("The release pipeline of 2.4.1 is held", False),
        ),
        True,
        service="payments",
        owner="team-payments",
    ),
    closing=v.SignOff(
        (v.Check("Readiness of payments is signed off", False), v.Check("No gate is open", True)),
        False,
        "The owner of payments has to sign readiness off first.",
    ),
    review="/incidents/inc_1/review",
)
EARLY = replace(
    INCIDENT,
    stage="triage",
    stages=stages(1),
    cause=None,
    proposals=(),
    needs=(),
    commander=None,
    messages=(),
    run=None,
    tasks=(),
    investigation="Reads metrics and logs of payments, orders and storefront; 3 of 7 snapshots are in.",
)


def row(n: int, title: str, severity: str, stage: int, minutes: float, **more: object) -> v.IncidentRow:
    names = ("detect", "triage", "contain", "remediate", "recover", "review", "closed")
    made = v.IncidentRow(
        f"inc_{n}",
        f"INC-{n}",
        title,
        severity,
        names[stage],
        stages(stage),
        at(minutes),
        "Mira Okafor",
        ("payments", "orders"),
        0,
        3,
        0,
        "Task done: confirm the impact on customers.",
        at(minutes / 7),
    )
    return replace(made, **more)  # type: ignore[arg-type]


CANDIDATE = v.CandidateCard(
    "can_2",
    "Search answers slowly in region west",
    "SEV2",
    "two tier 2 services are slow for all users of one region; none is down.",
    (
        "7 alerts came within 2 min of each other.",
        "search calls catalog, and both carry the label region=west.",
        "catalog changed its cache size 4 min before the first alert.",
        "The same pair stood together in INC-0 on 3 March.",
    ),
    ("search", "catalog"),
    ("alertmanager-prod", "pagerduty-events"),
    7,
    at(3.1),
    at(0.3),
    (
        alert(21, "SearchLatencyHigh", Severity.HIGH, "search", count=9),
        alert(22, "CatalogCacheMisses", Severity.MEDIUM, "catalog", count=5),
    ),
    True,
)
BOARD = v.BoardView(
    (
        row(
            1,
            "Card payments fail at checkout",
            "SEV1",
            2,
            6.2,
            needs_me=3,
            overdue=1,
            services=("payments", "orders", "storefront"),
            practice=True,
            last_sentence="Put to approval: roll back of payments to 2.4.0.",
        ),
        row(
            4,
            "Invoices arrive late",
            "SEV3",
            4,
            131,
            commander="Sena Aydin",
            services=("invoicing",),
            open_tasks=1,
            last_sentence="Queue depth under 100 for 10 min.",
        ),
        row(
            5,
            "Sign-in by SMS is delayed in one country",
            "SEV4",
            1,
            1.4,
            commander=None,
            services=("identity",),
            open_tasks=0,
            last_sentence="Declared by Jonas Lind.",
        ),
    ),
    (CANDIDATE,),
    ALERTS,
    1204,
    (replace(row(3, "Image uploads fail", "SEV2", 6, 1500), ended_at=at(1430)),),
    "http://127.0.0.1:8080/api/v2/alerts",
    True,
    LADDER,
)

ENTRIES = tuple(
    v.EntryRow(
        r.index,
        "incident/inc_1" if n % 3 else "gate/gat_1",
        (
            "incident.noted",
            "message.delivered",
            "task.done",
            "gate.opened",
            "finding.made",
            "incident.declared",
            "candidate.opened",
            "alerts.received",
            "change.reported",
        )[n],
        r.actor,
        r.happened_at,
        r.known_at,
        r.sentence,
        DIGEST if n % 2 else OTHER,
    )
    for n, r in enumerate(TIMELINE)
)
CHECKPOINT = v.Checkpoint(
    1280,
    DIGEST,
    at(0.05),
    "handrail/northwind+5d1c09aa",
    "handrail/northwind\n1280\njyxB0Kl75sNRTgt9kvaowePUdwsEavghbNBeO3qRT8KG=\n\n— handrail/northwind XRwJqgdZc0T2l…\n",
    4,
)
_CHECKS = (
    "Indexes run from 0 without a gap",
    "Every leaf hashes to what the tree holds",
    "Every body gives its digest",
    "Every seal was made by this instance",
    "All 431 checkpoints are signed and consistent",
    "The file outside of the database agrees",
)
GOOD = v.Verification(1284, at(0.1), 0.4, tuple(v.Check(c, True) for c in _CHECKS))
BAD = v.Verification(
    1284,
    at(0.1),
    0.4,
    tuple(v.Check(c, n not in (1, 2)) for n, c in enumerate(_CHECKS)),
    (
        v.VerifyFinding(1262, "The body was changed: its digest is not that of the leaf."),
        v.VerifyFinding(1270, "The leaf was swapped with that of entry 1271."),
    ),
)
RECORD = v.RecordView(
    ENTRIES,
    1284,
    (v.Option("incident/inc_1", "INC-1"), v.Option("gate/gat_1", "gate")),
    (v.Option("", "all types", True), v.Option("incident.declared", "incident.declared")),
    "",
    None,
    "/record?before=1239",
    CHECKPOINT,
    GOOD,
)
LEAF = '{"actor":{"id":"usr_mira","kind":"person","on_behalf_of":null},"body_digest":"8f2c…","index":1250,"type":"incident.declared"}'
ENTRY = v.EntryView(
    ENTRIES[5],
    1284,
    LEAF,
    '{"candidate":"can_1","number":"INC-1","severity":"critical"}',
    DIGEST,
    OTHER,
    "declare_incident",
    '{"title":"Card payments fail at checkout"}',
    False,
    v.InclusionProof(
        1280,
        DIGEST,
        tuple(v.ProofStep("left" if n % 2 else "right", OTHER if n % 3 else DIGEST) for n in range(11)),
        True,
    ),
    ("/incidents/inc_1", "INC-1"),
)
REVIEW = v.ReviewView(
    "rev_1",
    ("/incidents/inc_1", "INC-1"),
    "INC-1",
    "Card payments fail at checkout",
    "SEV1",
    ("payments", "orders", "storefront"),
    "draft",
    NOW,
    (
        v.ReviewSection(
            "summary",
            "Summary",
            "A release of payments leaked database connections. Within four minutes the pool was full, requests queued, "
            "and 38 % of checkouts failed for six minutes. The release was rolled back after one approval.",
        ),
        v.ReviewSection("helped", "What helped", "The roll back was rehearsed last week.", "Mira Okafor"),
        v.ReviewSection("hindered", "What hindered", "", None, "What made it longer, larger or harder."),
        v.ReviewSection("lucky", "Where we were lucky", "Support took 14 calls only.", "Jonas Lind"),
        v.ReviewSection("actions", "Corrective actions", "Cap the connections of the refund worker.", "Sena Aydin"),
    ),
    (
        "Release 2.4.1 of payments holds a connection for each refund until the worker restarts.",
        "No test in the pipeline runs longer than the pool takes to fill.",
    ),
    (
        v.Measure("To detect", 192, note="from the release"),
        v.Measure("To declare", 137),
        v.Measure("To mitigate", 281),
        v.Measure("To recover", 352),
    ),
    (
        "Mira Okafor declared after 2 min 17 s and confirmed critical.",
        "Jonas Lind approved the roll back after 1 min 36 s.",
        "Sena Aydin signed readiness off.",
    ),
    (
        "The correlator made one candidate of 18 alerts.",
        "The analyst named the cause, with four pieces of evidence.",
        "The engine rolled payments back in 19 s.",
    ),
    tuple(reversed(TIMELINE)),
    (
        v.GateWait("Roll back of payments to 2.4.0", "satisfied", at(4.6), 96, APPROVED.votes),
        v.GateWait("Message to teams", "satisfied", at(3), 41, APPROVED.votes),
    ),
    (replace(SUBMITTED, gate=None, state="delivered", receipts=DELIVERED.receipts), DELIVERED),
    frozenset({"edit", "accept"}),
    4,
    "",
    DIGEST,
    1284,
)
EVIDENCE_PAGE = v.EvidenceView(
    DIGEST, "Signal of payments", "signal", at(5), "application/json", 48_211,
    '{\n  "kind": "signal",\n  "note": "' + HOSTILE + '"\n}', False, (CONNECTIONS, LATENCY),
    (v.LogLine("payments is unhealthy"),),
)  # fmt: skip
SOURCES = v.SourcesView(
    (
        v.SourceRow(
            "src_1",
            "alertmanager-prod",
            "Alertmanager v2 API",
            "/api/v2/alerts",
            "token",
            "receiving",
            at(0.1),
            48211,
            0,
            18,
            pull=v.PullRow(
                "https://prometheus.example:9090",
                "up=up\nrps=rate(http_requests_total[1m])",
                60,
                86_400,
                "",
                True,
                at(1),
                812,
                "Query rps was refused: bad_data: parse error.",
                "Query up gave no series.",
            ),
        ),
        v.SourceRow(
            "src_2", "pagerduty-events", "PagerDuty Events v2", "/v2/enqueue", "routing key", "quiet", at(64), 320, 3, 0
        ),
        v.SourceRow(
            "src_3",
            "ci/deploys",
            "changes, generic JSON",
            "/in/ci-deploys",
            "2 signing secrets",
            "refusing",
            at(2),
            74,
            12,
            0,
            signs=True,
            signing=(v.SigningRow("sec_1", "9fQ=", at(9000)), v.SigningRow("sec_2", "cret", at(20))),
        ),
    ),
    (
        v.RefusedRow(
            at(2),
            "ci/deploys",
            "bad_signature",
            "The signature does not fit the body; was the secret changed on one side only?",
            812,
            "qua_81",
        ),
        v.RefusedRow(at(95), "pagerduty-events", "too_large", "The body has 2.4 MiB; at most 1 MiB is taken.", 2516582),
    ),
    812 + 4096,
    64 * 1024 * 1024,
    2,
    "http://127.0.0.1:8080/api/v2/alerts",
    True,
    (v.Option("alertmanager", "alertmanager", True), v.Option("generic", "generic")),
    confirmations=(
        v.ConfirmationRow(
            "cnf_1",
            "src_4",
            "aws-alarms",
            "arn:aws:sns:eu-west-1:123456789012:alarms",
            "https://sns.eu-west-1.amazonaws.com/",
            "pending",
            "",
            at(3),
            True,
        ),
        v.ConfirmationRow(
            "cnf_2",
            "src_4",
            "aws-alarms",
            "arn:aws:sns:eu-west-1:123456789012:other",
            "http://169.254.169.254/latest/meta-data",
            "pending",
            "",
            at(1),
            False,
        ),
    ),
)
SCOPES = tuple(v.Option(s, s.replace("_", " "), s == "read") for s in ("read", "ingest", "work", "vote", "declare"))
PEOPLE = v.PeopleView(
    (
        v.PersonRow(
            "usr_mira", "mira", "Mira Okafor", "person", ("owner",), ("team-platform",), True, at(0.3), (), True, True
        ),
        v.PersonRow(
            "usr_jonas",
            "jonas",
            "Jonas Lind",
            "person",
            ("manager",),
            ("team-payments",),
            True,
            at(0.1),
            (v.TokenRow("tok_1", "laptop command line", ("read", "vote"), "9f3a"),),
            True,
        ),
        v.PersonRow(
            "usr_am",
            "alertmanager-prod",
            "Alertmanager",
            "machine",
            ("machine",),
            (),
            True,
            at(0.1),
            (v.TokenRow("tok_2", "inbound", ("ingest",), "c07d", at(-90000)),),
            True,
        ),
        v.PersonRow("usr_old", "karl", "Karl Busch", "person", ("observer",), (), False, None),
    ),
    True,
    tuple(
        v.Option(r, r, r == "responder") for r in ("owner", "manager", "responder", "observer", "auditor", "machine")
    ),
    SCOPES,
    v.Secret("One-time password of Karl Busch", "tulip-harbor-41-canvas"),
)
ALERT = v.AlertView(
    replace(ALERTS[0], title=ALERTS[5].title),
    "p99 latency of payments is 1.9 s.",
    "page",
    "payments-7d9f",
    (("alertname", "PaymentsLatencyHigh"), ("team", HOSTILE)),
    (("runbook", "https://wiki.example/payments"),),
    '{\n  "labels": {"alertname": "' + HOSTILE + '"}\n}',
    (
        v.AlertOccurrence(at(0.3), "firing", at(0.4), 1281, 4),
        v.AlertOccurrence(at(8.4), "firing", None, 1241, 0),
        v.AlertOccurrence(at(0.01), "firing", at(0.02), None, None),
    ),
    "9c1f00aa21b7e3d4",
    "javascript:alert(1)",
    ("/incidents/inc_1", "INC-1"),
    1,
)


def pictured(title: str, unit: str, values: list[float], low: float, high: float, is_count: bool = False) -> Chart:
    """What a detector saw of one series, a value a minute, the last of them found."""
    times = tuple(at(len(values) - n).timestamp() for n in range(len(values)))
    band = (low,) * len(values), (high,) * len(values)
    chart = drawn(Picture(title, unit, times, tuple(values), times[-1], *band, is_count=is_count))
    assert chart is not None
    return chart


ALERT_OF_METRICS = replace(
    ALERT,
    row=replace(
        ALERTS[0], title="2 metrics of payments moved together: request_seconds, pool_in_use", source="handrail"
    ),
    seen=v.Seen(
        at(0.3),
        (
            pictured("request_seconds", "", [0.21 + 0.02 * sin(n * 1.7) for n in range(110)] + [1.4, 1.9], 0.16, 0.26),
            pictured("pool_in_use", "", [310.0 + 6 * sin(n * 2.3) for n in range(110)] + [398.0, 400.0], 290.0, 330.0),
        ),
        (),
    ),
)
ALERT_OF_LOG = replace(
    ALERT,
    row=replace(ALERTS[0], title="Many more errors than usual in the log of payments", source="handrail"),
    seen=v.Seen(
        at(0.3),
        (
            pictured(
                "Errors", "lines in 60 s", [float(n % 4) for n in range(58)] + [3.0, 61.0], 0.0, 3.5, is_count=True
            ),
        ),
        ("connection to ledger-db refused after 3 tries", HOSTILE, "could not post 4711: no connection"),
    ),
)

Shot = tuple[str, str, v.Page, object]


CANDIDATE_PAGE = v.CandidateView(
    id="can_1",
    title=CANDIDATE.title,
    status="open",
    suggested=CANDIDATE.suggested,
    suggested_why=CANDIDATE.suggested_why,
    services=CANDIDATE.services,
    count=18,
    started_at=at(9.5),
    opened_at=at(9),
    members=tuple(
        v.MemberRow(alert, reason, score, by_person, chosen)
        for alert, reason, score, by_person, chosen in zip(
            (*CANDIDATE.alerts, alert(23, "LoginFails", Severity.HIGH, "wiki", count=2)),
            (
                "First symptom: a critical alert on payments.",
                "orders calls payments; 40 s apart; both carry cluster=eu-1; 2 min after “Deploy of payments 2.5.0”.",
                "A person put it here. Before: In 4 of 5 earlier incidents both came together; 20 s apart.",
            ),
            (100, 83, 100),
            (False, False, True),
            (False, True, False),
            strict=False,
        )
    ),
    split_from=("/candidates/can_0", "another candidate"),
    may_correct=True,
    may_move=True,
    targets=(
        v.Option("", "Choose where to", True), v.Option("new", "a candidate of their own"),
        v.Option("can_7", "INC-7: Storefront is slow"), v.Option("none", "out of every candidate"),
    ),
    into=(v.Option("", "Choose which", True), v.Option("can_7", "INC-7: Storefront is slow")),
    corrections=(
        v.CorrectionRow(
            "cor_1", at(3), "Mira Okafor", at(-90 * 24 * 60), ("“QueueFull” on mail",), ("“HighErrors” on payments",),
        ),
    ),
    history=(v.TimelineRow(1251, at(3), at(3), MIRA, "1 alert moved to another candidate; 18 left: another matter."),),
)  # fmt: skip


def shots() -> list[Shot]:
    """Every page that the gallery draws: name, template, page, view."""
    inc = ("incident:inc_1", "approvals")
    listed = ("approvals",)
    gate = v.GateView(v.ApprovalItem(GATE, PROPOSAL), CAUSE, TIMELINE[3:5])
    stranger = replace(page("Sign in", "/sign-in"), viewer=None, approvals_waiting=0, practice=False)
    done = v.Notice("done", "Your approval is recorded. The engine rolls payments back now.")
    return [
        ("sign_in", "sign_in.html", stranger, v.SignInView()),
        (
            "sign_in_refused",
            "sign_in.html",
            stranger,
            v.SignInView("Name and password do not fit. Check both and try again.", "mira"),
        ),
        (
            "set_password",
            "set_password.html",
            replace(stranger, title="Password", path="/password"),
            v.PasswordView(True, 12),
        ),
        ("board", "board.html", page("Board", "/", "board", ("board", "alerts", *listed)), BOARD),
        (
            "candidate",
            "candidate.html",
            page(CANDIDATE.title, "/candidates/can_1", "board", ("candidate:can_1", *listed)),
            CANDIDATE_PAGE,
        ),
        (
            "board_empty",
            "board.html",
            replace(page("Board", "/", "board", ("board", "alerts")), approvals_waiting=0),
            v.BoardView((), (), (), inbound_address="http://127.0.0.1:8080/api/v2/alerts"),
        ),
        (
            "incident",
            "incident.html",
            page("INC-1 Card payments fail at checkout", "/incidents/inc_1", "board", inc),
            INCIDENT,
        ),
        (
            "incident_recovered",
            "incident.html",
            replace(page("INC-1", "/incidents/inc_1", "board", inc), notice=done),
            RECOVERED,
        ),
        ("incident_early", "incident.html", page("INC-1", "/incidents/inc_1", "board", inc), EARLY),
        (
            "approvals",
            "approvals.html",
            page("My approvals", "/approvals", "approvals", listed),
            v.ApprovalsView(
                (
                    v.ApprovalItem(GATE, PROPOSAL, None, "SEV1"),
                    v.ApprovalItem(MESSAGE_GATE, None, SUBMITTED, "SEV1"),
                ),
                (REFUSED_TO_ME,),
                (replace(APPROVED, id="gat_8"),),
            ),
        ),
        (
            "approvals_empty",
            "approvals.html",
            page("My approvals", "/approvals", "approvals", listed),
            v.ApprovalsView(()),
        ),
        ("gate", "gate.html", page("Gate", "/gates/gat_1", "approvals", ("gate:gat_1",)), gate),
        (
            "task",
            "task.html",
            page("Task", "/tasks/run_1/t4", "board", ("run:run_1",)),
            v.TaskView(
                TASKS[3],
                ("/incidents/inc_1", "INC-1"),
                "Bad release",
                (("/tasks/run_1/t1", TASKS[0].title, "done"),),
                TIMELINE[2:4],
            ),
        ),
        ("record", "record.html", page("Record", "/record", "record"), RECORD),
        ("record_bad", "record.html", page("Record", "/record", "record"), replace(RECORD, verification=BAD)),
        ("entry", "entry.html", page("Entry #1250", "/record/1250", "record"), ENTRY),
        (
            "alerts",
            "alerts.html",
            page("Alerts", "/alerts?q=pay", "alerts", ("alerts",)),
            v.AlertsView(
                ALERTS,
                1204,
                (v.Option("", "all", True),),
                (v.Option("", "any", True), v.Option("firing", "firing")),
                "pay",
                None,
                "/alerts?before=x",
            ),
        ),
        ("alert", "alert.html", page("Alert", "/alerts/alr_001", "alerts"), ALERT),
        ("alert_of_metrics", "alert.html", page("Alert", "/alerts/alr_002", "alerts"), ALERT_OF_METRICS),
        ("alert_of_log", "alert.html", page("Alert", "/alerts/alr_003", "alerts"), ALERT_OF_LOG),
        (
            "message",
            "message.html",
            page("Message", "/messages/msg_1", "board", ("message:msg_1",)),
            v.MessageView(DRAFT, ("/incidents/inc_1", "INC-1")),
        ),
        ("review", "review.html", page("Review of INC-1", "/incidents/inc_1/review", "board"), REVIEW),
        ("sources", "sources.html", page("Sources", "/sources", "sources", ("sources",)), SOURCES),
        ("evidence", "evidence.html", page("Signal of payments", f"/evidence/{DIGEST}", "board"), EVIDENCE_PAGE),
        ("people", "people.html", page("People", "/people", "people"), PEOPLE),
        (
            "error",
            "error.html",
            page("Refused", "/gates/gat_1"),
            v.ErrorView(
                409,
                "gate_voided",
                "This gate no longer stands: the proposal was changed after it was opened.",
                "Look at the new proposal; it has a gate of its own.",
                ("The digest is of an older content.",),
                "4bf92f3577b34da6",
                "/incidents/inc_1",
            ),
        ),
    ]
